from datetime import date

from aerocast_hub.baggage.identity import KnownBag, share_out
from aerocast_hub.baggage.journey import (
    MINUTE_US,
    POINTS,
    Journey,
    Seen,
    is_in_motion,
    journey_of,
    newly_passed,
)
from hypothesis import given, settings
from hypothesis import strategies as st

JULY_6 = 1_720_224_000_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


def seen(minute, point="sortation", belt="belt-4", site="lfbo", **more):
    return Seen(at_us=JULY_6 + int(minute * MINUTE_US), site=site, point=point, belt=belt, **more)


sightings = st.lists(
    st.builds(
        Seen,
        at_us=st.integers(0, 600).map(lambda second: JULY_6 + second * 10_000_000),
        site=st.sampled_from(["lfbo", "lfpg"]),
        point=st.sampled_from(["", *POINTS]),
        belt=st.sampled_from(["", "belt-4", "belt-5"]),
        evidence=st.sampled_from(["passage", "scan"]),
        confidence=st.sampled_from([0.5, 1.0]),
        ambiguous=st.booleans(),
        candidates=st.sampled_from([(), ("belt-4", "belt-5")]),
        day_of_year=st.sampled_from([None, 188, 12]),
    ),
    max_size=12,
)
BAGS = [
    KnownBag(bag_id="a", flight_date=date(2024, 7, 6), airports=frozenset({"tls", "lfbo"})),
    KnownBag(bag_id="b", flight_date=date(2024, 7, 7)),
]


@settings(max_examples=200, deadline=None)
@given(sightings, st.randoms(use_true_random=False), st.booleans())
def test_order_and_repetition_change_no_journey(played, random, contested):
    mixed = played + played
    random.shuffle(mixed)
    assert journey_of(played, contested=contested) == journey_of(mixed, contested=contested)


@settings(max_examples=200, deadline=None)
@given(sightings, st.randoms(use_true_random=False))
def test_every_sighting_of_a_plate_goes_to_one_bag_whatever_the_order(played, random):
    mixed, bags = played + played, list(BAGS)
    random.shuffle(mixed)
    random.shuffle(bags)
    shared = share_out(mixed, bags)
    assert shared == share_out(played, BAGS)
    given_out = [each for part in (*shared.known.values(), *shared.unknown) for each in part]
    assert sorted(given_out, key=str) == sorted(set(played), key=str)


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
    assert journey_of([seen(1, "", "", evidence="scan")]).state == "seen"
    journey = journey_of([seen(1), seen(2, "", "", evidence="scan")])
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


def test_the_day_in_the_tag_tells_two_bags_of_one_plate_apart():
    day_before = seen(600, day_of_year=189)
    shared = share_out([day_before, seen(600, day_of_year=188)], BAGS)
    assert shared.known["b"] == (day_before,)
    assert len(shared.known["a"]) == 1


def test_the_site_then_the_date_decide_without_a_day_in_the_tag():
    assert set(share_out([seen(600)], BAGS).known) == {"a"}
    assert set(share_out([seen(600 + 24 * 60, site="lfpg")], BAGS).known) == {"b"}


def test_two_bags_alike_in_everything_are_contested():
    twins = [KnownBag(bag_id=each, flight_date=date(2024, 7, 6)) for each in ("a", "b")]
    shared = share_out([seen(600)], twins)
    assert shared.contested == {"a", "b"}
    assert journey_of(shared.known["a"], contested=True).duplicate


def test_a_sighting_weeks_away_belongs_to_no_announced_bag():
    weeks = seen(20 * 24 * 60)
    assert share_out([weeks], BAGS).unknown == ((weeks,),)


def test_an_unknown_plate_seen_again_after_days_of_quiet_is_another_bag():
    first, second = seen(1), seen(4 * 24 * 60)
    assert share_out([second, first], []).unknown == ((first,), (second,))
