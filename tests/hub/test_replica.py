"""A real streaming replica answers questions while it keeps up, and hides nothing written."""

import asyncio

import asyncpg
import pytest
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.database.replica import answering_a_request, let_be_stale
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.settings import SettingsError, load_settings
from sqlalchemy import text

from tests.hub.postgresql import find_binaries, running_postgresql


@pytest.fixture(scope="module")
def servers():
    """A primary and what follows it; gives the folders of their sockets."""
    binaries = find_binaries()
    with (
        running_postgresql(binaries) as primary,
        running_postgresql(binaries, primary=primary) as replica,
    ):
        yield primary, replica


@pytest.fixture
async def database(servers):
    primary, replica = (f"postgresql+asyncpg://hub@/postgres?host={each}" for each in servers)
    opened = Database(primary, replica_address=replica, longest_lag_s=60.0)
    await migrate(opened)
    yield opened
    await opened.close()


async def tell_replica(servers, statement):
    connection = await asyncpg.connect(host=str(servers[1]), user="hub", database="postgres")
    await connection.execute(statement)
    await connection.close()


async def is_answered_by_replica(database):
    async with database.reading() as session:
        return await session.scalar(text("SELECT pg_is_in_recovery()"))


async def until_fresh(database):
    async with asyncio.timeout(60):
        while True:
            await database.replica.look(database.engine)
            with answering_a_request():
                let_be_stale()
                if database.replica.may_answer():
                    return
            await asyncio.sleep(0.02)


async def test_a_question_is_answered_by_the_replica_and_nothing_else_is(database):
    await until_fresh(database)
    assert not await is_answered_by_replica(database)  # what decides reads where it writes
    with answering_a_request():
        assert not await is_answered_by_replica(database)  # nobody was let in yet
        let_be_stale()
        assert await is_answered_by_replica(database)
        async with database.writing() as session:
            assert not await session.scalar(text("SELECT pg_is_in_recovery()"))
    assert not await is_answered_by_replica(database)


async def test_what_a_request_wrote_the_next_one_sees(database, servers):
    await until_fresh(database)
    await tell_replica(servers, "SELECT pg_wal_replay_pause()")
    try:
        with answering_a_request():
            async with database.writing() as session:
                await add_gateway(session, "lfbo", "written-just-now")
        with answering_a_request():
            let_be_stale()
            await database.replica.look(database.engine)
            assert not await is_answered_by_replica(database)
            async with database.reading() as session:
                asked = text("SELECT count(*) FROM gateways WHERE name = 'written-just-now'")
                assert await session.scalar(asked) == 1
    finally:
        await tell_replica(servers, "SELECT pg_wal_replay_resume()")
    await until_fresh(database)
    with answering_a_request():
        let_be_stale()
        assert await is_answered_by_replica(database)
        async with database.reading() as session:
            assert await session.scalar(asked) == 1


async def test_a_replica_that_falls_behind_or_away_is_not_asked(database, servers):
    await until_fresh(database)
    database.replica._longest_lag_s = 0.0
    with answering_a_request():
        let_be_stale()
        assert not await is_answered_by_replica(database)
    database.replica._longest_lag_s = 60.0
    await database.replica.engine.dispose()
    gone = Database(
        f"postgresql+asyncpg://hub@/postgres?host={servers[0]}",
        replica_address="postgresql+asyncpg://hub@/postgres?host=/nowhere",
    )
    await gone.replica.look(gone.engine)
    with answering_a_request():
        let_be_stale()
        assert not await is_answered_by_replica(gone)
    await gone.close()


def test_a_replica_of_sqlite_is_refused():
    with pytest.raises(SettingsError, match="database_read_url is a PostgreSQL that follows"):
        load_settings(mode="dev", database_read_url="postgresql://hub@replica/hub")
