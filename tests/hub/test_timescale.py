"""TimescaleDB: what can be tried without it. Its own statements are told by their shape."""

import re

import pytest
from aerocast_hub.cli import main
from aerocast_hub.database.partitions import attached_months, make_months
from aerocast_hub.database.timescale import (
    DAY_US,
    FLATTEN,
    HYPERTABLE,
    TimescaleError,
    is_hypertable,
    take_over,
)
from aerocast_hub.inbox.store import Row, event_store
from sqlalchemy import text

from tests.hub.test_database import differences


async def on(database, work):
    async with database.writing() as session:
        return await (await session.connection()).run_sync(work)


class Pretending:
    """A connection to a server that says it has TimescaleDB, and notes what it is told."""

    def __init__(self, *, has_rows=False):
        self.dialect = self
        self.name = "postgresql"
        self.has_rows = has_rows
        self.told = []

    def scalar(self, asked, _given=None):
        if "pg_available_extensions" in asked.text:
            return 1
        return self.has_rows if "EXISTS" in asked.text else None

    def execute(self, told):
        self.told.append(told.text)


async def test_a_server_without_it_is_told_what_mends_it(postgresql_database):
    with pytest.raises(TimescaleError, match="this server has no timescaledb: install its package"):
        await on(postgresql_database, take_over)
    assert not await on(postgresql_database, is_hypertable)


def test_it_is_chosen_before_the_first_observation():
    pretending = Pretending()
    assert take_over(pretending)
    assert pretending.told == [*FLATTEN, *HYPERTABLE]
    with pytest.raises(TimescaleError, match="chosen before the first one"):
        take_over(Pretending(has_rows=True))


def test_its_statements_make_days_compress_weeks_and_count_hours():
    told = "\n".join(HYPERTABLE)
    steps = ["CREATE EXTENSION", "create_hypertable", "set_integer_now_func", "compress_segmentby"]
    steps += ["add_compression_policy", "timescaledb.continuous", "add_continuous_aggregate_policy"]
    places = [told.index(step) for step in steps]
    assert places == sorted(places)
    assert f"by_range('received_at_us', {DAY_US})" in told
    assert "WITH NO DATA" in told  # with data it cannot be part of a transaction
    assert all(statement.count("(") == statement.count(")") for statement in HYPERTABLE)
    assert not re.search(r":\w", told)  # nothing SQLAlchemy would take for a parameter


async def test_the_table_that_takes_the_place_of_months_serves_the_inbox(postgresql_database):
    def flatten(connection):
        for statement in FLATTEN:
            connection.execute(text(statement))

    await on(postgresql_database, flatten)
    assert await on(postgresql_database, differences) == []
    async with postgresql_database.writing() as session:
        assert await make_months(session, 1_800_000_000_000_000) == []
        assert await attached_months(session) == []
        row = Row(1, 7, 2, 1, "tag_read", "portal", 5, 0, 3, 12, b"\x80")
        assert await event_store(postgresql_database).append(session, [row]) == [row]
    async with postgresql_database.writing() as session:
        assert await event_store(postgresql_database).append(session, [row]) == ()


def test_the_command_says_that_sqlite_has_none(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("AEROCAST_HUB_MODE", "dev")
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", f"sqlite:///{tmp_path / 'hub.db'}")
    assert main(["migrate", "--timescale"]) == 2
    assert "TimescaleDB is an extension of PostgreSQL" in capsys.readouterr().err
