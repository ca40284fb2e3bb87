"""Claim: while a backlog of a million events drains, live events are not held up twice as long.

One gateway, a real broker, a hub that acknowledges at once. Live events come at 200 a second, first
on an idle link, then on one that carries the backlog; the 99th percentile from accepted to
acknowledged is taken of both, in the same process, in turns. The peer is the idle link itself.
"""

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "agent"))

from aerocast_agent import clock
from aerocast_agent.spool import Spool
from aerocast_agent.uplink import Identity, Uplink, brokers_of
from aerocast_protocols.batch import Acknowledgement, Body, Envelope
from aerocast_protocols.observations import BULK, LIVE
from brokers import Broker
from fake_hub import FakeHub
from our_store import event

ROUNDS = 5
BACKLOG = 1_000_000
RATE, SETTLED_S, WATCHED_S = 200, 1.0, 8.0
BOOT = bytes(16)
IDENTITY = Identity("lfbo", "hall-1", "0", BOOT)


def main() -> None:
    """Measure in turns, print medians and their ratio."""
    with tempfile.TemporaryDirectory() as base:
        broker = Broker(Path(base))
        broker.start()
        hub = multiprocessing.get_context("spawn").Process(target=_hub, args=(broker.port_v5,))
        hub.start()
        time.sleep(1.5)
        idle_ms, busy_ms, drained = [], [], []
        try:
            for number in range(ROUNDS):
                idle, _ = asyncio.run(_live(broker, Path(base, f"{number}-idle.db"), 0))
                busy, left = asyncio.run(_live(broker, Path(base, f"{number}.db"), BACKLOG))
                idle_ms.append(idle)
                busy_ms.append(busy)
                drained.append(BACKLOG - left)
        finally:
            hub.terminate()
            hub.join()
            broker.kill()
    for name, each in (("idle link", idle_ms), ("backlog draining", busy_ms)):
        median, lowest, highest = statistics.median(each), min(each), max(each)
        print(f"{name:<18}p99 {median:6.0f} ms ({lowest:.0f}-{highest:.0f})")
    print(
        f"drained meanwhile: {statistics.median(drained) / (WATCHED_S + SETTLED_S):,.0f} events/s"
    )
    ratio = statistics.median(busy_ms) / statistics.median(idle_ms)
    print(f"ratio: {ratio:.2f} (claim: under 2)")


def _hub(port: int) -> None:
    hub = FakeHub(port)
    marks: dict[tuple[int, int], int] = {}
    ahead: dict[tuple[int, int], dict[int, int]] = {}

    def answer(_: Envelope, body: Body) -> Acknowledgement:
        lane = (body.lane, body.epoch)
        waiting = ahead.setdefault(lane, {})
        waiting[body.first_sequence] = body.first_sequence + body.count - 1
        while (last := waiting.pop(marks.get(lane, 0) + 1, None)) is not None:
            marks[lane] = last
        hub.envelopes.clear()
        hub.arrivals.clear()
        return Acknowledgement(lane=body.lane, epoch=body.epoch, up_to_sequence=marks.get(lane, 0))

    hub.answer_with = answer
    threading.Event().wait()


async def _live(broker: Broker, path: Path, backlog: int) -> tuple[float, int]:
    """Give the 99th percentile in milliseconds, and what is left of the backlog."""
    spool = Spool(path, 1024 * 1024 * 1024, BOOT)
    spool.start()
    await asyncio.to_thread(_fill, spool, backlog)
    accepted_ns: dict[int, int] = {}
    waits_ms: list[float] = []
    known = 0
    acknowledge = spool.acknowledge

    def heard(acknowledgement: Acknowledgement) -> None:
        nonlocal known
        if acknowledgement.lane == LIVE and acknowledgement.epoch == spool.epoch:
            now_ns = clock.boot_ns()
            new = range(known + 1, acknowledgement.up_to_sequence + 1)
            waits_ms.extend((now_ns - accepted_ns[sequence]) / 1e6 for sequence in new)
            known = max(known, acknowledgement.up_to_sequence)
        acknowledge(acknowledgement)

    spool.acknowledge = heard  # type: ignore[method-assign]  # listens in
    uplink = Uplink(IDENTITY, brokers_of(broker.url_v5, None, (None, None, None)), spool)
    sending = asyncio.create_task(uplink.run())
    while not uplink.state().connected:  # noqa: ASYNC110  it has no event
        await asyncio.sleep(0.02)
    await asyncio.sleep(SETTLED_S)
    began_s, number = time.monotonic(), 0
    while (passed_s := time.monotonic() - began_s) < WATCHED_S:
        while number < passed_s * RATE:
            now_ns = clock.boot_ns()
            accepted_ns[spool.add(LIVE, event(number))] = now_ns
            number += 1
        await asyncio.sleep(0.005)
    state = await asyncio.wrap_future(spool.state())
    left = state.rows[BULK] * 500
    await asyncio.sleep(1.0)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await asyncio.to_thread(spool.stop)
    if backlog and not left:
        raise SystemExit("the backlog was gone before the end: nothing was measured")
    return statistics.quantiles(waits_ms, n=100)[98], left


def _fill(spool: Spool, many: int) -> None:
    for number in range(many):
        spool.add(BULK, event(number))
    spool.flush().result()


if __name__ == "__main__":
    main()
