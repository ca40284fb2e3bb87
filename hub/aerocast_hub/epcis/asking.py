"""What an EPCIS query asks for (EPCIS 2.0 §8.2.7.1). Pure.

Parameters come as JSON (lists are lists) or in an address (lists have commas between). Most are
answered by the database; the rest by looking into each event it finds.
"""

from typing import NamedTuple

from aerocast_protocols.epcis.digital_link import canonical
from aerocast_protocols.epcis.schema import EVENT_TYPES
from aerocast_protocols.epcis.vocabulary import ACTIONS, expanded

from aerocast_hub.epcis.asking_values import Json, QueryParameterError, count, instant_us, texts
from aerocast_hub.epcis.looking_into import Test, test_of


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
OF_PAGES = frozenset(["perPage", "nextPageToken"])


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
            spans[field][end] = instant_us(name, value)
        elif name in _COLUMNS:
            columns.append(_column(name, value))
        elif name in _MATCHES:
            epcs = frozenset(map(canonical, texts(name, value)))
            matches.append(Match(_MATCHES[name], epcs))
        else:
            tests.append(test_of(name, value))
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
    limit = count(parameters, "eventCountLimit")
    most = count(parameters, "maxEventCount")
    if limit is not None and most is not None:
        raise QueryParameterError("eventCountLimit and maxEventCount exclude each other")
    return {
        "order_by": order_by,
        "is_ascending": direction == "ASC",
        "limit": limit,
        "most": most,
    }


def _column(name: str, value: object) -> Column:
    values = texts(name, value)
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
