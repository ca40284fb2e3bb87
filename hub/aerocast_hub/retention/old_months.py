"""Forgetting observations by whole months: a month goes when its last day is old.

On PostgreSQL its table is let go of and dropped, which takes an instant; on SQLite its rows are
deleted some at a time.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.exc import DBAPIError

from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import inbox
from aerocast_hub.database.months import Month, month_of
from aerocast_hub.database.partitions import (
    attached_months,
    detach_month,
    detached_months,
    drop_detached,
    make_months,
    table_outside_months,
)
from aerocast_hub.database.timescale import drop_chunks, is_hypertable

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 5000
LOCK_NOT_AVAILABLE = "55P03"

BeforeDrop = Callable[[Month], Awaitable[None]]
"""Called with each month before it goes; one that raises `KeepMonthError` keeps it."""


class KeepMonthError(Exception):
    """The month must not go yet; the message says why."""


async def prepare_months(database: Database, now_us: int) -> None:
    """Make the months to come, where observations are kept by months."""
    if not database.is_sqlite:
        async with database.writing() as session:
            for month in await make_months(session, now_us):
                log.info("observations of %s have a table", month)


async def forget_months(
    database: Database, before_us: int, before_drop: BeforeDrop | None = None
) -> int:
    """Forget every month that was over by ``before_us``; say how many observations went."""
    gone = 0
    async for month in _old_months(database, before_us):
        try:
            if before_drop is not None:
                await before_drop(month)
            gone += await _forget(database, month)
        except KeepMonthError as error:
            log.warning("observations of %s are kept: %s", month, error)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            log.info("observations of %s go later: the table is in use", month)
    if not database.is_sqlite:
        await _drop_what_was_let_go(database)
    return gone


async def _old_months(database: Database, before_us: int) -> AsyncIterator[Month]:
    """Give the months to forget: those with a table, then those of rows that are in none."""
    if not database.is_sqlite:
        async with database.reading() as session:
            attached = await attached_months(session)
        for month in attached:
            if month.end_us <= before_us:
                yield month
    from_us = 0  # receipts before 1970 come of a hub whose own clock was wrong: they stay
    while (oldest := await _month_of_oldest(database, from_us)) and oldest.end_us <= before_us:
        yield oldest
        from_us = oldest.end_us


async def _month_of_oldest(database: Database, from_us: int) -> Month | None:
    async with database.reading() as session:
        table = "observations" if database.is_sqlite else await table_outside_months(session)
        oldest = text(f"SELECT min(received_at_us) FROM {table} WHERE received_at_us >= :us")  # noqa: S608  a name of ours
        oldest_us = await session.scalar(oldest, {"us": from_us})
    return None if oldest_us is None else month_of(oldest_us)


async def _forget(database: Database, month: Month) -> int:
    row = inbox.ObservationRow
    within = row.received_at_us.between(month.first_us, month.end_us - 1)
    if not database.is_sqlite:
        async with database.writing() as session:
            counted = select(func.count()).select_from(row).where(within)
            if month in await attached_months(session):
                count = await session.scalar(counted)
                await detach_month(session, month)
                return count or 0
            connection = await session.connection()
            if await connection.run_sync(is_hypertable):
                count = await session.scalar(counted)
                await connection.run_sync(drop_chunks, month.first_us, month.end_us)
                return count or 0
    key = list(row.__table__.primary_key)
    some = select(*key).where(within).limit(ROWS_AT_ONCE)
    count = 0
    while True:
        async with database.writing() as session:
            done = await session.execute(delete(row).where(tuple_(*key).in_(some)))
        gone = int(done.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it
        count += gone
        if gone < ROWS_AT_ONCE:
            return count


async def _drop_what_was_let_go(database: Database) -> None:
    async with database.writing() as session:
        for month in await detached_months(session):
            await drop_detached(session, month)
            log.info("observations of %s are gone", month)
