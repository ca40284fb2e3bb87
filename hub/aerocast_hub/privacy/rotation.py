"""Sealing everything anew with the newest key, while the hub runs."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.trail import record
from aerocast_hub.baggage.passengers import REFERENCE
from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import METADATA
from aerocast_hub.database.sealed import SealedBytes, SealedText, keys_of

ROWS_AT_ONCE = 500


def sealed_columns() -> dict[Table, list[str]]:
    """Name the columns that are sealed at rest, by table."""
    found = {
        table: [c.name for c in table.columns if isinstance(c.type, SealedBytes | SealedText)]
        for table in METADATA.sorted_tables
    }
    return {table: columns for table, columns in found.items() if columns}


async def seal_anew(
    database: Database, progress: Callable[[int], None] = lambda _rows: None
) -> int:
    """Seal every row with the newest key, some hundred at a time; say how many, and on the way.

    Run again it does no harm: what a hub sealed meanwhile with an older key is sealed anew then.
    """
    count = 0
    for table, columns in sealed_columns().items():
        (key,) = table.primary_key.columns
        after: Any = None
        while True:
            async with database.writing() as session:
                query = select(key, *(table.c[name] for name in columns)).order_by(key)
                if after is not None:
                    query = query.where(key > after)
                # Held: what is erased meanwhile must not be written again.
                held = query.limit(ROWS_AT_ONCE).with_for_update()
                rows = (await session.execute(held)).all()
                if rows:
                    await _write(session, table, columns, [tuple(row) for row in rows])
            if not rows:
                break
            count += len(rows)
            progress(count)
            after = rows[-1][0]
    async with database.writing() as session:
        await record(session, "data_keys_rotated", subject="data keys", after={"rows": count})
    return count


async def _write(
    session: AsyncSession, table: Table, columns: list[str], rows: list[tuple[Any, ...]]
) -> None:
    (key,) = table.primary_key.columns
    values = [
        {"b_key": row[0]} | {f"b_{n}": v for n, v in zip(columns, row[1:], strict=True)}
        for row in rows
    ]
    names = list(columns)
    if table.name == "passengers":
        keys = keys_of(session)
        names.append("passenger_index")
        for each in values:
            reference = each["b_passenger"]
            each["b_passenger_index"] = keys.index(reference, REFERENCE) if reference else None
    statement = update(table).where(key == bindparam("b_key"))
    statement = statement.values({name: bindparam(f"b_{name}") for name in names})
    await (await session.connection()).execute(statement, values)
