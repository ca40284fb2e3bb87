"""SQLite for asyncio, at one turn of its thread for a statement with its rows.

aiosqlite goes to its thread four times for a statement: to make a cursor, to execute, to fetch, to
close. Each time two threads hand the interpreter over to each other, and that costs more than most
statements do.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import aiosqlite

from aerocast_hub.whole_file import make_private

AHEAD = 1000
"""Rows that are fetched together with the statement; who wants more comes again."""

_Row: TypeAlias = tuple[Any, ...]
_Values: TypeAlias = Sequence[Any]
_Given = TypeVar("_Given")


class OneTurnCursor:
    """Runs statements, one after the other; what SQLAlchemy asks of aiosqlite's cursor."""

    arraysize = 1

    def __init__(self, connection: "OneTurnConnection") -> None:
        self._connection = connection
        self._open: sqlite3.Cursor | None = None
        self._rows: list[_Row] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "OneTurnCursor":
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.close()

    async def execute(self, statement: str, values: _Values = ()) -> "OneTurnCursor":
        """Execute a statement, and fetch its first rows."""
        await self._run(lambda cursor: cursor.execute(statement, values))
        return self

    async def executemany(self, statement: str, values: Iterable[_Values]) -> "OneTurnCursor":
        """Execute a statement for each of many sets of values."""
        await self._run(lambda cursor: cursor.executemany(statement, values))
        return self

    async def fetchone(self) -> _Row | None:
        """Give the next row."""
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> list[_Row]:
        """Give the next rows."""
        wanted = self.arraysize if size is None else size
        if (cursor := self._open) is not None and len(self._rows) < wanted:
            more = max(AHEAD, wanted) - len(self._rows)
            self._rows += await self._connection.turn(lambda _: cursor.fetchmany(more))
        given, self._rows = self._rows[:wanted], self._rows[wanted:]
        return given

    async def fetchall(self) -> list[_Row]:
        """Give every row that is left."""
        if (cursor := self._open) is not None:
            self._rows += await self._connection.turn(lambda _: cursor.fetchall())
        given, self._rows = self._rows, []
        return given

    async def close(self) -> None:
        """Let go of what is left."""
        if self._open is not None:
            cursor, self._open = self._open, None
            await self._connection.turn(lambda _: cursor.close())

    async def _run(self, execute: Callable[[sqlite3.Cursor], object]) -> None:
        await self.close()

        def run(connection: sqlite3.Connection) -> sqlite3.Cursor | None:
            cursor = connection.cursor()
            try:
                execute(cursor)
                self._rows = list(islice(cursor, AHEAD)) if cursor.description else []
                self.description, self.lastrowid = cursor.description, cursor.lastrowid
                self.rowcount = cursor.rowcount
            except BaseException:
                cursor.close()
                raise
            if len(self._rows) == AHEAD:
                return cursor
            cursor.close()
            return None

        self._open = await self._connection.turn(run)


class OneTurnConnection(aiosqlite.Connection):
    """A connection whose cursors take one turn for a statement; opens when awaited.

    Its thread ends with the process.
    """

    def __init__(self, path: str) -> None:
        super().__init__(lambda: _connected(path), iter_chunk_size=AHEAD)
        self._thread.daemon = True
        self._ended: asyncio.Future[None] | None = None

    def cursor(self) -> OneTurnCursor:  # type: ignore[override]  # what SQLAlchemy asks of one
        """Make a cursor; costs no turn."""
        return OneTurnCursor(self)

    def stop(self) -> asyncio.Future[None] | None:
        """Have the thread close the connection after what was asked before, and end; once.

        A second stop would wait for a thread that has ended.
        """
        if self._running:
            self._ended = super().stop()
        return self._ended

    async def close(self) -> None:
        """Close the connection; once more does nothing."""
        ended = self.stop() if self._thread.ident is not None else None
        if ended is not None:
            await asyncio.shield(ended)

    async def turn(self, run: Callable[[sqlite3.Connection], _Given]) -> _Given:
        """Have the thread do something; ValueError when the connection is closed."""
        given: _Given = await self._execute(run, self._conn)  # type: ignore[no-untyped-call]
        return given


def _connected(path: str) -> sqlite3.Connection:
    """Open a database, a new one for its owner's eyes only: SQLite itself would let anybody read.

    The files it keeps beside it are as the database is.
    """
    if path != ":memory:" and not path.startswith("file:"):
        make_private(Path(path))
    return sqlite3.connect(path)
