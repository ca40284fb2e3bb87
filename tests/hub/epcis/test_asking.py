"""Queries read from JSON and addresses, and schedules, without a database."""

import json
from datetime import UTC, datetime

import pytest
from aerocast_hub.epcis.asking import Asked, asked_for
from aerocast_hub.epcis.asking_values import QueryParameterError
from aerocast_hub.epcis.schedule import FIELDS, Schedule, SubscriptionControlsError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.epcis.test_validation import EPCIS
from tests.protocols.test_epcis import any_json

QUERIES = EPCIS / "openepcis" / "Query" / "Queries"
EVENT = {
    "type": "ObjectEvent",
    "quantityList": [{"epcClass": "urn:x:y", "quantity": 20}],
    "persistentDisposition": {"set": ["recalled"]},
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epc:id:gdti:4012345.11111.123"}],
    "errorDeclaration": {"declarationTime": "2026-11-22T20:00:00Z", "reason": "incorrect_data"},
    "sensorElementList": [
        {
            "sensorMetadata": {"time": "2026-11-22T20:00:00Z", "deviceID": "urn:d:1"},
            "sensorReport": [{"type": "Temperature", "value": 26.5, "booleanValue": True}],
        }
    ],
    "ext:count": 7,
    "ilmd": {"ext:lot": "A"},
}


@pytest.mark.skipif(not QUERIES.is_dir(), reason="shared data of EPCIS queries absent")
def test_a_published_query_is_read_and_a_spoilt_one_refused():
    good = asked_for(json.loads((QUERIES / "SimpleEventQuery.json").read_text()))
    assert good.limit == 100
    assert len(good.columns) == 5
    with pytest.raises(QueryParameterError):
        asked_for(json.loads((QUERIES / "Invalid" / "Query_with_invalid_values.json").read_text()))


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [
        ("GE_quantity", 20, 21),
        ("EQ_quantity", [19, 20], [19]),
        ("EQ_persistentDisposition_set", ["recalled"], ["damaged"]),
        ("EQ_persistentDisposition_set", "urn:epcglobal:cbv:disp:recalled", "damaged"),
        ("EQ_bizTransaction_po", ["https://id.gs1.org/253/4012345111118123"], ["urn:x:y"]),
        ("EQ_errorReason", ["incorrect_data"], ["did_not_occur"]),
        ("GE_errorDeclarationTime", "2026-11-22T20:00:00Z", "2026-11-22T20:00:01Z"),
        ("LT_time", "2026-11-22T20:00:01Z", "2026-11-22T20:00:00Z"),
        ("EQ_type", ["https://gs1.org/voc/Temperature"], ["Speed"]),
        ("EQ_deviceID", "urn:d:1", "urn:d:2"),
        ("GT_value", 26, 26.5),
        ("EQ_booleanValue", True, False),
        ("EQ_ext:count", ["7"], ["8"]),
        ("LE_ext:count", 7, 6.5),
        ("EQ_ILMD_ext:lot", ["A"], ["B"]),
        ("EXISTS_ext:count", None, None),
        ("EXISTS_ILMD_ext:lot", None, None),
    ],
)
def test_what_the_database_does_not_ask_is_asked_of_the_event(name, yes, no):
    assert asked_for({name: yes}).passes(EVENT)
    if no is not None:
        assert not asked_for({name: no}).passes(EVENT)
    assert not asked_for({name: yes}).passes({"type": "ObjectEvent"})


@pytest.mark.parametrize(
    "asked",
    [
        {"EQ_action": ["SHIPPED"]},
        {"GE_eventTime": "yesterday"},
        {"orderDirection": "SIDEWAYS"},
        {"orderBy": "colour"},
        {"eventCountLimit": 5, "maxEventCount": 5},
        {"eventCountLimit": 0},
        {"perhaps": 1},
        {"EQ_": 1},
        {"EXISTS_everything": 1},
        {"MATCH_epc": []},
        {"MATCH_epc": [5]},
        {"MATCH_epc": ["a\x00b"]},
        {"eventType": ["Nothing"]},
    ],
)
def test_what_is_no_query_is_refused(asked):
    with pytest.raises(QueryParameterError):
        asked_for(asked)


@given(
    st.dictionaries(
        st.sampled_from(["EQ_quantity", "GE_ext:x", "EQ_ILMD_a:b", "EXISTS_a:b", "EQ_type"])
        | st.text(max_size=12),
        any_json,
        max_size=3,
    )
)
@settings(max_examples=100)
def test_any_parameters_are_a_query_or_refused(parameters):
    try:
        asked = asked_for(parameters)
    except QueryParameterError:
        return
    assert isinstance(asked, Asked)
    assert asked.passes(EVENT) in (True, False)


def us(*instant):
    return int(datetime(*instant, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("told", "after", "expected"),
    [
        ({"hour": "1", "minute": "5"}, (2026, 11, 22, 1, 5, 0), (2026, 11, 23, 1, 5, 0)),
        ({"second": "0,30"}, (2026, 11, 22, 1, 5, 0), (2026, 11, 22, 1, 5, 30)),
        ({"minute": "[10-12]"}, (2026, 11, 22, 1, 11, 0), (2026, 11, 22, 1, 12, 0)),
        ({"dayOfWeek": "1"}, (2026, 11, 22, 9, 0, 0), (2026, 11, 23, 0, 0, 0)),
        ({"dayOfMonth": "29", "month": "2"}, (2026, 3, 1, 0, 0, 0), (2028, 2, 29, 0, 0, 0)),
        ({"month": "1"}, (2026, 12, 31, 23, 59, 59), (2027, 1, 1, 0, 0, 0)),
    ],
)
def test_a_schedule_is_due_when_it_says(told, after, expected):
    assert Schedule(told).next_us(us(*after)) == us(*expected)


@pytest.mark.parametrize(
    "told", [{}, {"year": "2026"}, {"hour": "24"}, {"hour": "[5-3]"}, {"minute": "*"}, {"hour": ""}]
)
def test_what_is_no_schedule_is_refused(told):
    with pytest.raises(SubscriptionControlsError):
        Schedule(told)


def test_a_day_that_never_comes_is_refused():
    with pytest.raises(SubscriptionControlsError, match="never"):
        Schedule({"dayOfMonth": "31", "month": "2"}).next_us(us(2026, 1, 1))


@given(st.dictionaries(st.sampled_from(list(FIELDS)), st.text("0123456789[]-, ", max_size=9)))
@settings(max_examples=100)
def test_any_text_is_a_schedule_due_later_or_refused(told):
    try:
        assert Schedule(told).next_us(us(2026, 11, 22)) > us(2026, 11, 22)
    except SubscriptionControlsError:
        return
