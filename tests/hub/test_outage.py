"""A database that does not answer: the log tells it once for everybody, requests may come again."""

import asyncio
import json
import logging

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.database.engine import Database, is_unable_now
from aerocast_hub.outage import SURE_AFTER_S, TOLD_EVERY_S, Outage
from aerocast_hub.outbox import follow, publish
from aerocast_hub.outbox.follow import Follower
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.settings import load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_simulator.processes import free_port
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from tests.clock import Clock
from tests.waiting import until


@pytest.fixture
def nowhere():
    return f"postgresql+asyncpg://hub:s3cret@127.0.0.1:{free_port()}/hub"


def test_an_outage_is_told_when_it_begins_once_a_minute_and_when_it_ends():
    clock = Clock()
    outage = Outage(clock)
    told_at_s = []
    for second in range(150):
        clock.now_s = 1000.0 + second
        if sum(outage.note_failure() for _ in range(10)):
            told_at_s.append(second)
    assert told_at_s == [0, TOLD_EVERY_S, 2 * TOLD_EVERY_S]
    assert outage.note_answer(is_written=True) == 149.0
    assert not outage.goes_on
    assert outage.note_answer(is_written=True) is None
    assert outage.note_failure()


def test_a_database_that_reads_but_cannot_write_is_told_once():
    clock = Clock()
    outage = Outage(clock)
    told = []
    for _ in range(50):
        told += [outage.note_failure(), outage.note_answer(is_written=False)]
        clock.now_s += 1.0
    assert told == [True, None, *[False, None] * 49]
    clock.now_s += SURE_AFTER_S
    assert outage.note_answer(is_written=False) == 49.0 + SURE_AFTER_S + 1.0


async def test_whoever_waits_for_a_database_that_is_away_the_log_tells_it_once(
    nowhere, caplog, monkeypatch
):
    for module in (publish, follow):
        monkeypatch.setattr(module, "POLL_S", 0.01)
    caplog.set_level(logging.DEBUG, "aerocast_hub.database.engine")
    database = Database(nowhere)
    publisher = Publisher(database, Metrics())
    followers = [
        Follower(name, (), None, database, publisher) for name in ("bags", "alerts", "epcis")
    ]

    def waits():
        return sum("the database does not answer" in each.message for each in caplog.records)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run()) for each in (publisher, *followers)]
        await until(lambda: waits() > 20)
        for task in tasks:
            task.cancel()
    await database.close()
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.levelname, record.exc_info) for record in told] == [("WARNING", None)]
    assert "s3cret" not in caplog.text


async def test_what_is_no_outage_is_told_with_all_that_is_known(database, caplog):
    for _ in range(2):
        with pytest.raises(Exception, match="no_such_table") as failed:
            async with database.reading() as session:
                await session.execute(text("SELECT 1 FROM no_such_table"))
        database.tell_failure("tests wait", failed.value)
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 2
    assert all(record.exc_info for record in told)


async def test_that_a_database_answers_again_is_told(database, caplog):
    caplog.set_level(logging.INFO, "aerocast_hub.database.engine")
    nobody = Database(f"postgresql+asyncpg://hub@127.0.0.1:{free_port()}/hub")
    with pytest.raises(OSError, match=r"127\.0\.0\.1") as failed:
        async with nobody.reading() as session:
            await session.execute(text("SELECT 1"))
    assert is_unable_now(failed.value)
    database.tell_failure("tests wait", failed.value)
    async with database.writing() as session:
        await session.execute(text("SELECT 1"))
    told = [record.message for record in caplog.records]
    assert told[-1].startswith("the database answers again, after")


async def test_a_request_that_needs_a_database_which_is_away_may_come_again(
    database_url, tmp_path, caplog
):
    settings = load_settings(mode="dev", database_url=database_url, data_dir=tmp_path)
    app = create_app(settings, ["auth"])
    async with AsyncTestClient(app) as client:
        hub = app.state.hub
        nobody = Database(f"postgresql+asyncpg://hub@127.0.0.1:{free_port()}/hub")
        engine, hub.database._writers = hub.database._writers, nobody._writers
        try:
            words = {"name": "anna", "password": "correct horse battery"}
            for _ in range(3):
                answer = await client.post("/auth/login", json=words)
                assert answer.status_code == 503, answer.text
                assert answer.headers["retry-after"]
                assert "database" in json.loads(answer.text)["detail"]
        finally:
            hub.database._writers = engine
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
