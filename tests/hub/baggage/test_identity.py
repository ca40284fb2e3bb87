from aerocast_hub.baggage.evidence import Retagged
from aerocast_hub.baggage.fold import journey_of
from aerocast_hub.baggage.identity import share_out
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.baggage.bag_evidence import (
    ON,
    OUT,
    Leg,
    announced,
    evidence_sets,
    of,
    seen,
)

PLATE, RUSH = "0220123456", "2220999999"
NEXT_DAY = Leg("AF6120", "AF6120", "2024-07-07", "TLS", "CDG")


def codes(airport):
    return frozenset({airport.lower(), {"TLS": "lfbo", "CDG": "lfpg"}.get(airport, "")}) - {""}


def shared(*evidence, plate=PLATE):
    return share_out({plate: evidence}, codes)


@settings(max_examples=100, deadline=None)
@given(evidence_sets, st.randoms(use_true_random=False))
def test_every_sighting_of_a_plate_goes_to_one_bag_whatever_the_order(evidence, random):
    evidence = [each for each in evidence if not hasattr(each, "flight_key")]
    mixed = evidence + evidence
    random.shuffle(mixed)
    bags = shared(*mixed)
    assert bags == shared(*evidence)
    given_out = sorted(each.id for bag in bags for each in bag.evidence)
    assert len(given_out) == len(set(given_out))
    sightings = {each.id for each in evidence if hasattr(each, "witness")}
    assert sightings <= set(given_out)
    assert len({bag.bag_id for bag in bags}) == len(bags)


def test_the_day_in_the_tag_tells_two_bags_of_one_plate_apart():
    first, second = shared(
        announced(),
        announced(legs=(NEXT_DAY,)),
        seen(600, day_of_year=189),
        seen(601, day_of_year=188),
    )
    assert [each.at_us for each in first.evidence[1:]] == [seen(601).at_us]
    assert [each.at_us for each in second.evidence[1:]] == [seen(600).at_us]


def test_the_site_then_the_date_decide_without_a_day_in_the_tag():
    elsewhere = Leg("LH1", "LH1", "2024-07-07", "FRA", "MUC")
    first, second = shared(
        announced(), announced(legs=(elsewhere,), station="FRA"), seen(600), seen(2040, site="eddf")
    )
    assert [len(bag.evidence) for bag in (first, second)] == [2, 2]


def test_two_bags_alike_in_everything_are_contested():
    twin = Leg("U2100", "U2100", "2024-07-06", "TLS", "LGW")
    bags = shared(announced(), announced(legs=(twin,)), seen(600))
    assert [bag.is_contested for bag in bags] == [True, True]
    assert journey_of(bags[0].evidence, contested=True).duplicate


def test_senders_along_the_way_speak_of_one_bag():
    (bag,) = shared(
        announced(), announced(-500, (OUT, ON)), announced(10, (ON,), station="CDG"), seen(600)
    )
    assert len(bag.evidence) == 4
    assert not bag.is_contested


def test_a_change_of_flight_moves_the_bag_and_makes_no_second_one():
    change = announced(-300, (NEXT_DAY,), status="change")
    (bag,) = shared(announced(), change)
    assert journey_of(bag.evidence).legs == (NEXT_DAY,)
    assert shared(announced(-300, (), status="delete")) == []


def test_a_plate_comes_round_again_after_weeks():
    later = Leg("AF6120", "AF6120", "2024-07-27", "TLS", "CDG")
    bags = shared(announced(), announced(legs=(later,)), seen(600))
    assert [len(bag.evidence) for bag in bags] == [2, 1]


def test_a_sighting_weeks_away_belongs_to_no_announced_bag():
    bags = shared(announced(), seen(20 * 24 * 60))
    assert [(bag.is_announced, len(bag.evidence)) for bag in bags] == [(True, 1), (False, 1)]


def test_an_unknown_plate_seen_again_after_days_of_quiet_is_another_bag():
    bags = shared(seen(4 * 24 * 60), seen(1))
    assert [len(bag.evidence) for bag in bags] == [1, 1]


def test_a_fallback_tag_is_no_bag_an_airline_speaks_of():
    bags = shared(announced(), seen(600), plate="1220123456")
    assert [bag.is_announced for bag in bags] == [False]


def test_later_news_never_renames_a_bag():
    known = announced(-500, known_at_us=5)
    (bag,) = shared(known)
    earlier = announced(-900, (OUT, ON), known_at_us=9)
    (same,) = shared(known, earlier)
    assert same.bag_id == bag.bag_id
    sighting = seen(1, known_at_us=5)
    (unknown,) = shared(sighting)
    (still,) = shared(sighting, seen(1, id=sighting.id, known_at_us=8), seen(0, known_at_us=7))
    assert still.bag_id == unknown.bag_id


def test_a_retagged_bag_stays_one_bag_with_both_plates():
    retag = of(Retagged, 620, old_plate=PLATE, new_plate=RUSH)
    rush = announced(630, (NEXT_DAY,), exceptions=("RUSH",))
    again = of(Retagged, 620, old_plate=PLATE, new_plate=RUSH, id="filed under the other")
    (bag,) = share_out(
        {PLATE: [announced(), seen(600), retag], RUSH: [again, rush, seen(700)]}, codes
    )
    assert bag.plates == (PLATE, RUSH)
    assert bag.bag_id == shared(announced())[0].bag_id
    weeks_before = seen(-20 * 24 * 60)
    bags = share_out({PLATE: [announced(), retag], RUSH: [again, weeks_before, seen(700)]}, codes)
    assert [bag.plates for bag in bags] == [(PLATE, RUSH), (RUSH,)]
