"""TimescaleDB itself keeps observations: its release 2.23, on PostgreSQL 17 in WebAssembly.

`make timescale` fetches it; nothing else does, for it is a build of somebody's own. It has one
session and no workers in the background, so what it does by itself on a server (compressing,
counting) is asked for here.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from aerocast_hub.cli import main
from aerocast_hub.database.engine import Database
from aerocast_hub.database.months import Month
from aerocast_hub.database.timescale import DAY_US, HOUR_US, is_hypertable
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.store import Row, event_store
from aerocast_hub.retention.forget import forget
from aerocast_hub.settings import load_settings
from aerocast_hub.storage.archive import list_archives, make_archive, verify_archive
from aerocast_hub.storage.objects import open_objects
from aerocast_protocols.batch import encode_observation
from aerocast_protocols.observations.bags import TagRead
from sqlalchemy import text

FOLDER = Path(__file__).parents[1] / "timescale"
MAY = Month(2033, 5)
DAYS, A_DAY = 4, 50
STORED = "SELECT sequence, received_at_us, body FROM observations ORDER BY sequence"


@pytest.fixture(scope="module")
def address():
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").exists():
        pytest.skip("TimescaleDB is not there: apt install nodejs npm, make timescale")
    server = subprocess.Popen([node, FOLDER / "serve.mjs"], cwd=FOLDER, stdout=subprocess.PIPE)
    try:
        port = server.stdout.readline().decode().strip()
        assert port, "it does not start"
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@pytest.fixture
def migrated(address, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AEROCAST_HUB_MODE", "dev")
    monkeypatch.setenv("AEROCAST_HUB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("AEROCAST_HUB_DATABASE_URL", address)
    for _ in range(2):  # the second time it is there already
        assert main(["migrate", "--timescale"]) == 0
    return capsys.readouterr().out


def row(day, number):
    read = TagRead(device="portal", boot_ns=5, epc=number.to_bytes(12), antenna=number % 4)
    at_us = MAY.first_us + day * DAY_US + number * HOUR_US // 4
    body = encode_observation(read)
    sequence = 1 + day * A_DAY + number
    return Row(1, 7, 2, sequence, "tag_read", "portal", 5, at_us, 3, at_us, body)


class Kept:
    """The hub's own way to its observations, and questions about them."""

    def __init__(self, address):
        self.database = Database(address.replace("postgresql:", "postgresql+asyncpg:"))

    async def asked(self, sql):
        async with self.database.reading() as session:
            return [tuple(each) for each in await session.execute(text(sql))]

    async def append(self, some):
        async with self.database.writing() as session:
            return list(await event_store(self.database).append(session, some))

    async def chunks(self):
        view = "timescaledb_information.chunks"
        return await self.asked(
            f"SELECT count(*) FROM {view} WHERE hypertable_name = 'observations'"  # noqa: S608  a view of its own
        )


@pytest.fixture
async def kept(migrated, address):
    assert migrated.count("up to date") == 2
    opened = Kept(address)
    yield opened
    await opened.database.close()


async def test_the_hub_s_observations_live_and_go_in_chunks_of_a_day(kept, tmp_path):
    rows = [row(day, number) for day in range(DAYS) for number in range(A_DAY)]
    known = await check_storing(kept, rows)
    await check_hours(kept)
    late = await check_compression(kept, rows, known)
    count = len([*rows, late])
    objects = open_objects(load_settings(mode="dev", data_dir=tmp_path))
    archived = await make_archive(kept.database, objects, MAY)
    assert (await verify_archive(objects, archived)).rows == count
    assert await list_archives(objects) == [archived]
    gone = await forget(kept.database, MAY.end_us + DAY_US, record_days=1, personal_days=0)
    assert gone["observations"] == count
    assert await kept.chunks() == [(0,)]


async def check_storing(kept, rows):
    async with kept.database.writing() as session:
        assert await (await session.connection()).run_sync(is_hypertable)
        await add_gateway(session, "lfbo", "hall-1")
        names, given = ", ".join(Row._fields), ", ".join(f":{name}" for name in Row._fields)
        first = text(f"INSERT INTO observations ({names}) VALUES ({given})")  # noqa: S608  names of ours
        await session.execute(first, rows[0]._asdict())
    # One that is there sends all of them by the statement for what comes again: COPY from a client
    # is nothing that PostgreSQL in WebAssembly does.
    assert await kept.append(rows) == rows[1:]
    assert await kept.append(rows[:7]) == []
    known = await kept.asked(STORED)
    assert [each[0] for each in known] == [each.sequence for each in rows]
    assert await kept.chunks() == [(DAYS,)]
    return known


async def check_hours(kept):
    jobs = await kept.asked("SELECT proc_name FROM timescaledb_information.jobs")
    assert {("policy_compression",), ("policy_refresh_continuous_aggregate",)} <= set(jobs)
    async with kept.database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        until_us = MAY.first_us + DAYS * DAY_US
        refresh = f"CALL refresh_continuous_aggregate('observations_by_hour', 0, {until_us})"
        await connection.execute(text(refresh))
    by_hour = "SELECT sum(observations), max(observations), count(*) FROM observations_by_hour"
    assert await kept.asked(by_hour) == [(DAYS * A_DAY, 4, DAYS * 13)]


async def check_compression(kept, rows, known):
    async with kept.database.writing() as session:
        compress = "SELECT count(compress_chunk(each)) FROM show_chunks('observations') each"
        assert await session.scalar(text(compress)) == DAYS
    assert await kept.asked(STORED) == known
    assert await kept.append(rows[:3]) == []  # what comes again into a compressed chunk
    late = row(0, A_DAY)._replace(sequence=999)
    assert await kept.append([rows[0], late]) == [late]
    return late
