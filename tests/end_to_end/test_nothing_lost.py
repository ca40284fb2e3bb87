"""Kill the gateway and the broker in mid-flow: what was called durable is at the hub, once."""

import asyncio
import json
import os
import random
import sqlite3
from contextlib import closing

import psutil
import pytest
from aerocast_protocols.batch import decode_observation
from aerocast_protocols.observations import TagRead
from aerocast_simulator.airport import SHIRT_PC
from aerocast_simulator.llrp_reader import FakeReader
from aerocast_simulator.town import Gateway, Hub

READS_PER_S = 100
DRAIN_LIMIT_S = 60.0
ROUNDS = 40 if os.environ.get("AEROCAST_SOAK") else 3


def configuration(port):
    return {
        "gateway": {"site": "lfbo", "name": "hall-1"},
        "device": [{"name": "portal", "kind": "llrp", "host": "127.0.0.1", "port": port}],
    }


async def read_tags(reader, numbers):
    """Read a tag nobody read before, a hundred times a second, for ever."""
    while True:
        epc = b"\x30" + next(numbers).to_bytes(11, "big")
        reader.report(epc, 1, -50.0, pc=SHIRT_PC)
        await asyncio.sleep(1 / READS_PER_S)


def broker_of(hub):
    """The embedded broker's process, a child of the hub's."""
    (broker,) = psutil.Process(hub.process.pid).children(recursive=True)
    return broker


async def durable_of(gateway, seen):
    """Note how many observations of its present epoch the gateway calls durable."""
    status = await gateway.status()
    if status["running"]:
        durable = status["since_start"]["durable"]
        seen[status["epoch"]] = max(seen.get(status["epoch"], 0), durable)


async def watch(gateway, seen):
    while True:
        await durable_of(gateway, seen)
        await asyncio.sleep(0.2)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_kills_in_mid_flow_lose_nothing_durable_and_double_nothing(tmp_path, seed):
    chance = random.Random(seed)
    reader, hub = FakeReader(), Hub(tmp_path / "hub", metars=None)
    await reader.start()
    await hub.prepare()
    gateway = Gateway(tmp_path / "hall-1", configuration(reader.port), hub)
    await gateway.register(hub)
    durable = {}
    try:
        await hub.start()
        await gateway.process.start()
        tags = asyncio.create_task(read_tags(reader, iter(range(1, 10**9))))
        watching = asyncio.create_task(watch(gateway, durable))
        await asyncio.sleep(chance.uniform(4, 6))
        broker_of(hub).kill()
        await asyncio.sleep(chance.uniform(1, 3))
        await gateway.process.kill()
        await asyncio.sleep(chance.uniform(0, 1))
        await gateway.process.start()
        await asyncio.sleep(chance.uniform(3, 5))
        broker_of(hub).kill()
        await gateway.process.kill()
        await gateway.process.start()
        await asyncio.sleep(chance.uniform(3, 5))
        for task in (tags, watching):
            task.cancel()
        await durable_of(gateway, durable)
        await drained(gateway)
        await check(hub, durable)
    finally:
        await gateway.process.stop()
        await hub.process.stop()
        await reader.stop()


async def drained(gateway):
    deadline = asyncio.get_running_loop().time() + DRAIN_LIMIT_S
    while waiting := await gateway.waiting():
        assert asyncio.get_running_loop().time() < deadline, f"{waiting} still wait in the spool"
        await asyncio.sleep(0.5)


async def check(hub, durable):
    assert len(durable) == 3, "three lives of the agent"
    assert all(count > 0 for count in durable.values())
    with closing(sqlite3.connect(hub.folder / "hub.db")) as database:
        stored = database.execute("SELECT epoch, lane, sequence, body FROM observations").fetchall()
    for epoch, count in durable.items():
        here = sum(row[0] == epoch for row in stored)
        assert here >= count, f"epoch {epoch}: {count} were called durable, {here} are here"
    keys = [row[:3] for row in stored]
    assert len(keys) == len(set(keys))
    seen = [decode_observation(row[3]) for row in stored]
    tags = [each.epc for each in seen if isinstance(each, TagRead)]
    assert len(tags) == len(set(tags)), "a tag read once is stored once"
    for line in (await hub.command("gateway", "losses", "--json")).splitlines():
        assert json.loads(line)["unexplained"] == 0
