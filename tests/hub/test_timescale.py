"""TimescaleDB: what can be tried without it, with functions of its documented signatures."""

import re

import asyncpg
import pytest
from aerocast_hub.cli import main
from aerocast_hub.database.partitions import attached_months, make_months
from aerocast_hub.database.timescale import (
    DAY_US,
    FLATTEN,
    HOUR_US,
    HYPERTABLE,
    TimescaleError,
    drop_chunks,
    is_hypertable,
    take_over,
)
from aerocast_hub.inbox.store import Row, event_store
from sqlalchemy import text

from tests.hub.test_database import differences

# As its API reference gives them (2.13 and later); `regclass` looks for the table, as there.
SIGNATURES = """
CREATE TYPE dimension_info AS (told text);
CREATE FUNCTION by_range(column_name name, partition_interval anyelement DEFAULT NULL::bigint,
  partition_func regproc DEFAULT NULL) RETURNS dimension_info
  LANGUAGE sql AS 'SELECT ROW(''range'')::dimension_info';
CREATE FUNCTION create_hypertable(relation regclass, dimension dimension_info,
  create_default_indexes boolean DEFAULT true, if_not_exists boolean DEFAULT false,
  migrate_data boolean DEFAULT false, OUT hypertable_id int, OUT created boolean)
  LANGUAGE sql AS 'SELECT 1, true';
CREATE FUNCTION set_integer_now_func(hypertable regclass, integer_now_func regproc,
  replace_if_exists boolean DEFAULT false) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION add_compression_policy(hypertable regclass, compress_after anyelement,
  if_not_exists boolean DEFAULT false, schedule_interval interval DEFAULT NULL,
  initial_start timestamptz DEFAULT NULL, timezone text DEFAULT NULL) RETURNS integer
  LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION time_bucket(bucket_width bigint, ts bigint) RETURNS bigint IMMUTABLE
  LANGUAGE sql AS 'SELECT ts / bucket_width * bucket_width';
CREATE FUNCTION add_continuous_aggregate_policy(continuous_aggregate regclass,
  start_offset anyelement, end_offset anyelement, schedule_interval interval,
  if_not_exists boolean DEFAULT false) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION drop_chunks(relation regclass, older_than anyelement,
  newer_than anyelement DEFAULT NULL, "verbose" boolean DEFAULT false) RETURNS SETOF text
  LANGUAGE sql AS 'SELECT ''a chunk''';
"""
OPTION = re.compile(r"timescaledb\.(\w+)(?: = '[^']*')?")


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


@pytest.mark.parametrize("engine_kind", ["postgresql", "postgresql-18"])
async def test_postgresql_reads_every_statement_and_finds_its_functions(database, database_url):
    address = re.sub(r"\+asyncpg", "", database_url)
    server = await asyncpg.connect(address)
    try:
        await server.execute(SIGNATURES)
        for statement in FLATTEN:
            await server.execute(statement)
        options = []
        for statement in HYPERTABLE[1:]:  # the first one is the extension
            asked = statement
            if "timescaledb." in statement:
                # It is read whole, and only what TimescaleDB adds is not known here.
                with pytest.raises(asyncpg.PostgresError, match=r'namespace "timescaledb"$'):
                    await server.execute(statement)
                options += OPTION.findall(statement)
                if statement.startswith("ALTER"):
                    continue
                asked = OPTION.sub("", statement).replace("WITH ()", "")
            await server.execute(asked)
        assert options == ["compress", "compress_segmentby", "compress_orderby", "continuous"]
        await server.execute(
            "INSERT INTO observations SELECT 1, 7, 2, n, 'tag_read', 'portal', 5, 0, 3,"
            " n * CAST(1800000000 AS bigint), '' FROM generate_series(1, 4) n"
        )
        await server.execute("REFRESH MATERIALIZED VIEW observations_by_hour")
        counted = await server.fetch(
            "SELECT hour_us, observations FROM observations_by_hour ORDER BY hour_us"
        )
        assert [tuple(row) for row in counted] == [(0, 1), (HOUR_US, 2), (2 * HOUR_US, 1)]
    finally:
        await server.close()
    await on(database, lambda connection: drop_chunks(connection, DAY_US, 2 * DAY_US))


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
