from random import Random

import msgspec
import pytest
from aerocast_hub.ground_times import Stage
from aerocast_hub.orientation.arrival_times import MINUTE_US, Closure, Progress
from aerocast_hub.orientation.connection import ChangingBag, Connecting
from aerocast_hub.orientation.connection_risk import connection_risk
from aerocast_hub.orientation.spread import at_share, exactly, spread_of
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = 1_720_224_000_000_000
BAG = "0220123456"


def us(minute):
    return NOW + round(minute * MINUTE_US)


def connecting(on_block=0.0, departs=60.0, due=0.0, **known):
    progress = Progress(
        on_block_due_us=us(due), on_block_us=None if on_block is None else us(on_block)
    )
    return Connecting(
        inbound="LH2218",
        outbound="AF6130",
        progress=progress,
        departs_us=None if departs is None else us(departs),
        minimum_min=45,
        **known,
    )


def risk(known, *bags, now=0.0):
    return connection_risk(known, bags or [ChangingBag(licence_plate=BAG)], us(now))


def chance_of_bag(known, *bags, now=0.0):
    return risk(known, *bags, now=now).bags[0].miss.probability


def test_an_ample_connection_is_hardly_ever_missed_and_needs_no_cause():
    found = risk(connecting(departs=150, way_min=8.0))
    assert found.passenger.probability < 0.01
    assert found.bags[0].miss.probability < 0.02
    assert found.passenger.cause is found.bags[0].miss.cause is None
    assert found.passenger.slack_min > 100
    assert found.passenger.closes_us == us(135)
    assert found.bags[0].miss.closes_us == us(130)
    assert (found.planned_min, found.minimum_min, found.unknown) == (150, 45, ())


def test_a_late_inbound_flight_is_named_with_its_minutes():
    found = risk(connecting(on_block=0, due=-40, departs=30, way_min=12.0), now=1)
    for miss in (found.passenger, found.bags[0].miss):
        assert miss.probability > 0.3
        assert miss.cause.key == "late_inbound"
        assert miss.cause.minutes == 40


def test_a_connection_planned_too_short_is_named():
    found = risk(connecting(on_block=0, departs=25, way_min=8.0))
    assert found.passenger.probability > 0.2
    assert (found.passenger.cause.key, found.passenger.cause.minutes) == ("short_connection", 20)


def test_a_long_way_and_a_queue_are_named_by_what_costs_more():
    far = risk(connecting(departs=45, way_min=30.0)).passenger
    assert (far.cause.key, far.cause.minutes) == ("long_way", 30)
    queue = risk(connecting(departs=45, way_min=30.0, queue_min=24.0)).passenger
    assert (queue.cause.key, queue.cause.minutes) == ("queues", 24)


def test_a_closed_ramp_holds_bags_and_not_people():
    known = connecting(departs=60, way_min=8.0)
    closed = connecting(departs=60, way_min=8.0, closures=(Closure(us(-5)),))
    open_one, held = risk(known), risk(closed)
    assert held.passenger == open_one.passenger
    assert held.bags[0].miss.probability > 0.3 > 3 * open_one.bags[0].miss.probability
    assert held.bags[0].miss.cause.key == "ramp_closed"
    assert 15 < held.bags[0].miss.cause.minutes < 35


def test_a_deterministic_closure_delays_a_bag_by_exactly_its_length():
    sure, none = Stage(10.0, 0.0, 0.0), Stage(0.0, 0.0, 0.0)
    known = connecting(on_block=10, departs=120, learned=exactly(12.0))
    known = msgspec.structs.replace(
        known, changing=msgspec.structs.replace(known.changing, sorting=sure, behind_first=none)
    )
    held = msgspec.structs.replace(known, closures=(Closure(us(14), us(31)),))
    free_us = risk(known).bags[0].miss.ready.p50_us
    assert free_us == pytest.approx(us(10 + 10 + 10), abs=1)
    assert risk(held).bags[0].miss.ready.p50_us - free_us == pytest.approx(17 * MINUTE_US, abs=1)


def test_a_bag_seen_inside_waits_for_sorting_alone():
    unwatched = connecting(on_block=-30, departs=45)
    watched = msgspec.structs.replace(unwatched.changing, inlet_is_watched=True)
    known = msgspec.structs.replace(unwatched, changing=watched)
    coming = chance_of_bag(known)
    inside = ChangingBag(licence_plate=BAG, at="inside", seen_us=us(-1))
    made_up = ChangingBag(licence_plate=BAG, at="made_up")
    assert chance_of_bag(unwatched) < coming  # nobody would have seen it come off the ramp
    assert chance_of_bag(known, inside) < coming
    assert chance_of_bag(known, made_up) == 0.0
    lost = risk(
        connecting(on_block=-60, departs=30, due=-60),
        ChangingBag(licence_plate=BAG, at="inside", seen_us=us(-50)),
    )
    miss = lost.bags[0].miss
    assert miss.probability > 0.8  # the others took half as long: it is stuck
    assert (miss.cause.key, miss.cause.minutes) == ("not_seen", 50)


def test_slow_unloading_by_experience_is_named():
    known = connecting(departs=55, learned=spread_of(Stage(35.0, 3.0, 6.0)))
    miss = risk(known).bags[0].miss
    assert miss.probability > 0.5
    assert miss.cause.key == "slow_unloading"
    assert 18 < miss.cause.minutes < 26


def test_a_flight_that_never_arrives_leaves_no_guess():
    gone = risk(connecting(on_block=None, due=-400, departs=30))
    assert gone.passenger is None
    assert gone.bags == ()
    assert "never_came" in gone.unknown
    untold = Connecting(
        inbound="A", outbound="B", progress=Progress(), departs_us=us(60), minimum_min=45
    )
    assert "arrival" in risk(untold).unknown


def test_what_nobody_knows_is_said():
    found = risk(connecting(departs=None))
    assert found.passenger is None
    assert "departure" in found.unknown
    blind = risk(connecting(ramp_known=False))
    assert blind.unknown == ("ramp", "way")
    assert blind.bags[0].miss == risk(connecting()).bags[0].miss


def test_without_a_map_nineteen_in_twenty_make_the_minimum_connection():
    at_minimum = risk(connecting(departs=45)).passenger
    assert at_minimum.probability == pytest.approx(0.05, abs=0.02)


bags_there = st.lists(
    st.builds(
        ChangingBag,
        licence_plate=st.integers(0, 9).map(lambda n: f"02201234{n:02d}"),
        at=st.sampled_from(["coming", "inside", "made_up"]),
        seen_us=st.integers(-120, 10).map(us),
    ),
    max_size=4,
)
known_ones = st.builds(
    connecting,
    on_block=st.none() | st.integers(-120, 0),
    departs=st.integers(-60, 240),
    due=st.integers(-120, 120),
    way_min=st.none() | st.floats(0, 60),
    queue_min=st.floats(0, 30),
    crosses_border=st.booleans(),
    closures=st.lists(
        st.builds(
            Closure,
            from_us=st.integers(-60, 60).map(us),
            until_us=st.none() | st.integers(-30, 90).map(us),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(known_ones, bags_there, st.randoms(use_true_random=False))
def test_risks_are_chances_whatever_the_order_of_bags_and_closures(known, bags, random):
    found = connection_risk(known, bags, NOW)
    mixed = list(bags)
    random.shuffle(mixed)
    turned = msgspec.structs.replace(known, closures=known.closures[::-1] * 2)
    again = connection_risk(turned, mixed, NOW)
    assert sorted(map(repr, again.bags)) == sorted(map(repr, found.bags))
    assert again.passenger == found.passenger
    for miss in [found.passenger, *(each.miss for each in found.bags)]:
        if miss is None:
            continue
        assert 0 <= miss.probability <= 1
        assert (miss.cause is None) or miss.probability >= 0.05
        if miss.ready is not None:
            assert miss.ready.p10_us <= miss.ready.p50_us <= miss.ready.p90_us


@settings(max_examples=40, deadline=None)
@given(known_ones, st.integers(0, 60))
def test_more_time_never_raises_a_risk(known, minutes):
    later = msgspec.structs.replace(known, departs_us=known.departs_us + minutes * MINUTE_US)
    before, after = risk(known), risk(later)
    if before.passenger is not None:
        assert after.passenger.probability <= before.passenger.probability + 1e-9
        for one, other in zip(before.bags, after.bags, strict=True):
            assert other.miss.probability <= one.miss.probability + 1e-9


def test_the_chances_are_those_of_twenty_thousand_drawn_connections():
    rng = Random(20240706)
    known = connecting(departs=58, way_min=18.0, queue_min=6.0)
    found = risk(known)
    missed_gate = missed_bag = 0
    cases = 20_000

    def draw(stage):
        return max(0.0, at_share(spread_of(stage), rng.random()))

    changing, handling = known.changing, known.handling
    for _ in range(cases):
        gate = (
            draw(changing.leave_aircraft) + draw(Stage(12.0, 1.8, 3.0)) + draw(Stage(6.0, 2.4, 3.6))
        )
        work = [*handling.ramp, changing.behind_first, changing.sorting]
        bag = sum(draw(stage) for stage in work)
        missed_gate += gate > 58 - changing.boarding_closes_min
        missed_bag += bag > 58 - changing.make_up_closes_min
    assert found.passenger.probability == pytest.approx(missed_gate / cases, abs=0.02)
    assert found.bags[0].miss.probability == pytest.approx(missed_bag / cases, abs=0.04)
