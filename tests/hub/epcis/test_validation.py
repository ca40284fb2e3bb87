"""Our schema against GS1's own examples, openEPCIS's good and bad ones, and GS1's schema."""

import copy
import json
import random
from pathlib import Path

import jsonschema_rs
import pytest
from aerocast_hub.epcis.validation import RefusedError, check_event, read_document
from hypothesis import given, settings
from hypothesis import strategies as st

EPCIS = Path(__file__).parents[3].parent / "shared" / "data" / "baggage" / "epcis"
GS1 = sorted((EPCIS / "gs1" / "examples").glob("*.jsonld"))
OTHERS = [
    file
    for file in sorted((EPCIS / "openepcis").rglob("*.json"))
    if "Queries" not in file.parts and file.stem != "SensorData_with_combined_events"
]
VALID = [*GS1, *(file for file in OTHERS if "Invalid" not in file.parts)]
INVALID = [file for file in OTHERS if "Invalid" in file.parts]

pytestmark = pytest.mark.skipif(not GS1, reason="shared data of EPCIS examples absent")


def faults_of(document):
    try:
        read = read_document(json.dumps(document).encode())
    except RefusedError as refused:
        return refused.faults
    return [
        fault
        for i, event in enumerate(read.events)
        for fault in check_event(event, f"{read.where}/{i}" if read.where else "")
    ]


def load(file):
    return json.loads(file.read_text())


def test_the_examples_are_all_there():
    assert len(GS1) == 47
    assert len(VALID) == 47 + 33
    assert len(INVALID) == 12


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_valid_document_is_accepted(file):
    assert faults_of(load(file)) == []


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_an_invalid_document_is_refused(file):
    assert faults_of(load(file))


def test_what_both_reference_validators_refuse_is_refused_with_the_reason():
    file = EPCIS / "openepcis/Capture/Documents/SensorData_with_combined_events.json"
    faults = faults_of(load(file))
    assert any("Molar_concentration" in fault.why for fault in faults)
    where = "/epcisBody/eventList/8/sensorElementList/0/sensorReport/0"
    assert (where, '"type" is a required property') in faults


@pytest.fixture(scope="module")
def official():
    schema = load(EPCIS / "gs1" / "EPCIS-JSON-Schema.json")
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True)


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        if isinstance(each, dict | list):
            yield from places(each, (*path, key))


WORSE = [None, 7, "", "word", [], {}, True, "2026-02-30T25:00:00Z", "http://[", ["x"], {"a": 1}]
KEPT_WIDER = {"persistentDisposition", "EffectiveDoseRate"}


@given(st.integers(min_value=0, max_value=2**32))
@settings(max_examples=100, deadline=None)
def test_a_document_somebody_spoilt_is_judged_as_by_the_official_schema(official, seed):
    rng = random.Random(seed)
    document = copy.deepcopy(load(rng.choice(VALID)))
    for _ in range(rng.randint(1, 3)):
        spoil(document, rng)
    if "type" not in document or KEPT_WIDER & set(json.dumps(document).split('"')):
        return
    assert official.is_valid(document) == (not faults_of(document)), document


def spoil(document, rng):
    holder = document
    for key in rng.choice(list(places(document))):
        holder = holder[key]
    if not holder:
        return
    key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    if rng.random() < 0.4:
        del holder[key]
    elif rng.random() < 0.3 and isinstance(holder, dict):
        holder[rng.choice(["weight", "ext:weight", "bizStep", "ilmd", "parentID"])] = copy.deepcopy(
            holder[key]
        )
    else:
        holder[key] = copy.deepcopy(rng.choice(WORSE))
