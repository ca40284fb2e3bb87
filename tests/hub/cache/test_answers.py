"""Answers made once for many: in memory, in Redis, and when Redis goes away meanwhile."""

import asyncio
import contextlib

import pytest
from aerocast_hub.cache.answers import Answers
from aerocast_hub.cache.keeping import MemoryKeeping, RedisKeeping
from aerocast_hub.redis_connection import RedisConnection

from tests.redis_server import running_redis


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def hubs(request):
    """Give a function that makes one more hub's answers; in memory there is only one hub."""
    async with contextlib.AsyncExitStack() as stack:
        if request.param == "memory":
            only = Answers(MemoryKeeping())
            yield lambda: only
            return
        server = request.getfixturevalue("redis_server")

        def one_more():
            connection = RedisConnection(server.url)
            stack.push_async_callback(connection.close)
            return Answers(RedisKeeping(connection))

        first = RedisConnection(server.url)
        stack.push_async_callback(first.close)
        await first.ask(lambda redis: redis.flushall())
        yield one_more


class Kitchen:
    """Counts how often it is asked to make an answer."""

    def __init__(self, pause_s=0.05):
        self.made = 0
        self._pause_s = pause_s

    async def make(self):
        self.made += 1
        await asyncio.sleep(self._pause_s)
        return b"answer %d" % self.made


async def test_many_who_ask_at_once_let_it_be_made_once(hubs):
    kitchen = Kitchen()
    several = [hubs(), hubs(), hubs()]
    answers = await asyncio.gather(
        *(each.remembered("soup", 60, kitchen.make) for each in several for _ in range(50))
    )
    assert set(answers) == {b"answer 1"}
    assert kitchen.made == 1


async def test_an_answer_lives_as_long_as_was_said_and_is_then_made_anew(hubs):
    kitchen = Kitchen(0)
    one = hubs()
    assert await one.remembered("soup", 0.2, kitchen.make) == b"answer 1"
    assert await one.remembered("soup", 60, kitchen.make) == b"answer 1"
    async with asyncio.timeout(60):
        while await one.remembered("soup", 60, kitchen.make) == b"answer 1":  # noqa: ASYNC110  its life ends by the clock
            await asyncio.sleep(0.02)
    assert kitchen.made == 2


async def test_what_fails_fails_for_all_who_wait_and_is_not_kept(hubs):
    kitchen = Kitchen(0)
    one = hubs()

    async def burn():
        await asyncio.sleep(0.02)
        raise LookupError("burnt")

    burnt = await asyncio.gather(
        *(one.remembered("soup", 60, burn) for _ in range(10)), return_exceptions=True
    )
    assert {repr(each) for each in burnt} == {"LookupError('burnt')"}
    assert await one.remembered("soup", 60, kitchen.make) == b"answer 1"


async def test_who_stops_waiting_spoils_it_for_nobody(hubs):
    kitchen = Kitchen(0.2)
    one = hubs()
    impatient = asyncio.create_task(one.remembered("soup", 60, kitchen.make))
    patient = asyncio.create_task(one.remembered("soup", 60, kitchen.make))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == b"answer 1"
    assert kitchen.made == 1


async def test_a_cook_that_died_with_the_spoon_in_hand_holds_nobody_up_for_ever(hubs, monkeypatch):
    monkeypatch.setattr("aerocast_hub.cache.answers.LONGEST_MAKING_S", 0.3)
    one, kitchen = hubs(), Kitchen(0)
    assert await one._keeping.begin("soup", 0.3) is not None
    assert await one.remembered("soup", 60, kitchen.make) == b"answer 1"


async def test_redis_killed_under_questions_costs_no_answer(tmp_path):
    with running_redis(tmp_path) as server:
        connection = RedisConnection(server.url)
        answers, kitchen = Answers(RedisKeeping(connection)), Kitchen(0)
        asked, is_over = 0, False

        async def keep_asking():
            nonlocal asked
            while not is_over:
                key = f"soup {asked % 7}"
                answer = await answers.remembered(key, 0.05, kitchen.make)
                assert answer.startswith(b"answer")
                asked += 1
                await asyncio.sleep(0.001)

        async def asked_more(count):
            enough = asked + count
            async with asyncio.timeout(60):
                while asked < enough:  # noqa: ASYNC110  counts what others do
                    await asyncio.sleep(0.01)

        guests = [asyncio.create_task(keep_asking()) for _ in range(8)]
        await asked_more(100)
        await asyncio.to_thread(server.kill)
        await asked_more(100)
        await asyncio.to_thread(server.start)
        await asked_more(100)
        async with asyncio.timeout(60):
            while not await answers._keeping._redis.client.dbsize():  # noqa: ASYNC110  it is used again
                await asyncio.sleep(0.02)
        is_over = True
        await asyncio.gather(*guests)
        await connection.close()
