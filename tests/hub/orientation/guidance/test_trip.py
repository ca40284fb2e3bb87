import pytest
from aerocast_hub.orientation.guidance import trip_of, whereabouts

from tests.hub.orientation.guidance.cases import NOW, bag, flight, onward

FIRST, SECOND = flight(), onward()
OTHER = "0220123457"


def designators(*bags):
    return [each.designator for each in trip_of(bags).flights]


def test_a_passenger_flies_what_most_of_their_bags_do():
    later = flight("AF3", off_block_due_us=30)
    both, own = bag(flights=(FIRST, SECOND)), bag(plate=OTHER, flights=(FIRST,))
    assert designators(both, own) == ["AF1", "BA2"]
    assert designators(bag(flights=(SECOND,)), bag(plate=OTHER, flights=(FIRST, SECOND))) == [
        "AF1",
        "BA2",
    ]
    assert designators(bag(flights=(FIRST,)), bag(plate=OTHER, flights=(later,))) == ["AF1"]
    rush = bag(plate=OTHER, flights=(later,), is_rush=True)
    assert designators(bag(flights=(FIRST,)), rush) == ["AF1"]
    assert designators(rush) == ["AF3"]
    assert designators(bag()) == []


@pytest.mark.parametrize(
    ("first", "second", "stage", "airport"),
    [
        ({"off_block_due_us": 20}, {}, "before", "CDG"),
        ({}, {}, "flying", "TLS"),
        ({"landed_us": -5}, {}, "changing", "TLS"),
        ({"landed_us": -40}, {"leaves": -20}, "flying", "LHR"),  # by the schedule
        ({"landed_us": -5}, {"leaves": -20}, "changing", "TLS"),  # by the schedule it was missed
        ({"landed_us": -40}, {"leaves": -20, "off_block": -4}, "flying", "LHR"),
        ({"landed_us": -5}, {"leaves": -20, "off_block": -4}, "too_late", "TLS"),  # who is so fast?
        ({"landed_us": -5}, {"leaves": -20, "off_block": -6}, "too_late", "TLS"),
        ({"airborne_us": -80}, {"leaves": -20, "off_block": -6}, "too_late", "TLS"),
        ({}, {"leaves": -20, "off_block": -6}, "flying", "LHR"),  # nobody hears the first one
        ({}, {"leaves": -90, "landed_us": -2}, "there", "LHR"),
        ({"landed_us": -99}, {"leaves": None, "off_block": -60, "landed_us": -1}, "there", "LHR"),
    ],
)
def test_where_a_passenger_is_follows_from_what_their_flights_did(first, second, stage, airport):
    trip = trip_of([bag(flights=(flight(**first), onward(**second)))])
    found = whereabouts(trip, NOW)
    assert (found.stage, found.airport) == (stage, airport)


def test_without_a_flight_a_passenger_is_nowhere_we_know():
    assert whereabouts(trip_of([bag()]), NOW).airport is None


@pytest.mark.parametrize(
    ("seen", "came", "more", "stage"),
    [
        (-5, True, {}, "there"),
        (-5, False, {}, "flying"),  # on a belt of another airport, say: it was given back
        (None, True, {}, "flying"),  # nobody says when
        (-100, True, {}, "flying"),  # before the flight left: another one brought it
        (-5, True, {"is_rush": True}, "flying"),
    ],
)
def test_a_bag_on_the_belt_tells_that_its_flight_is_there_though_nobody_heard_it(
    seen, came, more, stage
):
    for flights in ((FIRST,), (FIRST, onward(leaves=-70))):
        with_it = {"came_with": flights[-1].key} if came else {}
        some = bag("arrived", seen=seen, flights=flights, **with_it, **more)
        other = bag(plate=OTHER, flights=flights)
        found = whereabouts(trip_of([some, other]), NOW)
        is_there = stage == "there" and seen > -70
        assert (found.stage, found.flight) == (stage, flights[-1 if is_there else 0])


def test_a_bag_that_is_collected_on_the_way_tells_nothing_of_the_next_flight():
    early = bag("arrived", seen=-5, flights=(FIRST,), came_with=FIRST.key)
    trip = trip_of([early, bag(plate=OTHER, flights=(FIRST, SECOND))])
    assert whereabouts(trip, NOW).stage == "flying"
