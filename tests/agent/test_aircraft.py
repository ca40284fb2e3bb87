"""The aircraft table: a whole recorded flight against its truth, and made frames one by one."""

import gzip
import json
import math
import statistics
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from aerocast_agent.aircraft import MOST_AIRCRAFT, AircraftTable
from aerocast_agent.stands import Stands, distance_m
from aerocast_protocols.modes import encode
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.lines import parse_line
from aerocast_protocols.modes.parity import seal
from aerocast_protocols.modes.wind import Wind, vector_of
from aerocast_protocols.observations.aircraft import (
    AircraftGroundEvent,
    AircraftState,
    AircraftWeather,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NS = 1_000_000_000
DATA = Path(__file__).parents[2].parent / "shared" / "data" / "adsb"
HERE = Position(43.629, 1.364)
PARIS, TOULOUSE = (49.01, 2.55), (43.629, 1.364)
FLYING = encode.Sender("4ca123", on_ground=False)
ROLLING = encode.Sender("4ca123", on_ground=True)


@pytest.fixture(scope="module")
def recorded():
    path = DATA / "msgs" / "traffic_full_flight_393322_2024-07-06.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with gzip.open(path, "rt") as lines:
        frames = [parse_line(line) for line in lines]
    start_us = frames[0].heard_at_us
    return [((each.heard_at_us - start_us) * 1000, each.frame) for each in frames]


def hear(frames, reference, stands, *, run_on_s=120):
    table = AircraftTable(reference, stands, year=2024.5)
    seen, ticked_ns = [], 0
    for boot_ns, frame in frames:
        if boot_ns - ticked_ns >= NS:
            ticked_ns = boot_ns
            seen += table.advance("sky", boot_ns)
        seen += table.update("sky", frame, boot_ns)
    for second in range(1, run_on_s + 1):
        seen += table.advance("sky", frames[-1][0] + second * NS)
    return seen


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (PARIS, [("off_stand", "off_stand_s", "CDG-A"), ("airborne", "airborne_s", None)]),
        (TOULOUSE, [("landed", "landed_s", None), ("on_stand", "stopped_s", "TLS-B")]),
    ],
)
def test_each_gateway_tells_its_own_end_of_the_recorded_flight_true(recorded, reference, expected):
    truth = json.loads((DATA / "flight_393322_truth.json").read_bytes())
    stands = Stands.from_geojson((DATA / "flight_393322_stands.geojson").read_bytes())

    seen = hear(recorded, reference, stands)

    events = [each for each in seen if isinstance(each, AircraftGroundEvent)]
    assert [(each.event, each.stand) for each in events] == [(e[0], e[2]) for e in expected]
    for event, (_, name, _) in zip(events, expected, strict=True):
        assert event.icao == truth["icao"]
        assert abs(event.boot_ns / NS - truth[name]["value"]) <= event.sigma_s + 10.0
        assert event.boot_ns <= event.known_at_boot_ns
        assert event.sigma_s <= 5.0


def test_the_recorded_flight_is_thinned_and_never_jumps(recorded):
    states = [each for each in hear(recorded, PARIS, Stands()) if isinstance(each, AircraftState)]

    times = [each.boot_ns for each in states]
    assert all(b - a >= NS for a, b in pairwise(times))
    assert states[-1].callsign == "AFR34ZG"
    assert states[-1].squawk == "1000"
    places = [
        (each.boot_ns / NS, Position(each.latitude_deg, each.longitude_deg))
        for each in states
        if each.latitude_deg is not None
    ]
    assert len(places) > 2500
    for (at, one), (then, other) in pairwise(places):
        assert distance_m(one, other) <= 260.0 * (then - at + 10.0)


def test_winds_of_the_recorded_flight_are_plausible_rare_and_smooth(recorded):
    winds = [each for each in hear(recorded, PARIS, Stands()) if isinstance(each, AircraftWeather)]

    assert len(winds) > 200
    cruise = [each for each in winds if each.altitude_ft > 30000]
    assert all(50 < each.wind_speed_kt < 100 for each in cruise)
    assert all(225 < each.wind_direction_deg < 280 for each in cruise)
    assert all(-60 < each.temperature_c < -30 for each in cruise)
    times = [each.boot_ns for each in winds]
    assert all(b - a >= 3 * NS for a, b in pairwise(times))
    assert all(b - a >= 45 * NS for a, b in zip(times, times[6:], strict=False))


@pytest.mark.parametrize("reference", [PARIS, TOULOUSE])
def test_winds_close_together_in_the_recorded_flight_agree(recorded, reference):
    winds = [
        (each.boot_ns, each.altitude_ft, *vector_of(Wind(each.wind_direction_deg, speed_mps)))
        for each in hear(recorded, reference, Stands())
        if isinstance(each, AircraftWeather)
        for speed_mps in [each.wind_speed_kt * 0.514444]
    ]
    apart_mps = []
    for one in winds:
        near = [
            other
            for other in winds
            if other is not one
            and abs(one[0] - other[0]) <= 30 * NS
            and abs(one[1] - other[1]) <= 500.0
        ]
        if near:
            east, north = (sum(each[axis] for each in near) / len(near) for axis in (2, 3))
            apart_mps.append(math.hypot(one[2] - east, one[3] - north))

    assert len(apart_mps) > 200
    assert statistics.mean(apart_mps) <= 0.8


def test_following_aircraft_loads_no_other_decoder():
    code = "import sys, aerocast_agent.aircraft; sys.exit('pyModeS' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def positions(table, sender, place, from_ns, count, *, altitude_ft=3000.0, step_ns=NS // 2):
    seen = []
    for index in range(count):
        if sender.on_ground:
            frame = encode.encode_surface_position(sender, place, 10.0, 90.0, odd=bool(index % 2))
        else:
            frame = encode.encode_airborne_position(sender, place, altitude_ft, odd=bool(index % 2))
        seen += table.update("sky", frame, from_ns + index * step_ns, -12.5)
    return seen


def test_a_first_position_waits_for_a_second_that_agrees():
    table = AircraftTable(HERE, Stands())
    there = Position(43.8, 1.5)

    seen = positions(table, FLYING, there, 0, 7)

    known = [each.latitude_deg for each in seen if isinstance(each, AircraftState)]
    assert known[:2] == [None, pytest.approx(43.8, abs=1e-4)]
    assert seen[-1].altitude_ft == 3000
    assert seen[-1].signal_dbfs == -12.5
    assert seen[-1].on_ground is False


def test_one_position_far_off_is_not_believed_and_a_lasting_one_is():
    table = AircraftTable(HERE, Stands())
    positions(table, FLYING, Position(43.8, 1.5), 0, 6)

    far = positions(table, FLYING, Position(45.0, 3.0), 3 * NS, 2)
    assert [each.latitude_deg for each in far if isinstance(each, AircraftState)] == [
        pytest.approx(43.8, abs=1e-4)
    ]
    later = positions(table, FLYING, Position(45.0, 3.0), 4 * NS, 10)
    assert later[-1].latitude_deg == pytest.approx(45.0, abs=1e-3)


def test_positions_beyond_radio_range_are_refused():
    table = AircraftTable(HERE, Stands())

    seen = positions(table, FLYING, Position(49.0, 2.5), 0, 12)

    assert all(each.latitude_deg is None for each in seen)


def test_a_surface_position_is_placed_by_the_gateways_own_place():
    for reference in (HERE, Position(-43.629, 1.364), Position(43.629, -88.6)):
        table = AircraftTable(reference, Stands())
        there = Position(reference[0] + 0.01, reference[1] + 0.01)
        seen = positions(table, ROLLING, there, 0, 12)
        assert (seen[-1].latitude_deg, seen[-1].longitude_deg) == pytest.approx(there, abs=1e-4)
        assert seen[-1].ground_speed_kt == pytest.approx(10.0, abs=0.5)
        assert seen[-1].altitude_ft is None


def test_replies_count_only_for_aircraft_that_spoke_clean_in_the_last_minute():
    table = AircraftTable(HERE, Stands())
    reply = encode.encode_identity_reply(FLYING, "4321", 0)

    assert table.update("sky", reply, 0) == []
    assert len(table) == 0
    table.update("sky", encode.encode_all_call(FLYING), NS)
    assert table.update("sky", reply, 30 * NS)[0].squawk == "4321"
    assert table.update("sky", reply, 62 * NS) == []


def test_damaged_frames_and_other_kinds_are_passed_over():
    table = AircraftTable(HERE, Stands())
    clean = encode.encode_identification(FLYING, "AFR12AB")
    for frame in (clean[:-1] + bytes((clean[-1] ^ 4,)), b"\x01\x02", b"", clean[:7], clean + b"x"):
        assert table.update("sky", frame, 0) == []
    assert len(table) == 0
    assert table.update("sky", clean, 0)[0].callsign == "AFR12AB"
    assert table.update("sky", clean, 2 * NS)[0].category == "A3"


def test_all_call_replies_alone_say_nothing():
    table = AircraftTable(HERE, Stands())
    assert table.update("sky", encode.encode_all_call(FLYING), 0) == []


def test_silent_aircraft_are_forgotten_and_the_oldest_gives_way():
    table = AircraftTable(HERE, Stands())
    table.update("sky", encode.encode_all_call(FLYING), 0)
    table.advance("sky", 601 * NS)
    assert len(table) == 0
    for number in range(MOST_AIRCRAFT + 50):
        sender = encode.Sender(f"{number + 1:06x}", on_ground=False)
        table.update("sky", encode.encode_all_call(sender), number)
    assert len(table) == MOST_AIRCRAFT


@given(st.lists(st.binary(max_size=14) | st.binary(min_size=14, max_size=14), max_size=30))
@settings(max_examples=100)
def test_any_bytes_are_survived(frames):
    table = AircraftTable(HERE, Stands())
    for index, frame in enumerate(frames):
        table.update("sky", frame, index * NS)
    table.advance("sky", 1000 * NS)


@given(st.binary(min_size=11, max_size=11), st.integers(17, 18))
@settings(max_examples=150)
def test_any_content_under_a_clean_parity_is_survived(content, downlink):
    table = AircraftTable(HERE, Stands())
    for index in range(4):
        frame = seal(bytes(((downlink << 3) | (content[0] & 7),)) + content[1:])
        table.update("sky", frame, index * NS)
