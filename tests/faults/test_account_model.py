"""Spool, window and inbox as one machine that loses, doubles, reorders and restarts at will.

The real spool on a real file, the real window with a clock of its own, the real inbox on SQLite;
what travels between them lies in two heaps that the test takes from as it likes. At the end
everything left is delivered, and the account must close.
"""

import asyncio
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

sys.path.insert(0, str(Path(__file__).parent))

from aerocast_agent.spool import Spool
from aerocast_agent.spool_rows import Row
from aerocast_agent.window import Window
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.gateways.views import loss_accounts
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.tables import EvictionRow, ObservationRow
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols import batch
from aerocast_protocols.batch import Envelope
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE
from aerocast_protocols.observations.gateways import DeviceEvent, Evicted
from aerocast_protocols.topics import up
from journal import Key
from sqlalchemy import select

IS_SOAK = bool(os.environ.get("AEROCAST_SOAK"))
SOAK_EXAMPLES = 100
SITE, GATEWAY = "lfbo", "hall-1"
BOOT = bytes(range(16))
BUDGET = 90_000  # small: long runs must give things up
MOST_UNDER_WAY = 100
NOW_US = 1_800_000_000_000_000
END = (2**63 - 1, 0)
START = (-1, -1)
FAST = Path("/dev/shm")  # noqa: S108  memory, not a file others could guess
LANES = st.sampled_from([CRITICAL, LIVE, BULK])
ANY = st.integers(0, 2**30)


class Machine(RuleBasedStateMachine):
    template: Path

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=FAST if FAST.is_dir() else None))
        self.runner = asyncio.Runner()
        self.seen = {}  # Key -> encoded
        self.waiting = set()  # seen in this life and not yet called durable
        self.durable = set()
        self.up, self.down = [], []
        self.now_s = 1000.0
        self.lives = 0
        self.noise = random.Random(0)
        shutil.copyfile(self.template, self.folder / "hub.db")
        self.open_hub()
        self.open_spool()

    def open_hub(self):
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'hub.db'}")
        metrics = Metrics()
        self.inbox = Inbox(self.database, {}, Publisher(self.database, metrics), metrics)

    def open_spool(self):
        self.path = self.folder / f"life-{self.lives}" / "spool.db"
        self.spool = Spool(self.path, BUDGET, BOOT)
        self.spool.start()
        self.window = Window()
        self.sent_to = dict.fromkeys((CRITICAL, LIVE, BULK), START)

    # The gateway.

    @rule(lane=LANES, many=st.sampled_from([1, 3, 60]), size=st.sampled_from([200, 2000]))
    def see(self, lane, many, size):
        for _ in range(many):
            name = self.noise.randbytes(size // 2).hex()
            encoded = batch.encode_observation(NoRead(device=name[:64], boot_ns=1, belt=name[:64]))
            if size == 2000:
                encoded = batch.encode_observation(
                    DeviceEvent(device=name[:64], boot_ns=1, event="lost", detail=name[:512])
                )
            key = Key(self.spool.epoch, lane, self.spool.add(lane, encoded))
            assert key not in self.seen, f"{key} was given twice"
            self.seen[key] = encoded
            self.waiting.add(key)

    @initialize(many=st.sampled_from([20, 200]))
    def a_morning_before_the_link_was_there(self, many):
        for lane in (CRITICAL, LIVE, BULK):
            self.see(lane, many, 2000)
        self.call_it_durable()

    @rule(which=ANY)
    def a_busy_moment(self, which):
        """See a little everywhere, send, and let some of it through: the ordinary day."""
        for lane in (CRITICAL, LIVE, BULK):
            self.see(lane, 5 + which % 40, 2000)
            self.send(lane)
        self.call_it_durable()
        if self.up:
            self.some_arrive(which, 4, again=bool(which % 2))
        if self.down and which % 3:
            self.the_hub_is_heard(which, again=bool(which % 2))

    @rule()
    def call_it_durable(self):
        self.spool.flush().result(60)
        self.durable |= self.waiting
        self.waiting = set()

    @rule(lane=LANES)
    def send(self, lane):
        room = self.window.room(self.now_s, backlog=False)
        rows, oldest = self.spool.fetch(lane, self.sent_to[lane], END, room).result(60)
        for row in rows:
            self.sent_to[lane] = (row.epoch, row.first)
            if row[:3] not in self.window:
                self.post(row, oldest[row.epoch])

    @rule(lane=LANES, more=st.sampled_from([0, 3]))
    def send_ahead(self, lane, more):
        """Send what is not durable yet, as a quick link lets a gateway do."""
        if more:
            self.see(lane, more, 200)
        if self.window.room(self.now_s, backlog=False) and (row := self.spool.lend(lane)):
            self.post(row, row.first)

    @rule(seconds=st.sampled_from([0.1, 3.0, 20.0]))
    def time_passes(self, seconds):
        self.now_s += seconds
        for lane, epoch, first in self.window.overdue(self.now_s):
            span = ((epoch, first - 1), (epoch, first + 1))
            rows, oldest = self.spool.fetch(lane, *span, 1).result(60)
            if rows:
                self.post(rows[0], oldest[epoch])
            else:
                self.window.gone((lane, epoch, first))

    def post(self, row: Row, oldest: int):
        envelope = Envelope(
            codec=row.codec,
            boot_id_sent=BOOT,
            boot_ns_sent=10**12,
            wall_ns_sent=NOW_US * 1000,
            clock_quality=3,
            oldest_sequence=oldest,
            body=row.body,
        )
        payload = batch.encode_envelope(envelope)
        message = Message(up(SITE, GATEWAY, row.lane), payload, NOW_US)
        self.up = [*self.up, message][-MOST_UNDER_WAY:]
        self.window.sent(row, self.now_s, backlog=False)

    @rule()
    def the_link_breaks(self):
        self.window.clear()
        self.sent_to = dict.fromkeys(self.sent_to, START)

    @rule()
    def the_gateway_is_stopped_and_started(self):
        self.spool.stop()
        self.durable |= self.waiting
        self.waiting = set()
        self.next_life()

    @rule()
    def the_gateway_dies(self):
        """Go on from the file as it lies on the disk between two commits."""
        after = self.folder / f"life-{self.lives + 1}"
        self.spool._ask(lambda _: shutil.copytree(self.path.parent, after)).result(60)
        self.spool.stop()
        self.waiting = set()
        self.next_life()

    def next_life(self):
        before, self.lives = self.path.parent, self.lives + 1
        after = self.folder / f"life-{self.lives}"
        if not after.exists():
            shutil.copytree(before, after)
        shutil.rmtree(before)
        self.open_spool()

    # What lies between.

    @precondition(lambda self: self.up)
    @rule(which=ANY, many=st.integers(1, 5), again=st.booleans())
    def some_arrive(self, which, many, again):
        chosen = [(which + 7 * number) % len(self.up) for number in range(many)]
        messages = [self.up[each] for each in chosen]
        if not again:
            self.up = [each for number, each in enumerate(self.up) if number not in chosen]
        self.deliver(messages)

    @precondition(lambda self: self.up)
    @rule(which=ANY)
    def one_is_lost(self, which):
        del self.up[which % len(self.up)]

    @precondition(lambda self: self.down)
    @rule(which=ANY, again=st.booleans())
    def the_hub_is_heard(self, which, again):
        number = which % len(self.down)
        payload = self.down[number] if again else self.down.pop(number)
        for acknowledgement in batch.decode_acknowledgements(payload):
            self.window.acknowledge(acknowledgement, self.now_s)
            self.spool.acknowledge(acknowledgement)

    @precondition(lambda self: self.down)
    @rule(which=ANY)
    def the_hub_is_not_heard(self, which):
        del self.down[which % len(self.down)]

    # The hub.

    def deliver(self, messages):
        replies = self.runner.run(self.inbox.receive(messages))
        self.down = [*self.down, *(each.payload for each in replies)][-MOST_UNDER_WAY:]

    @rule()
    def the_hub_is_restarted(self):
        self.runner.run(self.database.close())
        self.up.clear()
        self.down.clear()
        self.open_hub()

    # The end.

    def teardown(self):
        try:
            self.call_it_durable()
            self.settle()
            self.close_the_account()
        finally:
            self.spool.stop()
            self.runner.run(self.database.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    def settle(self):
        for _ in range(300):
            self.deliver(self.up[:50])
            del self.up[:50]
            while self.down:
                self.the_hub_is_heard(0, again=False)
            self.spool.flush().result(60)
            if not any(self.spool.state().result(60).rows.values()) and not self.up:
                return
            self.the_link_breaks()
            for lane in (CRITICAL, LIVE, BULK):
                self.send(lane)
        raise AssertionError("the spool never empties")

    def close_the_account(self):
        stored, evicted, (account,) = self.runner.run(self.at_the_hub())
        for key, encoded in stored.items():
            own = isinstance(batch.decode_observation(encoded), Evicted)
            assert own or self.seen[key] == encoded, f"{key} is not what was seen"
        lost = [key for key in self.durable if key not in stored and key not in evicted]
        assert not lost, f"durable, not at the hub, not given up: {sorted(lost)[:5]}"
        assert account.unexplained == 0
        assert account.awaited == 0
        assert account.refused == 0
        assert account.received == len(stored)
        assert sum(account.explained.values()) == len(evicted - stored.keys())
        totals = self.spool.state().result(60).totals
        told = {name: totals[name] for name in ("acked", "evicted", "dead")}
        assert totals["accepted"] == sum(told.values()), told
        assert not told["dead"]

    async def at_the_hub(self):
        async with self.database.reading() as session:
            rows = await session.execute(
                select(
                    ObservationRow.epoch,
                    ObservationRow.lane,
                    ObservationRow.sequence,
                    ObservationRow.body,
                )
            )
            stored = {Key(*key): body for *key, body in rows}
            evicted = {
                Key(row.epoch, row.lane, sequence)
                for row in await session.scalars(select(EvictionRow))
                for sequence in range(row.first_sequence, row.last_sequence + 1)
            }
            return stored, evicted, await loss_accounts(session)


async def _with_a_gateway(url):
    database = Database(url)
    await migrate(database)
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    await database.close()


@pytest.mark.soak
def test_the_account_closes_whatever_happens(tmp_path):
    Machine.template = tmp_path / "template.db"
    asyncio.run(_with_a_gateway(f"sqlite+aiosqlite:///{Machine.template}"))
    case = Machine.TestCase
    case.settings = settings(
        max_examples=SOAK_EXAMPLES if IS_SOAK else 10,
        stateful_step_count=60 if IS_SOAK else 30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    case().runTest()
