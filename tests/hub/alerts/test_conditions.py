from aerocast_hub.alerts.conditions import of_bag, of_belt, of_flight
from aerocast_hub.baggage.evidence import Irregularity
from aerocast_hub.baggage.fold import journey_of
from aerocast_hub.baggage.reconciliation import reconcile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.baggage.bag_evidence import announced, at, evidence_sets, of, seen
from tests.hub.baggage.test_reconciliation import LEFT, STANDS, bag, good, loaded


def kinds(*evidence):
    return [each.kind for each in of_bag("a", journey_of(evidence))]


def test_what_is_wrong_with_a_bag_is_named():
    assert kinds(announced(), seen(3)) == []
    assert kinds(announced(), seen(3), seen(4, site="lfpg")) == ["duplicate_plate"]
    assert kinds(seen(3)) == ["unannounced_bag"]
    assert kinds(seen(3, "reclaim")) == []
    assert kinds(announced(), of(Irregularity, 3, code="not_seen")) == ["irregularity"]


def test_what_is_wrong_with_a_flight_is_named_once_for_each_bag():
    refused = bag("0220000001", *good(authority_to_load=False), loaded())
    late = bag("0220000002", *good(), seen(400))
    wrong = of_flight("f", STANDS, reconcile(STANDS, [refused, late], at(590)))
    assert [(each.kind, each.severity, each.subject) for each in wrong] == [
        ("not_authorised", "critical", "bag bag 0220000001"),
        ("at_risk", "warning", "flight f"),
    ]
    assert wrong[0].reason == (
        "aboard AF6120 of 2024-07-06, in AKE1: its airline gives no authority to load"
    )
    assert wrong[1].reason == ("1 bag not made up in time for AF6120 of 2024-07-06: 0220000002")
    gone = of_flight("f", LEFT, reconcile(LEFT, [refused, late], at(700)))
    assert [each.kind for each in gone] == ["left_behind"]


@settings(max_examples=60, deadline=None)
@given(st.lists(evidence_sets, max_size=4), st.integers(0, 700))
def test_a_bag_loaded_without_authority_is_an_alert_until_it_is_resolved(sets, minute):
    bags = [bag(f"022000000{i}", *evidence) for i, evidence in enumerate(sets)]
    flight = reconcile(STANDS, bags, at(minute))
    told = {each.subject for each in of_flight("f", STANDS, flight) if each.severity == "critical"}
    assert told == {
        f"bag {each.bag_id}"
        for each in flight.bags
        if each.status == "loaded" and each.authority.decision == "refused"
    }
    keys = [each.key for each in of_flight("f", STANDS, flight)]
    assert len(keys) == len(set(keys))


def test_a_belt_where_bags_go_unread_is_worse_the_more_there_are():
    assert of_belt("lfbo", "belt-4", 0, 15) == []
    assert of_belt("lfbo", "belt-4", 1, 15)[0].severity == "info"
    assert of_belt("lfbo", "belt-4", 9, 15)[0].severity == "warning"
