"""Several hubs on real engines, and gateways that keep sending; each can be ended and begun."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.gateways.views import loss_accounts
from aerocast_protocols.batch import decode_observation
from aerocast_simulator.processes import free_port
from sqlalchemy import text

from tests.faults.gateway import SITE, number_of
from tests.faults.journal import Journal, Key, Life
from tests.hub.postgresql import PostgreSQL, find_binaries
from tests.redis_server import RedisServer

PATIENCE_S = 240.0
SECRET = "a key of tests, as long as one must be"  # noqa: S105  nobody else's


class HubProcess:
    """One hub, of all services or some; its answers and counters over HTTP."""

    def __init__(self, folder, **settings):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "hub.log"
        named = {
            "mode": "dev",
            "data_dir": folder,
            "http_port": self.port,
            "secret_key": SECRET,
            **settings,
        }
        self.environment = {f"AEROCAST_HUB_{name.upper()}": str(v) for name, v in named.items()}
        self.process = None

    def start(self):
        """Start it; `wait` waits until it answers."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("aerocast-hub"), "serve"],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )

    def wait(self):
        """Wait until it answers."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log[-3000:]
            try:
                if httpx.get(f"{self.url}/health", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError(f"the hub does not answer: {self.log[-3000:]}")

    @property
    def log(self):
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def counter(self, name):
        """Give the sum of a counter over its labels; 0 while it does not answer."""
        try:
            lines = httpx.get(f"{self.url}/metrics", timeout=60).text.splitlines()
        except httpx.HTTPError:
            return 0.0
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def kill(self):
        """End it as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        """End it in good order."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.log[-3000:]
        self.process = None


class Town:
    """Two hubs on one PostgreSQL, a Redis, a broker, and gateways.

    Parameters
    ----------
    broker_url, gateways_url
        Where the hubs listen, and where the gateways speak.
    """

    def __init__(self, folder, broker_url, gateways_url, **settings):
        self._folder, self._gateways_url = folder, gateways_url
        self._stack = ExitStack()
        self.postgresql = PostgreSQL(find_binaries())
        self._stack.callback(shutil.rmtree, self.postgresql.folder, ignore_errors=True)
        self._stack.callback(self.postgresql.crash)
        self.postgresql.start()
        (folder / "redis").mkdir()
        self.redis = RedisServer(folder / "redis")
        self._stack.callback(self.redis.kill)
        self.database_url = f"postgresql+asyncpg://hub@/postgres?host={self.postgresql.folder}"
        self.hubs = [
            HubProcess(
                folder / f"hub-{number}",
                database_url=self.database_url,
                data_dir=folder / "data",
                broker_url=broker_url,
                broker_group="hub",
                redis_url=self.redis.url,
                **settings,
            )
            for number in range(2)
        ]
        self.lives, self.journals = [], {}

    def close(self):
        """End everything."""
        for life in self.lives:
            life.kill()
        for hub in self.hubs:
            hub.kill()
        self._stack.close()

    async def prepare(self, gateways, rate):
        """Lay out the database, start the hubs, then the gateways, sending ``rate`` a second."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._lay_out(gateways))
        for hub in self.hubs:
            hub.start()
        for hub in self.hubs:
            await asyncio.to_thread(hub.wait)
        for number, name in enumerate(gateways):
            spool = self._folder / name / "spool.db"
            spool.parent.mkdir()
            options = ("--broker", self._gateways_url, "--name", name, "--rate", rate)
            self.lives.append(Life(spool, number, *options))

    async def _lay_out(self, gateways):
        database = Database(self.database_url)
        await migrate(database)
        async with database.writing() as session:
            for name in gateways:
                await add_gateway(session, SITE, name)
        await database.close()

    async def taken_in(self, count, hubs=None):
        """Wait until each of some hubs has taken in so many messages more than now."""
        hubs = self.hubs if hubs is None else hubs
        before = [hub.counter("aerocast_hub_inbox_messages_total") for hub in hubs]
        deadline = time.monotonic() + PATIENCE_S
        for hub, was in zip(hubs, before, strict=True):
            while hub.counter("aerocast_hub_inbox_messages_total") < was + count:
                assert time.monotonic() < deadline, hub.log[-3000:]
                await asyncio.sleep(0.1)

    async def shared_evenly(self):
        """Wait until each has taken in about half: one may lag for a moment, and then follows."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            shares = [hub.counter("aerocast_hub_inbox_messages_total") for hub in self.hubs]
            if sum(shares) and 0.4 <= shares[0] / sum(shares) <= 0.6:
                return
            assert time.monotonic() < deadline, shares
            await asyncio.sleep(0.1)

    async def drained(self):
        """Let the gateways see no more, and wait until the hubs have all they saw."""
        await asyncio.gather(*(asyncio.to_thread(life.finish, PATIENCE_S) for life in self.lives))

    async def check(self):
        """Compare what the gateways saw with what is stored: each once, and nothing is missing."""
        database = Database(self.database_url)
        async with database.reading() as session:
            rows = await session.execute(
                text(
                    "SELECT name, epoch, lane, sequence, body FROM observations"
                    " JOIN gateways ON gateways.id = gateway_id"
                )
            )
            stored = rows.all()
            assert await session.scalar(text("SELECT count(*) FROM quarantine")) == 0
            accounts = await loss_accounts(session)
        await database.close()
        keys = [row[:4] for row in stored]
        assert len(keys) == len(set(keys)), "an observation is stored once"
        journal = Journal()
        for life in self.lives:
            journal.read(life.said())
        numbers = {Key(*row[1:4]): number_of(decode_observation(row[4])) for row in stored}
        journal.check(numbers, evicted=frozenset())
        assert journal.seen.keys() == {number for number in numbers.values() if number is not None}
        assert [account.unexplained for account in accounts] == [0] * len(accounts)
        return len(journal.seen)
