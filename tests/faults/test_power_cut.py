"""The power goes while the gateway writes: what it called durable is on the disk.

The cut is ext4's shutdown without a flush: everything the kernel had not written is thrown away.
"""

import fcntl
import os
import random
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from aerocast_agent.spool import Spool
from aerocast_protocols import batch
from aerocast_protocols.observations.gateways import Evicted
from gateway import number_of
from journal import Journal, Key, Life

ROUNDS = 20 if os.environ.get("AEROCAST_SOAK") else 3
MADE = 100  # in each life at least: waited for, however quick the machine
EXT4_IOC_SHUTDOWN = 0x8004587D
WITHOUT_FLUSH = struct.pack("I", 2)
EVERYTHING = ((-1, -1), (2**63 - 1, 0))


def mounted(image, folder):
    done = subprocess.run(
        ["mount", "-o", "loop", image, folder], capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stderr.strip()


@pytest.fixture
def card(tmp_path):
    """An ext4 file system of its own, as on a gateway's card: (image, folder)."""
    image, folder = tmp_path / "card.img", tmp_path / "card"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    try:
        subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mkfs.ext4 does not work here: {error}")
    well, why = mounted(image, folder)
    if not well:
        pytest.skip(f"an image cannot be mounted here: {why}")
    yield image, folder
    subprocess.run(["umount", "-l", folder], check=False, capture_output=True)


def cut_power(folder):
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(opened, EXT4_IOC_SHUTDOWN, WITHOUT_FLUSH)
    except OSError as error:
        pytest.skip(f"ext4's shutdown is refused here: {error}")
    finally:
        os.close(opened)


def contents(path):
    """Everything a spool holds: Key -> number, and what it says it gave up."""
    spool = Spool(path, 64 * 1024 * 1024, bytes(16))
    spool.start()
    stored, evicted = {}, set()
    try:
        for lane in range(3):
            rows, _ = spool.fetch(lane, *EVERYTHING, 1_000_000).result(60)
            for row in rows:
                body = batch.decode_body(row.body, row.codec)
                for sequence, encoded in enumerate(body.observations, row.first):
                    seen = batch.decode_observation(encoded)
                    stored[Key(row.epoch, lane, sequence)] = number_of(seen)
                    if isinstance(seen, Evicted):
                        first, last = seen.first_sequence, seen.last_sequence
                        span = range(first, last + 1)
                        evicted |= {Key(seen.epoch, seen.lane, each) for each in span}
        state = spool.state().result(60)
    finally:
        spool.stop()
    return stored, evicted, state


@pytest.mark.soak
def test_power_cuts_take_nothing_that_was_called_durable(card, tmp_path):
    image, folder = card
    journal = Journal()
    (tmp_path / "journals").mkdir()
    for number in range(ROUNDS):
        chance = random.Random(number)
        life = Life(
            folder / "spool.db", number, "--seed", number, "--rate", 2000,
            journal_folder=tmp_path / "journals",
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while len(life.durable()) <= MADE:
                assert time.monotonic() < deadline, life.errors()
                time.sleep(0.02)
            time.sleep(chance.uniform(0.1, 1.0))
            cut_power(folder)
            time.sleep(chance.uniform(0.0, 0.3))  # it goes on writing to a disk that is gone
        finally:
            life.kill()
        journal.read(life.said())
        subprocess.run(["umount", folder], check=True)
        well, why = mounted(image, folder)
        assert well, why
    stored, evicted, _ = contents(folder / "spool.db")
    assert len(journal.durable) > MADE * ROUNDS
    journal.check(stored, evicted)
    assert not list(folder.glob("*.corrupt-*")), "no file was ever set aside"
