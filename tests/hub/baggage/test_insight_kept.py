"""Reports over all bags: made once for all who look, on every hub, with Redis or without."""

import asyncio
import contextlib
import time

import pytest
from aerocast_hub import redis_connection
from aerocast_hub.app import create_app
from aerocast_hub.baggage import insight_keeping
from aerocast_hub.baggage.insight_keeping import InsightKept
from aerocast_hub.cache.answers import Answers
from aerocast_hub.cache.keeping import MemoryKeeping
from aerocast_hub.database.engine import Database
from aerocast_hub.database.sight import Sight, seeing
from aerocast_hub.settings import load_settings
from aerocast_hub.sight.row_rules import ROW_RULES
from litestar.testing import AsyncTestClient

from tests.redis_server import running_redis

ALLOWED = frozenset({"baggage:read", "gateways:read"})


@pytest.fixture
def engine_kind():
    return "sqlite"


@pytest.fixture
async def kept(database):
    by_rules = Database(str(database.engine.url), ROW_RULES)
    yield InsightKept(by_rules, Answers(MemoryKeeping()))
    await by_rules.close()


@pytest.fixture
def made(monkeypatch):
    """What was really made, by its hours."""
    made = []
    performance = insight_keeping.performance

    async def counted(session, from_us, until_us):
        made.append((until_us - from_us) // insight_keeping.HOUR_US)
        return await performance(session, from_us, until_us)

    monkeypatch.setattr(insight_keeping, "performance", counted)
    return made


async def test_many_who_look_at_once_let_it_be_made_once(kept, made):
    told = await asyncio.gather(*(kept.performance(24) for _ in range(50)))
    assert len({each.until_us for each in told}) == 1
    assert (await kept.performance(1)).until_us > told[0].until_us
    assert made == [24, 1]
    assert await kept.clocks() == []


async def test_it_is_made_anew_when_its_time_is_over(kept, made, monkeypatch):
    monkeypatch.setattr(insight_keeping, "KEPT_S", 0.05)
    first = await kept.performance(24)
    async with asyncio.timeout(60):
        while (await kept.performance(24)).until_us == first.until_us:  # noqa: ASYNC110  its life ends by the clock
            await asyncio.sleep(0.01)
    assert made == [24, 24]


async def test_who_sees_some_rows_only_is_shown_nobody_elses_report(kept, made):
    whole = await kept.performance(24)
    for airline in ("AF", "LH"):
        with seeing(Sight(airlines=frozenset({airline}))):
            narrow = await kept.performance(24)
            assert narrow.until_us > whole.until_us
            assert await kept.performance(24) == narrow
    assert await kept.performance(24) == whole
    assert made == [24, 24, 24]


async def test_hubs_share_it_and_one_that_loses_redis_makes_its_own(
    database, tmp_path, made, monkeypatch
):
    # Redis that takes its time is not away: only one that is killed.
    monkeypatch.setattr(redis_connection, "ANSWER_WITHIN_S", 60.0)
    async with contextlib.AsyncExitStack() as stack:
        server = stack.enter_context(running_redis(tmp_path))
        hubs = []
        for _ in range(2):
            settings = load_settings(
                mode="dev",
                database_url=str(database.engine.url),
                data_dir=tmp_path / "hubs",
                broker_url="none:",
                redis_url=server.url,
            )
            client = AsyncTestClient(create_app(settings, ["auth", "baggage"]))
            hubs.append(await stack.enter_async_context(client))
            keys = client.app.state.hub.keys
            token = keys.signer.issue("0", "op", ALLOWED, int(time.time()))
            client.headers["authorization"] = f"Bearer {token}"

        async def ask(hub):
            answer = await hub.get("/api/performance")
            assert answer.status_code == 200, answer.text
            return answer.json()["until_us"]

        first = await ask(hubs[0])
        assert await ask(hubs[1]) == first
        assert made == [24]
        await asyncio.to_thread(server.kill)
        alone = [await ask(hub) for hub in hubs]
        assert alone[0] != alone[1]
        assert [await ask(hub) for hub in hubs] == alone  # kept by each for itself
        assert made == [24, 24, 24]
        exact = f"/api/performance?until_us={first}"
        assert (await hubs[0].get(exact)).json()["until_us"] == first
