"""EPCIS events in the database, found by what queries ask for."""

import base64
import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from aerocast_hub.epcis.asking import Asked, Column, Span
from aerocast_hub.epcis.tables import EpcisEpcRow, EpcisEventRow

ROWS_AT_ONCE = 500
MOST_LOOKED_AT = 50_000

Json = Mapping[str, object]


class TooManyError(Exception):
    """More events fit than the query wants to know of."""


class TooComplexError(Exception):
    """Too many events had to be looked at one by one."""


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


def fingerprint(told: object) -> str:
    """Name a query, so that no page of another one is asked for."""
    encoded = msgspec.json.encode(told, order="sorted")
    return hashlib.blake2b(encoded, digest_size=8).hexdigest()


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
