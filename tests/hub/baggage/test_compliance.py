import pytest
from aerocast_hub.baggage.clock_skew import FEWEST, stray_clocks
from aerocast_hub.baggage.compliance import Read, compliance_of
from aerocast_hub.baggage.evidence import Irregularity, Leg, Screened
from aerocast_hub.baggage.fold import journey_of
from aerocast_hub.baggage.journey import MINUTE_US
from aerocast_hub.baggage.loss_reason import FlightTimes, propose
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.baggage.bag_evidence import ON, OUT, announced, at, of, seen
from tests.hub.baggage.test_reconciliation import BOARDED, CDG, LEFT, STANDS, TLS, bag, good, loaded

FIRST, SECOND, THIRD = "0220000001", "0220000002", "0220000003"


def read(plate, point, minute, kind="passage", site="lfbo", late_s=2):
    at_us = at(minute)
    return Read(plate, kind, site, point, at_us, at_us + late_s * 1_000_000)


BAGS = [
    bag(FIRST, *good(), loaded()),
    bag(SECOND, *good(), seen(400)),
    bag(THIRD, *good(legs=(ON, OUT)), loaded()),
]
READS = [
    read(FIRST, "acceptance", 300),
    read(FIRST, "loading", 500, "scan", late_s=10),
    read(FIRST, "arrival", 700, site="lfpg"),
    read(SECOND, "acceptance", 310, "scan", late_s=4),
    read(THIRD, "transfer", 350),
    read(THIRD, "", 500, "stowed"),
    read(THIRD, "loading", 20 * 24 * 60),  # weeks later: another bag of this plate
    read(FIRST, "acceptance", 300, site="eddf"),
]


def report(due=LEFT, reads=READS, now=900):
    told = compliance_of(due, BAGS, reads, CDG, at(now))
    return {each.point: each for each in told.points}, told.inventory


def test_each_point_counts_the_bags_that_had_to_pass_it():
    points, inventory = report()
    assert {name: (each.expected, each.read) for name, each in points.items()} == {
        "acceptance": (2, 2),
        "loading": (2, 2),
        "transfer": (1, 1),
        "arrival": (2, 1),
    }
    assert points["arrival"].gaps == (THIRD,)
    assert points["acceptance"].automatic == 1
    assert points["acceptance"].automatic_share == 0.5
    assert points["acceptance"].latency_p50_s == 3.0
    assert points["arrival"].read_share == 0.5
    assert [each.licence_plate for each in inventory] == [FIRST, THIRD]
    assert inventory[0].passenger_status == "boarded"


def test_before_departure_every_bag_has_yet_to_be_loaded_and_there_is_no_inventory():
    points, inventory = report(STANDS, now=550)
    assert points["loading"].expected == 3
    assert points["loading"].gaps == (SECOND,)
    assert inventory == ()


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_evidence_change_no_report(random):
    mixed = READS + READS
    random.shuffle(mixed)
    assert report(reads=mixed) == report()


def reason(*evidence, leg=OUT, codes=TLS, **times):
    times.setdefault("off_block_us", at(600))
    return propose(journey_of(evidence), leg, codes, FlightTimes(**times))


ARRIVES = Leg("BA1", "BA1", "2024-07-06", "LHR", "TLS")


@pytest.mark.parametrize(
    ("evidence", "times", "code"),
    [
        ([*good(), seen(400)], {}, 21),
        ([*good(), seen(585, "acceptance")], {}, 16),
        ([*good(), of(Screened, 9, result="rejected")], {}, 63),
        (good(authority_to_load=False), {}, 18),
        ([*good(), loaded(leg=ON)], {}, 31),
        ([*good(), of(Irregularity, 500, code="offloaded")], {}, 26),
        ([*good(), seen(400)], {"ramp_closed_us": 40 * MINUTE_US}, 62),
        (good(legs=(ON,)), {}, 51),
        (good(legs=(ARRIVES, OUT)), {"inbound_on_block_us": at(580)}, 53),
        (good(legs=(ARRIVES, OUT)), {"inbound_on_block_us": at(400)}, 52),
        (good(legs=(ON, OUT)), {"inbound_on_block_us": at(580)}, 56),
        (good(legs=(ON, OUT)), {"inbound_on_block_us": at(400)}, 55),
        (good(legs=(ARRIVES, OUT), authority_to_load=False), {}, 59),
    ],
)
def test_a_reason_for_loss_is_proposed_from_the_evidence(evidence, times, code):
    proposed = reason(*evidence, **times)
    assert proposed.code == code
    assert proposed.evidence


def test_no_reason_is_made_up():
    assert reason(*good(), loaded()) is None
    assert reason(announced(**BOARDED)) is None  # nobody ever saw it: nothing speaks for anything
    assert reason(*good(), seen(400), off_block_us=None) is None


def test_one_stray_clock_among_four_gateways_is_found_and_no_other():
    places = ["a", "b", "c", "d"]
    pairs = [(one, other) for one in places for other in places if one < other]
    usual = {pair: [60.0 + i % 7 for i in range(40)] for pair in pairs}
    late = {
        (one, other): [
            60.0 + i % 7 - (4.0 if one == "b" else 0.0) + (4.0 if other == "b" else 0.0)
            for i in range(30)
        ]
        for one, other in pairs
    }
    found = stray_clocks(usual, late)
    assert [each.gateway for each in found if each.is_stray] == ["b"]
    stray = next(each for each in found if each.is_stray)
    assert abs(stray.error_s - 4.0) < 0.1
    assert stray.sigma_s < 0.5
    assert not any(each.is_stray for each in stray_clocks(usual, usual))


def test_few_bags_say_nothing_of_a_clock():
    few = {("a", "b"): [60.0] * (FEWEST - 1)}
    assert stray_clocks(few, few) == []
