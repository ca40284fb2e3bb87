import asyncio
import logging
from random import Random

import pytest
from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import METADATA
from aerocast_hub.database.migrate import migrate
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

pytestmark = pytest.mark.every_database


def differences(connection):
    options = {"compare_type": True, "include_object": is_no_partition}
    return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)


def is_no_partition(_object, name, kind, _reflected, _compare_to):
    return kind != "table" or not name.startswith("observations_")


async def test_migrations_give_the_tables_of_the_code(empty_database_url):
    database = Database(empty_database_url)
    await migrate(database)
    await migrate(database)
    async with database.reading() as session:
        assert await (await session.connection()).run_sync(differences) == []
    await database.close()


async def test_a_block_that_raises_leaves_nothing_behind(database):
    async def add_and_fail():
        async with database.writing() as session:
            await session.execute(
                text("INSERT INTO gateways (site, name, added_at_us) VALUES ('s', 'g', 1)")
            )
            await session.execute(text("SELECT nonsense"))

    with pytest.raises(DBAPIError):
        await add_and_fail()
    async with database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM gateways")) == 0


async def test_writers_queue_instead_of_failing(database):
    async def add(name):
        async with database.writing() as session:
            await session.execute(text("SELECT count(*) FROM gateways"))
            await session.execute(
                text("INSERT INTO gateways (site, name, added_at_us) VALUES ('s', :n, 1)"),
                {"n": name},
            )

    await asyncio.gather(*(add(f"g-{number}") for number in range(20)))
    async with database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM gateways")) == 20


@pytest.mark.parametrize("part", ["inside", "at the end"])
async def test_work_cancelled_at_any_moment_leaves_its_connection_whole(database, caplog, part):
    random = Random(1)

    async def add(ends, name):
        async with database.writing() as session:
            if part == "inside":
                ends.set()
            await session.execute(
                text("INSERT INTO gateways (site, name, added_at_us) VALUES ('s', :n, 1)"),
                {"n": name},
            )
            ends.set()

    async def look(ends):
        async with database.reading() as session:
            if part == "inside":
                ends.set()
            await session.scalar(text("SELECT count(*) FROM gateways"))
            ends.set()

    writers = cancelled = 0
    for number in range(300):
        ends = asyncio.Event()
        is_writer = number % 3 != 0
        work = asyncio.create_task(add(ends, f"g-{number}") if is_writer else look(ends))
        await ends.wait()
        await asyncio.sleep(random.random() * 0.001)
        work.cancel()
        [outcome] = await asyncio.gather(work, return_exceptions=True)
        assert outcome is None or isinstance(outcome, asyncio.CancelledError)
        writers += is_writer
        cancelled += outcome is not None
    assert cancelled
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert database.engine.pool.checkedout() == 0
    async with database.reading() as session:
        kept = await session.scalar(text("SELECT count(*) FROM gateways"))
    assert kept <= writers if part == "inside" else kept == writers


async def test_a_second_event_loop_is_told_to_open_a_database_of_its_own(database):
    async def look(seen):
        async with seen.reading() as session:
            return await session.scalar(text("SELECT 1"))

    async def write(seen):
        async with seen.writing() as session:
            await session.execute(text("SELECT 1"))

    assert await look(database) == 1
    for use in (look, write):
        with pytest.raises(RuntimeError, match="open a Database in each loop"):
            await asyncio.to_thread(asyncio.run, use(database))
    assert await look(database) == 1


async def test_a_closed_database_serves_the_next_event_loop(empty_database_url):
    database = Database(empty_database_url)

    async def look():
        async with database.reading() as session:
            found = await session.scalar(text("SELECT 1"))
        await database.close()
        return found

    assert await look() == 1
    assert await asyncio.to_thread(asyncio.run, look()) == 1
