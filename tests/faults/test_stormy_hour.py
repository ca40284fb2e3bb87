"""An hour of traffic, speeded up, through all that can go wrong; then every event is asked for.

Seeded: what breaks, when and for how long follows from the seed alone. To see one run again:
``AEROCAST_SEED=7 make test ARGS=tests/faults/test_stormy_hour.py``.
"""

import asyncio
import os
import random
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from aerocast_protocols.batch import decode_observation
from aerocast_simulator.town import Hub
from books import accounts, prepare
from chaos_proxy import ChaosProxy
from gateway import SITE, number_of
from journal import Journal, Key, Life

IS_SOAK = bool(os.environ.get("AEROCAST_SOAK"))
RATE = 2000  # ten times the 200 a second of a busy portal
EVENTS = 3600 * 200 if IS_SOAK else 8_000
ENOUGH = EVENTS / 4
STORM_S = EVENTS / RATE
LATE_S = 180.0 if IS_SOAK else 45.0
SEED = int(os.environ.get("AEROCAST_SEED", "1"))


class Storm:
    """Breaks one thing after another, and mends it."""

    def __init__(self, seed, hub, spool, port):
        self.chance = random.Random(seed)
        self.hub = hub
        self.proxy = ChaosProxy(port)
        self.journal = Journal()
        self.done = []
        self._spool = spool
        self._login = spool.with_name("login")  # nobody leaves one for the proxy's port
        self._life = None
        self._lives = 0

    async def start(self):
        self._login.write_text(await self.hub.command("gateway", "login"))
        self._login.chmod(0o600)
        await self.proxy.start()
        self.start_gateway()

    def start_gateway(self):
        self._life = Life(
            self._spool, self._lives, "--broker", f"mqtt://127.0.0.1:{self.proxy.port}",
            "--login", self._login, "--rate", RATE, "--seed", self._lives,
        )  # fmt: skip
        self._lives += 1

    async def rage(self, seconds):
        """Break and mend until the time is over; every kind of fault once, then by chance."""
        faults = [
            self.slow_link, self.thin_link, self.cut, self.reset, self.black_hole, self.refused,
            self.kill_gateway, self.kill_broker, self.kill_hub, self.freeze_hub,
        ]  # fmt: skip
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + seconds
        left = []
        while loop.time() < ends_s or len(self.done) < len(faults):
            if not left:
                left = self.chance.sample(faults, len(faults))
            fault = left.pop()
            self.done.append(fault.__name__)
            await fault()
            self.proxy.calm()
            await asyncio.sleep(self.chance.uniform(0.1, 3.0 if IS_SOAK else 0.4))

    async def lasting(self, longest_s):
        await asyncio.sleep(self.chance.uniform(0.1, longest_s if IS_SOAK else longest_s / 8))

    async def slow_link(self):
        self.proxy.delay_s = self.chance.uniform(0.05, 0.8)
        await self.lasting(8)

    async def thin_link(self):
        self.proxy.bytes_per_s = self.chance.uniform(5_000, 100_000)
        await self.lasting(8)

    async def cut(self):
        self.proxy.cut()

    async def reset(self):
        self.proxy.reset()

    async def black_hole(self):
        self.proxy.is_black_hole = True
        await self.lasting(10)

    async def refused(self):
        self.proxy.refuses = True
        self.proxy.reset()
        await self.lasting(5)

    async def kill_gateway(self):
        self._life.kill()
        self.journal.read(self._life.said())
        self.start_gateway()

    async def kill_broker(self):
        for broker in psutil.Process(self.hub.process.pid).children(recursive=True):
            broker.kill()

    async def kill_hub(self):
        await self.hub.process.kill()
        await self.lasting(4)
        await self.hub.process.start()

    async def freeze_hub(self):
        os.kill(self.hub.process.pid, signal.SIGSTOP)
        await self.lasting(8)
        os.kill(self.hub.process.pid, signal.SIGCONT)

    async def calm_down(self):
        """Let the gateway send what it has, and stop it."""
        self.proxy.calm()
        async with asyncio.timeout(60):  # however quick the machine
            while len(self.journal.durable) + len(self._life.durable()) <= ENOUGH:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.1)
        try:
            await asyncio.to_thread(self._life.finish, LATE_S)
        finally:
            self.journal.read(self._life.said())

    async def stop(self):
        self._life.kill()
        await self.proxy.stop()


def stored_at(hub):
    """What the hub holds: Key -> number; what the gateway said it gave up."""
    with closing(sqlite3.connect(hub.folder / "hub.db")) as database:
        rows = database.execute("SELECT epoch, lane, sequence, body FROM observations").fetchall()
        gone = database.execute(
            "SELECT epoch, lane, first_sequence, last_sequence FROM evictions"
        ).fetchall()
    keys = [Key(*row[:3]) for row in rows]
    assert len(keys) == len(set(keys))
    numbers = [number_of(decode_observation(row[3])) for row in rows]
    evicted = {
        Key(epoch, lane, sequence)
        for epoch, lane, first, last in gone
        for sequence in range(first, last + 1)
    }
    return dict(zip(keys, numbers, strict=True)), evicted


@pytest.mark.soak
@pytest.mark.timeout(1800 if IS_SOAK else 180)
async def test_an_hour_of_traffic_through_every_fault_arrives_once_each(tmp_path):
    hub = Hub(tmp_path / "hub", metars=None)
    await prepare(hub, SITE, "hall-1")
    storm = Storm(SEED, hub, tmp_path / "spool.db", hub.broker_port)
    await hub.process.start()
    try:
        await storm.start()
        await storm.rage(STORM_S)
        await storm.calm_down()
        (account,) = await accounts(hub)
    finally:
        await storm.stop()
        await hub.process.stop()
    told = f"seed {SEED}: {storm.done}"
    print(told, f"{len(storm.journal.durable)} durable")  # noqa: T201  shown when it fails
    stored, evicted = stored_at(hub)
    storm.journal.check(stored, evicted)
    assert storm.journal.ended_empty, told
    assert len(storm.journal.durable) > ENOUGH, told
    assert account.unexplained == 0, told
