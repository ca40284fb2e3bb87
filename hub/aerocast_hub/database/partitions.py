"""Observations month by month on PostgreSQL: made ahead, and forgotten by letting a month go.

The month is that of the receipt: it never changes for an observation, however often its clock is
corrected and however late it comes (docs/decisions/0014). What is received in no month there is
(the hub's own clock was wrong) goes to the default partition, and moves when its month is made.
"""

import re

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.months import Month, month_of

MONTHS_AHEAD = 2
"""Besides the present month. A hub that is down for two months still finds its table."""
LOCK_TIMEOUT_MS = 2000
"""Longest wait for the table's lock: what waits for it holds up the inbox behind it."""

_TABLE = "observations"
_NAME = re.compile(rf"{_TABLE}_(\d{{4}})_(\d{{2}})")
_LOCK = 7_301_444  # any number of ours: two hubs make a month one after the other


def name_of(month: Month) -> str:
    """Give the name of a month's partition."""
    return f"{_TABLE}_{month.year:04d}_{month.month:02d}"


async def make_months(session: AsyncSession, now_us: int) -> list[Month]:
    """Make what is missing of the present month and those ahead; give the new ones."""
    connection = await session.connection()
    return await connection.run_sync(make_partitions, now_us)


def make_partitions(connection: Connection, now_us: int) -> list[Month]:
    """Do what `make_months` does. Nothing on SQLite, nor where TimescaleDB keeps observations."""
    if connection.dialect.name != "postgresql" or not _is_partitioned(connection):
        return []
    present = month_of(now_us)
    wanted = [present.after(ahead) for ahead in range(MONTHS_AHEAD + 1)]
    if set(wanted) <= set(_months(connection, _ATTACHED)) and _has_default(connection):
        return []
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _limit_waiting(connection)
    connection.execute(
        text(f"CREATE TABLE IF NOT EXISTS {_TABLE}_default PARTITION OF {_TABLE} DEFAULT")
    )
    there = set(_months(connection, _ATTACHED))
    missing = [month for month in wanted if month not in there]
    for month in missing:
        _make(connection, month)
    return missing


async def attached_months(session: AsyncSession) -> list[Month]:
    """Give the months observations are kept in, in order."""
    return await (await session.connection()).run_sync(_months, _ATTACHED)


async def detached_months(session: AsyncSession) -> list[Month]:
    """Give months let go of whose table is still there."""
    return await (await session.connection()).run_sync(_months, _DETACHED)


async def table_outside_months(session: AsyncSession) -> str:
    """Name the table that holds what is in no month's table."""
    has_default = await (await session.connection()).run_sync(_has_default)
    return f"{_TABLE}_default" if has_default else _TABLE


async def detach_month(session: AsyncSession, month: Month) -> None:
    """Let a month go: its rows are no observations any more, in an instant, however many."""
    connection = await session.connection()
    await connection.run_sync(_limit_waiting)
    await connection.execute(text(f"ALTER TABLE {_TABLE} DETACH PARTITION {name_of(month)}"))


async def drop_detached(session: AsyncSession, month: Month) -> None:
    """Delete the table of a month that was let go."""
    await session.execute(text(f"DROP TABLE {name_of(month)}"))


def _make(connection: Connection, month: Month) -> None:
    """Make a month beside the table and attach it: the inbox goes on meanwhile."""
    name, bounds = name_of(month), {"first": month.first_us, "end": month.end_us}
    connection.execute(text(f"CREATE TABLE {name} (LIKE {_TABLE} INCLUDING ALL)"))
    connection.execute(
        text(
            f"WITH moved AS (DELETE FROM {_TABLE}_default"  # noqa: S608  names of ours
            f" WHERE received_at_us >= :first AND received_at_us < :end RETURNING *)"
            f" INSERT INTO {name} SELECT * FROM moved"
        ),
        bounds,
    )
    connection.execute(
        text(
            f"ALTER TABLE {_TABLE} ATTACH PARTITION {name}"
            f" FOR VALUES FROM ({bounds['first']}) TO ({bounds['end']})"
        )
    )


def _limit_waiting(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))


def _is_partitioned(connection: Connection) -> bool:
    kind = connection.scalar(text("SELECT relkind FROM pg_class WHERE oid = to_regclass(:t)"), _T)
    return kind in ("p", b"p")


def _has_default(connection: Connection) -> bool:
    found = connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"{_TABLE}_default"})
    return found is not None


def _months(connection: Connection, asked: str) -> list[Month]:
    names = connection.scalars(text(asked), _T)
    found = (_NAME.fullmatch(name) for name in names)
    return sorted(Month(int(each[1]), int(each[2])) for each in found if each)


_T = {"t": _TABLE}
_ATTACHED = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = to_regclass(:t)"
)
_DETACHED = (
    "SELECT c.relname FROM pg_class c JOIN pg_class o ON o.oid = to_regclass(:t)"
    " AND c.relnamespace = o.relnamespace WHERE c.relkind = 'r' AND NOT c.relispartition"
    " AND c.relname LIKE :t || '\\_____\\___'"
)
