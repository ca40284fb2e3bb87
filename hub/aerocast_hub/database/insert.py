"""Putting rows into a table that may hold them already, the same on both databases."""

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database import Base

Values = Mapping[str, object]


async def insert_new(session: AsyncSession, row_type: type[Base], rows: Sequence[Values]) -> None:
    """Insert rows; those whose primary key is there already are left as they are."""
    if rows:
        statement = _insert(session, row_type).on_conflict_do_nothing()
        await session.execute(statement, list(rows))


async def insert_or_replace(
    session: AsyncSession,
    row_type: type[Base],
    rows: Sequence[Values],
    keep: Collection[str] = (),
) -> None:
    """Insert rows; those whose primary key is there already take the new values, but for ``keep``.

    Every row has the same columns.
    """
    if rows:
        kept = {*keep, *(column.name for column in row_type.__table__.primary_key)}
        statement = _insert(session, row_type)
        statement = statement.on_conflict_do_update(
            index_elements=list(row_type.__table__.primary_key),
            set_={name: statement.excluded[name] for name in rows[0] if name not in kept},
        )
        await session.execute(statement, list(rows))


def _insert(session: AsyncSession, row_type: type[Base]) -> sqlite.Insert | postgresql.Insert:
    # Into the table, not the mapped class: rows need no unit of work, and it halves the time.
    table = cast("Table", row_type.__table__)
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
