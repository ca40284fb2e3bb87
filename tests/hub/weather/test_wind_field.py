from math import cos, radians

import pytest
from aerocast_hub.weather.wind_field import AircraftWind, km_between, latest, near, wind_levels
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = 1_720_224_000_000_000
HERE = (43.63, 1.37)


def wind(icao="393322", age_s=60.0, altitude_ft=3000.0, direction=270.0, speed=20.0, place=HERE):
    return AircraftWind(
        icao=icao,
        seen_at_us=NOW - int(age_s * 1e6),
        latitude_deg=place[0],
        longitude_deg=place[1],
        altitude_ft=altitude_ft,
        wind_direction_deg=direction,
        wind_speed_kt=speed,
    )


def level_at(levels, altitude_ft):
    return next(each for each in levels if each.bottom_ft <= altitude_ft < each.top_ft)


winds = st.lists(
    st.builds(
        wind,
        icao=st.sampled_from(["393322", "4b1234", "a0b1c2"]),
        age_s=st.floats(-60, 1200),
        altitude_ft=st.floats(-100, 20_000),
        direction=st.floats(0, 359.9),
        speed=st.floats(0, 90),
        place=st.sampled_from([HERE, (43.9, 1.5), (45.0, 1.37)]),
    ),
    max_size=15,
)


@settings(max_examples=100, deadline=None)
@given(winds, st.randoms(use_true_random=False))
def test_order_and_repetition_change_no_wind(seen, random):
    mixed = seen + seen
    random.shuffle(mixed)
    assert wind_levels(seen, HERE, NOW) == wind_levels(mixed, HERE, NOW)
    assert latest(seen) == latest(mixed)


@settings(max_examples=100, deadline=None)
@given(winds)
def test_a_level_has_a_wind_exactly_when_two_aircraft_flew_through_it(seen):
    for level in wind_levels(seen, HERE, NOW):
        assert (level.wind_speed_kt is None) == (level.aircraft < 2)
        if level.wind_direction_deg is not None:
            assert 0 <= level.wind_direction_deg < 360


def test_levels_reach_from_the_ground_to_flight_level_150():
    levels = wind_levels([], HERE, NOW)
    assert levels[0].bottom_ft == 0
    assert levels[-1].top_ft == pytest.approx(15_000, abs=300)
    assert all(each.wind_speed_kt is None for each in levels)


def test_one_aircraft_alone_gives_no_mean():
    assert level_at(wind_levels([wind()] * 3, HERE, NOW), 3000).wind_speed_kt is None


def test_a_chatty_aircraft_does_not_outvote_a_quiet_one():
    chatty = [wind(age_s=60 + each, speed=10) for each in range(50)]
    level = level_at(wind_levels([*chatty, wind("4b1234", speed=14)], HERE, NOW), 3000)
    assert level.wind_speed_kt == pytest.approx(12, abs=0.3)
    assert level.observations == 51
    assert level.aircraft == 2


def test_one_wild_aircraft_barely_moves_the_mean():
    good = [wind(f"39332{each}", speed=20 + each % 3) for each in range(6)]
    calm = level_at(wind_levels(good, HERE, NOW), 3000)
    wild = level_at(wind_levels([*good, wind("ffffff", speed=90, direction=90)], HERE, NOW), 3000)
    assert wild.wind_speed_kt == pytest.approx(calm.wind_speed_kt, abs=1.5)
    assert wild.sigma_kt > calm.sigma_kt


def test_directions_around_north_average_to_north():
    pair = [wind("393322", direction=350), wind("4b1234", direction=10)]
    level = level_at(wind_levels(pair, HERE, NOW), 3000)
    assert level.wind_direction_deg % 360 == pytest.approx(0, abs=0.1)
    assert level.wind_speed_kt == pytest.approx(20 * cos(radians(10)), abs=0.1)


def test_newer_winds_weigh_more():
    pair = [wind("393322", age_s=0, speed=20), wind("4b1234", age_s=600, speed=16)]
    assert level_at(wind_levels(pair, HERE, NOW), 3000).wind_speed_kt > 18.5


def test_the_old_the_far_and_the_future_are_passed_over():
    assert near([wind(age_s=901)], HERE, NOW) == []
    assert near([wind(age_s=-1)], HERE, NOW) == []
    assert near([wind(place=(44.3, 1.37))], HERE, NOW) == []
    assert len(near([wind(age_s=899, place=(44.1, 1.37))], HERE, NOW)) == 1


def test_a_steady_wind_comes_back_as_it_was():
    aircraft = [
        wind(f"3933{each:02x}", altitude_ft=3000 + 10 * each, direction=230, speed=35)
        for each in range(8)
    ]
    level = level_at(wind_levels(aircraft, HERE, NOW), 3000)
    assert level.wind_direction_deg == pytest.approx(230, abs=0.1)
    assert level.wind_speed_kt == pytest.approx(35, abs=0.1)
    assert level.sigma_kt == pytest.approx(0, abs=0.01)


def test_distances_are_kilometres():
    assert km_between((49.01, 2.55), (43.63, 1.36)) == pytest.approx(605, abs=5)
    assert km_between(HERE, HERE) == 0
    assert km_between((0, 0), (0, 1)) == pytest.approx(111.195, abs=0.01)
