"""Where tries and requests are counted: the hub's database, Redis, or this process."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from sqlalchemy import Table, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth.limiting.tables import AttemptCountRow
from aerocast_hub.database.engine import Database
from aerocast_hub.redis_connection import RedisConnection
from aerocast_hub.settings import Settings

SWEEP_EVERY_S = 60.0


def attempts_storage(
    settings: Settings, database: Database, redis: RedisConnection | None
) -> Storage:
    """Open what the settings say; with ``redis``, the connection is the caller's to close."""
    if settings.tries_in == "memory":
        return MemoryStorage()
    if settings.tries_in == "database" or redis is None:
        return DatabaseStorage(database)
    return _in_redis(redis)


def rates_storage(redis: RedisConnection | None) -> Storage | None:
    """Open where hubs count requests together; None: nowhere. The connection is the caller's."""
    return None if redis is None else _in_redis(redis)


def _in_redis(redis: RedisConnection) -> Storage:
    shared: Any = {"connection_pool": redis.client.connection_pool}
    return RedisStorage("redis://", implementation="redispy", wrap_exceptions=True, **shared)


class _Try(NamedTuple):
    key: str
    window_s: int
    amount: int
    counted: "asyncio.Future[int]"


class DatabaseStorage(Storage):
    """Counts in the hub's database: every process of the hub sees every try.

    A count goes up by one statement, so no two tries see the same number. Tries that come at once
    share a transaction.
    """

    STORAGE_SCHEME = None

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        super().__init__(wrap_exceptions=True)
        self._database = database
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting: list[_Try] = []
        self._swept_at_s = 0.0

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What is raised while the database does not answer."""
        return (SQLAlchemyError, OSError)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count a try in the window that runs, or begin one of ``expiry`` seconds."""
        counted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Try(key, expiry, amount, counted))
        async with self._turn:
            if not counted.done():
                await self._count_all()
        return await counted

    async def get(self, key: str) -> int:
        """Give the count of the window that runs."""
        row = await self._row(key)
        return row.tries if row is not None and row.ends_at_us > self._now_us() else 0

    async def get_expiry(self, key: str) -> float:
        """Say when the window ends, UTC seconds; now, when none runs."""
        row = await self._row(key)
        now_us = self._now_us()
        return (max(now_us, row.ends_at_us) if row is not None else now_us) / 1_000_000

    async def check(self) -> bool:
        """Say whether the database answers."""
        return await self._database.answers()

    async def reset(self) -> int | None:
        """Forget every count."""
        async with self._database.writing() as session:
            await session.execute(delete(AttemptCountRow))
        return None

    async def clear(self, key: str) -> None:
        """Forget a count."""
        async with self._database.writing() as session:
            await session.execute(delete(AttemptCountRow).where(AttemptCountRow.key == key))

    async def _row(self, key: str) -> AttemptCountRow | None:
        async with self._database.reading() as session:
            return await session.scalar(select(AttemptCountRow).where(AttemptCountRow.key == key))

    async def _count_all(self) -> None:
        tries, self._waiting = self._waiting, []
        counts: dict[int, int] = {}
        try:
            async with self._database.writing() as session:
                await self._sweep(session)
                # In one order everywhere: processes that wait for each other's rows never cross.
                counted = {
                    id(each): await self._count(session, each)
                    for each in sorted(tries, key=lambda each: each.key)
                }
            counts = counted
        finally:
            for each in tries:
                if each.counted.done():
                    continue
                if id(each) in counts:
                    each.counted.set_result(counts[id(each)])
                else:
                    each.counted.set_exception(OSError("the try was not counted"))
                    each.counted.exception()  # who waited may be gone: that is no news for the log

    async def _count(self, session: AsyncSession, one: _Try) -> int:
        now_us = self._now_us()
        ends_at_us = now_us + one.window_s * 1_000_000
        table = cast("Table", AttemptCountRow.__table__)
        insert = (sqlite if self._database.is_sqlite else postgresql).insert(table)
        is_over = table.c.ends_at_us <= now_us
        statement = insert.values(
            key=one.key, tries=one.amount, ends_at_us=ends_at_us
        ).on_conflict_do_update(
            index_elements=["key"],
            set_={
                "tries": case((is_over, one.amount), else_=table.c.tries + one.amount),
                "ends_at_us": case((is_over, ends_at_us), else_=table.c.ends_at_us),
            },
        )
        counted = await session.execute(statement.returning(table.c.tries))
        return int(counted.scalar_one())

    async def _sweep(self, session: AsyncSession) -> None:
        now_s = self._clock()
        if now_s - self._swept_at_s >= SWEEP_EVERY_S:
            self._swept_at_s = now_s
            ended = AttemptCountRow.ends_at_us <= self._now_us()
            await session.execute(delete(AttemptCountRow).where(ended))

    def _now_us(self) -> int:
        return round(self._clock() * 1_000_000)
