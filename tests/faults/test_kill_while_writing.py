"""A process that writes to the spool is killed at any moment: what it called durable is there."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from aerocast_agent.spool import Spool
from aerocast_protocols import batch
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE

ROUNDS = 40 if os.environ.get("AEROCAST_SOAK") else 3
BOOT = bytes(16)
WRITER = """
import random, sys, time
from pathlib import Path
from aerocast_agent.spool import Spool
from aerocast_protocols import batch
from aerocast_protocols.observations.bags import NoRead
path, seed = Path(sys.argv[1]), int(sys.argv[2])
chance = random.Random(seed)
spool = Spool(path, 64 * 1024 * 1024, bytes(16))
spool.start()
while True:
    reached = {}
    for _ in range(chance.randrange(1, 200)):
        lane = chance.randrange(3)
        seen = NoRead(device=f"{spool.epoch}-{lane}", boot_ns=chance.randrange(2**40))
        reached[lane] = spool.add(lane, batch.encode_observation(seen))
    spool.flush().result()
    for lane, sequence in reached.items():
        print(spool.epoch, lane, sequence, flush=True)
    time.sleep(chance.random() * 0.02)
"""


def write_and_be_killed(path, seed):
    """Give the highest sequence called durable of each (epoch, lane)."""
    chance = random.Random(seed)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(seed)], stdout=subprocess.PIPE, text=True
    )
    first = writer.stdout.readline()  # it is up and has committed once
    time.sleep(chance.uniform(0.0, 0.5))
    os.kill(writer.pid, signal.SIGKILL)
    rest, _ = writer.communicate()
    durable = Counter()
    for line in [first, *rest.splitlines()]:
        told = line.split()
        if len(told) == 3:
            epoch, lane, sequence = map(int, told)
            durable[epoch, lane] = max(durable[epoch, lane], sequence)
    return durable


@pytest.mark.soak
def test_what_was_called_durable_is_there_exactly_once(tmp_path):
    path = tmp_path / "spool.db"
    durable = Counter()
    for seed in range(ROUNDS):
        durable |= write_and_be_killed(path, seed)
    spool = Spool(path, 64 * 1024 * 1024, BOOT)
    spool.start()
    held = {}
    try:
        for lane in (CRITICAL, LIVE, BULK):
            rows, _ = spool.fetch(lane, (-1, -1), (2**63 - 1, 0), 1_000_000).result(60)
            for row in rows:
                body = batch.decode_body(row.body, row.codec)
                assert (body.epoch, body.lane, body.first_sequence) == row[1:2] + row[:1] + row[2:3]
                for number, encoded in enumerate(body.observations):
                    key = (row.epoch, lane, row.first + number)
                    assert key not in held, f"{key} is there twice"
                    held[key] = batch.decode_observation(encoded).device
    finally:
        spool.stop()
    assert len({epoch for epoch, _ in durable}) == ROUNDS
    assert spool.epoch >> 32 == ROUNDS
    for (epoch, lane), reached in durable.items():
        for sequence in range(1, reached + 1):
            assert held[epoch, lane, sequence] == f"{epoch}-{lane}"
