"""SQLite at one turn of its thread for a statement: it answers as the standard library does."""

import asyncio
import gc
import sqlite3

import pytest
from aerocast_hub.database import sqlite_connection
from aerocast_hub.database.engine import Database
from aerocast_hub.database.sqlite_connection import AHEAD, OneTurnConnection
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

SERIES = (
    "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < ?) SELECT x FROM n"
)


@pytest.fixture
async def connection(tmp_path):
    async with OneTurnConnection(str(tmp_path / "one.db")) as opened:
        yield opened


@pytest.fixture
def turns(connection, monkeypatch):
    """Count the turns of the connection's thread."""
    taken = []
    turn = connection.turn

    async def counted(run):
        taken.append(run)
        return await turn(run)

    monkeypatch.setattr(connection, "turn", counted)
    return taken


@pytest.mark.parametrize("rows", [0, 1, AHEAD - 1, AHEAD, AHEAD + 1, 3 * AHEAD])
async def test_every_row_comes_however_it_is_fetched(connection, rows):
    wanted = [(number,) for number in range(1, rows + 1)] if rows else [(1,)]
    async with connection.cursor() as cursor:
        await cursor.execute(SERIES, (rows,))
        assert await cursor.fetchall() == wanted
        await cursor.execute(SERIES, (rows,))
        pieces = []
        while piece := await cursor.fetchmany(700):
            pieces.append(piece)
        assert [row for piece in pieces for row in piece] == wanted
        assert all(len(piece) == 700 for piece in pieces[:-1])
        await cursor.execute(SERIES, (rows,))
        one_by_one = []
        while (row := await cursor.fetchone()) is not None:
            one_by_one.append(row)
        assert one_by_one == wanted


async def test_a_statement_with_its_rows_is_one_turn(connection, turns):
    async with connection.cursor() as cursor:
        await cursor.execute(SERIES, (AHEAD - 1,))
        await cursor.fetchall()
    assert len(turns) == 1


async def test_what_was_written_is_counted_and_numbered(connection):
    async with connection.cursor() as cursor:
        await cursor.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT)")
        assert cursor.description is None
        await cursor.executemany("INSERT INTO t (word) VALUES (?)", [("a",), ("b",), ("c",)])
        assert cursor.rowcount == 3
        await cursor.execute("INSERT INTO t (word) VALUES (?) RETURNING id, word", ("d",))
        assert await cursor.fetchall() == [(4, "d")]
        assert [each[0] for each in cursor.description] == ["id", "word"]
        await cursor.execute("INSERT INTO t (word) VALUES ('e')")
        assert cursor.lastrowid == 5
        await cursor.execute("UPDATE t SET word = 'x' WHERE id > ?", (3,))
        assert cursor.rowcount == 2


async def test_a_statement_that_fails_leaves_the_connection_usable(connection):
    async with connection.cursor() as cursor:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await cursor.execute("SELECT * FROM nowhere")
        await cursor.execute("SELECT 1")
        assert await cursor.fetchall() == [(1,)]


async def test_who_stops_early_leaves_no_statement_open(connection):
    async with connection.cursor() as cursor:
        await cursor.execute(SERIES, (5 * AHEAD,))
        await cursor.fetchmany(3)
    async with connection.cursor() as cursor:
        await cursor.execute("CREATE TABLE t (x)")  # an open reader would be in its way
        await cursor.execute("DROP TABLE t")


async def test_a_closed_connection_says_so(tmp_path):
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'one.db'}")
    async with database.reading() as session:
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
        assert isinstance(driver, OneTurnConnection)
        await driver.close()
        with pytest.raises(OperationalError):
            await session.execute(text("SELECT 1"))
    async with database.reading() as session:
        assert await session.scalar(text("SELECT 1")) == 1
    await database.close()


async def test_a_long_answer_streams(tmp_path):
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'one.db'}")
    async with database.reading() as session:
        asked = text(SERIES.replace("?", ":most")).execution_options(yield_per=250)
        found = await session.stream(asked, {"most": 3 * AHEAD + 7})
        pieces = [len(piece) async for piece in found.partitions(250)]
    assert sum(pieces) == 3 * AHEAD + 7
    assert max(pieces) <= 250
    await database.close()


@given(st.lists(st.integers(1, 12), max_size=12), st.integers(0, 40))
async def test_it_gives_what_the_standard_library_gives(sizes, rows):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite_connection, "AHEAD", 5)
        async with OneTurnConnection(":memory:") as opened, opened.cursor() as ours:
            theirs = sqlite3.connect(":memory:").execute(SERIES, (rows,))
            await ours.execute(SERIES, (rows,))
            for size in sizes:
                assert await ours.fetchmany(size) == theirs.fetchmany(size)
            assert await ours.fetchall() == theirs.fetchall()


async def test_closing_twice_or_after_a_stop_or_at_once_or_given_up_half_way_all_end(tmp_path):
    async with asyncio.timeout(60):
        for close_at_once in (True, False):
            connection = await OneTurnConnection(str(tmp_path / "one.db"))
            if close_at_once:
                await asyncio.gather(connection.close(), connection.close())
            given_up = asyncio.ensure_future(connection.close())
            await asyncio.sleep(0)
            given_up.cancel()
            connection.stop()
            await connection.close()
            with pytest.raises(ValueError, match="no active connection"):
                await connection.turn(lambda opened: opened.total_changes)


async def test_those_who_give_up_while_a_connection_is_made_leave_nothing_behind(tmp_path, caplog):
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'one.db'}")
    await read_one(database)
    for turns in range(60):
        await database.engine.dispose()
        reading = asyncio.ensure_future(read_one(database))
        for _ in range(turns // 2):
            await asyncio.sleep(0.0001)
        reading.cancel()
        if turns % 2:
            await asyncio.sleep(0.0001)
            reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    await database.close()
    gc.collect()
    assert not [record.message for record in caplog.records if record.levelname == "ERROR"]


async def read_one(database):
    async with database.reading() as session:
        await session.execute(text("SELECT 1"))
