"""Bags live on passages and scans: each is kept, and its plate's journeys folded again.

A single tag read is no bag: reads stay with the inbox until the gateway makes a passage of them.
"""

import time
from collections.abc import Sequence
from math import isfinite

from aerocast_protocols.observations.bags import BagPassage, CodeScan, NoRead, UnreadBag
from aerocast_protocols.observations.gateways import PositionFix
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.carriers import place_carriers
from aerocast_hub.baggage.evidence import Seen
from aerocast_hub.baggage.evidence_store import keep_corrected, keep_evidence
from aerocast_hub.baggage.identity import NO_PLATE
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.baggage.tables import UnreadRow
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.events.bags import BagUnread
from aerocast_hub.events.every import Event
from aerocast_hub.inbox.sighting import Retimed, Sighting, lives_on


@lives_on(BagPassage, CodeScan, NoRead, PositionFix, UnreadBag)
async def absorb(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:
    """Keep passages, scans and unread bags; give what is new in journeys."""
    seen = _seen(sightings)
    unread = _unread(sightings)
    await keep_evidence(session, seen)
    await insert_new(session, UnreadRow, unread)
    told: list[Event] = [
        BagUnread(
            at_us=each.seen_at_us,
            site=each.site,
            point=getattr(each.observation, "point", None),
            belt=_plain(getattr(each.observation, "belt", None)),
        )
        for each in sightings
        if _unread_row(each) is not None
    ]
    told += await place_carriers(session, sightings)
    return told + await refold_plates(session, {plate for plate, _ in seen})


async def retime(session: AsyncSession, retimed: Sequence[Retimed]) -> list[Event]:
    """Put passages, scans and unread bags on their corrected times; fold their bags again."""
    sightings = [each.sighting for each in retimed]
    seen = _seen(sightings)
    await keep_corrected(session, seen)
    await insert_or_replace(session, UnreadRow, _unread(sightings))
    return await refold_plates(session, {plate for plate, _ in seen})


def _seen(sightings: Sequence[Sighting]) -> list[tuple[str, Seen]]:
    now_us = time.time_ns() // 1000
    read = (_evidence(each, now_us) for each in sightings)
    return [each for each in read if each is not None]


def _evidence(sighting: Sighting, now_us: int) -> tuple[str, Seen] | None:
    what = sighting.observation
    if isinstance(what, BagPassage):
        if what.licence_plate in (None, NO_PLATE):
            return None
        return what.licence_plate, Seen(
            id=_id(sighting),
            at_us=sighting.seen_at_us,
            known_at_us=now_us,
            site=sighting.site,
            gateway=sighting.gateway,
            point=what.point,
            belt=_plain(what.belt) or "",
            sigma_ms=what.sigma_ms if isfinite(what.sigma_ms) else 0.0,
            confidence=what.confidence if isfinite(what.confidence) else 0.0,
            ambiguous=what.ambiguous,
            candidates=tuple(_plain(each) or "" for each in what.candidates),
            day_of_year=what.day_of_year or 0,
        )
    if isinstance(what, CodeScan) and what.licence_plate not in (None, NO_PLATE):
        return what.licence_plate, Seen(
            id=_id(sighting),
            at_us=sighting.seen_at_us,
            known_at_us=now_us,
            site=sighting.site,
            gateway=sighting.gateway,
            witness="scan",
            point=what.point or "",
            belt=_plain(what.belt) or "",
        )
    return None


def _unread(sightings: Sequence[Sighting]) -> list[dict[str, object]]:
    return [row for each in sightings if (row := _unread_row(each)) is not None]


def _unread_row(sighting: Sighting) -> dict[str, object] | None:
    """Take a bag nobody could read; a scanner's plate that stands for none is one too."""
    what = sighting.observation
    if not isinstance(what, UnreadBag | NoRead | CodeScan):
        return None
    if isinstance(what, CodeScan) and what.licence_plate != NO_PLATE:
        return None
    return {
        **sighting.key(),
        "kind": "unread" if isinstance(what, UnreadBag) else "no_read",
        "at_us": sighting.seen_at_us,
        "point": what.point,
        "belt": _plain(what.belt),
    }


def _id(sighting: Sighting) -> str:
    return (
        f"{sighting.site}/{sighting.gateway}/{sighting.epoch}/{sighting.lane}/{sighting.sequence}"
    )


def _plain(name: str | None) -> str | None:
    """Give a name as databases keep it: without NUL characters, on one line."""
    return None if name is None else name.replace("\x00", "").replace("\n", " ")
