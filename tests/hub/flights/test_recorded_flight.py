import gzip
import json
from itertools import count
from pathlib import Path

import pytest
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.stands import Stands
from aerocast_hub.flights.absorb import absorb
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.flights.store import Booking, flight_of
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.weather.winds import absorb as absorb_winds
from aerocast_hub.weather.winds import winds_over
from aerocast_protocols.observations.aircraft import AircraftGroundEvent, AircraftWeather

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "adsb"
GATEWAYS = {"lfpg": (49.01, 2.55), "lfbo": (43.629, 1.364)}


@pytest.fixture(scope="module")
def truth():
    file = DATA / "flight_393322_truth.json"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    return json.loads(file.read_text())


@pytest.fixture(scope="module")
def heard(truth):
    """What a gateway at each end makes of the whole recording: (site, observation) in turn."""
    stands = Stands.from_geojson((DATA / "flight_393322_stands.geojson").read_bytes())
    tables = {site: AircraftTable(place, stands) for site, place in GATEWAYS.items()}
    found = []
    with gzip.open(DATA / "msgs" / "traffic_full_flight_393322_2024-07-06.jsonl.gz", "rt") as lines:
        for line in lines:
            row = json.loads(line)
            boot_ns = round((row["timestamp"] - truth["t0_unix_s"]) * 1e9)
            frame = bytes.fromhex(row["frame"])
            for site, table in tables.items():
                found += [(site, each) for each in table.update("sky", frame, boot_ns)]
        for second in range(1, 121):
            for site, table in tables.items():
                at_ns = boot_ns + second * 1_000_000_000
                found += [(site, each) for each in table.advance("sky", at_ns)]
    return found


def sightings(truth, heard, kind):
    start_us = round(truth["t0_unix_s"] * 1e6)
    numbers = count(1)
    return [
        Sighting(
            site=site,
            gateway=site,
            epoch=1,
            lane=0,
            sequence=next(numbers),
            seen_at_us=start_us + observation.boot_ns // 1000,
            clock_quality=3,
            observation=observation,
        )
        for site, observation in heard
        if isinstance(observation, kind)
    ]


async def test_the_recorded_flight_is_off_airborne_landed_and_parked_at_its_true_times(
    database, tmp_path, truth, heard
):
    line = {
        "flight": "AF6120",
        "date": "2024-07-06",
        "icao": "393322",
        "from": "CDG",
        "to": "TLS",
        "scheduled_off_block": "2024-07-06T06:40:00Z",
        "scheduled_on_block": "2024-07-06T08:05:00Z",
    }
    (tmp_path / "flights.jsonl").write_text(json.dumps(line))
    await import_flights(database, tmp_path / "flights.jsonl")
    for sighting in sightings(truth, heard, AircraftGroundEvent):
        async with database.writing() as session:
            await absorb(session, [sighting])
    async with database.reading() as session:
        flight = await flight_of(session, Booking("AF6120", "2024-07-06", "CDG", "TLS"))
    for name, true in (
        ("off_block", "off_stand_s"),
        ("airborne", "airborne_s"),
        ("landed", "landed_s"),
        ("on_block", "stopped_s"),
    ):
        moment = getattr(flight.actual, name)
        assert moment is not None, name
        at_s = moment.at_us / 1e6 - truth["t0_unix_s"]
        assert abs(at_s - truth[true]["value"]) <= moment.sigma_s + 10, name
    assert flight.actual.off_block.stand == "CDG-A"
    assert flight.actual.on_block.stand == "TLS-B"


async def test_the_recorded_flights_winds_stand_over_the_airport(database, truth, heard):
    winds = sightings(truth, heard, AircraftWeather)
    async with database.writing() as session:
        await absorb_winds(session, winds)
    landed_us = round((truth["t0_unix_s"] + truth["landed_s"]["value"]) * 1e6)
    async with database.reading() as session:
        over = await winds_over(session, "LFBO", landed_us)
    assert [each.icao for each in over.aircraft] == ["393322"]
    assert all(level.wind_speed_kt is None for level in over.levels)  # one aircraft is no mean
    assert sum(level.observations for level in over.levels) > 10
