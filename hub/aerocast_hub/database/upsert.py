"""Insert rows, or update those that are there: one statement, on either database."""

from collections.abc import Mapping, Sequence
from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database import Base


async def upsert(
    session: AsyncSession,
    row_type: type[Base],
    rows: Sequence[Mapping[str, object]],
    updated: Sequence[str] = (),
) -> None:
    """Insert rows; where the primary key is there, update the ``updated`` columns (none: leave it).

    Parameters
    ----------
    rows
        Column -> value, the same columns in each.
    """
    if not rows:
        return
    table = cast("Table", row_type.__table__)
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(table) if is_postgresql else sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    statement = (
        insert.on_conflict_do_update(
            index_elements=keys, set_={name: insert.excluded[name] for name in updated}
        )
        if updated
        else insert.on_conflict_do_nothing(index_elements=keys)
    )
    await session.execute(statement, [dict(row) for row in rows])
