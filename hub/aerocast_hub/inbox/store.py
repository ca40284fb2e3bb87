"""Observations into the database, each once, and which of them are new."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.inbox.tables import ObservationRow


class Key(NamedTuple):
    """What makes an observation unique for ever."""

    gateway_id: int
    epoch: int
    lane: int
    sequence: int


class Row(NamedTuple):
    """An observation as it is stored; the columns of `ObservationRow`, in order."""

    gateway_id: int
    epoch: int
    lane: int
    sequence: int
    kind: str
    device: str
    boot_ns: int
    seen_at_us: int
    clock_quality: int
    received_at_us: int
    body: bytes

    @property
    def key(self) -> Key:
        """What makes it unique."""
        return Key(self.gateway_id, self.epoch, self.lane, self.sequence)


class EventStore(Protocol):
    """Stores observations in the caller's transaction."""

    async def append(self, session: AsyncSession, rows: Sequence[Row]) -> Sequence[Row]:
        """Store what is not stored yet; give the rows that were not."""


class SqliteEventStore:
    """Looks first, then inserts: the transaction holds the only write lock, so nothing slips in."""

    async def append(self, session: AsyncSession, rows: Sequence[Row]) -> Sequence[Row]:
        """Store what is not stored yet; give the rows that were not."""
        new = await not_stored(session, rows)
        if new:
            connection = await session.connection()
            await connection.exec_driver_sql(_INSERT, [tuple(row) for row in new])
        return new


async def not_stored(session: AsyncSession, rows: Sequence[Row]) -> list[Row]:
    """Give those rows that are not stored, in whichever month, each once."""
    new = {row.key: row for row in rows}
    for lane, group in groupby(sorted(new), key=lambda key: key[:3]):
        sequences = [key.sequence for key in group]
        found = await session.scalars(
            select(ObservationRow.sequence).where(
                ObservationRow.gateway_id == lane[0],
                ObservationRow.epoch == lane[1],
                ObservationRow.lane == lane[2],
                ObservationRow.sequence.between(sequences[0], sequences[-1]),
            )
        )
        for sequence in found:
            new.pop(Key(lane[0], lane[1], lane[2], sequence), None)
    return list(new.values())


def event_store(database: Database) -> EventStore:
    """Give the store that fits the database."""
    if database.is_sqlite:
        return SqliteEventStore()
    from aerocast_hub.inbox.store_postgresql import PostgresqlEventStore  # noqa: PLC0415  asyncpg loads only where it serves

    return PostgresqlEventStore()


_COLUMNS = ", ".join(Row._fields)
_INSERT = (
    f"INSERT INTO observations ({_COLUMNS})"  # noqa: S608  our own column names
    f" VALUES ({', '.join('?' for _ in Row._fields)}) ON CONFLICT DO NOTHING"
)
