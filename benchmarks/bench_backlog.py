"""Claim: while a backlog of a million events drains, live events are not held up twice as long.

One gateway, a real broker, a hub that acknowledges at once. Live events come at 200 a second, first
on an idle link, then on one that carries the backlog; the 99th percentile from accepted to
acknowledged is taken of both, in the same process, in turns. The peer is the idle link itself.
"""

import asyncio
import statistics
from pathlib import Path

from aerocast_agent.spool import Spool
from aerocast_protocols.observations.every import BULK
from hub_beside import BUDGET, Place, Waits, connected, hub_beside
from our_store import BOOT, event

ROUNDS = 5
BACKLOG = 1_000_000
RATE, SETTLED_S, WATCHED_S = 200, 1.0, 8.0


def main() -> None:
    """Measure in turns, print medians and their ratio."""
    idle_ms, busy_ms, drained = [], [], []
    with hub_beside() as place:
        for number in range(ROUNDS):
            idle, _ = asyncio.run(_live(place, f"{number}-idle.db", 0))
            busy, left = asyncio.run(_live(place, f"{number}.db", BACKLOG))
            idle_ms.append(idle)
            busy_ms.append(busy)
            drained.append(BACKLOG - left)
    for name, each in (("idle link", idle_ms), ("backlog draining", busy_ms)):
        median, lowest, highest = statistics.median(each), min(each), max(each)
        print(f"{name:<18}p99 {median:6.0f} ms ({lowest:.0f}-{highest:.0f})")
    print(
        f"drained meanwhile: {statistics.median(drained) / (WATCHED_S + SETTLED_S):,.0f} events/s"
    )
    ratio = statistics.median(busy_ms) / statistics.median(idle_ms)
    print(f"ratio: {ratio:.2f} (claim: under 2)")


async def _live(place: Place, name: str, backlog: int) -> tuple[float, int]:
    """Give the 99th percentile in milliseconds, and what is left of the backlog."""
    spool = Spool(Path(place.folder, name), BUDGET, BOOT)
    spool.start()
    await asyncio.to_thread(_fill, spool, backlog)
    waits = Waits(spool)
    async with connected(place, spool):
        await asyncio.sleep(SETTLED_S)
        await waits.see(RATE, WATCHED_S)
        state = await asyncio.wrap_future(spool.state())
        left = state.rows[BULK] * 500
        await asyncio.sleep(1.0)
    if backlog and not left:
        raise SystemExit("the backlog was gone before the end: nothing was measured")
    return statistics.quantiles(waits.ms, n=100)[98], left


def _fill(spool: Spool, many: int) -> None:
    for number in range(many):
        spool.add(BULK, event(number))
    spool.flush().result()


if __name__ == "__main__":
    main()
