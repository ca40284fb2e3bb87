"""Claim: a gateway takes 16 RFID readers at 400 reads/s each on one core, and loses no read.

The real daemon as a process of its own, kept to one core: LLRP over TCP from 16 simulated readers
with all of Impinj's extras, 16 belts in pairs of neighbours that overhear each other, spool on
disk, MQTT to a broker, a hub of few lines that acknowledges. Every read that a reader reported has
to be at the hub, once.
"""

import asyncio
import math
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import psutil
from aerocast_protocols import batch
from aerocast_protocols.epc.bag_tag import BagTag, bag_tag_pc, encode_bag_tag
from aerocast_protocols.observations.bags import BagPassage, TagRead
from aerocast_simulator.llrp_reader import FakeReader

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "agent"))

from brokers import Broker  # noqa: E402 - the tests' own broker and hub
from fake_hub import FakeHub  # noqa: E402

READERS, READS_S = 16, 400
WARMING_S, MEASURED_S, SLICE_S = 5.0, 20.0, 0.05
BAGS_AT_ONCE, BAG_S = 8, 2.0  # in the field of a reader, and for how long each
AGENT = Path(sys.executable).with_name("aerocast-agent")


def main() -> None:
    """Measure once and print what it took."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measured(Path(folder), cores))


async def _measured(folder: Path, cores: list[int]) -> None:
    broker = Broker(folder)
    broker.start()
    hub = FakeHub(broker.port_v5)
    readers = [FakeReader() for _ in range(READERS)]
    for reader in readers:
        await reader.start()
    daemon = await asyncio.create_subprocess_exec(
        AGENT,
        "run",
        "--config",
        str(_config(folder, broker, readers)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    process = psutil.Process(daemon.pid)
    process.cpu_affinity(cores[:1])
    try:
        while not all(reader.is_reading for reader in readers):  # noqa: ASYNC110  no event for it
            await asyncio.sleep(0.1)
        await _read(readers, WARMING_S)
        before, began_s = process.cpu_times(), asyncio.get_running_loop().time()
        await _read(readers, MEASURED_S)
        after, took_s = process.cpu_times(), asyncio.get_running_loop().time() - began_s
        sent = sum(reader.seen for reader in readers)
        lost = sum(reader.lost for reader in readers)
        rss_mb = process.memory_info().rss / 2**20
        await _arrived(hub, sent)
    finally:
        daemon.terminate()
        await daemon.wait()
        for reader in readers:
            await reader.stop()
        hub.stop()
        broker.kill()
    kinds = Counter(_kinds(hub))
    cpu = 100 * (after.user + after.system - before.user - before.system) / took_s
    rate = sent / (WARMING_S + MEASURED_S)
    print(f"{rate:,.0f} reads/s from {READERS} readers: {cpu:.0f} % of one core, {rss_mb:.0f} MB")
    print(
        f"{kinds[TagRead]:,} of {sent:,} reads at the hub, {lost} lost at the readers,"
        f" {kinds[BagPassage]:,} passages"
    )


class _Field:
    """The bags before one reader: each comes near, passes, and goes."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)  # noqa: S311  the same bags every time
        self._bags = [self._bag(-BAG_S * place / BAGS_AT_ONCE) for place in range(BAGS_AT_ONCE)]

    def _bag(self, came_s: float) -> tuple[float, bytes, int]:
        plate = f"0{self._random.randrange(10**9):09d}"
        epc = encode_bag_tag(BagTag(plate, 327))
        return came_s, epc, bag_tag_pc(epc)

    def read(self, reader: FakeReader, now_s: float, reads: int) -> None:
        """See some bags."""
        for place, (came_s, _epc, _pc) in enumerate(self._bags):
            if now_s - came_s > BAG_S:
                self._bags[place] = self._bag(now_s)
        for _ in range(reads):
            came_s, epc, pc = self._random.choice(self._bags)
            near = math.cos(math.pi * ((now_s - came_s) / BAG_S - 0.5))
            rssi_dbm = -72 + 20 * near + self._random.gauss(0, 2)
            reader.report(
                epc,
                self._random.randint(1, 2),
                round(rssi_dbm, 2),
                pc=pc,
                phase_deg=self._random.randrange(4096) * 360 / 4096,
                doppler_hz=0.5,
                channel=self._random.randint(1, 4),
            )


_fields: dict[int, _Field] = {}


async def _read(readers: list[FakeReader], seconds: float) -> None:
    """Have every reader see tags at its rate."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for number in range(round(seconds / SLICE_S)):
        await asyncio.sleep(max(0.0, began_s + number * SLICE_S - loop.time()))
        for each, reader in enumerate(readers):
            field = _fields.setdefault(each, _Field(each))
            field.read(reader, loop.time(), round(READS_S * SLICE_S))


async def _arrived(hub: FakeHub, sent: int) -> None:
    """Wait until as much has come as was sent, or nothing comes any more."""
    before = -1
    while (now := sum(len(held) for held in hub.stored.values())) != before or now < sent:
        if now == before:
            return
        before = now
        await asyncio.sleep(3.0)


def _kinds(hub: FakeHub) -> list[type]:
    held = [each for lane in hub.stored.values() for each in lane.values()]
    return [type(batch.decode_observation(each)) for each in held]


def _config(folder: Path, broker: Broker, readers: list[FakeReader]) -> Path:
    said = [
        '[gateway]\nsite = "lfbo"\nname = "hall-1"',
        f'[hub]\nbroker = "{broker.url_v5}"\nbroker_v3 = "{broker.url_v3}"',
        '[spool]\npath = "spool.db"\nbudget_mb = 256',
    ]
    for number, reader in enumerate(readers):
        said.append(
            f'[[device]]\nname = "portal-{number}"\nkind = "llrp"\nhost = "127.0.0.1"\n'
            f'port = {reader.port}\nprofile = "impinj-r700-etsi"'
        )
        said.append(
            f'[[belt]]\nname = "b{number}"\npoint = "sortation"\nsiblings = ["b{number ^ 1}"]\n'
            f'antennas = ["portal-{number}:1", "portal-{number}:2"]'
        )
    config = folder / "agent.toml"
    config.write_text("\n".join(said) + "\n")
    return config


if __name__ == "__main__":
    main()
