"""A disk that fills up: the spool goes on, gives up the least urgent, and tells."""

import contextlib
import errno
import os
import random
import subprocess

import pytest
from aerocast_agent.spool import Spool
from aerocast_protocols import batch
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE
from aerocast_protocols.observations.gateways import Evicted

EVERYTHING = ((-1, -1), (2**63 - 1, 0))


@pytest.fixture(params=["24m"])
def small_disk(request, tmp_path):
    """A file system of few megabytes."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={request.param}", "none", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def large(n):
    text = os.urandom(20_000).hex()
    return batch.encode_observation(NoRead(device=text, boot_ns=n))


def held(spool, lane):
    """Give what is on disk of a lane; a name of 40 000 letters is no device the wire knows."""
    rows, _ = spool.fetch(lane, *EVERYTHING, 10_000).result(60)
    return [
        (row.first + number, bytes(each))
        for row in rows
        for number, each in enumerate(batch.decode_body(row.body, row.codec).observations)
    ]


def critical(spool):
    return [batch.decode_observation(each) for _, each in held(spool, CRITICAL)]


def gone(told):
    spans = [each for each in told if isinstance(each, Evicted)]
    assert {each.lane for each in spans} <= {BULK}
    return {n for each in spans for n in range(each.first_sequence, each.last_sequence + 1)}


def fill_up(file):
    with file.open("wb", buffering=0) as opened:
        try:
            while True:
                opened.write(bytes(65536))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017  how a full disk answers


def test_every_sequence_is_on_disk_or_told_as_given_up(small_disk):
    spool = Spool(small_disk / "spool.db", 512 * 1024 * 1024, bytes(16))
    spool.start()
    try:
        for n in range(1, 801):
            spool.add(BULK, large(n))
            if n % 10 == 0:
                spool.add(CRITICAL, batch.encode_observation(NoRead(device="s", boot_ns=n)))
                spool.flush().result(60)
            if n == 100:
                (small_disk / "others.log").write_bytes(bytes(3 * 1024 * 1024))
        state = spool.state().result(60)
        assert state.degraded is None
        told = critical(spool)
        there = [sequence for sequence, _ in held(spool, BULK)]
        assert gone(told)
        assert sorted([*gone(told), *there]) == list(range(1, 801))
        scans = [each.boot_ns for each in told if isinstance(each, NoRead)]
        assert sorted(scans) == list(range(10, 801, 10))
    finally:
        spool.stop()


def test_on_a_disk_without_a_free_byte_it_says_so_and_recovers(small_disk):
    spool = Spool(small_disk / "spool.db", 512 * 1024 * 1024, bytes(16))
    spool.start()
    filling = small_disk / "others.log"
    try:
        fill_up(filling)
        for n in range(1, 300):
            spool.add(BULK, large(n))
        counters = spool.state().result(60).counters
        assert counters.durable <= counters.accepted
    finally:
        filling.unlink()
        spool.flush().result(60)
        assert spool.state().result(60).degraded is None
        there = [sequence for sequence, _ in held(spool, BULK)]
        assert sorted([*gone(critical(spool)), *there]) == list(range(1, 300))
        spool.stop()


@pytest.mark.parametrize("small_disk", ["4m"], indirect=True)
def test_four_megabytes_are_enough_to_lose_nothing_in_silence(small_disk):
    """The disk is smaller than the log the spool would like: it runs all the same."""
    chance = random.Random(4)
    spool = Spool(small_disk / "spool.db", 512 * 1024 * 1024, bytes(16))
    spool.start()
    seen = dict.fromkeys((CRITICAL, LIVE, BULK), 0)
    durable = dict(seen)
    filling = small_disk / "others.log"
    try:
        for turn in range(60):
            for _ in range(200):
                lane = chance.choice([CRITICAL, LIVE, BULK, BULK, BULK])
                told = NoRead(device=chance.randbytes(400).hex(), boot_ns=turn)
                seen[lane] = max(seen[lane], spool.add(lane, batch.encode_observation(told)))
            if turn == 20:
                fill_up(filling)
            elif turn == 30:
                filling.unlink()
            elif turn < 20 or turn > 40:
                spool.flush().result(60)
                durable |= seen
        state = spool.state().result(60)
        assert state.degraded is None
        assert state.counters.durable <= state.counters.accepted
        assert sum(durable.values()) > 5000
        told = gone_by_lane(spool)
        for lane, reached in durable.items():
            here = {sequence for sequence, _ in held(spool, lane)}
            missing = set(range(1, reached + 1)) - here - told[lane]
            assert not missing, f"lane {lane}: durable, and neither here nor given up: {missing}"
            assert not here & told[lane], "given up and kept"
        assert state.counters.evicted == sum(map(len, told.values()))
    finally:
        spool.stop()


def gone_by_lane(spool):
    gone = {CRITICAL: set(), LIVE: set(), BULK: set()}
    for _, encoded in held(spool, CRITICAL):
        with contextlib.suppress(ProtocolError):  # names as long as these no device has
            told = batch.decode_observation(encoded)
            if isinstance(told, Evicted):
                gone[told.lane] |= set(range(told.first_sequence, told.last_sequence + 1))
    return gone
