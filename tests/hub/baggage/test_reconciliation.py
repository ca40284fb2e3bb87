from collections import Counter

import pytest
from aerocast_hub.baggage.evidence import Handled, Irregularity, Leg, Screened, Stowed
from aerocast_hub.baggage.fold import journey_of
from aerocast_hub.baggage.journey import MINUTE_US
from aerocast_hub.baggage.reconciliation import (
    Carried,
    Due,
    authority_to_load,
    is_aboard,
    reconcile,
    transfer_at,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.baggage.bag_evidence import (
    ON,
    OUT,
    announced,
    at,
    evidence_sets,
    of,
    seen,
)

TLS = frozenset({"tls", "lfbo"})
CDG = frozenset({"cdg", "lfpg"})
STANDS = Due(leg=OUT, origin_codes=TLS, off_block_due_us=at(600))
LEFT = Due(leg=OUT, origin_codes=TLS, off_block_due_us=at(600), off_block_us=at(605))
BOARDED = {"authority_to_load": True, "passenger_status": "boarded"}


def bag(plate, *evidence):
    return Carried(bag_id=f"bag {plate}", licence_plate=plate, journey=journey_of(evidence))


def good(**more):
    return [announced(**(BOARDED | more)), of(Screened, 5, result="cleared")]


def loaded(minute=500, leg=OUT, **more):
    return of(Stowed, minute, container="AKE1", leg=leg, site="lfbo", **more)


def decision(*evidence):
    authority = authority_to_load(journey_of(evidence), OUT)
    return authority.decision, authority.reasons


def test_a_bag_that_everything_is_known_of_may_be_loaded():
    assert decision(*good()) == ("granted", ())


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ([*good(legs=(ON,))], "not booked on this flight"),
        ([*good(), announced(1, (), status="delete")], "cancelled by its airline"),
        ([*good(), of(Handled, 9, did="held")], "held back"),
        (good(authority_to_load=False), "its airline gives no authority to load"),
        (good(authority_to_transport=False), "its airline gives no authority to transport"),
        (good(passenger_status="not_boarded"), "its passenger did not board"),
        ([*good(), of(Screened, 9, result="rejected")], "rejected at screening"),
        ([*good(), of(Screened, 9, result="unclear")], "not cleared at screening"),
        ([*good(), seen(3), seen(4, site="lfpg")], "another bag may carry its plate"),
    ],
)
def test_each_thing_against_a_bag_is_named(evidence, why):
    assert decision(*evidence) == ("refused", (why,))


def test_what_nobody_said_is_a_reason_to_ask_and_never_a_yes():
    assert decision(announced()) == (
        "unsure",
        ("nobody said that it may be loaded", "no result of screening"),
    )
    assert decision(announced(**BOARDED)) == ("unsure", ("no result of screening",))


def test_a_no_show_s_bag_is_on_the_offload_list_with_its_place_in_the_hold():
    flight = reconcile(
        STANDS,
        [
            bag("0220000001", *good(passenger_status="not_boarded"), loaded(order=7)),
            bag("0220000002", *good(passenger_status="not_boarded"), loaded(order=9)),
            bag("0220000003", *good(), loaded(order=8)),
        ],
        at(590),
    )
    assert [(each.licence_plate[-1], each.container, each.order) for each in flight.offload] == [
        ("2", "AKE1", 9),
        ("1", "AKE1", 7),
    ]
    assert flight.offload[0].reasons == ("its passenger did not board",)


def test_a_bag_on_the_wrong_flight_is_found_and_a_swap_of_two_is_named():
    other = Leg("U2100", "U2100", "2024-07-06", "TLS", "LGW")
    stranger = bag("0220000001", *good(legs=(other,)), loaded())
    away = bag("0220000002", *good(), loaded(leg=other))
    flight = reconcile(STANDS, [stranger, away], at(590))
    assert [each.reasons for each in flight.offload] == [("not booked on this flight",)]
    assert flight.counts == {"accepted": 1}
    assert flight.swapped == (("0220000001", "0220000002"),)


def test_bags_not_made_up_in_time_are_at_risk_and_then_left_behind():
    late = bag("0220000001", *good(), seen(400))
    never = bag("0220000002", *good())
    made_up = bag("0220000003", *good(), seen(500, "makeup"))
    bags = [late, never, made_up]
    assert reconcile(STANDS, bags, at(500)).at_risk == ()
    assert reconcile(STANDS, bags, at(570)).at_risk == ("bag 0220000001", "bag 0220000002")
    gone = reconcile(LEFT, bags, at(700))
    assert gone.left_behind == ("bag 0220000001", "bag 0220000002", "bag 0220000003")
    assert gone.counts == {"short": 3}
    assert reconcile(LEFT, [bag("1", announced())], at(700)).counts == {"unknown": 1}


def test_a_read_at_the_hold_of_the_airport_it_leaves_is_aboard():
    journey = journey_of([announced(legs=(OUT, ON)), seen(500, "loading")])
    assert is_aboard(journey, OUT, TLS)
    assert not is_aboard(journey, ON, CDG)
    taken_off = of(Irregularity, 510, code="offloaded")
    assert not is_aboard(journey_of([announced(), seen(500, "loading"), taken_off]), OUT, TLS)


def test_a_connection_shows_the_time_left_and_whether_it_is_short():
    carried = bag("0220000001", announced(legs=(OUT, ON)))
    times = {
        (OUT.key, OUT.date): (at(600), at(680)),
        (ON.key, ON.date): (at(720), None),
    }
    board = transfer_at(carried, CDG, times, at(690))
    assert board.time_left_us == 30 * MINUTE_US
    assert board.is_short
    later = times | {(ON.key, ON.date): (at(900), None)}
    assert not transfer_at(carried, CDG, later, at(690)).is_short
    aboard = bag("0220000001", announced(legs=(OUT, ON)), loaded(leg=ON))
    assert not transfer_at(aboard, CDG, times, at(690)).is_short
    assert transfer_at(carried, TLS, times, at(690)) is None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(evidence_sets, max_size=5),
    st.sampled_from([STANDS, LEFT]),
    st.integers(0, 1400),
    st.randoms(use_true_random=False),
)
def test_every_booked_bag_is_counted_once_and_order_does_not_matter(sets, due, minute, random):
    bags = [bag(f"022000000{i}", *evidence) for i, evidence in enumerate(sets)]
    mixed = list(bags)
    random.shuffle(mixed)
    flight = reconcile(due, bags, at(minute))
    assert flight == reconcile(due, mixed, at(minute))
    assert sum(flight.counts.values()) == sum(each.is_ours for each in flight.bags)
    assert len({each.bag_id for each in flight.bags}) == len(bags)
    if flight.is_departed:
        assert set(flight.counts) <= {"loaded", "short", "offloaded", "cancelled", "unknown"}
    else:
        unwanted = Counter(
            each.licence_plate
            for each in flight.bags
            if each.status == "loaded" and each.authority.decision == "refused"
        )
        assert Counter(each.licence_plate for each in flight.offload) == unwanted
