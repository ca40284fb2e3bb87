"""What an EPCIS query asks for (EPCIS 2.0 §8.2.7.1). Pure.

Parameters come as JSON (lists are lists) or in an address (lists have commas between). Most are
answered by the database; the rest by looking into each event it finds.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from aerocast_protocols.epcis.digital_link import canonical
from aerocast_protocols.epcis.event_hash import time_us
from aerocast_protocols.epcis.schema import EVENT_TYPES
from aerocast_protocols.epcis.vocabulary import ACTIONS, expanded
from aerocast_protocols.errors import ProtocolError

MOST_VALUES = 500
LONGEST_VALUE = 2000

Json = Mapping[str, object]
Test = Callable[[Json], bool]


class QueryParameterError(ValueError):
    """A query cannot be answered; the message names the parameter."""


class Match(NamedTuple):
    """Things an event must name one of, in one of some fields."""

    roles: frozenset[str]
    epcs: frozenset[str]


class Column(NamedTuple):
    """Values one of which a column must have; ``within``: or begin with, followed by a slash."""

    name: str
    values: frozenset[str]
    within: bool = False


class Span(NamedTuple):
    """When something must have been, UTC microseconds: from, and before."""

    from_us: int | None = None
    before_us: int | None = None


class Asked(NamedTuple):
    """A query.

    Attributes
    ----------
    tests
        What each event must pass besides.
    limit
        Give no more than these.
    most
        Refuse when there are more.
    """

    event_time: Span = Span()
    record_time: Span = Span()
    columns: tuple[Column, ...] = ()
    matches: tuple[Match, ...] = ()
    tests: tuple[Test, ...] = ()
    order_by: str = "eventTime"
    is_ascending: bool = False
    limit: int | None = None
    most: int | None = None

    def passes(self, event: Json) -> bool:
        """Say whether an event passes the tests the database does not make."""
        return all(test(event) for test in self.tests)


_COLUMNS = {
    "eventType": "type",
    "EQ_action": "action",
    "EQ_bizStep": "biz_step",
    "EQ_disposition": "disposition",
    "EQ_readPoint": "read_point",
    "WD_readPoint": "read_point",
    "EQ_bizLocation": "biz_location",
    "WD_bizLocation": "biz_location",
    "EQ_eventID": "event_id",
}
_THINGS = frozenset({"epcList", "childEPCs"})
_CLASSES = frozenset({"quantityList", "childQuantityList"})
_MATCHES = {
    "MATCH_epc": _THINGS,
    "MATCH_parentID": frozenset({"parentID"}),
    "MATCH_inputEPC": frozenset({"inputEPCList"}),
    "MATCH_outputEPC": frozenset({"outputEPCList"}),
    "MATCH_anyEPC": _THINGS | {"parentID", "inputEPCList", "outputEPCList"},
    "MATCH_epcClass": _CLASSES,
    "MATCH_inputEPCClass": frozenset({"inputQuantityList"}),
    "MATCH_outputEPCClass": frozenset({"outputQuantityList"}),
    "MATCH_anyEPCClass": _CLASSES | {"inputQuantityList", "outputQuantityList"},
}
ROLES = frozenset[str]().union(*_MATCHES.values())
"""Fields whose things are looked for."""
_SPANS = {
    "GE_eventTime": ("event_time", "from_us"),
    "LT_eventTime": ("event_time", "before_us"),
    "GE_recordTime": ("record_time", "from_us"),
    "LT_recordTime": ("record_time", "before_us"),
}
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "EQ": operator.eq,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}
_SENSOR_TEXTS = frozenset(
    ["type", "deviceID", "dataProcessingMethod", "microorganism", "chemicalSubstance", "bizRules",
     "stringValue", "hexBinaryValue", "uriValue", "deviceMetadata", "rawData", "component", "uom"]
)  # fmt: skip
_SENSOR_NUMBERS = frozenset(
    ["value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"]
)
_SENSOR_TIMES = frozenset(["time", "startTime", "endTime"])
_PAIRS = {"bizTransaction": "bizTransactionList", "source": "sourceList",
          "destination": "destinationList"}  # fmt: skip
_ABOUT_ERRORS = {
    "EQ_errorReason": ("reason", "reason"),
    "EQ_correctiveEventID": ("correctiveEventIDs", ""),
}
_ERROR_TIMES = frozenset(["errorDeclarationTime", "errorDeclaration_Time"])
OF_PAGES = frozenset(["perPage", "nextPageToken"])
_NAME = re.compile(r"(EQ|GT|GE|LT|LE|EXISTS)_(.+)", re.DOTALL)
_EXTENSION = re.compile(r"(?:ILMD_|SENSORELEMENT_|INNER_)?[A-Za-z][\w.-]*[:#].+", re.DOTALL)


def asked_for(parameters: Json) -> Asked:
    """Read a query.

    Raises
    ------
    QueryParameterError
        A parameter is none, or its value is none of its kind.
    """
    spans: dict[str, dict[str, int]] = {"event_time": {}, "record_time": {}}
    columns: list[Column] = []
    matches: list[Match] = []
    tests: list[Test] = []
    for name, value in parameters.items():
        if name in OF_PAGES or name in _ORDER or name == "@context":
            continue
        if name in _SPANS:
            field, end = _SPANS[name]
            spans[field][end] = _time(name, value)
        elif name in _COLUMNS:
            columns.append(_column(name, value))
        elif name in _MATCHES:
            epcs = frozenset(map(canonical, _texts(name, value)))
            matches.append(Match(_MATCHES[name], epcs))
        else:
            tests.append(_test(name, value))
    return Asked(
        event_time=Span(**spans["event_time"]),
        record_time=Span(**spans["record_time"]),
        columns=tuple(columns),
        matches=tuple(matches),
        tests=tuple(tests),
        **_order(parameters),  # type: ignore[arg-type]  # each under its own name
    )


_ORDER = frozenset(["orderBy", "orderDirection", "eventCountLimit", "maxEventCount"])


def _order(parameters: Json) -> dict[str, object]:
    order_by = parameters.get("orderBy", "eventTime")
    if order_by not in ("eventTime", "recordTime"):
        raise QueryParameterError("orderBy: expected eventTime or recordTime")
    direction = parameters.get("orderDirection", "DESC")
    if direction not in ("ASC", "DESC"):
        raise QueryParameterError("orderDirection: expected ASC or DESC")
    limit = _count(parameters, "eventCountLimit")
    most = _count(parameters, "maxEventCount")
    if limit is not None and most is not None:
        raise QueryParameterError("eventCountLimit and maxEventCount exclude each other")
    return {
        "order_by": order_by,
        "is_ascending": direction == "ASC",
        "limit": limit,
        "most": most,
    }


def _column(name: str, value: object) -> Column:
    values = _texts(name, value)
    column = _COLUMNS[name]
    if name == "EQ_action" and not values <= set(ACTIONS):
        raise QueryParameterError(f"EQ_action: expected {', '.join(ACTIONS)}")
    if name == "eventType" and not all(each in EVENT_TYPES or ":" in each for each in values):
        raise QueryParameterError(f"eventType: expected {', '.join(EVENT_TYPES)}, or an address")
    if column in ("biz_step", "disposition"):
        values = frozenset(expanded(name.removeprefix("EQ_"), each) for each in values)
    elif column in ("read_point", "biz_location"):
        values = frozenset(map(canonical, values))
    return Column(column, values, within=name.startswith("WD_"))


def _test(name: str, value: object) -> Test:
    if name in ("EQ_persistentDisposition_set", "EQ_persistentDisposition_unset"):
        which = name.rpartition("_")[2]
        words = frozenset(expanded(which, each) for each in _texts(name, value))
        return lambda event: bool(
            words
            & {expanded(which, e) for e in _strings(_in(event, "persistentDisposition", which))}
        )
    if name in _ABOUT_ERRORS:
        inner, vocabulary = _ABOUT_ERRORS[name]
        wanted = frozenset(expanded(vocabulary, each) for each in _texts(name, value))
        return lambda event: bool(
            wanted
            & {expanded(vocabulary, e) for e in _strings(_in(event, "errorDeclaration", inner))}
        )
    if name == "EQ_transformationID":
        ids = _texts(name, value)
        return lambda event: event.get("transformationID") in ids
    found = _NAME.fullmatch(name)
    if found is None:
        raise QueryParameterError(f"{name[:60]!r} is no parameter of a query")
    return _compared(name, found[1], found[2], value)


def _compared(name: str, how: str, what: str, value: object) -> Test:  # noqa: C901, PLR0911  a table of what may be compared
    if how == "EXISTS":
        if what in ("errorDeclaration", "sensorElementList") or _EXTENSION.fullmatch(what):
            field = what.removeprefix("ILMD_")
            return lambda event: field in event or field in _fields(event.get("ilmd"))
        raise QueryParameterError(f"{name[:60]!r} is no parameter of a query")
    compare = _COMPARE[how]
    if what == "quantity":
        number = _numbers(name, value)
        return lambda event: any(compare(q, n) for q in _quantities(event) for n in number)
    if what in _ERROR_TIMES and how in ("GE", "LT"):
        at_us = _time(name, value)
        return lambda event: any(
            compare(us, at_us) for us in _times([_in(event, "errorDeclaration", "declarationTime")])
        )
    if what in _SENSOR_TIMES and how in ("GE", "LT"):
        at_us = _time(name, value)
        return lambda event: any(compare(us, at_us) for us in _times(_sensed(event, what)))
    if what in _SENSOR_NUMBERS:
        number = _numbers(name, value)
        return lambda event: any(
            compare(v, n)
            for v in map(_number, _sensed(event, what))
            if v is not None
            for n in number
        )
    if how == "EQ" and what == "booleanValue":
        truth = value in (True, "true")
        return lambda event: truth in [v for v in _sensed(event, what) if isinstance(v, bool)]
    if how == "EQ" and what in _SENSOR_TEXTS:
        vocabulary = {"type": "sensorReport", "component": "component"}.get(what, "")
        wanted = frozenset(expanded(vocabulary, each) for each in _texts(name, value))
        return lambda event: any(
            expanded(vocabulary, v) in wanted for v in _strings(_sensed(event, what))
        )
    kind, _, of_type = what.partition("_")
    if how == "EQ" and kind in _PAIRS and of_type:
        return _paired(kind, of_type, frozenset(map(canonical, _texts(name, value))))
    if _EXTENSION.fullmatch(what):
        return _extended(name, how, what, value)
    raise QueryParameterError(f"{name[:60]!r} is no parameter of a query")


def _paired(kind: str, of_type: str, wanted: frozenset[str]) -> Test:
    listed = _PAIRS[kind]
    kind_of_it = expanded(listed, of_type)

    def test(event: Json) -> bool:
        return any(
            expanded(listed, str(each.get("type", ""))) == kind_of_it
            and canonical(str(each.get(kind))) in wanted
            for each in _objects(event.get(listed))
        )

    return test


def _extended(name: str, how: str, what: str, value: object) -> Test:
    field = what.removeprefix("ILMD_")
    is_of_item = what.startswith("ILMD_")
    compare = _COMPARE[how]
    texts = _texts(name, value) if how == "EQ" else frozenset()
    number = None if how == "EQ" else _comparable(name, value)

    def test(event: Json) -> bool:
        holder = _fields(event.get("ilmd")) if is_of_item else event
        held = holder.get(field)
        values = held if isinstance(held, list) else [held]
        if number is None:
            return any(str(each) in texts for each in values if each is not None)
        return any(compare(read, number) for each in values if (read := _read(each)) is not None)

    return test


def _comparable(name: str, value: object) -> float:
    read = _read(value)
    if read is None:
        raise QueryParameterError(f"{name[:60]}: expected a number or a time")
    return read


def _read(value: object) -> float | None:
    """Read a number or a time as something that can be compared."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return next(_times([value]), None)
    return _number(value)


def _texts(name: str, value: object) -> frozenset[str]:
    values = value.split(",") if isinstance(value, str) else value
    if isinstance(values, int | float) and not isinstance(values, bool):
        values = [str(values)]
    if not isinstance(values, list) or not values or len(values) > MOST_VALUES:
        raise QueryParameterError(f"{name[:60]}: expected a list of 1 to {MOST_VALUES} values")
    for each in values:
        if not isinstance(each, str) or not 0 < len(each) <= LONGEST_VALUE or "\x00" in each:
            raise QueryParameterError(f"{name[:60]}: {str(each)[:60]!r} cannot be looked for")
    return frozenset(values)


def _numbers(name: str, value: object) -> list[float]:
    values = value if isinstance(value, list) else [value]
    numbers = [_read(each) for each in values]
    if not numbers or len(numbers) > MOST_VALUES or any(each is None for each in numbers):
        raise QueryParameterError(f"{name[:60]}: expected a number")
    return [each for each in numbers if each is not None]


def _time(name: str, value: object) -> int:
    try:
        return time_us(str(value).replace(" ", "+"))  # a plus sign in an address is a space
    except ProtocolError:
        raise QueryParameterError(
            f"{name}: {str(value)[:40]!r} is no time with an offset"
        ) from None


def _count(parameters: Json, name: str) -> int | None:
    value = parameters.get(name)
    if value is None:
        return None
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or not 0 < int(text[:12]) <= 1_000_000_000:
        raise QueryParameterError(f"{name}: expected a number from 1")
    return int(text)


def _in(event: Json, field: str, inner: str) -> object:
    return _fields(event.get(field)).get(inner)


def _fields(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> Iterator[Json]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, Mapping):
            yield each


def _strings(value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield each


def _quantities(event: Json) -> Iterator[float]:
    for field in (*_CLASSES, "inputQuantityList", "outputQuantityList"):
        for each in _objects(event.get(field)):
            quantity = _number(each.get("quantity"))
            if quantity is not None:
                yield quantity


def _sensed(event: Json, what: str) -> list[object]:
    """Give a value wherever sensors tell it."""
    found: list[object] = []
    for element in _objects(event.get("sensorElementList")):
        holders = [_fields(element.get("sensorMetadata")), *_objects(element.get("sensorReport"))]
        found += [each[what] for each in holders if what in each]
    return found


def _times(values: Iterable[object]) -> Iterator[int]:
    for text in _strings(list(values)):
        try:
            yield time_us(text)
        except ProtocolError:
            continue


def _number(value: object) -> float | None:
    try:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number else None  # type: ignore[arg-type]  # asked above
    except OverflowError:
        return None
