"""Connections to the database: reading sessions, and writing sessions that never deadlock."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry

from aerocast_hub.database.replica import Replica
from aerocast_hub.database.sealed import KeysOf, use_keys
from aerocast_hub.database.sight import NarrowedSession, RowRules, current_sight, rules_of
from aerocast_hub.database.sqlite_connection import OneTurnConnection
from aerocast_hub.database.turns import NoTurnError, Turns
from aerocast_hub.outage import Outage

log = logging.getLogger(__name__)
_Done_co = TypeVar("_Done_co", covariant=True)

SQLITE_BUSY_TIMEOUT_MS = 10_000
"""Longest wait for a writer of another process. A transaction of the inbox takes a few tens of
milliseconds."""
MOST_REPETITIONS = 5
SQLITE_TURN_WITHIN_S = 30.0
"""Longest wait for the writers of this process that came before."""

_CONFLICTS = ("40001", "40P01", "23505", "23503")
"""SQLSTATE of what happens between transactions and not within one (PostgreSQL 15 appendix A):
serialization_failure, deadlock_detected, unique_violation by a row nobody could see yet, and
foreign_key_violation by one that has just gone."""


class DatabaseAwayError(OSError):
    """Nobody answers where the database is."""


def is_conflict(error: BaseException) -> bool:
    """Say whether a transaction failed because of another one: the same again may succeed."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICTS


class Repeatable(Protocol[_Done_co]):
    """A whole transaction; the last time all that goes wrong in it is to be taken at its word."""

    async def __call__(self, *, may_repeat: bool) -> _Done_co:
        """Do it, once."""
        ...


async def in_spite_of_others(work: Repeatable[_Done_co]) -> _Done_co:
    """Do a whole transaction, and again where it failed only because of another one."""
    for _ in range(MOST_REPETITIONS):
        try:
            return await work(may_repeat=True)
        except DBAPIError as error:
            if not is_conflict(error):
                raise
            log.info("somebody else wrote at the same time: %s", type(error.orig).__name__)
    return await work(may_repeat=False)


_CLASSES_NOT_NOW = ("08", "53", "57", "58")
"""Of SQLSTATE: connection exception, insufficient resources, operator intervention, system error
(PostgreSQL 15 appendix A)."""
_SQLITE_NOT_NOW = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
    }
)


def is_unable_now(error: BaseException) -> bool:
    """Say whether a database cannot work just now: it stops, starts, is full, out of reach.

    What it was asked is not to blame, and may be asked again.
    """
    if isinstance(error, DatabaseAwayError | NoConnectionError | NoTurnError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return state[:2] in _CLASSES_NOT_NOW or (code is not None and code & 0xFF in _SQLITE_NOT_NOW)


class Database:
    """The open database, of one event loop: connections belong to the loop that opened them.

    Reading sessions see a snapshot, and of it what the work at hand may see (`sight`). Writing
    sessions see everything, commit when their block ends and roll back when it raises; on SQLite
    they queue for the one write lock *before* they read, in the order in which they come, so that
    what they read cannot go stale under them.

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
        self._writers = async_sessionmaker(
            self.engine.execution_options(aerocast_writes=True), expire_on_commit=False
        )
        self._turns = Turns(SQLITE_TURN_WITHIN_S) if self.is_sqlite else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outage = Outage()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a session that only reads, and what the work at hand may see.

        Raises
        ------
        RuntimeError
            It may not see everything, and there are no rules of what it may; or another event loop
            uses this database.
        """
        self._belong_here()
        sight = current_sight()
        is_from_replica = self.replica is not None and self.replica.may_answer()
        engine = self.replica.engine if self.replica and is_from_replica else self.engine
        if sight.is_whole:
            async with AsyncSession(engine, expire_on_commit=False) as session:
                yield session
            if not is_from_replica:
                self._note_answer(is_written=False)
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
        """Open a session that is committed at the end of the block.

        Whoever is cancelled within the block has written nothing; once the block has ended, what
        it wrote is committed all the same.

        Raises
        ------
        NestedTurnError
            This task writes already, on SQLite.
        NoTurnError
            Those who came before write for too long, on SQLite.
        RuntimeError
            Another event loop uses this database.
        """
        self._belong_here()
        async with (
            nullcontext() if self._turns is None else self._turns.turn(),
            # One block, not a session and a transaction in it: only so a commit that has begun
            # goes to its end when its task is cancelled, and the connection is whole after it.
            self._writers.begin() as session,
        ):
            yield session
        self._note_answer(is_written=True)
        if self.replica is not None:
            self.replica.note_written()

    async def answers(self) -> bool:
        """Say whether the database can be asked anything."""
        try:
            async with self.reading() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError) as error:
            self.tell_failure("health is asked", error)
            return False
        return True

    def tell_failure(self, what: str, error: BaseException) -> None:
        """Tell the log why something could not be done: in a line, once, while it is an outage.

        Parameters
        ----------
        what
            What waits, or was not done.
        """
        if not is_unable_now(error):
            log.error("%s: the database did not do it", what, exc_info=error)
        elif self._outage.note_failure():
            reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
            log.warning("%s: the database does not answer: %s", what, reason)
        else:
            log.debug("%s: the database does not answer", what)

    def _note_answer(self, *, is_written: bool) -> None:
        if self._outage.goes_on:
            lasted_s = self._outage.note_answer(is_written=is_written)
            if lasted_s is not None:
                log.info("the database answers again, after %.0f s", lasted_s)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        if self.replica is not None:
            await self.replica.engine.dispose()
        self._loop = None

    def _belong_here(self) -> None:
        """Refuse a second event loop: asyncpg fails in it with errors that name no cause."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError(
                f"the database {self.engine.url!r} is in use by another event loop, and connections"
                " serve one alone: open a Database in each loop, or close() it in that one first"
            )


def _postgresql_engine(address: str) -> AsyncEngine:
    engine = create_async_engine(
        address, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(
        dialect: Dialect,
        _record: ConnectionPoolEntry,
        given: tuple[Any, ...],
        named: dict[str, Any],
    ) -> DBAPIConnection:
        try:
            return dialect.connect(*given, **named)
        except OSError as error:  # else it looks like any file's
            raise DatabaseAwayError(str(error) or repr(error)) from error

    return engine


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
