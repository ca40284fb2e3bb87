"""What a query asks of each event, besides what the database answers. Pure."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping

from aerocast_protocols.epcis.digital_link import canonical
from aerocast_protocols.epcis.vocabulary import expanded

from aerocast_hub.epcis.asking_values import (
    Json,
    QueryParameterError,
    comparable,
    instant_us,
    number_in,
    numbers,
    read,
    strings_in,
    texts,
    times_us,
)

Test = Callable[[Json], bool]

_CLASSES = ("quantityList", "childQuantityList")
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
_NAME = re.compile(r"(EQ|GT|GE|LT|LE|EXISTS)_(.+)", re.DOTALL)
_EXTENSION = re.compile(r"(?:ILMD_|SENSORELEMENT_|INNER_)?[A-Za-z][\w.-]*[:#].+", re.DOTALL)


def test_of(name: str, value: object) -> Test:
    """Make a test of what the database does not ask.

    Raises
    ------
    QueryParameterError
        It is no parameter of a query.
    """
    if name in ("EQ_persistentDisposition_set", "EQ_persistentDisposition_unset"):
        which = name.rpartition("_")[2]
        words = frozenset(expanded(which, each) for each in texts(name, value))
        return lambda event: bool(
            words
            & {expanded(which, e) for e in strings_in(_in(event, "persistentDisposition", which))}
        )
    if name in _ABOUT_ERRORS:
        inner, vocabulary = _ABOUT_ERRORS[name]
        wanted = frozenset(expanded(vocabulary, each) for each in texts(name, value))
        return lambda event: bool(
            wanted
            & {expanded(vocabulary, e) for e in strings_in(_in(event, "errorDeclaration", inner))}
        )
    if name == "EQ_transformationID":
        ids = texts(name, value)
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
        number = numbers(name, value)
        return lambda event: any(compare(q, n) for q in _quantities(event) for n in number)
    if what in _ERROR_TIMES and how in ("GE", "LT"):
        at_us = instant_us(name, value)
        return lambda event: any(
            compare(us, at_us)
            for us in times_us([_in(event, "errorDeclaration", "declarationTime")])
        )
    if what in _SENSOR_TIMES and how in ("GE", "LT"):
        at_us = instant_us(name, value)
        return lambda event: any(compare(us, at_us) for us in times_us(_sensed(event, what)))
    if what in _SENSOR_NUMBERS:
        number = numbers(name, value)
        return lambda event: any(
            compare(v, n)
            for v in map(number_in, _sensed(event, what))
            if v is not None
            for n in number
        )
    if how == "EQ" and what == "booleanValue":
        truth = value in (True, "true")
        return lambda event: truth in [v for v in _sensed(event, what) if isinstance(v, bool)]
    if how == "EQ" and what in _SENSOR_TEXTS:
        vocabulary = {"type": "sensorReport", "component": "component"}.get(what, "")
        wanted = frozenset(expanded(vocabulary, each) for each in texts(name, value))
        return lambda event: any(
            expanded(vocabulary, v) in wanted for v in strings_in(_sensed(event, what))
        )
    kind, _, of_type = what.partition("_")
    if how == "EQ" and kind in _PAIRS and of_type:
        return _paired(kind, of_type, frozenset(map(canonical, texts(name, value))))
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
    wanted = texts(name, value) if how == "EQ" else frozenset()
    number = None if how == "EQ" else comparable(name, value)

    def test(event: Json) -> bool:
        holder = _fields(event.get("ilmd")) if is_of_item else event
        held = holder.get(field)
        values = held if isinstance(held, list) else [held]
        if number is None:
            return any(str(each) in wanted for each in values if each is not None)
        told = [known for each in values if (known := read(each)) is not None]
        return any(compare(each, number) for each in told)

    return test


def _in(event: Json, field: str, inner: str) -> object:
    return _fields(event.get(field)).get(inner)


def _fields(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> Iterator[Json]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, Mapping):
            yield each


def _quantities(event: Json) -> Iterator[float]:
    for field in (*_CLASSES, "inputQuantityList", "outputQuantityList"):
        for each in _objects(event.get(field)):
            quantity = number_in(each.get("quantity"))
            if quantity is not None:
                yield quantity


def _sensed(event: Json, what: str) -> list[object]:
    """Give a value wherever sensors tell it."""
    found: list[object] = []
    for element in _objects(event.get("sensorElementList")):
        holders = [_fields(element.get("sensorMetadata")), *_objects(element.get("sensorReport"))]
        found += [each[what] for each in holders if what in each]
    return found
