"""``aerocast-agent decode`` for captures of the air."""

import gzip
import json
from pathlib import Path

import pyModeS
import pytest
from aerocast_agent.cli.decode import run
from aerocast_protocols.modes.beast import HEARTBEAT, MLAT_TIMESTAMP, encode_beast

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "adsb"
IDENTIFICATION = "8d406b902015a678d4d220aa4bda"
POSITION = "8d406b9058b97218e77d23bead12"


def decode(capsys, tmp_path, kind, content, *options):
    capture = tmp_path / "capture"
    capture.write_bytes(content)
    status = run([kind, str(capture), "--json", *options])
    put_out = capsys.readouterr()
    return status, [json.loads(line) for line in put_out.out.splitlines()], put_out.err


def test_beast_streams_become_a_line_a_frame_and_garbage_is_counted_aloud(capsys, tmp_path):
    frame = bytes.fromhex(IDENTIFICATION)
    stream = (
        HEARTBEAT
        + encode_beast(frame, ticks_12mhz=77, signal=255)
        + b"noise"
        + encode_beast(frame, ticks_12mhz=MLAT_TIMESTAMP, signal=0)
    )

    status, lines, said = decode(capsys, tmp_path, "beast", stream)

    assert status == 0
    assert lines == [
        {"frame": IDENTIFICATION, "ts_12mhz": 77, "signal_dbfs": 0.0, "mlat": False},
        {"frame": IDENTIFICATION, "ts_12mhz": None, "signal_dbfs": None, "mlat": True},
    ]
    assert "5 bytes" in said


def test_modes_lines_carry_pymodes_names_and_its_own_decode_on_request(capsys, tmp_path):
    content = f"1.5,{POSITION}\nrubbish\n{IDENTIFICATION}\n".encode()

    status, lines, _ = decode(
        capsys, tmp_path, "modes", content, "--explain", "--reference", "49.0,6.0"
    )

    assert status == 1
    assert lines[1] == {"error": "no Mode S frame in 'rubbish'", "input": "rubbish"}
    assert lines[2]["callsign"] == "EZY85MH"
    assert lines[2]["time"] is None
    assert lines[0]["time"] == "1970-01-01T00:00:01.500000Z"
    assert lines[0]["latitude"] is not None
    assert lines[0]["groundspeed"] is None
    expected = pyModeS.decode(POSITION, reference=(49.0, 6.0))
    assert lines[0]["pymodes"] == expected
    assert {name: lines[0][name] for name in expected} == expected


def test_a_reference_that_is_no_place_and_stands_that_are_none_are_wrong_usage(capsys, tmp_path):
    for options in (["--reference", "north"], ["--reference", "99,0"], ["--stands", "/nowhere"]):
        with pytest.raises(SystemExit) as wrong:
            decode(capsys, tmp_path, "aircraft", b"", *options)
        assert wrong.value.code == 2
        assert options[1] in capsys.readouterr().err


@pytest.fixture(scope="module")
def recorded():
    path = DATA / "msgs" / "traffic_full_flight_393322_2024-07-06.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with gzip.open(path, "rt") as lines:
        reads = [json.loads(line) for line in lines]
    late = [read for read in reads if read["timestamp"] - reads[0]["timestamp"] > 4400]
    return "".join(f"{read['timestamp']},{read['frame']}\n" for read in late).encode()


def test_the_recorded_arrival_is_told_with_times_and_stand(capsys, tmp_path, recorded):
    stands = DATA / "flight_393322_stands.geojson"

    status, lines, _ = decode(
        capsys,
        tmp_path,
        "aircraft",
        recorded,
        "--reference=43.629,1.364",
        "--stands",
        str(stands),
    )

    assert status == 0
    events = [line for line in lines if line["kind"] == "event"]
    assert [(e["event"], e["stand"], e["time"][:18]) for e in events] == [
        ("landed", None, "2024-07-06T07:58:4"),
        ("on_stand", "TLS-B", "2024-07-06T08:02:3"),
    ]
    assert all(line["icao"] == "393322" for line in lines)
    assert {line["on_ground"] for line in lines if line["kind"] == "state"} == {True, False}


def test_the_recorded_arrival_gives_winds(capsys, tmp_path, recorded):
    status, lines, _ = decode(capsys, tmp_path, "wind", recorded, "--reference", "43.629,1.364")

    assert status == 0
    assert lines
    assert all(line["source"] == "derived" and line["wind_speed_kt"] < 30 for line in lines)


def test_frames_without_a_time_still_say_who_is_there(capsys, tmp_path):
    status, lines, _ = decode(capsys, tmp_path, "aircraft", IDENTIFICATION.encode())

    assert status == 0
    assert [(line["callsign"], line["time"]) for line in lines] == [("EZY85MH", None)]
