"""Real processes for end-to-end tests, and the real recordings of shared/data to play to them."""

import asyncio
import gzip
import json
import shutil
import struct
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FLIGHT = DATA / "adsb" / "msgs" / "traffic_full_flight_393322_2024-07-06.jsonl.gz"
TRUTH = DATA / "adsb" / "flight_393322_truth.json"
STANDS = DATA / "adsb" / "flight_393322_stands.geojson"
REPORTS = DATA / "devices" / "llrp"
GPS_LOG = DATA / "devices" / "gps" / "quectel-L70.log"
METARS = DATA / "weather" / "awc_metars_20250814T1840Z.csv.gz"
SHORT_FORMATS = {0, 4, 5, 11}  # downlink formats of 56 bits; the recording pads them to 112

GATEWAY = """
[gateway]
site = "{site}"
name = "{name}"
position = {{ latitude_deg = {latitude}, longitude_deg = {longitude} }}

[hub]
broker = "mqtt://127.0.0.1:1884"
http = "http://127.0.0.1:8000"

[spool]
path = "spool.db"
budget_mb = 64

[aircraft]
stands = "stands.geojson"
on_stand_after_s = 60

[[device]]
name = "sky"
kind = "replay"
file = "flight.csv"
format = "modes"
speed = 0
start = {start}
"""

BELT = """
[[device]]
name = "portal"
kind = "replay"
file = "portal.llrp"
format = "llrp"
speed = 0
start = {start}

[[device]]
name = "gps"
kind = "replay"
file = "gps.nmea"
format = "nmea"
speed = 0
start = {start}

[[belt]]
name = "belt-1"
point = "sortation"
antennas = ["portal:1", "portal:2"]
"""


ENOUGH_S = 150.0


async def until(look, good):
    """Ask again and again until the answer is good; give the last one."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ENOUGH_S
    while True:
        found = await look()
        if good(found) or loop.time() > deadline:
            return found
        await asyncio.sleep(0.5)


@pytest.fixture
def truth():
    """What really happened on flight 393322, in seconds from the recording's first frame."""
    if not TRUTH.exists():
        pytest.skip(f"shared/data is not here: {TRUTH.name}")
    return json.loads(TRUTH.read_text())


@pytest.fixture
def captured(tmp_path):
    """A folder for --captures: a gateway at each end of the flight, one with a belt and a GPS."""
    for needed in (FLIGHT, STANDS, REPORTS, GPS_LOG, METARS):
        if not needed.exists():
            pytest.skip(f"shared/data is not here: {needed.name}")
    return lay_out(tmp_path / "captures")


def lay_out(folder: Path) -> Path:
    folder.mkdir(parents=True)
    with gzip.open(FLIGHT, "rt") as recorded, (folder / "flight.csv").open("w") as out:
        for line in recorded:
            frame = json.loads(line)
            raw = bytes.fromhex(frame["frame"])
            length = 7 if raw[0] >> 3 in SHORT_FORMATS else 14
            out.write(f"{frame['timestamp']:.6f},{raw[:length].hex()}\n")
    with (folder / "portal.llrp").open("wb") as out:
        for number, path in enumerate(sorted(REPORTS.glob("ROAccessReport-*.bytes")), 1):
            body = path.read_bytes()
            out.write(struct.pack(">HII", 1 << 10 | 61, 10 + len(body), number) + body)
    lines = GPS_LOG.read_bytes().splitlines(keepends=True)
    (folder / "gps.nmea").write_bytes(b"".join(x for x in lines if not x.startswith(b"#")))
    shutil.copy(STANDS, folder / "stands.geojson")
    shutil.copy(METARS, folder / "metars.csv.gz")
    start = "2024-07-06T06:43:09.525094Z"
    (folder / "cdg.toml").write_text(
        GATEWAY.format(site="lfpg", name="pier-1", latitude=49.01, longitude=2.55, start=start)
    )
    (folder / "tls.toml").write_text(
        GATEWAY.format(site="lfbo", name="hall-1", latitude=43.629, longitude=1.364, start=start)
        + BELT.format(start=start)
    )
    flight = {
        "flight": "AF6126", "date": "2024-07-06", "callsign": None, "icao": "393322",
        "registration": None, "from": "CDG", "to": "TLS",
        "scheduled_off_block": "2024-07-06T06:45:00Z",
        "scheduled_on_block": "2024-07-06T08:05:00Z",
        "stand": "TLS-B", "reclaim": "2", "gate": None,
    }  # fmt: skip
    (folder / "flights.jsonl").write_text(json.dumps(flight) + "\n")
    bag = {
        "licence_plate": "0057123456", "flight": "AF6126", "flight_date": "2024-07-06",
        "from": "CDG", "to": "TLS", "surname": "EXAMPLE", "passenger": "EXAMPLE/ANNA",
    }  # fmt: skip
    (folder / "bags.jsonl").write_text(json.dumps(bag) + "\n")
    return folder
