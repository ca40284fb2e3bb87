"""Connections to the database: reading sessions, and writing sessions that never deadlock."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from aerocast_hub.database.replica import Replica
from aerocast_hub.database.sealed import KeysOf, use_keys
from aerocast_hub.database.sight import NarrowedSession, RowRules, current_sight, rules_of
from aerocast_hub.database.sqlite_connection import OneTurnConnection

log = logging.getLogger(__name__)

SQLITE_BUSY_TIMEOUT_MS = 10_000
"""Longest wait for another writer. A transaction of the inbox takes a few tens of milliseconds."""


_CONFLICTS = ("40001", "40P01", "23505")
"""SQLSTATE of what happens between transactions and not within one (PostgreSQL 15 appendix A):
serialization_failure, deadlock_detected, and unique_violation by a row nobody could see yet."""


def is_conflict(error: BaseException) -> bool:
    """Say whether a transaction failed because of another one: the same again may succeed."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICTS


class Database:
    """The open database.

    Reading sessions see a snapshot, and of it what the work at hand may see (`sight`). Writing
    sessions see everything, commit when their block ends and roll back when it raises; on SQLite
    they queue for the one write lock *before* they read, so that what they read cannot go stale
    under them.

    Parameters
    ----------
    address
        An SQLAlchemy URL; no connection is opened yet.
    row_rules
        Which rows those see who do not see all.
    data_keys
        What sealed columns open with; None: the keys in the environment.
    replica_address
        A PostgreSQL that follows it, for questions; None: the database answers all itself.
    longest_lag_s
        How old what the replica answers may be, seconds.
    """

    def __init__(
        self,
        address: str,
        row_rules: RowRules = MappingProxyType({}),
        data_keys: KeysOf | None = None,
        replica_address: str | None = None,
        longest_lag_s: float = 5.0,
    ) -> None:
        self._row_rules = row_rules
        url = make_url(address)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        if self.is_sqlite and url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = _sqlite_engine(address) if self.is_sqlite else _postgresql_engine(address)
        use_keys(self.engine.sync_engine.dialect, data_keys)
        self.replica: Replica | None = None
        if replica_address is not None:
            following = _postgresql_engine(replica_address)
            use_keys(following.sync_engine.dialect, data_keys)
            self.replica = Replica(following, longest_lag_s)
        self._writing_engine = self.engine.execution_options(aerocast_writes=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a session that only reads, and what the work at hand may see.

        Raises
        ------
        RuntimeError
            It may not see everything, and there are no rules of what it may.
        """
        sight = current_sight()
        is_from_replica = self.replica is not None and self.replica.may_answer()
        engine = self.replica.engine if self.replica and is_from_replica else self.engine
        if sight.is_whole:
            async with AsyncSession(engine, expire_on_commit=False) as session:
                yield session
            return
        if not self._row_rules:
            raise RuntimeError("this database was opened without rules of who sees what")
        async with AsyncSession(
            engine,
            expire_on_commit=False,
            sync_session_class=NarrowedSession,
            info={"rules": rules_of(self._row_rules, sight)},
        ) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a session that is committed at the end of the block."""
        async with (
            AsyncSession(self._writing_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
        if self.replica is not None:
            self.replica.note_written()

    async def answers(self) -> bool:
        """Say whether the database can be asked anything."""
        try:
            async with self.reading() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            log.warning("the database does not answer", exc_info=True)
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        if self.replica is not None:
            await self.replica.engine.dispose()


def _postgresql_engine(address: str) -> AsyncEngine:
    return create_async_engine(
        address, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True
    )


def _sqlite_engine(address: str) -> AsyncEngine:
    path = make_url(address).database or ":memory:"
    engine = create_async_engine(
        address,
        async_creator=lambda: OneTurnConnection(path),
        hide_parameters=True,  # names stand among them
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        # The driver must not open transactions by itself: `begin` below decides which kind.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL, not NORMAL: an acknowledged observation must survive a power cut (the gateway
        # has deleted it), and NORMAL gives up the last commits then.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("aerocast_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")

    return engine
