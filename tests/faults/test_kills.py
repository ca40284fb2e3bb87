"""Kill gateway, hub and broker in mid-flow: what was called durable is at the hub, once."""

import asyncio
import os
import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from aerocast_protocols.batch import decode_observation
from aerocast_protocols.observations.bags import TagRead
from aerocast_simulator.airport import SHIRT_PC
from aerocast_simulator.llrp_reader import FakeReader
from aerocast_simulator.town import Gateway, Hub
from books import accounts, prepare

READS_PER_S = 100
DRAIN_LIMIT_S = 60.0
IS_SOAK = bool(os.environ.get("AEROCAST_SOAK"))
KILLS_OF_EACH = 20 if IS_SOAK else 1
LONGEST_PAUSE_S = 5.0 if IS_SOAK else 1.0


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


class Town:
    """A reader, a gateway and a hub with its broker, each of which can die."""

    def __init__(self, folder):
        self.folder = folder
        self.reader = FakeReader()
        self.hub = Hub(folder / "hub", metars=None)
        self.gateway = None
        self.lives = 0

    async def start(self):
        await self.reader.start()
        await prepare(self.hub, "lfbo", "hall-1")
        self.gateway = Gateway(self.folder / "hall-1", configuration(self.reader.port), self.hub)
        await self.hub.process.start()
        await self.gateway_starts()

    async def stop(self):
        await self.gateway.process.stop()
        await self.hub.process.stop()
        await self.reader.stop()

    async def gateway_starts(self):
        await self.gateway.process.start()
        self.lives += 1

    async def kill_gateway(self, chance):
        await self.gateway.process.kill()
        await asyncio.sleep(chance.uniform(0, 0.5))
        await self.gateway_starts()

    async def kill_hub(self, chance):
        await self.hub.process.kill()
        await asyncio.sleep(chance.uniform(0, 1))
        await self.hub.process.start()

    async def kill_broker(self, _chance):
        """Kill the embedded broker, a child of the hub; it may be down from the last time."""
        for child in psutil.Process(self.hub.process.pid).children(recursive=True):
            child.kill()


@pytest.mark.soak
@pytest.mark.timeout(1200 if IS_SOAK else 180)
async def test_kills_in_mid_flow_lose_nothing_durable_and_double_nothing(tmp_path):
    chance = random.Random(1)
    town, durable = Town(tmp_path), {}
    await town.start()
    try:
        tags = asyncio.create_task(read_tags(town.reader, iter(range(1, 10**9))))
        watching = asyncio.create_task(watch(town.gateway, durable))
        async with asyncio.timeout(60):
            while sum(durable.values()) < 2 * READS_PER_S:  # noqa: ASYNC110  a process has no event
                await asyncio.sleep(0.1)
        kills = [town.kill_gateway, town.kill_hub, town.kill_broker] * KILLS_OF_EACH
        for kill in chance.sample(kills, len(kills)):
            await kill(chance)
            await asyncio.sleep(
                chance.uniform(0.1, LONGEST_PAUSE_S) if chance.random() < 0.5 else 0.0
            )
        await asyncio.sleep(2)
        for task in (tags, watching):
            task.cancel()
        await durable_of(town.gateway, durable)
        await drained(town.gateway)
        await check(town.hub, durable)
    finally:
        await town.stop()
    assert town.lives == 1 + KILLS_OF_EACH
    assert len(durable) > KILLS_OF_EACH / 2, "most lives were long enough to be asked"


async def drained(gateway):
    deadline = asyncio.get_running_loop().time() + DRAIN_LIMIT_S
    while waiting := await gateway.waiting():
        assert asyncio.get_running_loop().time() < deadline, f"{waiting} still wait in the spool"
        await asyncio.sleep(0.5)


async def check(hub, durable):
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
    assert len(tags) > READS_PER_S
    for account in await accounts(hub):
        assert account.unexplained == 0
