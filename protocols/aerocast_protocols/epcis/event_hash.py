"""The hash that names an event: ``ni:///sha-256;...?ver=CBV2.0`` (CBV 2.0 §8.9.2).

An event is written as one text in a fixed order, times in UTC, GS1 keys as canonical Digital Link
addresses and words in full, so that equal events hash equal however they are written. Where the
standard leaves room, we do as the reference (PyPI ``epcis-event-hash-generator``) does.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from aerocast_protocols.epcis.digital_link import canonical
from aerocast_protocols.epcis.vocabulary import PREFIXES, expanded
from aerocast_protocols.errors import ProtocolError

Json = Mapping[str, object]

_LISTED = ("epcClass", "quantity", "uom")
_FIRST = (
    "eventTime", "eventTimeZoneOffset", "certificationInfo", "parentID", "epcList", "inputEPCList",
    "childEPCs", "quantityList", "childQuantityList", "inputQuantityList", "outputEPCList",
    "outputQuantityList", "action", "transformationID", "bizStep", "disposition",
    "persistentDisposition", "readPoint", "bizLocation", "sensorElementList",
)  # fmt: skip
_ORDERS: Mapping[str, Sequence[str]] = {
    "persistentDisposition": ("set", "unset"),
    "readPoint": ("id",),
    "bizLocation": ("id",),
    "sensorElement": ("sensorMetadata", "sensorReport"),
    "sensorMetadata": (
        "time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData",
        "dataProcessingMethod", "bizRules",
    ),
    "sensorReport": (
        "type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod",
        "time", "microorganism", "chemicalSubstance", "value", "component", "stringValue",
        "booleanValue", "hexBinaryValue", "uriValue", "minValue", "maxValue", "meanValue", "sDev",
        "percRank", "percValue", "uom", "coordinateReferenceSystem",
    ),
    "bizTransactionList": ("type", "bizTransaction"),
    "sourceList": ("type", "source"),
    "destinationList": ("type", "destination"),
}  # fmt: skip
_ITEMS = {
    "epcList": "epc", "inputEPCList": "epc", "outputEPCList": "epc", "childEPCs": "epc",
    "quantityList": "quantityElement", "childQuantityList": "quantityElement",
    "inputQuantityList": "quantityElement", "outputQuantityList": "quantityElement",
    "sensorElementList": "sensorElement",
}  # fmt: skip
_PAIRS = frozenset({"bizTransactionList", "sourceList", "destinationList"})
_LEFT_OUT = frozenset({"recordTime", "eventID", "type", "errorDeclaration", "@context"})
_COMMENTS = frozenset({"rdfs:comment", "comment"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DEEPEST = 64


def event_id(event: object, context: object = None, ignored: Iterable[str] = ()) -> str:
    """Name an event by its hash.

    Parameters
    ----------
    event
        As in a document, decoded.
    context
        The ``@context`` of its document: what its prefixes stand for.
    ignored
        Fields that are left out, as written in the event.

    Raises
    ------
    ProtocolError
        It is no event, a time in it is none, or it is nested too deep.
    """
    text = prehash(event, context, ignored)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"ni:///sha-256;{digest}?ver=CBV2.0"


def document_event_ids(document: Json) -> list[str]:
    """Name every event of an EPCIS document or query document.

    Raises
    ------
    ProtocolError
        It is no such document, or an event of it cannot be named.
    """
    holder, ignored = document.get("epcisBody"), ignored_in(document)
    for inner in ("queryResults", "resultsBody"):
        if isinstance(holder, Mapping) and inner in holder:
            holder = holder[inner]
            ignored += ignored_in(holder)
    events = holder.get("eventList") if isinstance(holder, Mapping) else None
    if not isinstance(events, list):
        raise ProtocolError("no EPCIS document: it has no list of events")
    return [event_id(each, document.get("@context"), ignored) for each in events]


def prehash(event: object, context: object = None, ignored: Iterable[str] = ()) -> str:
    """Write an event as the text that is hashed.

    Raises
    ------
    ProtocolError
        As `event_id`.
    """
    if not isinstance(event, Mapping) or not isinstance(event.get("type"), str):
        raise ProtocolError("no EPCIS event: it is no object with a type")
    skipped = _LEFT_OUT | _COMMENTS | set(ignored)
    fields = {name: value for name, value in event.items() if name not in skipped}
    writer = _Writer(_prefixes(context) | _prefixes(event.get("@context")))
    first = [writer.field(name, fields.pop(name)) for name in _FIRST if name in fields]
    rest = sorted(writer.field(name, value) for name, value in fields.items())
    return "".join((f"eventType={event['type']}", *first, *rest))


def time_us(text: str) -> int:
    """Read a time (RFC 3339) as UTC microseconds since 1970-01-01.

    Raises
    ------
    ProtocolError
        It is none, or has no offset.
    """
    try:
        moment = datetime.fromisoformat(text.upper().strip())
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    except (ValueError, TypeError, OverflowError):
        raise ProtocolError(f"{text[:40]!r} is no time with an offset") from None


def time_text(at_us: int) -> str:
    """Write UTC microseconds as EPCIS does: milliseconds and ``Z``.

    Raises
    ------
    ProtocolError
        The year has no four digits.
    """
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round(at_us / 1000))
    except OverflowError:
        raise ProtocolError(f"{at_us} us is in no year of four digits") from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ignored_in(holder: Json) -> tuple[str, ...]:
    """Give the fields a document, or its results, say to leave out (``<prefix>:ignoreFields``)."""
    return tuple(
        each
        for name, value in holder.items()
        if name.endswith(":ignoreFields") and isinstance(value, list)
        for each in value
        if isinstance(each, str)
    )


def _prefixes(context: object) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in context if isinstance(context, list) else [context]:
        if isinstance(each, Mapping):
            found |= {name: text for name, text in each.items() if isinstance(text, str)}
    return found


class _Writer:
    """Writes fields, knowing what prefixes stand for."""

    def __init__(self, declared: Mapping[str, str]) -> None:
        self._prefixes = {**PREFIXES, **declared}

    def field(self, name: str, value: object, within: str = "", depth: int = 0) -> str:
        """Write a field and everything in it; "" for one that is empty."""
        if depth > _DEEPEST:
            raise ProtocolError(f"event nested deeper than {_DEEPEST}")
        if name in _COMMENTS:
            return ""
        if name in _ITEMS or name in _PAIRS:
            return self._list(name, value, depth)
        if isinstance(value, list):
            return "".join(sorted(self.field(name, each, within, depth + 1) for each in value))
        content = self._content(name, value, within, depth)
        return self._name(name) + content if content else ""

    def _list(self, name: str, value: object, depth: int) -> str:
        items = value if isinstance(value, list) else [value]
        item = _ITEMS.get(name, "")
        written = sorted(
            item + self._content(item or name, each, name, depth + 1) for each in items
        )
        return name + "".join(written) if any(written) else ""

    def _content(self, name: str, value: object, within: str, depth: int) -> str:
        if isinstance(value, Mapping):
            return self._object(name, value, depth)
        if isinstance(value, list):
            return "".join(sorted(self._content(name, each, within, depth + 1) for each in value))
        text = self._value(name, value, within)
        return f"={text}" if text else ""

    def _object(self, name: str, value: Json, depth: int) -> str:
        if depth > _DEEPEST:
            raise ProtocolError(f"event nested deeper than {_DEEPEST}")
        order = _LISTED if name == "quantityElement" else _ORDERS.get(name, ())
        first = [self.field(each, value[each], name, depth + 1) for each in order if each in value]
        rest = [
            self.field(each, inner, name, depth + 1)
            for each, inner in value.items()
            if each not in order
        ]
        return "".join((*first, *sorted(rest)))

    def _name(self, name: str) -> str:
        prefix, colon, local = name.partition(":")
        known = self._prefixes.get(prefix) if colon else None
        return f"{{{known}}}{local}" if known is not None else name

    def _value(self, name: str, value: object, within: str) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        text = str(value).strip()
        if _is_time(name):
            return time_text(time_us(text))
        prefix, colon, local = text.partition(":")
        if colon and prefix in self._prefixes and not local.startswith("//"):
            text = self._prefixes[prefix] + local
        text = expanded(within if name == "type" else name, text)
        return canonical(_number(text))


def _is_time(name: str) -> bool:
    return name in ("eventTime", "time", "startTime", "endTime")


def _number(text: str) -> str:
    """Write a number as the reference does: a double, whole ones without a point."""
    if _NUMBER.fullmatch(text) is None:
        return text
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return text
    return str(int(number)) if number == int(number) else str(number)
