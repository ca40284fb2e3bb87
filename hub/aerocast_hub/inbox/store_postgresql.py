"""Observations into PostgreSQL: COPY as a rule, one statement where something is there already."""

import logging
from collections.abc import Sequence

from asyncpg.exceptions import (  # type: ignore[import-untyped]  # asyncpg carries no types
    InterfaceError,
    PostgresError,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.inbox.store import Key, Row, not_stored

log = logging.getLogger(__name__)


class PostgresqlEventStore:
    """COPY, and where that does not go, one statement for any number of rows.

    The inbox hands over what its marks say is new, so as a rule all of it is, and COPY takes half
    the time. A row that is there already, or that no column holds, makes COPY undo itself: then
    what is stored is looked up, and the statement stores the others or says what is wrong.
    """

    async def append(self, session: AsyncSession, rows: Sequence[Row]) -> Sequence[Row]:
        """Store what is not stored yet; give the rows that were not."""
        if not rows or (await _is_all_new(session, rows[0]) and await _copied(session, rows)):
            return rows
        missing = await not_stored(session, rows)
        if not missing:
            return ()
        columns = zip(*missing, strict=True)
        found = await session.execute(
            _UNNEST, {name: list(values) for name, values in zip(Row._fields, columns, strict=True)}
        )
        new = {Key(*key) for key in found}
        return [row for row in missing if row.key in new]


async def _is_all_new(session: AsyncSession, first: Row) -> bool:
    """Guess by one row: of what comes again, the first is there."""
    return not await session.scalar(_IS_STORED, first.key._asdict())


async def _copied(session: AsyncSession, rows: Sequence[Row]) -> bool:
    try:
        async with session.begin_nested():
            await _copy(session, rows)
    except (PostgresError, InterfaceError, OverflowError) as error:
        log.debug("rows go one statement's way: %s", type(error).__name__)
        return False
    return True


async def _copy(session: AsyncSession, rows: Sequence[Row]) -> None:
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    if driver is None:
        raise InterfaceError("the connection is closed")
    await driver.copy_records_to_table("observations", records=rows, columns=Row._fields)


_TYPES = {"kind": "text", "device": "text", "body": "bytea"}
_COLUMNS = ", ".join(Row._fields)
_ARRAYS = ", ".join(f"CAST(:{name} AS {_TYPES.get(name, 'bigint')}[])" for name in Row._fields)
# Our own column names, nothing from outside.
_UNNEST = text(
    f"INSERT INTO observations ({_COLUMNS}) SELECT * FROM unnest({_ARRAYS})"  # noqa: S608  see above
    f" ON CONFLICT DO NOTHING RETURNING gateway_id, epoch, lane, sequence"
)
_IS_STORED = text(
    "SELECT EXISTS (SELECT FROM observations WHERE gateway_id = :gateway_id AND epoch = :epoch"
    " AND lane = :lane AND sequence = :sequence)"
)
