"""A gateway whose devices are a seed: the agent's real intake, spool and uplink, in a process.

``python gateway.py SPOOL_FILE [--broker URL] [--login FILE] [--budget-mb N] [--rate N] [--seed N]
[--first N]``.
Numbers ``first``, ``first + 1`` ... are seen, each once, ``rate`` a second, in all three lanes.
Standard output is a journal that outlives any way of dying, one JSON array a line:
``["seen", epoch, number, [[lane, sequence], ...]]`` for consecutive numbers, and
``["durable", number]``: every number up to it was called durable. SIGTERM: see no more, end when
the spool is empty (``["empty"]``).
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sqlite3
import sys
from pathlib import Path

from aerocast_agent import clock
from aerocast_agent.spool import Spool
from aerocast_agent.uplink import Identity, Uplink
from aerocast_agent.ways import brokers_of
from aerocast_protocols import batch
from aerocast_protocols.observations.bags import CodeScan, GpioEdge, TagRead
from aerocast_protocols.observations.every import Observation, lane_of

TICK_S = 0.02
SITE = "lfbo"


def observation(number: int, boot_ns: int) -> Observation:
    """Give what number means: mostly tag reads, some edges, some scans."""
    if number % 10 == 0:
        return CodeScan(device="desk", boot_ns=boot_ns, content="other", text=str(number))
    if number % 10 < 3:
        return GpioEdge(device=f"eye-{number}", boot_ns=boot_ns, pin=1, level=number % 2)
    return TagRead(
        device="portal",
        boot_ns=boot_ns,
        epc=number.to_bytes(12, "big"),
        antenna=1 + number % 4,
        rssi_dbm=-40.0 - number % 30,
        reader_seen_at_us=1_800_000_000_000_000 + number,
    )


def number_of(seen: Observation) -> int | None:
    """Give the number an observation stands for; None for the agent's own news."""
    if isinstance(seen, CodeScan):
        return int(seen.text or "")
    if isinstance(seen, GpioEdge):
        return int(seen.device.removeprefix("eye-"))
    return int.from_bytes(seen.epc, "big") if isinstance(seen, TagRead) else None


def tell(*said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


async def see(spool: Spool, options: argparse.Namespace, stop: asyncio.Event) -> None:
    """See numbers until told to stop."""
    chance = random.Random(options.seed)
    number, due = options.first, 0.0
    flushed: asyncio.Future[None] | None = None
    flushed_to = number
    loop = asyncio.get_running_loop()
    last_s = loop.time()
    while not stop.is_set():
        due += (loop.time() - last_s) * options.rate
        last_s = loop.time()
        taken = []
        first = number
        for _ in range(int(min(due, 1000))):
            seen = observation(number, clock.boot_ns())
            lane = lane_of(seen)
            taken.append((lane, spool.add(lane, batch.encode_observation(seen))))
            number += 1
        due -= len(taken)
        if taken:
            tell("seen", spool.epoch, first, taken)
        if flushed is not None and flushed.done():
            flushed = None
            tell("durable", flushed_to)
        if flushed is None and number > options.first and chance.random() < 0.1:
            flushed, flushed_to = asyncio.wrap_future(spool.flush()), number - 1
        await asyncio.sleep(TICK_S)
    if number > options.first:
        await asyncio.wrap_future(spool.flush())
        tell("durable", number - 1)


async def until_empty(spool: Spool) -> None:
    while True:
        with contextlib.suppress(sqlite3.Error):
            state = await asyncio.wrap_future(spool.state())
            if not any(state.rows.values()) and not state.waiting_bytes:
                return
        await asyncio.sleep(0.1)


async def run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    boot_id = clock.boot_id()
    spool = Spool(options.spool, int(options.budget_mb * 1024 * 1024), boot_id)
    spool.start()
    tell("epoch", spool.epoch)
    sending = None
    if options.broker:
        identity = Identity(SITE, options.name, "0", boot_id)
        uplink = Uplink(
            identity,
            brokers_of(options.broker, None, (None, None, None), login=options.login),
            spool,
        )
        sending = asyncio.create_task(uplink.run())
    await see(spool, options, stop)
    if sending is not None:
        await until_empty(spool)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    spool.stop()
    tell("empty")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("spool", type=Path)
    parser.add_argument("--broker")
    parser.add_argument("--login", help="a file of the broker's login")
    parser.add_argument("--name", default="hall-1")
    parser.add_argument("--budget-mb", type=float, default=64)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=1)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
