"""Winds put together from what an aircraft says of itself, and when they are not."""

import msgspec
import pytest
from aerocast_agent.aircraft_winds import Around, Declinations, Ground, WindCollector
from aerocast_protocols.modes.commb import HeadingAndSpeed, RoutineReport, TrackAndTurn
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.reports import AirMotion
from aerocast_protocols.modes.wind import Wind

NS = 1_000_000_000
HERE = Position(43.6, 1.4)
AROUND = Around(HERE, 35000.0, 2.0)


def turn(*, roll=0.0, airspeed_kt=450.0):
    return TrackAndTurn(
        true_track=90.0, groundspeed=500.0, true_airspeed=airspeed_kt, roll=roll, track_rate=0.0
    )


def heading(magnetic=88.0, mach=0.78):
    return HeadingAndSpeed(magnetic_heading=magnetic, indicated_airspeed=270.0, mach=mach)


def test_ground_and_air_together_give_wind_and_temperature():
    winds = WindCollector()
    for second in range(10):
        winds.add(second * NS, turn() if second % 2 else heading(), AROUND)
        assert second > 2 or winds.take(second * NS) is None

    sample = winds.take(10 * NS)

    assert sample.wind == pytest.approx((270.0, 50.0))
    assert sample.temperature_c == pytest.approx(
        -53.96, abs=0.01
    )  # 288.15 K (450 / (0.78 * 661.4786))^2
    assert sample.boot_ns == 5 * NS
    assert (sample.position, sample.altitude_ft) == (HERE, 35000.0)
    assert winds.take(30 * NS) is None


def test_every_ten_seconds_the_last_thirty_are_averaged_and_placed_at_their_middle():
    winds, samples = WindCollector(), []
    for second in range(121):
        place = Around(Position(43.6 + second / 1000.0, 1.4), 100.0 * second, 2.0)
        # The wind rises by a knot a second.
        winds.add(second * NS, turn(airspeed_kt=450.0 - second) if second % 2 else heading(), place)
        sample = winds.take(second * NS)
        if sample is not None:
            samples.append((second, sample))

    assert [second for second, _ in samples] == [3, 13, 23, 33, 43, 53, 63, 73, 83, 93, 103, 113]
    for second, sample in samples[3:]:
        assert sample.boot_ns / NS == pytest.approx(second - 15, abs=0.6)
        assert sample.altitude_ft == pytest.approx(100.0 * sample.boot_ns / NS, abs=60.0)
        assert sample.position.latitude_deg == pytest.approx(
            43.6 + sample.boot_ns / NS / 1000.0, abs=0.0011
        )
        assert sample.wind.speed_kt == pytest.approx(50.0 + sample.boot_ns / NS, abs=1.1)


def test_no_wind_goes_out_twice_and_a_gap_starts_anew():
    winds = WindCollector()
    for second in (0, 1, 100, 101):
        winds.add(second * NS, turn() if second % 2 else heading(), AROUND)
    assert winds.take(112 * NS).boot_ns == 101 * NS
    assert winds.take(122 * NS) is None
    assert winds.take(132 * NS) is None


def test_one_bad_sample_does_not_move_the_average():
    winds = WindCollector()
    winds.add(0, heading(), AROUND)
    for second in range(1, 8):
        winds.add(second * NS // 2, turn(airspeed_kt=380.0 if second == 4 else 450.0), AROUND)

    assert winds.take(20 * NS).wind.speed_kt == pytest.approx(50.0)


@pytest.mark.parametrize(("turned_s", "roll"), [(5.5, 0.0), (1.0, 6.0), (1.0, -6.0), (1.0, None)])
def test_what_lies_too_far_apart_or_is_said_in_a_turn_gives_no_wind(turned_s, roll):
    winds = WindCollector()
    winds.add(0, heading(), AROUND)
    winds.add(round(turned_s * NS), turn(roll=roll), AROUND)

    assert winds.take(60 * NS) is None


def test_a_fresher_ground_speed_is_preferred():
    winds = WindCollector()
    winds.add(0, turn(), AROUND)
    winds.move(Ground(NS, 90.0, 510.0))
    winds.add(2 * NS, heading(), AROUND)

    assert winds.take(20 * NS).wind.speed_kt == pytest.approx(60.0)
    assert winds.ground_at(5 * NS).ground_speed_kt == 510.0
    assert winds.ground_at(7 * NS) is None


def test_declination_follows_the_world_magnetic_model_and_its_years():
    # Roughly, as charts show them; the model itself is pygeomag's.
    assert Declinations(2026.5).at(Position(43.6, 1.4)) == pytest.approx(1.8, abs=0.4)
    assert Declinations(2024.5).at(Position(49.0, 2.5)) == pytest.approx(1.7, abs=0.4)
    assert Declinations(2026.5).at(Position(44.6, -63.5)) == pytest.approx(-15.9, abs=0.7)
    assert Declinations(2050.0).at(Position(43.6, 1.4)) == pytest.approx(2.4, abs=0.6)


def report(speed=50.0, direction=270.0):
    return RoutineReport(wind_speed=speed, wind_direction=direction, static_air_temperature=-54.0)


def test_an_aircrafts_own_word_on_the_wind_counts_where_it_agrees_with_what_was_derived():
    winds = WindCollector()
    assert winds.hear(0, report(), AROUND) is None  # nothing to hold it against
    for second in range(6):
        winds.add(second * NS, turn() if second % 2 else heading(), AROUND)
    assert winds.take(6 * NS).source == "derived"

    told = winds.hear(7 * NS, report(speed=58.0), AROUND)
    assert (told.source, told.wind.speed_kt, told.temperature_c) == ("bds44", 58.0, -54.0)
    assert told.airflow is None
    assert winds.hear(9 * NS, report(), AROUND) is None  # one in ten seconds
    assert winds.hear(20 * NS, report(speed=75.0), AROUND) is None
    assert winds.hear(20 * NS, report(direction=90.0), AROUND) is None
    assert winds.hear(20 * NS, report(), AROUND._replace(altitude_ft=33_900.0)) is None
    assert winds.hear(20 * NS, report(), AROUND) is not None
    assert winds.hear(80 * NS, report(), AROUND) is None


def test_a_wind_says_what_it_was_derived_from():
    winds = WindCollector()
    for second in range(10):
        winds.add(second * NS, turn(roll=-second / 4) if second % 2 else heading(), AROUND)
    air = winds.take(10 * NS).airflow
    assert air.true_heading_deg == pytest.approx(90.0)
    assert (air.true_airspeed_kt, air.roll_deg, air.readings) == (450.0, 2.25, 9)


MOTION = AirMotion(
    true_airspeed_kt=450.0, magnetic_heading_deg=88.0, roll_deg=0.4, mach=0.78, wind=None
)
GROUND = Ground(0, 90.0, 500.0)


@pytest.mark.parametrize(
    ("changed", "wind"),
    [
        ({}, (270.0, 50.0)),
        ({"wind": Wind(265.0, 45.0)}, (270.0, 50.0)),  # agrees: ours is the finer one
        ({"wind": Wind(90.0, 45.0)}, None),
        ({"roll_deg": -6.0}, None),
        ({"roll_deg": None}, None),
        ({"true_heading_deg": 90.0, "magnetic_heading_deg": 12.0}, (270.0, 50.0)),
        ({"true_airspeed_kt": None, "wind": Wind(265.0, 45.0)}, (265.0, 45.0)),
        ({"true_airspeed_kt": None, "wind": Wind(265.0, 45.0), "roll_deg": 9.0}, None),
    ],
)
def test_what_another_program_worked_out_gives_a_wind(changed, wind):
    winds = WindCollector()
    winds.fly(0, msgspec.structs.replace(MOTION, **changed), GROUND, AROUND)
    told = winds.take(5 * NS)
    assert told is None if wind is None else told.wind == pytest.approx(wind, abs=0.01)
