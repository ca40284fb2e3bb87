"""Events in their envelope: named for ever, in order, and without anybody's name."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import jsonschema_rs
import msgspec
import pytest
from aerocast_hub.announcing.asyncapi import EXCHANGE
from aerocast_hub.announcing.cloud_event import (
    KINDS,
    WITHHELD,
    cloud_event,
    instant_text,
    routing_key,
    subject_of,
)
from aerocast_hub.announcing.controller import described
from aerocast_hub.events.alerts import AlertAcknowledged
from aerocast_hub.events.bags import BagPassed
from aerocast_hub.events.every import Event, kind_of
from aerocast_hub.events.gateways import GatewayStateChanged
from hypothesis import given, settings
from hypothesis import strategies as st

COMMITTED = Path(__file__).parents[3] / "hub" / "asyncapi.json"
DOCUMENT = json.loads(COMMITTED.read_text())
SOURCE = "https://hub.example"
TRACED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PASSED = BagPassed(
    at_us=1_800_000_000_000_001,
    bag_id="0190",
    licence_plate="0057123456",
    site="lfbo",
    point="loading",
)


def made_up(event):
    """Any value of a kind of event that its types allow."""
    return st.builds(msgspec.convert, _objects(event), st.just(event))


def _objects(event):
    fields = msgspec.structs.fields(event)
    return st.fixed_dictionaries(
        {field.encode_name: _value(field.type) for field in fields}
        | {"kind": st.just(event.__struct_config__.tag)}
    )


PLAIN = {
    int: st.integers(0, 2**50),
    float: st.floats(0, 1e6),
    bool: st.booleans(),
    str: st.text(min_size=1, max_size=40),
}


def _value(kind):
    if kind in PLAIN:
        return PLAIN[kind]
    choices = kind.__args__
    if all(isinstance(each, str) for each in choices):
        return st.sampled_from(choices)
    if type(None) in choices:
        return st.none() | _value(next(each for each in choices if each is not type(None)))
    return st.just(())


any_event = st.one_of([made_up(each) for each in get_args(Event)])


def test_an_event_in_its_envelope():
    assert msgspec.to_builtins(cloud_event(1207, PASSED, SOURCE)) == {
        "specversion": "1.0",
        "id": "1207",
        "source": SOURCE,
        "type": "aerocast.hub.bag_passed",
        "subject": "0190",
        "time": "2027-01-15T08:00:00.000001Z",
        "sequence": "0000000000000001207",
        "datacontenttype": "application/json",
        "data": {
            "at_us": 1_800_000_000_000_001,
            "bag_id": "0190",
            "licence_plate": "0057123456",
            "site": "lfbo",
            "point": "loading",
        },
    }
    assert routing_key(PASSED) == "bag_passed.lfbo"


def test_an_event_that_was_traced_carries_its_trace():
    traced = msgspec.to_builtins(cloud_event(1207, PASSED, SOURCE, TRACED))
    assert traced.pop("traceparent") == TRACED
    assert traced == msgspec.to_builtins(cloud_event(1207, PASSED, SOURCE))


def test_what_names_a_person_or_holds_a_secret_is_told_to_nobody_outside():
    seen = AlertAcknowledged(at_us=1, alert_id="a", alert_kind="k", subject="bag 1", by="m.dupont")
    assert "dupont" not in str(cloud_event(1, seen, SOURCE))
    names = {
        name
        for each in get_args(Event)
        for name in each.__struct_fields__
        if name in {"name", "surname", "passenger", "pnr", "user", "account", "by", "url", "email"}
    }
    assert names == WITHHELD


@settings(max_examples=100)
@given(any_event, st.integers(1, 2**62), st.sampled_from([None, TRACED]))
def test_every_event_is_as_the_document_says(event, number, traceparent):
    told = json.loads(msgspec.json.encode(cloud_event(number, event, SOURCE, traceparent)))
    schema = {
        "$ref": f"#/components/messages/{kind_of(event)}/payload",
        "components": DOCUMENT["components"],
    }
    jsonschema_rs.validate(schema, told)
    assert told["subject"]
    assert datetime.fromisoformat(told["time"]).tzinfo == UTC
    words = routing_key(event).split(".")
    assert words[0] == kind_of(event)
    assert len(words) == 2


@settings(max_examples=100)
@given(st.lists(st.integers(1, 2**62), unique=True))
def test_sequences_sort_as_events_happened(numbers):
    told = [cloud_event(number, PASSED, SOURCE) for number in numbers]
    assert [int(each.id) for each in sorted(told, key=lambda each: each.sequence)] == sorted(
        numbers
    )


def test_gateways_are_subjects_with_their_site():
    gone = GatewayStateChanged(at_us=1, site="lfbo", gateway="hall-1", state="gone")
    assert subject_of(gone) == "lfbo/hall-1"
    assert instant_text(-5) == "1970-01-01T00:00:00.000000Z"


def test_the_committed_document_is_that_of_the_code():
    assert COMMITTED.read_bytes() == described() + b"\n", (
        "the events have changed: run `make openapi` and look at the difference"
    )


def test_the_document_describes_every_kind_and_every_reference_leads_somewhere():
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert sorted(DOCUMENT["channels"]) == list(KINDS)
    exchanges = [each["bindings"]["amqp"]["exchange"] for each in DOCUMENT["channels"].values()]
    assert {each["name"] for each in exchanges} == {EXCHANGE}

    def references(value):
        if isinstance(value, dict):
            yield from ([value["$ref"]] if "$ref" in value else [])
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                yield from references(each)

    for reference in references(DOCUMENT):
        found = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_in_a_line_what_happened(kind):
    assert DOCUMENT["components"]["messages"][kind]["summary"].endswith(".")
