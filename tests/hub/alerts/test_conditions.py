from aerocast_hub.alerts.conditions import of_aboard, of_bag, of_belt, of_flight
from aerocast_hub.baggage.evidence import Irregularity
from aerocast_hub.baggage.fold import journey_of
from aerocast_hub.baggage.reconciliation import reconcile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.baggage.bag_evidence import ON, announced, at, evidence_sets, of, seen
from tests.hub.baggage.test_reconciliation import LEFT, STANDS, bag, good, loaded


def kinds(*evidence):
    return [each.kind for each in of_bag("a", journey_of(evidence))]


def test_what_is_wrong_with_a_bag_is_named():
    assert kinds(announced(), seen(3)) == []
    assert kinds(announced(), seen(3), seen(4, site="lfpg")) == ["duplicate_plate"]
    assert kinds(seen(3)) == ["unannounced_bag"]
    assert kinds(seen(3, "reclaim")) == []
    assert kinds(announced(), of(Irregularity, 3, code="not_seen")) == ["irregularity"]


def aboard(carried, due=STANDS, minute=590):
    return of_aboard(carried.bag_id, carried.journey, "f", due, at(minute))


def test_a_bag_aboard_without_authority_is_critical_until_the_flight_leaves():
    refused = bag("0220000001", *good(authority_to_load=False), loaded())
    (wrong,) = aboard(refused)
    assert (wrong.kind, wrong.severity) == ("not_authorised", "critical")
    assert wrong.reason == (
        "aboard AF6120 of 2024-07-06, in AKE1: its airline gives no authority to load"
    )
    assert aboard(refused, LEFT, 700) == []
    assert [each.kind for each in aboard(bag("2", *good(legs=(ON,)), loaded()))] == ["wrong_flight"]
    assert aboard(bag("3", *good(), loaded())) == []


def test_what_is_wrong_with_a_flight_is_told_once_with_its_bags():
    late = bag("0220000002", *good(), seen(400))
    (risk,) = of_flight("f", STANDS, reconcile(STANDS, [late], at(590)))
    assert (risk.kind, risk.severity, risk.subject) == ("at_risk", "warning", "flight f")
    assert risk.reason == "1 bag not made up in time for AF6120 of 2024-07-06: 0220000002"
    many = [bag(f"02200000{i:02d}", *good(), seen(400)) for i in range(9)]
    (left,) = of_flight("f", LEFT, reconcile(LEFT, many, at(700)))
    assert left.reason.startswith("9 bags left behind by AF6120")
    assert left.reason.endswith(", 0220000005 and 3 more")


@settings(max_examples=60, deadline=None)
@given(evidence_sets, st.integers(0, 700))
def test_a_bag_loaded_without_authority_is_an_alert_until_it_is_resolved(evidence, minute):
    carried = bag("0220000001", *evidence)
    (listed,) = reconcile(STANDS, [carried], at(minute)).bags
    is_wrong = listed.status == "loaded" and listed.authority.decision == "refused"
    assert bool(aboard(carried, minute=minute)) == is_wrong


def test_a_belt_where_bags_go_unread_is_worse_the_more_there_are():
    assert of_belt("lfbo", "belt-4", 0, 15) == []
    assert of_belt("lfbo", "belt-4", 1, 15)[0].severity == "info"
    assert of_belt("lfbo", "belt-4", 9, 15)[0].severity == "warning"
