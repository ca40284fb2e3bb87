from pathlib import Path

import pytest
from aerocast_hub.orientation.arrival_times import MINUTE_US, Progress
from aerocast_hub.orientation.conditions import Closure, Conditions
from aerocast_hub.orientation.guidance import (
    BagView,
    FlightView,
    Surrounding,
    guide,
    trip_of,
    whereabouts,
)
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.drawn import read_drawn
from aerocast_hub.orientation.way_there import way_there
from aerocast_hub.orientation.wording import say
from msgspec.structs import replace

TERMINAL = Path(__file__).parents[3] / "simulator" / "aerocast_simulator" / "places.toml"
NOW = 1_720_253_100_000_000
LANDED = FlightView(
    designator="AF1",
    origin="CDG",
    destination="TLS",
    progress=Progress(on_block_due_us=NOW, landed_us=NOW - MINUTE_US),
    stand="B16",
    reclaim="4",
)
LEAVING = FlightView(
    designator="BA1",
    origin="TLS",
    destination="LHR",
    progress=Progress(off_block_due_us=NOW + 60 * MINUTE_US),
    gate="12",
)


@pytest.fixture(scope="module")
def terminal():
    places, refused = read_drawn(TERMINAL)
    assert refused == []
    return Network(places)


ONWARD = FlightView(
    designator="BA1",
    origin="TLS",
    destination="LHR",
    progress=Progress(off_block_due_us=NOW + 60 * MINUTE_US),
    gate="12",
)


def told(network, *flights, profile="default", language="en", closed=()):
    conditions = Conditions(network, closures=[Closure(subject=each, from_s=0) for each in closed])
    bag = BagView(licence_plate="0220123456", state="loaded", last_seen_us=NOW, flights=flights)
    trip = trip_of([bag])
    way = way_there(network, conditions, whereabouts(trip, NOW), profile)
    advice = guide(trip, Surrounding(way=way), NOW)
    steps = [each for each in advice.steps if each.key.startswith("step_go_to_belt")]
    said = (*steps, *advice.way) if steps else (advice.headline, *advice.way)
    return [say(language, each.key, each.values) for each in said]


def test_the_belts_level_minutes_and_every_step_are_told(terminal):
    assert told(terminal, LANDED) == [
        "Go to reclaim belt 4, level 0: 6 minutes from the aircraft.",
        "Walk 240 m to the pier's end.",
        "Take the moving walkway.",
        "Walk 20 m and follow the signs: Baggage.",
        "Take the stairs down to level 0.",
        "Walk 75 m to reclaim belt 4.",
    ]


def test_who_takes_no_stairs_is_told_the_lift(terminal):
    first, *steps = told(terminal, LANDED, profile="wheelchair", language="fr")
    assert first == (
        "Rendez-vous au tapis 4, niveau 0\N{NO-BREAK SPACE}: à 10 minutes de l’avion, "
        "par l’ascenseur C."
    )
    assert "Prenez l’ascenseur C et descendez au niveau 0." in steps
    assert not any("escalier" in step for step in steps)


def test_before_the_flight_the_way_to_the_gate_is_told_from_the_entrance(terminal):
    first, *steps = told(terminal, LEAVING)
    assert first == "Go to gate 12, level 1: 3 minutes from door 2."
    assert "Go through security." in steps
    first, *_ = told(terminal, LEAVING, profile="wheelchair")
    assert first == "Go to gate 12, level 1: 4 minutes by lift A from door 2."


def test_when_the_lift_is_closed_the_level_stays_and_the_reason_is_told(terminal):
    assert told(terminal, LANDED, profile="wheelchair", closed=["lift-c"]) == [
        "Go to reclaim belt 4, level 0.",
        "There is no way at present, because lift C is closed: please ask the staff.",
    ]


def test_what_the_map_does_not_show_is_not_guessed(terminal):
    nowhere = told(terminal, replace(LANDED, reclaim="77"))
    assert nowhere == ["Go to reclaim belt 77."]
    assert told(terminal, replace(LANDED, stand=None)) == ["Go to reclaim belt 4, level 0."]
    assert told(terminal, replace(LANDED, stand="Z9")) == ["Go to reclaim belt 4, level 0."]
    assert told(terminal, replace(LEAVING, gate="99"))[0] == "Go to gate 99."


def test_who_changes_aircraft_is_told_the_way_from_the_stand_to_the_next_gate(terminal):
    first, *steps = told(terminal, LANDED, ONWARD)
    assert first == (
        "Go straight to gate 12, level 1, for flight BA1: 7 minutes from the aircraft."
    )
    assert steps
    assert told(terminal, replace(LANDED, stand=None), ONWARD) == [
        "Go straight to gate 12, level 1, for flight BA1."
    ]
    assert told(terminal, LANDED, replace(ONWARD, gate=None)) == [
        "Follow the signs for connecting flights: the gate of flight BA1 is not known yet."
    ]
