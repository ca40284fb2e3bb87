"""How long until a gateway works again: after its reader went away, after its spool was damaged.

Readers: one flaps ten times a round, by a close and by a reset in turns; one is away for two
seconds, long enough for pauses that double to pass a second. Counted is from the reader's return to
"connected". Claim: within a second, each time.

Spools: a file of the given size, filled by the agent's own spool and not marked clean, is cut in
half, overwritten with noise in forty places, or loses its header. Counted is from the start until
an observation made after it is durable; what is whole is put back after that, in the background.
Claim: within two seconds.

Arguments: rounds (3), megabytes of spool (32).
"""

import asyncio
import logging
import os
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

import msgspec
from aerocast_agent.drivers.llrp import LlrpReader
from aerocast_agent.profiles import ANY_READER
from aerocast_agent.spool import Spool
from aerocast_agent.supervisor import Supervisor
from aerocast_protocols import batch
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.every import LIVE
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_simulator.llrp_reader import FakeReader

READER_CLAIM_S, SPOOL_CLAIM_S = 1.0, 2.0
FLAPS, AWAY_S = 10, 2.0
BUDGET_BYTES = 1 << 30
BOOT = bytes(16)


def main(rounds: int, megabytes: int) -> bool:
    """Measure and print; say whether the claims hold."""
    holds = True
    readers: dict[str, list[float]] = {"reader flaps": [], "reader was away": []}
    for _ in range(rounds):
        readers["reader flaps"] += asyncio.run(_with_reader(_flaps))
        readers["reader was away"] += asyncio.run(_with_reader(_away))
    spools = _with_spools(rounds, megabytes * 1_000_000)
    for claim_s, found in ((READER_CLAIM_S, readers), (SPOOL_CLAIM_S, spools)):
        for name, times_s in found.items():
            holds = holds and max(times_s) <= claim_s
            print(
                f"{name:<32}{len(times_s):4} times  median {statistics.median(times_s):6.3f} s"
                f"  worst {max(times_s):6.3f} s (claim: at most {claim_s:g})"
            )
    return holds


def _with_spools(rounds: int, size_bytes: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in DAMAGES}
    with tempfile.TemporaryDirectory() as folder:
        whole, place = Path(folder, "whole.db"), Path(folder, "damaged")
        _fill(whole, size_bytes)
        for turn in range(rounds):
            for name, damage in DAMAGES.items():
                place.mkdir()
                shutil.copyfile(whole, place / "spool.db")
                damage(place / "spool.db", random.Random(turn))  # noqa: S311  the same noise each time
                found[name].append(_durable_after_s(place / "spool.db"))
                shutil.rmtree(place)
    return found


Connected = Callable[[], Awaitable[float]]


async def _with_reader(
    happens: Callable[[FakeReader, Connected], Awaitable[list[float]]],
) -> list[float]:
    moments: asyncio.Queue[float] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def accept(seen: object) -> None:
        if isinstance(seen, DeviceEvent) and seen.event == "connected":
            moments.put_nowait(loop.time())

    reader = FakeReader()
    await reader.start()
    profile = msgspec.structs.replace(ANY_READER, keepalive_s=0.5)
    driver = LlrpReader("portal", "127.0.0.1", reader.port, profile)
    running = asyncio.create_task(Supervisor([driver], accept).run())
    try:
        await moments.get()
        return await happens(reader, moments.get)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await reader.stop()


async def _flaps(reader: FakeReader, connected: Connected) -> list[float]:
    loop, times_s = asyncio.get_running_loop(), []
    for flap in range(FLAPS):
        began_s = loop.time()
        await reader.drop(abort=flap % 2 == 0)
        times_s.append(await connected() - began_s)
    return times_s


async def _away(reader: FakeReader, connected: Connected) -> list[float]:
    await reader.stop()
    await asyncio.sleep(AWAY_S)
    began_s = asyncio.get_running_loop().time()
    await reader.start(port=reader.port)
    return [await connected() - began_s]


def _fill(path: Path, size_bytes: int) -> None:
    spool, chance, number = Spool(path, BUDGET_BYTES, BOOT), random.Random(1), 0  # noqa: S311  what is filled in
    spool.start()
    while path.stat().st_size < size_bytes:
        for _ in range(2_000):
            number += 1
            spool.add(LIVE, _seen(chance.randbytes(300).hex(), number))
        spool.flush().result()
    spool.stop()
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE meta SET value = 0 WHERE key = 'clean'")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    print(f"spool: {number:,} observations, {path.stat().st_size / 1e6:.0f} MB")


def _seen(device: str, number: int) -> bytes:
    return batch.encode_observation(NoRead(device=device, boot_ns=number))


def _durable_after_s(path: Path) -> float:
    began_s = time.monotonic()
    spool = Spool(path, BUDGET_BYTES, BOOT)
    spool.start()
    spool.add(LIVE, _seen("after", 0))
    spool.flush().result()
    took_s = time.monotonic() - began_s
    while any(path.parent.glob("spool.corrupt-*.db")):  # the next one has the machine to itself
        time.sleep(0.05)
    spool.stop()
    return took_s


def _cut_in_half(path: Path, _chance: random.Random) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _noise(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        for _ in range(40):
            file.seek(chance.randrange(4096, path.stat().st_size - 64))
            file.write(chance.randbytes(64))


def _no_header(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.write(chance.randbytes(100))


DAMAGES = {
    "spool cut in half": _cut_in_half,
    "spool with noise in its pages": _noise,
    "spool without its header": _no_header,
}

if __name__ == "__main__":
    logging.disable()  # what went wrong is known here
    given = [int(each) for each in sys.argv[1:]]
    sys.exit(not main(*given, *(3, 32)[len(given) :]))
