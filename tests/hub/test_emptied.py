"""What tests share must be as good as new: a database that one of them had before."""

import pytest
from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.registry import add_gateway
from sqlalchemy import make_url, text

from tests.hub.conftest import one_on
from tests.hub.emptied import shape_of


async def with_database(address, work):
    database = Database(address)
    try:
        async with database.writing() as session:
            return await work(session)
    finally:
        await database.close()


async def everything(session):
    counted = (
        "SELECT (SELECT count(*) FROM gateways), (SELECT count(*) FROM audit),"
        " (SELECT count(*) FROM outbox), (SELECT count(*) FROM pg_sequences WHERE last_value > 0),"
        " current_setting('session_replication_role')"
    )
    return tuple((await session.execute(text(counted))).one())


NEW = (0, 0, 0, 0, "origin")


async def test_a_database_that_was_written_to_is_empty_for_the_next_test(postgresql):
    for _ in range(2):
        with one_on(postgresql, "template_hub") as address:
            assert await with_database(address, everything) == NEW

            async def add(session):
                await add_gateway(session, "lfbo", "hall-1")

            await with_database(address, add)
            assert await with_database(address, everything) != NEW


@pytest.mark.parametrize(
    "harm",
    [
        "DROP TRIGGER audit_no_delete ON audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "CREATE TABLE more (id int)",
        "ALTER TABLE gateways ADD COLUMN more int",
        "ALTER TABLE gateways ALTER COLUMN name DROP NOT NULL",
        "DROP INDEX {index}",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
async def test_one_that_is_no_more_what_it_was_is_not_used_again(postgresql, harm):
    async def do(session):
        asked = "SELECT indexname FROM pg_indexes WHERE indexname ~ '^ix_'"
        index = await session.scalar(text(asked))
        await session.execute(text(harm.format(index=index)))

    with one_on(postgresql, "template_hub") as address:
        await with_database(address, do)
    with one_on(postgresql, "template_hub") as address:
        name = make_url(address).database
        assert await shape_of(postgresql, name) == await shape_of(postgresql, "template_hub")
