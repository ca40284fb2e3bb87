import pytest
from aerocast_hub.weather.wind_profile import near, profile
from msgspec.structs import replace

from tests.hub.weather.winds_made import HERE, NOW, wind


def sounding(speeds, *, temperatures=None, aircraft=6, step_ft=250.0):
    """Let aircraft climb side by side through winds given for every 1,000 ft."""
    met = []
    for number in range(aircraft):
        altitude_ft, age_s = 500.0, 20.0
        while altitude_ft < 1000.0 * len(speeds):
            low = min(int((altitude_ft - 500.0) / 1000.0), len(speeds) - 2)
            share = (altitude_ft - 500.0) / 1000.0 - low
            speed = speeds[low] + share * (speeds[low + 1] - speeds[low])
            each = wind(f"3933{number:02x}", age_s, altitude_ft=altitude_ft, speed=speed)
            if temperatures is not None:
                warm = temperatures[low] + share * (temperatures[low + 1] - temperatures[low])
                each = replace(each, temperature_c=warm)
            met.append(each)
            altitude_ft, age_s = altitude_ft + step_ft, age_s + 10.0
    return met


def drawn(met):
    return profile(met, {}, HERE, NOW)


def test_levels_reach_from_the_ground_to_flight_level_150():
    levels = drawn([]).levels
    assert [(each.bottom_ft, each.top_ft) for each in levels] == [
        (1000.0 * number, 1000.0 * number + 1000.0) for number in range(15)
    ]
    assert all(each.wind_speed_kt is None for each in levels)


def test_a_profile_follows_the_wind_and_says_how_it_changes():
    levels = drawn(sounding([10, 14, 18, 22, 26, 30])).levels
    assert [each.wind_speed_kt for each in levels[:5]] == pytest.approx(
        [10, 14, 18, 22, 26], abs=0.7
    )
    assert levels[0].shear_kt is None
    assert levels[3].shear_kt == pytest.approx(4.0, abs=0.5)
    assert levels[14].wind_speed_kt is None


@pytest.mark.parametrize(
    ("speeds", "flags"),
    [
        ([10, 12, 14, 16, 18, 20], []),
        ([10, 10, 28, 28, 28, 28], [("shear", 1500.0)]),
        ([10, 10, 50, 50, 50, 50], [("strong_shear", 1500.0)]),
        ([12, 30, 45, 30, 20, 18, 18], [("shear", 500.0), ("low_level_jet", 2000.0)]),
    ],
)
def test_shear_and_low_level_jets_are_flagged(speeds, flags):
    found = [(each.kind, each.bottom_ft) for each in drawn(sounding(speeds)).flags]
    assert found == flags


def test_an_inversion_is_flagged_only_where_temperatures_are_sure():
    warmer = [8.0, 12.0, 10.0, 8.0, 6.0]
    sure = drawn(sounding([10] * 5, temperatures=warmer, aircraft=24, step_ft=60.0))
    assert [(each.kind, each.bottom_ft) for each in sure.flags] == [("inversion", 500.0)]
    assert sure.flags[0].amount == pytest.approx(4.0, abs=1.3)
    assert drawn(sounding([10] * 5, temperatures=warmer, aircraft=2)).flags == []


def test_winds_that_do_not_fit_those_beside_them_are_refused_and_counted():
    met = sounding([20] * 5)
    wild = [wind("ffffff", altitude_ft=2500.0, direction=90, speed=80)]
    troubled = drawn([*met, *wild])
    assert troubled.refused == 1
    assert troubled.levels[2].wind_speed_kt == drawn(met).levels[2].wind_speed_kt


def test_only_the_winds_of_the_last_quarter_of_an_hour_near_by_are_taken():
    assert near([wind(age_s=901)], HERE, NOW) == []
    assert near([wind(age_s=-1)], HERE, NOW) == []
    assert near([wind(place=(44.3, 1.37))], HERE, NOW) == []
    assert near([wind(altitude_ft=16_100.0)], HERE, NOW) == []
    assert len(near([wind(age_s=899, place=(44.1, 1.37))], HERE, NOW)) == 1
