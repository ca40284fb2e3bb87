from itertools import pairwise

from aerocast_hub.baggage.evidence import (
    Handled,
    Irregularity,
    Nested,
    Placed,
    Screened,
    Seen,
    Stowed,
)
from aerocast_hub.baggage.fold import journey_of
from aerocast_hub.baggage.journey import (
    MINUTE_US,
    Journey,
    is_in_motion,
    newly_passed,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.baggage.bag_evidence import (
    HOUR_US,
    JULY_6,
    ON,
    OUT,
    announced,
    at,
    evidence_sets,
    of,
    off_block,
    on_block,
    seen,
    void,
)

randoms = st.randoms(use_true_random=False)


@settings(max_examples=150, deadline=None)
@given(evidence_sets, randoms, st.booleans())
def test_order_and_repetition_change_no_journey(evidence, random, contested):
    mixed = evidence + evidence
    random.shuffle(mixed)
    assert journey_of(evidence, contested=contested) == journey_of(mixed, contested=contested)


@settings(max_examples=100, deadline=None)
@given(evidence_sets, st.integers(0, 13))
def test_what_is_voided_never_was(evidence, which):
    distinct = list({each.id: each for each in evidence}.values())
    without = distinct[:which] + distinct[which + 1 :]
    voided = [*distinct, *(void(each) for each in distinct[which : which + 1])]
    assert journey_of(voided) == journey_of(without)


@settings(max_examples=100, deadline=None)
@given(evidence_sets, st.integers(0, 13), st.integers(-30, 30))
def test_a_corrected_clock_replaces_what_was_known(evidence, which, minutes):
    distinct = list({each.id: each for each in evidence}.values())
    corrected = [
        type(each)(
            **{name: getattr(each, name) for name in each.__struct_fields__}
            | {"at_us": each.at_us + minutes * MINUTE_US, "known_at_us": 9}
        )
        for each in distinct[which : which + 1]
    ]
    alone = distinct[:which] + corrected + distinct[which + 1 :]
    assert journey_of([*corrected, *distinct]) == journey_of(alone)


@settings(max_examples=100, deadline=None)
@given(evidence_sets)
def test_a_claimed_bag_stays_claimed_and_is_in_nothing(evidence):
    journey = journey_of([*evidence, of(Handled, -1, did="claimed")])
    assert journey.state == "claimed"
    assert journey.container is None


@settings(max_examples=100, deadline=None)
@given(evidence_sets)
def test_an_inference_never_overrides_what_was_seen_later(evidence):
    late = [*evidence, seen(5000, "reclaim", "reclaim-1"), of(Handled, -900, did="released")]
    claimed = any(isinstance(each, Handled) and each.did == "claimed" for each in evidence)
    assert journey_of(late).state == ("claimed" if claimed else "delivered")


@settings(max_examples=100, deadline=None)
@given(evidence_sets)
def test_a_bag_is_in_one_place_and_no_container_is_inside_itself(evidence):
    place = journey_of(evidence).place
    if place is not None:
        assert len(place.inside) == len(set(place.inside)) <= 8


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-2000, 2000), min_size=5, max_size=5), randoms)
def test_clocks_off_by_less_than_the_travel_time_change_no_custody_point(skews_ms, random):
    points = ("acceptance", "screening", "sortation", "makeup", "loading")
    passed = [
        Seen(id=point, at_us=at(5 * i) + skew * 1000, site="lfbo", point=point, belt=point)
        for i, (point, skew) in enumerate(zip(points, skews_ms, strict=True))
    ]
    random.shuffle(passed)
    journey = journey_of(passed)
    assert tuple(journey.custody) == points
    assert journey.state == "loaded"
    assert not journey.duplicate
    assert all(a < b for a, b in pairwise(journey.custody.values()))


def test_a_bag_nobody_has_seen_is_expected():
    assert journey_of([]) == Journey()
    assert not is_in_motion(Journey(), JULY_6)


def test_custody_points_keep_their_first_time_and_the_last_place_is_where_it_is():
    journey = journey_of(
        [seen(12, "makeup", "chute-2"), seen(3), seen(5), seen(1, "acceptance", "desk-1")]
    )
    assert journey.custody == {
        "acceptance": JULY_6 + MINUTE_US,
        "sortation": JULY_6 + 3 * MINUTE_US,
        "makeup": JULY_6 + 12 * MINUTE_US,
    }
    assert (journey.state, journey.last_point, journey.last_belt) == (
        "made_up",
        "makeup",
        "chute-2",
    )
    assert [(each.point, each.sightings) for each in journey.passed] == [
        ("acceptance", 1),
        ("sortation", 2),
        ("makeup", 1),
    ]
    assert not journey.ambiguous
    assert not journey.duplicate


def test_a_scan_without_a_place_says_seen_and_keeps_the_state_of_the_last_point():
    assert journey_of([seen(1, "", "", witness="scan")]).state == "seen"
    journey = journey_of([seen(1), seen(2, "", "", witness="scan")])
    assert (journey.state, journey.last_point) == ("sorted", None)


def test_an_unsure_passage_is_flagged_until_a_sure_one_settles_it():
    unsure = seen(3, ambiguous=True, candidates=("belt-4", "belt-5"))
    journey = journey_of([unsure])
    assert journey.ambiguous
    assert journey.reasons[0].why == "seen at belt-4 or belt-5: which is not sure"
    assert journey.passed[0].ambiguous
    settled = journey_of([unsure, seen(3.2, belt="belt-5")])
    assert not settled.ambiguous
    assert settled.reasons == ()


def test_one_plate_at_two_places_at_once_is_flagged_as_two_bags():
    apart = journey_of([seen(3), seen(9, site="lfpg")])
    assert apart.duplicate
    assert apart.reasons[0].why == "seen at lfbo and lfpg within 360.0 s"
    assert not journey_of([seen(3), seen(90, site="lfpg")]).duplicate
    assert journey_of([seen(3), seen(3.01, belt="belt-9")]).duplicate
    overheard = seen(3.01, belt="belt-5", ambiguous=True, candidates=("belt-4", "belt-5"))
    assert not journey_of([seen(3), overheard]).duplicate


def test_only_new_places_are_told():
    before = journey_of([seen(3)])
    after = journey_of([seen(3), seen(2), seen(5, "makeup", "chute-2")])
    assert [each.point for each in newly_passed(before, after)] == ["makeup"]
    assert newly_passed(after, after) == []


def test_a_bag_is_in_motion_until_reclaim_or_a_long_silence():
    journey = journey_of([seen(3)])
    assert is_in_motion(journey, JULY_6 + HOUR_US)
    assert not is_in_motion(journey, JULY_6 + 7 * HOUR_US)
    assert not is_in_motion(journey_of([seen(3, "reclaim")]), JULY_6 + HOUR_US)


def test_a_bag_in_a_container_is_where_the_outermost_one_is():
    stowed = of(Stowed, 10, container="AKE1")
    on_cart = of(Nested, 12, container="AKE1", parent="CART7")
    at_stand = of(Placed, 20, container="CART7", site="lfbo", place="stand B4")
    journey = journey_of([seen(5), stowed, on_cart, at_stand])
    assert (journey.state, journey.container) == ("made_up", "AKE1")
    assert (journey.place.name, journey.place.inside) == ("stand B4", ("AKE1", "CART7"))
    off_cart = of(Nested, 25, container="AKE1", parent="CART7", is_in=False)
    aboard = of(Nested, 26, container="AKE1", leg=OUT)
    assert journey_of([stowed, on_cart, at_stand, off_cart, aboard]).place.kind == "flight"


def test_another_container_takes_a_bag_out_of_the_first():
    journey = journey_of([of(Stowed, 10, container="AKE1"), of(Stowed, 12, container="AKE2")])
    assert journey.container == "AKE2"
    taken_out = of(Stowed, 13, container="AKE1", is_in=False)
    late = [of(Stowed, 10, container="AKE1"), of(Stowed, 12, container="AKE2"), taken_out]
    assert journey_of(late).container == "AKE2"


def test_a_bag_in_the_hold_leaves_and_arrives_with_the_aircraft_until_it_is_seen():
    aboard = [announced(), seen(1), of(Stowed, 30, container="AKE1", leg=OUT)]
    gone = journey_of([*aboard, off_block(60)])
    assert gone.state == "departed"
    assert [(each.state, each.rule, each.confidence) for each in gone.inferred][1:] == [
        ("departed", "in_the_hold_at_departure", 0.95)
    ]
    there = [*aboard, off_block(60), on_block(140)]
    assert journey_of(there).state == "on_block"
    unloaded = seen(155, "arrival", "belt-9", site="lfpg")
    assert journey_of([*there, unloaded]).state == "arrived"
    assert journey_of([*there, unloaded]).container is None


def test_a_bag_left_behind_is_not_said_to_have_flown():
    taken_off = of(Stowed, 50, container="AKE1", leg=OUT, is_in=False)
    left = journey_of(
        [announced(), of(Stowed, 30, container="AKE1", leg=OUT), taken_off, off_block(60)]
    )
    assert left.state == "offloaded"
    assert "departed" not in {each.state for each in left.inferred}
    reported = of(Irregularity, 50, code="offloaded")
    again = [of(Stowed, 30, container="AKE1", leg=OUT), reported, off_block(60)]
    assert journey_of(again).state == "offloaded"


def test_a_departure_that_is_withdrawn_leaves_the_bag_loaded():
    aboard = [announced(), of(Stowed, 30, container="AKE1", leg=OUT), off_block(60)]
    withdrawn = off_block(61, is_withdrawn=True)
    assert journey_of([*aboard, withdrawn]).state == "loaded"


def test_an_announced_bag_nobody_saw_is_only_weakly_said_to_have_arrived():
    journey = journey_of([announced(), on_block(140)])
    assert journey.state == "expected"
    assert journey.inferred[0].rule == "announced_on_arrived_flight"
    assert journey.inferred[0].confidence == 0.5


def test_make_up_without_a_screening_says_it_was_probably_screened():
    assert journey_of([seen(5, "makeup")]).inferred[0].rule == "passed_beyond_screening"
    cleared = of(Screened, 3, result="cleared")
    assert journey_of([cleared, seen(5, "makeup")]).inferred == ()
    assert journey_of([cleared, seen(5, "makeup")]).screening == "cleared"


def test_each_sender_adds_the_flights_it_knows_and_a_change_replaces_them():
    both = journey_of([announced(), announced(-500, (OUT, ON))])
    assert both.legs == (OUT, ON)
    assert journey_of([announced(-500, (OUT, ON)), announced(-400, (ON,))]).legs == (OUT, ON)
    changed = announced(-300, (ON,), status="change")
    assert journey_of([announced(), changed]).legs == (ON,)


def test_a_later_message_that_says_nothing_of_authority_leaves_it():
    yes = announced(-500, authority_to_load=True, passenger_status="checked_in")
    boarded = announced(-100, passenger_status="boarded")
    journey = journey_of([yes, boarded])
    assert (journey.authority_to_load, journey.passenger_status) == (True, "boarded")


def test_a_cancelled_bag_can_be_announced_again():
    deleted = announced(-500, (), status="delete")
    assert journey_of([announced(), deleted]).is_cancelled
    assert not journey_of([announced(), deleted, announced(-400)]).is_cancelled


def test_a_held_bag_is_held_until_released():
    held = of(Handled, 5, did="held")
    assert journey_of([held]).is_held
    assert not journey_of([held, of(Handled, 6, did="released")]).is_held
