"""A slice of the simulated hour through the gateway's aircraft table, held to its truth."""

import json
import math

import pytest
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.aircraft_winds import Declinations
from aerocast_agent.stands import Stands, distance_m
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import Wind, vector_of
from aerocast_protocols.observations.aircraft import (
    AircraftGroundEvent,
    AircraftState,
    AircraftWeather,
)
from aerocast_simulator.busy_hour import (
    AIRPORT,
    Reception,
    busy_hour,
    stand_place,
    stands_geojson,
    transmissions,
)
from aerocast_simulator.flight import KT_IN_MPS, Air, Layer, moved
from aerocast_simulator.taxiing import Departure, Leg

NS = 1_000_000_000
SECONDS = 2000


@pytest.fixture(scope="module")
def played():
    hour = busy_hour(
        3,
        arrivals=3,
        departures=2,
        overflights=1,
        declination_deg=Declinations(2026.0, step_deg=0.1).at,
    )
    table = AircraftTable(AIRPORT, Stands.from_geojson(stands_geojson()), year=2026.0)
    seen, ticked_s = [], 0
    for second, frame in Reception(3).hear(transmissions(hour, 0.0, SECONDS)):
        while ticked_s + 1 <= second:
            ticked_s += 1
            seen += table.advance("sky", ticked_s * NS)
        seen += table.update("sky", frame, round(second * NS))
    for more in range(1, 120):
        seen += table.advance("sky", (SECONDS + more) * NS)
    return hour, seen


def test_every_ground_event_is_told_once_and_in_time(played):
    hour, seen = played
    told = [
        each
        for each in seen
        if isinstance(each, AircraftGroundEvent) and each.boot_ns < (SECONDS - 30) * NS
    ]
    truth = [each for each in hour.events if each.second < SECONDS - 30]

    assert len(truth) >= 10
    assert sorted((each.icao, each.event, each.stand or "") for each in told) == sorted(
        (each.icao, each.event, each.stand or "") for each in truth
    )
    for event in truth:
        (found,) = [each for each in told if (each.icao, each.event) == (event.icao, event.event)]
        assert found.boot_ns / NS == pytest.approx(event.second, abs=30.0)


def test_no_aircraft_is_told_where_it_was_not(played):
    hour, seen = played
    placed = [
        each for each in seen if isinstance(each, AircraftState) and each.latitude_deg is not None
    ]
    assert len(placed) > 3000
    courses = {flight.icao: [] for flight in hour.flights}
    for flight in hour.flights:
        courses[flight.icao].append(flight)
    for state in placed[::7]:
        told = Position(state.latitude_deg, state.longitude_deg)
        second = state.boot_ns / NS
        assert any(
            distance_m(told, flight.course.at(second - ago_s).position) < 500.0
            for flight in courses[state.icao]
            if flight.starts_s <= second < flight.silent_from_s + 1.0
            for ago_s in range(31)
        )


def test_winds_are_those_the_aircraft_flew_through_and_come_six_a_minute(played):
    hour, seen = played
    winds = [each for each in seen if isinstance(each, AircraftWeather)]
    errors_mps = [
        (one - other) * KT_IN_MPS
        for each in winds
        for one, other in zip(
            vector_of(Wind(each.wind_direction_deg, each.wind_speed_kt)),
            vector_of(hour.air.at(each.altitude_ft).wind),
            strict=True,
        )
    ]
    flown_s = sum(
        not flight.course.at(second).on_ground
        for flight in hour.flights
        for second in range(
            math.ceil(flight.starts_s), math.floor(min(flight.silent_from_s, SECONDS))
        )
    )

    assert math.sqrt(sum(e * e for e in errors_mps) / len(errors_mps)) <= 1.6
    assert len(winds) >= 6.0 * flown_s / 60.0


def test_the_same_seed_is_the_same_hour_and_another_is_not():
    one, same, other = (list(transmissions(busy_hour(seed), 100.0, 130.0)) for seed in (5, 5, 6))
    assert one == same
    assert one != other
    assert list(Reception(1).hear(one)) == list(Reception(1).hear(one))
    assert len(list(Reception(1, lost=0.0, damaged=1.0).hear(one))) == len(one)


def test_a_push_back_goes_backwards_and_a_take_off_leaves_the_ground_without_a_jump():
    air = Air([Layer(0.0, Wind(270.0, 10.0), 15.0)])
    start = moved(AIRPORT, 0.0, -500.0)
    pushed = Leg((AIRPORT, start), 10.0, 70.0, is_backwards=True)
    roll = Leg((start, moved(AIRPORT, 0.0, 1300.0)), 100.0, 148.0, ends_mps=75.0)
    course = Departure((pushed, roll), air, 500.0)

    assert course.at(0.0).ground_speed_kt == course.at(80.0).ground_speed_kt == 0.0
    assert course.at(40.0).track_deg == pytest.approx(0.0, abs=0.1)
    assert course.at(40.0).position.latitude_deg < AIRPORT.latitude_deg
    before, after = course.at(147.99), course.at(148.01)
    assert (before.on_ground, after.on_ground) == (True, False)
    assert distance_m(before.position, after.position) < 5.0
    assert before.ground_speed_kt == pytest.approx(75.0 / KT_IN_MPS, rel=0.02)


def test_every_stand_is_in_its_own_polygon():
    stands = Stands.from_geojson(stands_geojson())
    names = [f["properties"]["stand"] for f in json.loads(stands_geojson())["features"]]
    assert [stands.at(stand_place(number)) for number in range(len(names))] == names
