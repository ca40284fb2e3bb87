"""Days over a simulated airport, heard by a gateway: what the hub makes of the winds is true."""

import math
import statistics

import pytest
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.aircraft_winds import Declinations
from aerocast_agent.stands import Stands
from aerocast_hub.weather.aircraft_wind import AircraftWind
from aerocast_hub.weather.heading_bias import cells_of, learn
from aerocast_hub.weather.wind_field import wind_at
from aerocast_hub.weather.wind_profile import believed, near, profile
from aerocast_protocols.modes.wind import vector_of
from aerocast_protocols.observations.aircraft import AircraftWeather
from aerocast_simulator.busy_hour import AIRPORT, Reception
from aerocast_simulator.flight import KT_IN_MPS
from aerocast_simulator.wind_days import DAY_S, wind_days

DAYS, LASTS_S, BEGINS_S = 4, 2700.0, 36_000.0
LAST_US = round((DAYS - 1) * DAY_S * 1e6)


@pytest.fixture(scope="module")
def days():
    return wind_days(
        7, DAYS, airframes=14, flights_a_day=14, bank_s=LASTS_S,
        declination_deg=Declinations(2026.0).at,
    )  # fmt: skip


@pytest.fixture(scope="module")
def winds(days):
    names = [name for name in AircraftWind.__struct_fields__ if name != "seen_at_us"]
    met = []
    for number, flight in enumerate(days.flights):
        table = AircraftTable(AIRPORT, Stands(), year=2026.0)
        sent = flight.transmissions(flight.starts_s, flight.silent_from_s)
        for second, frame in Reception(number).hear(sent):
            met += [
                AircraftWind(
                    seen_at_us=each.boot_ns // 1000, **{name: getattr(each, name) for name in names}
                )
                for each in table.update("sky", frame, round(second * 1e9))
                if isinstance(each, AircraftWeather)
            ]
    return met


@pytest.fixture(scope="module")
def biases(winds):
    return learn(cells_of(wind for wind in winds if wind.seen_at_us < LAST_US))


def rms(values):
    return math.sqrt(statistics.fmean(each * each for each in values))


def off_mps(days, found, altitude_ft, at_us):
    true = vector_of(days.weather.wind_at(AIRPORT, altitude_ft, at_us / 1e6))
    return [(one - other) * KT_IN_MPS for one, other in zip(found, true, strict=True)]


def test_headings_are_learned_and_say_how_well(days, biases):
    off = [each.bias_deg - days.biases_deg[icao] for icao, each in biases.items()]
    assert rms(days.biases_deg.values()) == pytest.approx(0.7)
    assert rms(off) < 0.35
    assert rms(
        error / each.sigma_deg for error, each in zip(off, biases.values(), strict=True)
    ) == pytest.approx(1.0, abs=0.6)


def test_the_wind_over_the_airport_is_good_to_a_metre_a_second_and_says_how_sure_it_is(
    days, winds, biases
):
    off, single, covered = [], [], []
    for minute in range(10, 44, 4):
        at_us = LAST_US + round((BEGINS_S + minute * 60) * 1e6)
        met, _ = believed(near(winds, AIRPORT, at_us), biases)
        for altitude_ft in range(500, 15_000, 1000):
            found = wind_at(met, AIRPORT, altitude_ft, at_us)
            newest = max(
                (
                    wind
                    for wind in winds
                    if abs(wind.altitude_ft - altitude_ft) < 500 and at_us - wind.seen_at_us >= 0
                ),
                key=lambda wind: wind.seen_at_us,
            )
            if found.wind_east_kt is None:
                continue
            errors = off_mps(days, (found.wind_east_kt, found.wind_north_kt), altitude_ft, at_us)
            sigmas = (found.sigma_east_kt, found.sigma_north_kt)
            off += errors
            covered += [
                abs(error) <= 1.645 * sigma * KT_IN_MPS
                for error, sigma in zip(errors, sigmas, strict=True)
            ]
            single += off_mps(days, newest.vector_kt, altitude_ft, at_us)
    assert len(off) > 150
    assert rms(off) <= 1.0
    assert rms(off) <= 0.6 * rms(single)
    assert 0.8 <= sum(covered) / len(covered) <= 1.0


def test_a_profile_of_a_busy_hour_takes_a_moment(winds, biases):
    at_us = LAST_US + round((BEGINS_S + 1800) * 1e6)
    drawn = profile(winds, biases, AIRPORT, at_us)
    assert sum(level.wind_speed_kt is not None for level in drawn.levels) >= 10
    assert drawn.refused < 10
