"""The stream of what happens: ready, then each committed event, until the token ends."""

import asyncio
import json
import time

import pytest
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.events.bags import BagForgotten
from aerocast_hub.events.gateways import GatewayStateChanged
from aerocast_hub.live import controller, server_sent
from aerocast_hub.live.server_sent import LONGEST_QUEUE, stream
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.telemetry.metrics import Metrics

LONG_AFTER_S = 2**40


def gone(number):
    return GatewayStateChanged(at_us=number, site="lfbo", gateway=f"hall-{number}", state="gone")


@pytest.fixture
def publisher(database):
    return Publisher(database, Metrics())


def listen(publisher, ends_at_s=LONG_AFTER_S):
    who = Principal(user_id="1", name="op", permissions=frozenset(), expires_at_s=ends_at_s)
    return stream(publisher, Standing(publisher._database), who, everything)


async def everything(_event):
    return True


async def commit(database, publisher, events):
    async with database.writing() as session:
        await write_events(session, events)
    await publisher.publish_committed()


def told(chunk):
    lines = dict(line.split(": ", 1) for line in chunk.decode().split("\r\n") if ": " in line)
    return json.loads(lines["data"]), lines.get("id")


async def test_a_stream_begins_with_ready_and_tells_committed_events_in_order(database, publisher):
    listening = listen(publisher)
    first = await anext(listening)
    assert b"event: ready" in first
    assert b"retry: 2000" in first
    await commit(database, publisher, [gone(1), gone(2)])
    event, one = told(await anext(listening))
    assert event == {
        "kind": "gateway_state_changed",
        "at_us": 1,
        "site": "lfbo",
        "gateway": "hall-1",
        "state": "gone",
    }
    event, other = told(await anext(listening))
    assert event["gateway"] == "hall-2"
    assert int(other) > int(one)
    await listening.aclose()


async def test_who_follows_the_gateways_hears_of_no_bag(database, publisher):
    bag = BagForgotten(at_us=1, bag_id="x")
    told = stream(
        publisher,
        Standing(database),
        Principal(user_id="1", name="op", permissions=frozenset(), expires_at_s=LONG_AFTER_S),
        controller.is_of_a_gateway,
    )
    assert (await anext(told)).startswith(b"event: ready")
    await commit(database, publisher, [bag, gone(2), bag])
    assert b'"gateway":"hall-2"' in await anext(told)
    await told.aclose()


async def test_what_is_rolled_back_is_never_told(database, publisher):
    listening = listen(publisher)
    await anext(listening)
    async with database.writing() as session:
        await write_events(session, [gone(1)])
        await session.rollback()
    await commit(database, publisher, [gone(2)])
    assert told(await anext(listening))[0]["gateway"] == "hall-2"
    await listening.aclose()


async def test_a_slow_listener_is_told_and_let_go(database, publisher):
    listening = listen(publisher)
    await anext(listening)
    await commit(database, publisher, [gone(n) for n in range(LONGEST_QUEUE + 50)])
    chunks = [chunk async for chunk in listening]
    assert b"event: behind" in chunks[-1]
    assert len(chunks) == LONGEST_QUEUE + 1


async def test_a_stream_ends_when_the_hub_stops(database, publisher):
    listening, behind = listen(publisher), listen(publisher)
    await anext(listening)
    await anext(behind)
    waiting = asyncio.create_task(anext(listening))
    await asyncio.sleep(0)
    await commit(database, publisher, [gone(1)])
    assert told(await waiting)[0]["gateway"] == "hall-1"
    waiting = asyncio.create_task(anext(listening))
    await asyncio.sleep(0)
    publisher.close()
    assert b"event: behind" in await waiting
    chunks = [chunk async for chunk in behind]
    assert told(chunks[0])[0]["gateway"] == "hall-1"
    late = [chunk async for chunk in listen(publisher)]
    assert len(late) == 2


async def test_a_stream_ends_with_the_token(publisher):
    listening = listen(publisher, int(time.time()) + 1)
    chunks = [chunk async for chunk in listening]
    assert b"event: ready" in chunks[0]
    assert len(chunks) == 1


async def test_a_quiet_stream_says_that_it_is_still_there(publisher, monkeypatch):
    monkeypatch.setattr(server_sent, "HEARTBEAT_S", 0.05)
    listening = listen(publisher)
    await anext(listening)
    assert (await anext(listening)).startswith(b":")
    await listening.aclose()


async def test_a_listener_that_leaves_is_forgotten(publisher):
    listening = listen(publisher)
    await anext(listening)
    waiting = asyncio.create_task(anext(listening))
    await asyncio.sleep(0)
    assert len(publisher._subscriptions) == 1
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert publisher._subscriptions == set()
