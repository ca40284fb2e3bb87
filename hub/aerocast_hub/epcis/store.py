"""EPCIS events in the database: kept once each, found by what queries ask for."""

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from aerocast_protocols.epcis.digital_link import canonical
from aerocast_protocols.epcis.event_hash import event_id, time_text, time_us
from aerocast_protocols.epcis.vocabulary import CONTEXT, expanded
from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from aerocast_hub.epcis.asking import ROLES, Asked, Column, Span
from aerocast_hub.epcis.tables import EpcisEpcRow, EpcisEventRow

ROWS_AT_ONCE = 500
MOST_LOOKED_AT = 50_000
SCHEMA_VERSION = "2.0"
_ORDER_LOCK = 7_301_444  # any number of ours

Json = Mapping[str, object]


class TooManyError(Exception):
    """More events fit than the query wants to know of."""


class TooComplexError(Exception):
    """Too many events had to be looked at one by one."""


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
    """

    event: Json
    context: object
    ignored: Sequence[str] = ()


class Kept(NamedTuple):
    """An event as kept, or as it would be."""

    event_id: str
    declared: int
    hash: str


class Found(NamedTuple):
    """An event that was asked for."""

    number: int
    event_time_us: int
    record_time_us: int
    body: bytes
    context: bytes


class Page(NamedTuple):
    """Some events; ``after`` asks for the next ones, None on the last page."""

    events: list[Found]
    after: str | None


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
    subject: str = "",
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
    named = [(new, identify(new)) for new in events]
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
        _row(new, kept, now_us) | {"subject": subject, "capture_id": capture_id}
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


async def find_events(
    session: AsyncSession, asked: Asked, per_page: int, after: str | None = None, since: int = 0
) -> Page:
    """Find what a query asks for, a page at a time.

    Parameters
    ----------
    after
        The ``after`` of the page before.
    since
        Leave out events up to this number.

    Raises
    ------
    TooManyError, TooComplexError
        Ask for less.
    ValueError
        ``after`` is of no page of this query.
    """
    given, at, last = (0, None, None) if after is None else _read_token(after)
    wanted = per_page if asked.limit is None else min(per_page, asked.limit - given)
    if asked.most is not None:
        await _refuse_more(session, asked, since)
    found: list[Found] = []
    looked_at = 0
    while len(found) <= wanted:
        rows = await _read(session, asked, since, at, last)
        for each in rows:
            if not asked.tests or asked.passes(msgspec.json.decode(each.body)):
                found.append(each)
                if len(found) > wanted:
                    break
        if len(rows) < ROWS_AT_ONCE:
            break
        at, last = _position(asked, rows[-1])
        looked_at += len(rows)
        if looked_at > MOST_LOOKED_AT and asked.tests:
            raise TooComplexError(f"more than {MOST_LOOKED_AT} events to look into")
    page = found[: max(wanted, 0)]
    is_last = len(found) <= wanted or given + len(page) == asked.limit or not page
    return Page(page, None if is_last else _token(given + len(page), *_position(asked, page[-1])))


async def _refuse_more(session: AsyncSession, asked: Asked, since: int) -> None:
    everything = await find_events(
        session, asked._replace(most=None), (asked.most or 0) + 1, since=since
    )
    if asked.most is not None and len(everything.events) > asked.most:
        raise TooManyError(f"more than {asked.most} events fit")


async def _read(
    session: AsyncSession, asked: Asked, since: int, at: int | None, last: int | None
) -> list[Found]:
    order = (
        EpcisEventRow.event_time_us
        if asked.order_by == "eventTime"
        else EpcisEventRow.record_time_us
    )
    where = _conditions(asked)
    if since:
        where.append(EpcisEventRow.number > since)
    if at is not None and last is not None:
        beyond = order > at if asked.is_ascending else order < at
        number = EpcisEventRow.number
        next_one = number > last if asked.is_ascending else number < last
        where.append(or_(beyond, and_(order == at, next_one)))
    query: Select[int, int, int, bytes, bytes] = select(
        EpcisEventRow.number,
        EpcisEventRow.event_time_us,
        EpcisEventRow.record_time_us,
        EpcisEventRow.body,
        EpcisEventRow.context,
    )
    ordered = (
        (order, EpcisEventRow.number)
        if asked.is_ascending
        else (order.desc(), EpcisEventRow.number.desc())
    )
    rows = await session.execute(query.where(*where).order_by(*ordered).limit(ROWS_AT_ONCE))
    return [Found(*row) for row in rows]


def _conditions(asked: Asked) -> list[ColumnElement[bool]]:
    where = [
        *_within(EpcisEventRow.event_time_us, asked.event_time),
        *_within(EpcisEventRow.record_time_us, asked.record_time),
        *map(_has, asked.columns),
    ]
    for match in asked.matches:
        named = select(EpcisEpcRow.event_number).where(
            EpcisEpcRow.epc.in_(sorted(match.epcs)), EpcisEpcRow.role.in_(sorted(match.roles))
        )
        where.append(EpcisEventRow.number.in_(named))
    return where


def _within(column: InstrumentedAttribute[int], span: Span) -> list[ColumnElement[bool]]:
    where = []
    if span.from_us is not None:
        where.append(column >= span.from_us)
    if span.before_us is not None:
        where.append(column < span.before_us)
    return where


def _has(asked: Column) -> ColumnElement[bool]:
    column: ColumnElement[str] = getattr(EpcisEventRow, asked.name)
    exact = column.in_(sorted(asked.values))
    if not asked.within:
        return exact
    return or_(
        exact, *(column.startswith(f"{each}/", autoescape=True) for each in sorted(asked.values))
    )


async def find_event(session: AsyncSession, named: str) -> Found | None:
    """Find an event by its id; of one declared wrong, the declaration."""
    row = (
        await session.execute(
            select(
                EpcisEventRow.number,
                EpcisEventRow.event_time_us,
                EpcisEventRow.record_time_us,
                EpcisEventRow.body,
                EpcisEventRow.context,
            )
            .where(EpcisEventRow.event_id == named.replace("\x00", "?"))
            .order_by(EpcisEventRow.declared.desc())
            .limit(1)
        )
    ).first()
    return None if row is None else Found(*row)


async def last_number(session: AsyncSession, before_us: int | None = None) -> int:
    """Give the number of the last event, or of the last recorded before an instant; 0 for none."""
    query = select(EpcisEventRow.number).order_by(EpcisEventRow.number.desc()).limit(1)
    if before_us is not None:
        query = query.where(EpcisEventRow.record_time_us < before_us)
    return await session.scalar(query) or 0


async def list_values(
    session: AsyncSession, column: str, limit: int, after: str | None
) -> list[str]:
    """Give the different values of a column of events (``epc`` of the things they name)."""
    held: InstrumentedAttribute[str] = (
        EpcisEpcRow.epc if column == "epc" else getattr(EpcisEventRow, column)
    )
    query = select(held).where(held.is_not(None)).distinct().order_by(held).limit(limit)
    if after is not None:
        query = query.where(held > after)
    return list(await session.scalars(query))


def document(
    found: Sequence[Found], query: str = "SimpleEventQuery", subscription: str | None = None
) -> bytes:
    """Write events as a query document.

    Prefixes of all of them stand in its context; an event whose prefix means something else than
    an earlier one's brings its own.
    """
    prefixes: dict[str, object] = {}
    events: list[msgspec.Raw] = []
    for each in found:
        own: dict[str, object] = {}
        for part in msgspec.json.decode(each.context):
            own |= part
        if all(prefixes.get(name, value) == value for name, value in own.items()):
            prefixes |= own
            events.append(msgspec.Raw(each.body))
        else:
            body = msgspec.json.decode(each.body)
            events.append(msgspec.Raw(msgspec.json.encode({"@context": [CONTEXT, own], **body})))
    results: dict[str, object] = {"queryName": query, "resultsBody": {"eventList": events}}
    if subscription is not None:
        results["subscriptionID"] = subscription
    return msgspec.json.encode(
        {
            "@context": [CONTEXT, *([prefixes] if prefixes else [])],
            "type": "EPCISQueryDocument",
            "schemaVersion": SCHEMA_VERSION,
            "creationDate": time_text(time.time_ns() // 1000),
            "epcisBody": {"queryResults": results},
        }
    )


def alone(found: Found) -> bytes:
    """Write an event with its own context."""
    event = {"@context": [CONTEXT, *msgspec.json.decode(found.context)]}
    return msgspec.json.encode(event | msgspec.json.decode(found.body))


def fingerprint(told: object) -> str:
    """Name a query, so that no page of another one is asked for."""
    encoded = msgspec.json.encode(told, order="sorted")
    return hashlib.blake2b(encoded, digest_size=8).hexdigest()


def _contexts(context: object) -> list[object]:
    return context if isinstance(context, list) else [context]


def _position(asked: Asked, found: Found) -> tuple[int, int]:
    at = found.event_time_us if asked.order_by == "eventTime" else found.record_time_us
    return at, found.number


def _token(given: int, at: int, last: int) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode((given, at, last))).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, int, int]:
    try:
        padded = token + "=" * (-len(token) % 4)
        read = msgspec.msgpack.decode(
            base64.b64decode(padded, b"-_", validate=True), type=tuple[int, int, int]
        )
    except (ValueError, msgspec.MsgspecError):
        raise ValueError("nextPageToken is of no page") from None
    if not all(0 <= each < 2**62 for each in read):
        raise ValueError("nextPageToken is of no page")
    return read
