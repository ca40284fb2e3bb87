"""Compact positions solved and encoded; wind and temperature from motion."""

import gzip
import json
import math
from pathlib import Path

import pytest
from aerocast_protocols.modes.cpr import (
    Cpr,
    Position,
    airborne_global,
    encode_cpr,
    local,
    longitude_zones,
    surface_global,
)
from aerocast_protocols.modes.wind import (
    Wind,
    indicated_airspeed_kt,
    mach_from,
    pressure_hpa,
    temperature_c,
    true_airspeed_kt,
    vector_of,
    wind_from,
    wind_of,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "adsb" / "msgs"
latitudes = st.floats(-86.0, 86.0)
longitudes = st.floats(-180.0, 179.999)
numbers = st.integers(0, 131071)


def east_apart(one, other):
    return abs((one - other + 180.0) % 360.0 - 180.0)


def test_a_published_pair_is_solved():
    # "The 1090 Megahertz Riddle" (J. Sun), airborne positions: 40621D over the Netherlands.
    even, odd = (
        Cpr(odd=False, latitude=93000, longitude=51372),
        Cpr(odd=True, latitude=74158, longitude=50194),
    )

    assert airborne_global(even, odd, odd_is_latest=False) == pytest.approx(
        (52.25720, 3.91937), abs=1e-5
    )
    assert airborne_global(even, odd, odd_is_latest=True) == pytest.approx(
        (52.26578, 3.93891), abs=1e-5
    )


@pytest.mark.parametrize(
    ("latitude", "zones"),
    [(0, 59), (10.4, 59), (10.5, 58), (52.2, 36), (-52.2, 36), (86.9, 2), (88, 1)],
)
def test_longitude_zones_grow_fewer_towards_the_poles(latitude, zones):
    assert longitude_zones(latitude) == zones


def test_longitude_zones_follow_their_formula():
    for tenth in range(1, 869):
        latitude = tenth / 10
        share = (1 - math.cos(math.pi / 30)) / math.cos(math.radians(latitude)) ** 2
        assert longitude_zones(latitude) == int(2 * math.pi / math.acos(1 - share))


@given(latitudes, longitudes, st.booleans())
@settings(max_examples=200)
def test_an_airborne_position_is_solved_from_its_pair_anywhere(latitude, longitude, odd_is_latest):
    there = Position(latitude, longitude)
    even, odd = (encode_cpr(there, odd=o, on_surface=False) for o in (False, True))

    solved = airborne_global(even, odd, odd_is_latest=odd_is_latest)

    assume(solved is not None)  # on the border of two zone counts
    assert abs(solved[0] - latitude) < 1e-4
    assert east_apart(solved[1], longitude) * math.cos(math.radians(latitude)) < 1e-4 * 3


@given(latitudes, longitudes, st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.booleans())
@settings(max_examples=200)
def test_a_surface_position_is_solved_near_the_receiver_in_every_quadrant(
    latitude, longitude, north, east, odd_is_latest
):
    there = Position(latitude, longitude)
    even, odd = (encode_cpr(there, odd=o, on_surface=True) for o in (False, True))
    receiver = Position(latitude + north, (longitude + east + 180) % 360 - 180)

    solved = surface_global(even, odd, receiver, odd_is_latest=odd_is_latest)

    assume(solved is not None)
    assert abs(solved[0] - latitude) < 3e-5
    assert east_apart(solved[1], longitude) * math.cos(math.radians(latitude)) < 1e-4


@given(
    latitudes, longitudes, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.booleans(), st.booleans()
)
@settings(max_examples=200)
def test_one_frame_is_solved_by_a_position_nearby(
    latitude, longitude, north, east, odd, on_surface
):
    there = Position(latitude, longitude)
    near = Position(latitude + north, (longitude + east + 180) % 360 - 180)

    solved = local(encode_cpr(there, odd=odd, on_surface=on_surface), near, on_surface=on_surface)

    assert abs(solved[0] - latitude) < 1e-4
    assert east_apart(solved[1], longitude) * math.cos(math.radians(latitude)) < 3e-4


@given(st.tuples(numbers, numbers, numbers, numbers), st.booleans(), latitudes, longitudes)
@settings(max_examples=200)
def test_any_fields_are_solved_to_a_place_on_earth_or_not_at_all(raw, latest, north, east):
    even, odd = (
        Cpr(odd=False, latitude=raw[0], longitude=raw[1]),
        Cpr(odd=True, latitude=raw[2], longitude=raw[3]),
    )
    near = Position(north, east)
    for solved in (
        airborne_global(even, odd, odd_is_latest=latest),
        surface_global(even, odd, near, odd_is_latest=latest),
        local(odd, near, on_surface=False),
        local(even, near, on_surface=True),
    ):
        assert solved is None or (-90 <= solved[0] <= 90 and -180 <= solved[1] < 180)


def test_recorded_surface_positions_are_those_another_decoder_gives():
    path = DATA / "traffic_full_flight_393322_2024-07-06.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    compared = 0
    with gzip.open(path, "rt") as lines:
        for line in lines:
            read = json.loads(line)
            if read.get("bds") == "06" and "latitude" in read:
                frame = Cpr(read["parity"] == "odd", read["lat_cpr"], read["lon_cpr"])
                there = Position(read["latitude"], read["longitude"])
                near = Position(there[0] + 0.1, there[1] - 0.1)
                assert local(frame, near, on_surface=True) == pytest.approx(there, abs=1e-6)
                compared += 1
    assert compared > 1500


def test_a_headwind_slows_and_a_crosswind_drifts():
    assert wind_from(270.0, 400.0, 270.0, 450.0) == pytest.approx((270.0, 50.0))
    direction, speed = wind_from(10.0, 300.0, 0.0, 295.4)
    assert direction == pytest.approx(270.0, abs=1.0)
    assert speed == pytest.approx(52.1, abs=0.1)
    with pytest.raises(ValueError, match="negative"):
        wind_from(0.0, -1.0, 0.0, 100.0)


@given(st.floats(0, 359.9), st.floats(1, 200), st.floats(0, 359.9), st.floats(100, 500))
def test_the_wind_put_in_is_the_wind_found(direction, speed, heading, airspeed):
    east, north = vector_of(Wind(direction, speed))
    east += airspeed * math.sin(math.radians(heading))
    north += airspeed * math.cos(math.radians(heading))
    ground = math.hypot(east, north)
    track = math.degrees(math.atan2(east, north))

    found = wind_from(track, ground, heading, airspeed)

    assert found.speed_kt == pytest.approx(speed, abs=1e-6)
    assert east_apart(found.direction_deg, direction) < 1e-3
    assert vector_of(wind_of(east, north)) == pytest.approx((east, north))


def test_temperature_follows_the_speed_of_sound_and_needs_a_fast_aircraft():
    assert temperature_c(661.4786, 1.0) == pytest.approx(15.0)
    assert temperature_c(true_airspeed_kt(0.78, -52.5), 0.78) == pytest.approx(-52.5)
    assert temperature_c(120.0, 0.18) is None


def test_the_standard_atmosphere_is_the_published_one():
    # The standard atmosphere's table: 11,000 m 226.32 hPa; 5,486 m (18,000 ft) 506.0 hPa.
    assert pressure_hpa(0.0) == pytest.approx(1013.25)
    assert pressure_hpa(18000.0) == pytest.approx(506.0, abs=0.2)
    assert pressure_hpa(36089.24) == pytest.approx(226.32, abs=0.05)
    assert pressure_hpa(41000.0) == pytest.approx(178.7, abs=0.3)


@given(st.floats(0.1, 0.95), st.floats(0, 45000))
def test_mach_and_indicated_airspeed_are_each_others_inverse(mach, altitude_ft):
    assert mach_from(indicated_airspeed_kt(mach, altitude_ft), altitude_ft) == pytest.approx(mach)
