"""Keeping EPCIS events: each once, numbered in the order of commits."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from aerocast_protocols.epcis.digital_link import canonical
from aerocast_protocols.epcis.event_hash import event_id, time_text, time_us
from aerocast_protocols.epcis.vocabulary import expanded
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.epcis.asking import ROLES
from aerocast_hub.epcis.tables import EpcisEpcRow, EpcisEventRow

ROWS_AT_ONCE = 500
_ORDER_LOCK = 7_301_446  # any number of ours

Json = Mapping[str, object]


class NewEvent(NamedTuple):
    """An event to be kept.

    Attributes
    ----------
    event
        Checked against its schema.
    context
        What its prefixes stand for.
    ignored
        Fields its document says to leave out of the hash.
    subject
        The bag whose journey it tells, when it is the hub's own.
    """

    event: Json
    context: object
    ignored: Sequence[str] = ()
    subject: str = ""


class Kept(NamedTuple):
    """An event as kept, or as it would be."""

    event_id: str
    declared: int
    hash: str


class Keeping(NamedTuple):
    """What came of keeping events.

    Attributes
    ----------
    new
        Those nobody told before.
    taken
        Ids that other events have: theirs were not kept.
    """

    new: list[NewEvent]
    taken: list[str]


def identify(new: NewEvent) -> Kept:
    """Name an event.

    Raises
    ------
    ProtocolError
        Something in it cannot be read.
    """
    digest = event_id(new.event, new.context, new.ignored)
    named = new.event.get("eventID")
    return Kept(
        event_id=named if isinstance(named, str) else digest,
        declared=int("errorDeclaration" in new.event),
        hash=digest,
    )


async def keep_events(
    session: AsyncSession,
    events: Sequence[NewEvent],
    *,
    capture_id: str = "",
    all_or_none: bool = False,
) -> Keeping:
    """Keep events, each once.

    Numbers are given in the order of commits: who keeps events waits here until others committed.

    Parameters
    ----------
    all_or_none
        Keep nothing when an id is taken.

    Raises
    ------
    ProtocolError
        Something in an event cannot be read.
    """
    if not events:
        return Keeping([], [])
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ORDER_LOCK})
    now_us = time.time_ns() // 1000
    named = []
    for new in events:
        named.append((new, identify(new)))
        await asyncio.sleep(0)  # others have their turn
    known = await _known(session, [kept.event_id for _, kept in named])
    wanted: dict[tuple[str, int], tuple[NewEvent, Kept]] = {}
    taken: list[str] = []
    for new, kept in named:
        key = kept.event_id, kept.declared
        if known.setdefault(key, kept.hash) != kept.hash:
            taken.append(kept.event_id)
        else:
            wanted.setdefault(key, (new, kept))
    if not wanted or (taken and all_or_none):
        return Keeping([], taken)
    rows = [
        _row(new, kept, now_us) | {"subject": new.subject, "capture_id": capture_id}
        for new, kept in wanted.values()
    ]
    numbers = await _insert(session, rows)
    things = [
        {"event_number": number, "role": role, "epc": epc}
        for key, number in numbers.items()
        for role, epc in _things(wanted[key][0].event)
    ]
    if things:
        await session.execute(insert(EpcisEpcRow), things)
    new_keys = sorted(numbers, key=numbers.__getitem__)
    return Keeping([wanted[key][0] for key in new_keys], taken)


async def _known(session: AsyncSession, ids: Sequence[str]) -> dict[tuple[str, int], str]:
    """Give the hashes of the events that have these ids."""
    found: dict[tuple[str, int], str] = {}
    for at in range(0, len(ids), ROWS_AT_ONCE):
        rows = await session.execute(
            select(EpcisEventRow.event_id, EpcisEventRow.declared, EpcisEventRow.hash).where(
                EpcisEventRow.event_id.in_(ids[at : at + ROWS_AT_ONCE])
            )
        )
        found |= {(named, declared): digest for named, declared, digest in rows}
    return found


async def _insert(
    session: AsyncSession, rows: Sequence[Mapping[str, object]]
) -> dict[tuple[str, int], int]:
    """Insert events; give the numbers of those that are new."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    make = postgresql.insert if is_postgresql else sqlite.insert
    statement = (
        make(EpcisEventRow)
        .on_conflict_do_nothing(index_elements=["event_id", "declared"])
        .returning(EpcisEventRow.event_id, EpcisEventRow.declared, EpcisEventRow.number)
    )
    inserted = await session.execute(statement, list(rows))
    return {(named, declared): number for named, declared, number in inserted}


def _row(new: NewEvent, kept: Kept, now_us: int) -> dict[str, object]:
    event = {name: value for name, value in new.event.items() if name != "@context"}
    event |= {"eventID": kept.event_id, "recordTime": time_text(now_us)}
    context: list[object] = []
    for each in _contexts(new.context) + _contexts(new.event.get("@context")):
        if isinstance(each, dict) and each not in context:
            context.append(each)
    return {
        "event_id": kept.event_id,
        "declared": kept.declared,
        "hash": kept.hash,
        "type": event["type"],
        "event_time_us": time_us(str(event["eventTime"])),
        "record_time_us": now_us,
        "action": event.get("action"),
        "biz_step": _word(event, "bizStep"),
        "disposition": _word(event, "disposition"),
        "read_point": _place(event, "readPoint"),
        "biz_location": _place(event, "bizLocation"),
        "body": msgspec.json.encode(event),
        "context": msgspec.json.encode(context),
    }


def _word(event: Json, field: str) -> str | None:
    word = event.get(field)
    return expanded(field, word) if isinstance(word, str) else None


def _place(event: Json, field: str) -> str | None:
    place = event.get(field)
    named = place.get("id") if isinstance(place, Mapping) else None
    return canonical(named) if isinstance(named, str) else None


def _things(event: Json) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for role in ROLES:
        held = event.get(role)
        for each in held if isinstance(held, list) else [held]:
            named = each.get("epcClass") if isinstance(each, Mapping) else each
            if isinstance(named, str):
                found.add((role, canonical(named)))
    return found


def _contexts(context: object) -> list[object]:
    return context if isinstance(context, list) else [context]
