"""A hub in a process of its own and a gateway's uplink to it: shared by the uplink's benchmarks."""

import asyncio
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "agent"))

from aerocast_agent import clock
from aerocast_agent.spool import Spool
from aerocast_agent.uplink import Identity, Uplink
from aerocast_agent.ways import brokers_of
from aerocast_protocols.batch import Acknowledgement, Body, Envelope
from aerocast_protocols.observations.every import LIVE
from brokers import Broker
from fake_hub import FakeHub
from our_store import BOOT, event

IDENTITY = Identity("lfbo", "hall-1", "0", BOOT)
BUDGET = 1024 * 1024 * 1024


class Place(NamedTuple):
    """Where a benchmark works: its folder, and a broker with a hub behind it."""

    folder: Path
    broker: Broker


@contextmanager
def hub_beside(answers_after_s: float = 0.0) -> Iterator[Place]:
    """Run a broker, and a hub that decodes, remembers how far it has come, and acknowledges."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        broker.start()
        hub = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(broker.port_v5, answers_after_s)
        )
        hub.start()
        time.sleep(1.5)
        try:
            yield Place(Path(folder), broker)
        finally:
            hub.terminate()
            hub.join()
            broker.kill()


def _serve(port: int, answers_after_s: float) -> None:
    hub = FakeHub(port)
    marks: dict[tuple[int, int], int] = {}
    ahead: dict[tuple[int, int], dict[int, int]] = {}

    def answer(_: Envelope, body: Body) -> Acknowledgement:
        lane = (body.lane, body.epoch)
        waiting = ahead.setdefault(lane, {})
        if body.first_sequence > marks.get(lane, 0):
            waiting[body.first_sequence] = body.first_sequence + body.count - 1
        while (last := waiting.pop(marks.get(lane, 0) + 1, None)) is not None:
            marks[lane] = last
        hub.envelopes.clear()
        hub.arrivals.clear()
        time.sleep(answers_after_s)
        return Acknowledgement(lane=body.lane, epoch=body.epoch, up_to_sequence=marks.get(lane, 0))

    hub.answer_with = answer
    threading.Event().wait()


@asynccontextmanager
async def connected(place: Place, spool: Spool) -> AsyncIterator[Uplink]:
    """Let a spool's uplink run; stop both at the end."""
    uplink = Uplink(IDENTITY, brokers_of(place.broker.url_v5, None, (None, None, None)), spool)
    sending = asyncio.create_task(uplink.run())
    try:
        while not uplink.state().connected:  # noqa: ASYNC110  it has no event
            await asyncio.sleep(0.02)
        yield uplink
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await asyncio.to_thread(spool.stop)


async def until_empty(spool: Spool) -> None:
    """Wait until the hub has everything."""
    while True:
        state = await asyncio.wrap_future(spool.state())
        if not any(state.rows.values()) and not state.waiting_bytes:
            return
        await asyncio.sleep(0.02)


class Waits:
    """Notes how long each live event waits from accepted to acknowledged, in ms."""

    def __init__(self, spool: Spool) -> None:
        self.ms: list[float] = []
        self._spool = spool
        self._accepted_ns: dict[int, int] = {}
        self._known = 0
        self._acknowledge = spool.acknowledge
        spool.acknowledge = self._heard  # type: ignore[method-assign]  # listens in

    def _heard(self, acknowledgement: Acknowledgement) -> None:
        if acknowledgement.lane == LIVE and acknowledgement.epoch == self._spool.epoch:
            now_ns = clock.boot_ns()
            new = range(self._known + 1, acknowledgement.up_to_sequence + 1)
            self.ms.extend((now_ns - self._accepted_ns[sequence]) / 1e6 for sequence in new)
            self._known = max(self._known, acknowledgement.up_to_sequence)
        self._acknowledge(acknowledgement)

    async def see(self, rate: float, seconds: float) -> int:
        """Accept live events at a rate; give how many."""
        began_s, number = time.monotonic(), 0
        while (passed_s := time.monotonic() - began_s) < seconds:
            while number < passed_s * rate:
                now_ns = clock.boot_ns()
                self._accepted_ns[self._spool.add(LIVE, event(number))] = now_ns
                number += 1
            await asyncio.sleep(0.005)
        return number
