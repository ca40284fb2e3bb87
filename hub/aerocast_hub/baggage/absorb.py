"""Bags live on passages and scans: each is kept, and its plate's journeys folded again.

A single tag read is no bag: reads stay with the inbox until the gateway makes a passage of them.
"""

from collections.abc import Sequence
from math import isfinite
from typing import TypedDict

from aerocast_protocols.observations import BagPassage, CodeScan, NoRead, UnreadBag
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.imports import NO_PLATE
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.baggage.tables import BagSightingRow
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.events import BagUnread, Event
from aerocast_hub.inbox.sighting import Retimed, Sighting


class _What(TypedDict, total=False):
    kind: str
    licence_plate: str | None
    point: str | None
    belt: str | None
    sigma_ms: float
    confidence: float
    ambiguous: bool
    candidates: str
    day_of_year: int | None


_NOTHING_MORE: _What = {
    "licence_plate": None,
    "sigma_ms": 0.0,
    "confidence": 1.0,
    "ambiguous": False,
    "candidates": "",
    "day_of_year": None,
}


async def absorb(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:
    """Keep passages, scans and unread bags; give what is new in journeys."""
    rows: list[dict[str, object]] = []
    plates: set[str] = set()
    unread: list[Event] = []
    for sighting in sightings:
        what = _what(sighting)
        if what is None:
            continue
        rows.append(_where(sighting) | what)
        plate = what["licence_plate"]
        if plate is None:
            unread.append(
                BagUnread(
                    at_us=sighting.seen_at_us,
                    site=sighting.site,
                    point=what["point"],
                    belt=what["belt"],
                )
            )
        else:
            plates.add(plate)
    await insert_new(session, BagSightingRow, rows)
    return unread + await refold_plates(session, plates)


async def retime(session: AsyncSession, retimed: Sequence[Retimed]) -> list[Event]:
    """Put passages, scans and unread bags on their corrected times; fold their bags again."""
    rows: list[dict[str, object]] = []
    plates: set[str] = set()
    for sighting, _ in retimed:
        what = _what(sighting)
        if what is None:
            continue
        rows.append(_where(sighting) | what)
        if what["licence_plate"] is not None:
            plates.add(what["licence_plate"])
    await insert_or_replace(session, BagSightingRow, rows)
    return await refold_plates(session, plates)


def _what(sighting: Sighting) -> _What | None:
    seen = sighting.observation
    if isinstance(seen, BagPassage):
        return _passage(seen) if seen.licence_plate not in (None, NO_PLATE) else None
    if isinstance(seen, CodeScan):
        return _scan(seen)
    if isinstance(seen, UnreadBag):
        return {**_NOTHING_MORE, "kind": "unread", "point": seen.point, "belt": _plain(seen.belt)}
    if isinstance(seen, NoRead):
        return {**_NOTHING_MORE, "kind": "no_read", "point": seen.point, "belt": _plain(seen.belt)}
    return None


def _passage(seen: BagPassage) -> _What:
    return {
        "kind": "passage",
        "licence_plate": seen.licence_plate,
        "point": seen.point,
        "belt": _plain(seen.belt),
        "sigma_ms": seen.sigma_ms if isfinite(seen.sigma_ms) else 0.0,
        "confidence": seen.confidence if isfinite(seen.confidence) else 0.0,
        "ambiguous": seen.ambiguous,
        "candidates": "\n".join(_plain(each) or "" for each in seen.candidates),
        "day_of_year": seen.day_of_year,
    }


def _scan(seen: CodeScan) -> _What | None:
    """Take a scan of a plate; the plate that stands for none is a bag nobody could read."""
    if seen.licence_plate is None:
        return None
    where: _What = {**_NOTHING_MORE, "kind": "scan", "point": seen.point, "belt": _plain(seen.belt)}
    if seen.licence_plate == NO_PLATE:
        return {**where, "kind": "no_read"}
    return {**where, "licence_plate": seen.licence_plate}


def _where(sighting: Sighting) -> dict[str, object]:
    return {
        "site": sighting.site,
        "gateway": sighting.gateway,
        "epoch": sighting.epoch,
        "lane": sighting.lane,
        "sequence": sighting.sequence,
        "at_us": sighting.seen_at_us,
    }


def _plain(name: str | None) -> str | None:
    """Give a name as databases keep it: without NUL characters, on one line."""
    return None if name is None else name.replace("\x00", "").replace("\n", " ")
