"""Hubs that tell each other at once: one commits, and the listeners of the other hear it."""

import asyncio
import contextlib

import pytest
from aerocast_hub.events.gateways import GatewayStateChanged
from aerocast_hub.live.doorbell import Doorbell
from aerocast_hub.outbox import publish
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.redis_connection import RedisConnection
from aerocast_hub.running import running
from aerocast_hub.telemetry.metrics import Metrics

from tests.redis_server import running_redis


@pytest.fixture
def redis_server(tmp_path):
    with running_redis(tmp_path) as server:
        yield server


@pytest.fixture
async def two_hubs(database, redis_server, monkeypatch):
    """Two publishers on one database that hear of each other over the bell alone."""
    monkeypatch.setattr(publish, "POLL_S", 3600.0)
    async with contextlib.AsyncExitStack() as stack:
        publishers = []
        for _ in range(2):
            publisher = Publisher(database, Metrics())
            await publisher.start()
            connection = RedisConnection(redis_server.url)
            stack.push_async_callback(connection.close)
            await stack.enter_async_context(running(publisher.run()))
            await stack.enter_async_context(running(Doorbell(connection, publisher).run()))
            publishers.append(publisher)
        yield publishers


async def commit(database, publisher, number):
    async with database.writing() as session:
        event = GatewayStateChanged(at_us=number, site="lfbo", gateway="hall-1", state="gone")
        await write_events(session, [event])
    publisher.wake()


async def heard_by_the_other(database, two_hubs, number):
    """Commit at the one; give what the other's listener hears next."""
    with two_hubs[1].subscribe() as listener:
        await commit(database, two_hubs[0], number)
        return (await listener.next()).event.at_us


async def test_what_one_hub_commits_the_other_tells_at_once(database, two_hubs):
    async with asyncio.timeout(60):
        assert [await heard_by_the_other(database, two_hubs, n) for n in (1, 2, 3)] == [1, 2, 3]


async def test_a_bell_that_was_torn_off_loses_nothing_and_rings_again(
    database, two_hubs, redis_server
):
    async with asyncio.timeout(60):
        assert await heard_by_the_other(database, two_hubs, 1) == 1
        await asyncio.to_thread(redis_server.kill)
        with two_hubs[1].subscribe() as listener:
            await commit(database, two_hubs[0], 2)
            await asyncio.to_thread(redis_server.start)
            # Back at the bell it looks by itself: what was committed meanwhile is told now.
            assert (await listener.next()).event.at_us == 2
        assert await heard_by_the_other(database, two_hubs, 3) == 3


async def test_without_the_bell_a_hub_looks_by_itself(database, monkeypatch):
    monkeypatch.setattr(publish, "POLL_S", 0.05)
    publishers = [Publisher(database, Metrics()) for _ in range(2)]
    async with contextlib.AsyncExitStack() as stack:
        for publisher in publishers:
            await stack.enter_async_context(running(publisher.run()))
        async with asyncio.timeout(60):
            assert await heard_by_the_other(database, publishers, 1) == 1
