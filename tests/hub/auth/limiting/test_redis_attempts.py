"""Tries counted in a real Redis, and what happens without it."""

import asyncio
import itertools

import pytest
from aerocast_hub.auth.limiting.attempts import LOGINS, WINDOW_S, Attempts
from aerocast_hub.auth.limiting.storage import attempts_storage
from aerocast_hub.redis_connection import RedisConnection
from aerocast_hub.settings import load_settings

from tests.redis_server import running_redis

_numbers = itertools.count()


@pytest.fixture(scope="module")
def engine_kind():
    """Nothing is counted in the database here."""
    return "sqlite"


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as redis:
        yield redis.url.removesuffix("/0")


@pytest.fixture
def redis_url(redis_server):
    """A database of Redis of the test's own."""
    return f"{redis_server}/{next(_numbers)}"


async def test_processes_on_one_redis_count_together(database, redis_url):
    settings = load_settings(mode="dev", tries_in="redis", redis_url=redis_url)
    redis = [RedisConnection(redis_url) for _ in range(2)]
    both = [Attempts("logins", LOGINS, attempts_storage(settings, database, one)) for one in redis]
    waits = await asyncio.gather(*(both[n % 2].wait_s("ada", "192.0.2.1") for n in range(30)))
    for one in redis:
        await one.close()
    assert waits.count(0.0) == LOGINS.together
    assert 0 < max(waits) <= WINDOW_S


async def test_a_try_that_is_taken_back_does_not_count(database, redis_url):
    settings = load_settings(mode="dev", tries_in="redis", redis_url=redis_url)
    redis = RedisConnection(redis_url)
    attempts = Attempts("finds", LOGINS, attempts_storage(settings, database, redis))
    for _ in range(3 * LOGINS.account):
        assert await attempts.wait_s("0220123456", "192.0.2.1") == 0.0
        await attempts.take_back("0220123456", "192.0.2.1")
    assert await attempts.wait_s("0220123456", "192.0.2.1") == 0.0
    await redis.close()


async def test_without_redis_a_process_counts_by_itself(database, caplog):
    away = "redis://127.0.0.1:1/0"
    settings = load_settings(mode="dev", tries_in="redis", redis_url=away)
    redis = RedisConnection(away)
    attempts = Attempts("logins", LOGINS, attempts_storage(settings, database, redis))
    waits = [await attempts.wait_s("ada", "192.0.2.1") for _ in range(20)]
    assert waits.count(0.0) == LOGINS.together
    await redis.close()
    assert caplog.text.count("counted by this process alone") == 1
