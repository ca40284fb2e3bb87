import asyncio

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
