from pathlib import Path

import pytest
from aerocast_hub.orientation.conditions import Closure, Conditions, Queue
from aerocast_hub.orientation.directions import Directions, minutes_of
from aerocast_hub.orientation.itinerary import itinerary
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.drawn import read_drawn
from aerocast_hub.orientation.places.place_map import MODES, Facility, Level, Place, PlaceMap, Way
from aerocast_hub.orientation.profiles import PROFILES
from aerocast_hub.orientation.routes import Leg, Route, Unreachable, find_route
from aerocast_hub.orientation.wording import LANGUAGES, Name, catalogue, say

AIRPORT = Path(__file__).parent / "places" / "airport.toml"


@pytest.fixture(scope="module")
def network():
    return Network(read_drawn(AIRPORT)[0])


def texts(network, origin, destination, profile="default", language="en", **conditions):
    route = find_route(network, origin, destination, profile, Conditions(network, **conditions))
    said = itinerary(route, Directions(network), profile, language)
    return [step.text for step in said.steps] or [said.unreachable.text]


def test_steps_name_signs_stairs_lifts_levels_and_landmarks(network):
    assert texts(network, "reclaim-4", "gate-B12") == [
        "Walk 60 m and follow the signs: Gates.",
        "Take the stairs up to level 1.",
        "Walk 120 m to Gate B12.",
    ]
    assert texts(network, "gate-B12", "reclaim-4", "trolley", "fr") == [
        "Marchez 120 m.",
        "Prenez l’ascenseur C et descendez au niveau Arrivées.",
        "Marchez 60 m jusqu’à\N{NO-BREAK SPACE}: Tapis 4.",
    ]


def test_a_queue_worth_telling_is_told_in_minutes(network):
    def through(wait_s, language="en"):
        queue = Queue(subject="security", waits=((0.0, wait_s),))
        return texts(network, "landside", "gate-B12", language=language, queues=[queue])[0]

    assert through(0.0) == "Go through security."
    assert through(60.0) == "Go through security: expect to wait 1 minute."
    assert through(840.0) == "Go through security: expect to wait 14 minutes."
    assert (
        through(60.0, "fr")
        == "Passez\N{NO-BREAK SPACE}: le contrôle de sûreté, environ 1 minute d’attente."
    )


def test_no_way_is_told_with_what_is_in_the_way(network):
    shut = [Closure(subject="C", from_s=0)]
    told = texts(network, "reclaim-4", "gate-B12", "wheelchair", closures=shut)
    assert told == [
        "There is no way at present, because lift C is closed: please ask the staff.",
    ]
    assert texts(network, "gate-B12", "landside") == [
        "Our map shows no way there: please ask the staff."
    ]


def test_each_step_says_its_levels_and_whether_a_wheelchair_can_do_it(network):
    route = find_route(network, "reclaim-4", "gate-B12")
    steps = Directions(network).steps(route)
    assert [(step.from_level, step.to_level) for step in steps] == [
        ("0", "0"),
        ("0", "1"),
        ("1", "1"),
    ]
    assert [step.is_accessible for step in steps] == [True, False, True]
    assert sum(step.seconds for step in steps) == pytest.approx(route.seconds)
    assert steps[2].landmark.text == "Gate B12"


def every_way():
    """One way of each mode, up, down and on one level, with and without names and lengths."""
    levels = (Level(id="0", index=0), Level(id="1", index=1, name=Name("Gates")))
    places = tuple(
        Place(id=f"{level}{named}", level=level, kind="gate", name=Name("Gate") if named else None)
        for level in ("0", "1")
        for named in ("", "n")
    )
    facilities = (
        Facility(id="named", kind="x", name=Name("N")),
        Facility(id="other", kind="x"),
        Facility(id="lift", kind="lift"),
    )
    ways = [
        Way(id="w", origin=one.id, destination=other.id, mode=mode, **about)
        for one in places
        for other in places
        for mode in MODES
        for about in (
            {},
            {"length_m": 30.0},
            {"sign": Name("Exit")},
            {"sign": Name("Exit"), "length_m": 250.0},
            {"facility": "named"},
            {"facility": "other"},
        )
    ]
    return PlaceMap(format="drawn", levels=levels, places=places, facilities=facilities), ways


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_and_every_obstacle_has_its_sentence_and_every_sentence_its_use(language):
    places, ways = every_way()
    directions = Directions(Network(places))
    said = [
        step.phrase
        for way in ways
        for wait_s in (0.0, 200.0)
        for step in directions.steps(Route(60.0, (Leg(way, 60.0, wait_s),)))
    ]
    obstacles = {"slope", "narrow", "wheels"}
    obstacles |= {mode for profile in PROFILES.values() for mode in profile.excluded}
    reasons = [Unreachable(reason="profile", obstacles=(each,)) for each in obstacles]
    reasons += [Unreachable(reason="closed", obstacles=("lift",)), Unreachable(reason="apart")]
    reasons.append(Unreachable(reason="closed", obstacles=("named",)))
    said += [directions.why_not(each) for each in reasons]
    for phrase in said:
        assert say(language, phrase.key, phrase.values)
    keys = {key for key in catalogue(language).sentences if key.startswith(("way_", "no_way"))}
    assert {phrase.key for phrase in said} == keys


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 1), (29, 1), (100, 2), (600, 10)])
def test_minutes_are_whole_and_never_none(seconds, minutes):
    assert minutes_of(seconds) == minutes
