"""Checking EPCIS documents and events: which is wrong, where, and why.

The schemas are compiled once (jsonschema-rs): some ten microseconds an event.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import NamedTuple

import jsonschema_rs
import msgspec
from aerocast_protocols.epcis.event_hash import ignored_in
from aerocast_protocols.epcis.schema import (
    DOCUMENT_TYPES,
    EVENT_TYPES,
    document_schema,
    event_schema,
)

MOST_FAULTS = 5
LONGEST_FAULT = 300
_RESULTS = "/epcisBody/queryResults/resultsBody"

Json = dict[str, object]


class Fault(NamedTuple):
    """Something wrong with a document or event.

    Attributes
    ----------
    where
        JSON pointer (RFC 6901).
    """

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where or '/'}: {self.why}"


class Document(NamedTuple):
    """A document taken apart.

    Attributes
    ----------
    context
        What the events' prefixes stand for, the document's own way of saying it.
    where
        JSON pointer of the list of events.
    ignored
        Fields it says to leave out of the events' hashes.
    """

    context: object
    events: list[object]
    where: str
    ignored: tuple[str, ...] = ()


class RefusedError(Exception):
    """A document is none."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def read_document(body: bytes) -> Document:
    """Take apart an EPCIS document, a query document, or an event that stands alone.

    The events are not looked at yet: `check_event`.

    Raises
    ------
    RefusedError
        It is none of them.
    """
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RefusedError([Fault("", f"no JSON: {error}")]) from None
    if not isinstance(told, dict):
        raise RefusedError([Fault("", "no JSON object")])
    kind = told.get("type")
    if kind not in DOCUMENT_TYPES:
        if "@context" not in told:
            raise RefusedError([Fault("", '"@context" is a required property')])
        return Document(told["@context"], [told], "")
    faults = list(_faults(_document_validator(str(kind)), told))
    if faults:
        raise RefusedError(faults)
    body_of = told["epcisBody"]
    if kind == "EPCISDocument":
        events, where = body_of["eventList"], "/epcisBody/eventList"
        return Document(told["@context"], events, where, ignored_in(told))
    results = body_of["queryResults"]
    events, where = results["resultsBody"]["eventList"], f"{_RESULTS}/eventList"
    return Document(told["@context"], events, where, ignored_in(told) + ignored_in(results))


def check_event(event: object, where: str = "") -> list[Fault]:
    """Say what is wrong with an event; nothing when it is good."""
    if not isinstance(event, Mapping):
        return [Fault(where, "no JSON object")]
    kind = event.get("type")
    validator = _event_validator(str(kind) if kind in EVENT_TYPES else None)
    return list(_faults(validator, event, where))


def _faults(
    validator: jsonschema_rs.Draft7Validator, told: object, where: str = ""
) -> Iterator[Fault]:
    if validator.is_valid(told):
        return
    for error in islice(validator.iter_errors(told), MOST_FAULTS):
        path = "".join(f"/{_escaped(str(each))}" for each in error.instance_path)
        yield Fault(where + path, error.message[:LONGEST_FAULT])


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


@cache
def _event_validator(kind: str | None) -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(event_schema(kind), validate_formats=True)


@cache
def _document_validator(kind: str) -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(document_schema(kind), validate_formats=True)
