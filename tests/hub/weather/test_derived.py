import math

import pytest
from aerocast_hub.weather.derived import (
    ReportedWind,
    de_icing,
    density_altitude_ft,
    heat_index_c,
    pressure_altitude_ft,
    relative_humidity,
    runway_wind,
    sun_is_down,
    surface,
    wind_chill_c,
)
from hypothesis import given, settings
from hypothesis import strategies as st


def test_wind_along_and_across_a_runway():
    wind = runway_wind("32L", 320.0, ReportedWind(direction_deg=290, speed_kt=20))
    assert (wind.headwind_kt, wind.crosswind_kt, wind.crosswind_from) == (17.3, 10.0, "left")
    gusts = runway_wind("32L", 320.0, ReportedWind(direction_deg=290, speed_kt=20, gust_kt=30))
    assert (gusts.headwind_kt, gusts.crosswind_kt) == (17.3, 15.0)
    tail = runway_wind("14R", 140.0, ReportedWind(direction_deg=320, speed_kt=20, gust_kt=30))
    assert tail.headwind_kt == -30


def test_a_wind_of_unknown_direction_counts_whole_both_ways():
    wind = runway_wind("32L", 320.0, ReportedWind(direction_deg=None, speed_kt=6))
    assert (wind.headwind_kt, wind.crosswind_kt, wind.crosswind_from) == (-6, 6, None)
    unknown = runway_wind("32L", 320.0, ReportedWind(direction_deg=300, speed_kt=None))
    assert (unknown.headwind_kt, unknown.crosswind_kt) == (None, None)
    calm = runway_wind("32L", 320.0, ReportedWind(direction_deg=None, speed_kt=0))
    assert (calm.headwind_kt, calm.crosswind_kt) == (0, 0)


def test_a_varying_direction_counts_at_its_worst():
    wind = ReportedWind(direction_deg=320, speed_kt=10, variable_deg=(280, 60))
    found = runway_wind("32L", 320.0, wind)
    assert (found.headwind_kt, found.crosswind_kt, found.crosswind_from) == (-1.7, 10.0, None)


@settings(max_examples=100, deadline=None)
@given(
    st.floats(0, 359.9), st.floats(0, 359.9), st.floats(0.1, 80),
    st.none() | st.tuples(st.integers(0, 359), st.integers(0, 359)),
)  # fmt: skip
def test_no_part_of_a_wind_is_stronger_than_the_wind(bearing, direction, speed, variable):
    wind = ReportedWind(direction_deg=direction, speed_kt=speed, variable_deg=variable)
    found = runway_wind("01", bearing, wind)
    assert abs(found.headwind_kt) <= speed + 0.05
    assert 0 <= found.crosswind_kt <= speed + 0.05
    if variable is None:
        assert math.hypot(found.headwind_kt, found.crosswind_kt) == pytest.approx(speed, abs=0.1)


def test_altitudes_follow_pressure_and_temperature():
    assert pressure_altitude_ft(500, 1013.25) == pytest.approx(500)
    assert density_altitude_ft(0, 1013.25, 15) == pytest.approx(0)
    # Denver, 5,434 ft, 30.10 inHg, 35 °C: by the rule of thumb of 120 ft a degree 9 000 ft.
    assert density_altitude_ft(5434, 1019.3, 35) == pytest.approx(8900, abs=200)
    assert density_altitude_ft(0, 1013.25, 30, 25) > density_altitude_ft(0, 1013.25, 30)


def test_heat_cold_and_humidity_are_those_of_the_weather_services_tables():
    # NWS's table: 96 °F at 50 % feels like 108 °F; 0 °F at 15 mph like -19 °F.
    assert heat_index_c(35.556, 50) == pytest.approx((108 - 32) / 1.8, abs=0.4)
    assert wind_chill_c(-17.778, 15 / 1.15078) == pytest.approx((-19 - 32) / 1.8, abs=0.4)
    assert heat_index_c(20, 50) is None
    assert wind_chill_c(12, 20) is None
    assert wind_chill_c(-5, 1) is None
    assert relative_humidity(20, 20) == pytest.approx(100)
    assert relative_humidity(30, 10) == pytest.approx(29, abs=1)


@pytest.mark.parametrize(
    ("temperature", "dew", "weather", "wind", "night", "ice"),
    [
        (2, 1, ("-FZRA",), 10, False, "certain"),
        (-5, -8, ("-SN",), 10, False, "certain"),
        (None, None, ("FZFG",), None, None, "certain"),
        (2, 1, ("-RA",), 10, False, "likely"),
        (-2, -3, (), 2, True, "likely"),
        (2, 1, (), 2, True, "possible"),
        (2, 1, (), 2, None, "possible"),  # nobody knows how dark it is
        (-2, -3, (), 12, False, "possible"),
        (2, -8, (), 2, True, "none"),
        (2, None, (), 2, True, "possible"),
        (12, 11, ("RA",), 2, True, "none"),
        (None, 2, (), 2, True, None),
    ],
)
def test_what_speaks_for_de_icing(temperature, dew, weather, wind, night, ice):
    assert de_icing(temperature, dew, weather, wind, clear_night=night) == ice


@pytest.mark.parametrize(
    ("temperature", "weather", "was_wet", "rain", "ground"),
    [
        (12, (), False, None, "dry"),
        (12, ("RA",), False, None, "wet"),
        (12, (), False, 9.0, "standing_water"),
        (-1, (), True, None, "freezing"),
        (-1, ("SN",), True, None, "snow"),
        (1, ("FZRA",), False, None, "freezing"),
        (1, ("SN",), False, None, "snow"),
        (None, ("RA",), False, None, None),
    ],
)
def test_what_the_ground_is_likely_to_be(temperature, weather, was_wet, rain, ground):
    found = surface(temperature, weather, was_wet=was_wet, rain_mm_per_h=rain)
    assert found == ground


def test_the_sun_sets_when_it_should():
    noon = 1_720_267_200_000_000  # 2024-07-06 12:00 UTC
    hour = 3_600_000_000
    assert not sun_is_down(43.6, 1.4, noon)
    assert sun_is_down(43.6, 1.4, noon + 12 * hour)
    assert not sun_is_down(43.6, 1.4, noon + round(7.4 * hour))  # it sets at 19:37 UTC
    assert sun_is_down(43.6, 1.4, noon + round(7.8 * hour))
