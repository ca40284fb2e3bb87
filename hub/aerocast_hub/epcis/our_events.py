"""What is known of a bag as EPCIS events. Pure.

Each piece of evidence gives at most one event, named by its CBV hash, so that the same evidence
gives the same event for ever. What others told over EPCIS is theirs and gives none of ours.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aerocast_protocols.epcis.event_hash import event_id, time_text
from aerocast_protocols.epcis.vocabulary import CONTEXT

from aerocast_hub.baggage.history import BagHistory, Known
from aerocast_hub.epcis.names import Names

TOLD_OVER_EPCIS = "epcis"

Event = dict[str, object]
TimeZone = Callable[[str], str | None]
"""Gives the time zone (IANA) of a site."""

_AT_POINT = {
    "acceptance": ("accepting", "in_progress"),
    "screening": ("inspecting", "in_progress"),
    "sortation": ("picking", "in_progress"),
    "makeup": ("staging_outbound", "in_progress"),
    "loading": ("loading", "in_transit"),
    "transfer": ("receiving", "in_progress"),
    "arrival": ("unloading", "in_progress"),
    "reclaim": ("staging_outbound", "available"),
}
_SCREENED = {"cleared": "conformant", "rejected": "non_conformant", "unclear": "in_progress"}
_HANDLED = {
    "claimed": ("other", "available"),
    "offloaded": ("unloading", "in_progress"),
    "held": ("holding", "unavailable"),
    "released": ("other", "in_progress"),
    "stored": ("storing", "in_progress"),
}
_IRREGULAR = {
    "not_authorised": ("loading", "mismatch_instance"),
    "offloaded": ("unloading", "in_progress"),
    "on_hand_refused": ("holding", "unavailable"),
    "on_hand": ("holding", "in_progress"),
    "not_seen": ("other", "unknown"),
}
_MOVED = {"off_block": "departing", "on_block": "arriving"}


class OurEvent(NamedTuple):
    """An event of ours.

    Attributes
    ----------
    is_of_bag
        False when it is about a container or flight: other bags give the same one.
    """

    event: Event
    is_of_bag: bool


def events_of(history: BagHistory, names: Names, zone_of: TimeZone) -> list[OurEvent]:
    """Tell a bag's journey in EPCIS events, as it happened."""
    teller = _Teller(history, names, zone_of)
    return list(teller.tell(history.evidence))


class _Teller:
    def __init__(self, history: BagHistory, names: Names, zone_of: TimeZone) -> None:
        self._names = names
        self._zone_of = zone_of
        self._date = _first_date(history)
        self._bag = names.bag(history.plates[0], self._date)

    def tell(self, evidence: Iterable[Known]) -> Iterator[OurEvent]:
        for known in evidence:
            if str(known.told.get("told_by", "")).partition(" ")[0] == TOLD_OVER_EPCIS:
                continue
            told = self._told(known)
            if told is None:
                continue
            fields, is_of_bag = told
            site = str(known.told.get("site", ""))
            event: Event = {
                "type": "AggregationEvent" if "parentID" in fields else "ObjectEvent",
                "eventTime": time_text(known.at_us),
                "eventTimeZoneOffset": _offset(self._zone_of(site), known.at_us),
                **fields,
                **self._where(known, site),
            }
            event["eventID"] = event_id(event, [CONTEXT])
            yield OurEvent(event, is_of_bag)

    def _told(self, known: Known) -> tuple[Event, bool] | None:
        told = known.told
        if known.kind == "stowed":
            return self._stowed(told), True
        if known.kind == "nested":
            return self._nested(told), False
        if known.kind == "moved":
            return self._moved(told)
        words = _words(known)
        return None if words is None else (self._observed(*words), True)

    def _observed(self, step: str, disposition: str) -> Event:
        return {
            "epcList": [self._bag],
            "action": "OBSERVE",
            "bizStep": step,
            "disposition": disposition,
        }

    def _stowed(self, told: dict[str, object]) -> Event:
        container, flight = str(told.get("container", "")), self._flight(told)
        is_in = told.get("is_in", True)
        parent = self._names.container(container) if container else flight
        if parent is None:
            return self._observed("loading" if is_in else "unloading", "in_progress")
        event = _aggregated(parent, self._bag, is_in=bool(is_in))
        if container and flight is not None:
            event["bizTransactionList"] = [{"bizTransaction": flight}]
        return event

    def _nested(self, told: dict[str, object]) -> Event:
        inner = self._names.container(str(told.get("container", "")))
        parent = str(told.get("parent", ""))
        outer = self._names.container(parent) if parent else self._flight(told)
        is_in = bool(told.get("is_in", True))
        if outer is not None:
            return _aggregated(outer, inner, is_in=is_in)
        step = "loading" if is_in else "unloading"
        return self._observed(step, "in_progress") | {"epcList": [inner]}

    def _moved(self, told: dict[str, object]) -> tuple[Event, bool] | None:
        step = _MOVED.get(str(told.get("what")))
        if step is None or told.get("is_withdrawn"):
            return None
        flight = self._names.flight(str(told["flight_key"]), str(told["flight_date"]))
        return self._observed(step, "in_transit") | {"epcList": [flight]}, False

    def _flight(self, told: dict[str, object]) -> str | None:
        leg = told.get("leg")
        if not isinstance(leg, dict):
            return None
        return self._names.flight(str(leg.get("key", "")), str(leg.get("date", "")))

    def _where(self, known: Known, site: str) -> Event:
        if not site:
            return {}
        place = next((str(known.told[key]) for key in ("belt", "place") if known.told.get(key)), "")
        place = place or str(known.told.get("point", ""))
        where: Event = {"bizLocation": {"id": self._names.place(site)}}
        if place:
            where["readPoint"] = {"id": self._names.place(site, place)}
        return where


def _aggregated(parent: str, child: str, *, is_in: bool) -> Event:
    return {
        "parentID": parent,
        "childEPCs": [child],
        "action": "ADD" if is_in else "DELETE",
        "bizStep": "loading" if is_in else "unloading",
        "disposition": "in_transit" if is_in else "in_progress",
    }


def _words(known: Known) -> tuple[str, str] | None:
    if known.kind == "seen":
        return _AT_POINT.get(str(known.told.get("point", "")), ("other", "in_progress"))
    if known.kind == "screened":
        return "inspecting", _SCREENED[str(known.told["result"])]
    if known.kind == "handled":
        return _HANDLED.get(str(known.told.get("did")))
    if known.kind == "irregularity":
        return _IRREGULAR.get(str(known.told.get("code")))
    return None


def _first_date(history: BagHistory) -> str:
    """Give the date of a bag's first flight; of a bag nobody announced, when it was first known."""
    if history.journey.legs:
        return history.journey.legs[0].date
    at_us = min((each.at_us for each in history.evidence), default=0)
    return time_text(at_us)[:10]


def _offset(zone: str | None, at_us: int) -> str:
    if zone is None:
        return "+00:00"
    away = datetime.fromtimestamp(at_us / 1e6, ZoneInfo(zone)).utcoffset() or timedelta()
    minutes = away // timedelta(minutes=1)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
