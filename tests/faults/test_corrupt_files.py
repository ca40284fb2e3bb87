"""Spool files ruined in many ways: the gateway starts all the same, keeps what it can and tells."""

import os
import random
import shutil
import sqlite3
from contextlib import closing

import pytest
from aerocast_agent.spool import Spool
from aerocast_protocols import batch
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE
from aerocast_protocols.observations.gateways import DeviceEvent, Evicted

BUDGET = 64 * 1024 * 1024
EVERYTHING = ((-1, -1), (2**63 - 1, 0))
HELD = 600


def empty_file(path, chance):
    path.write_bytes(b"")


def empty_with_a_log(path, chance):
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE batch SET boot_ns = boot_ns + 1")  # so that the log holds something
        db.commit()
        log = path.with_name(path.name + "-wal").read_bytes()
    path.write_bytes(b"")
    path.with_name(path.name + "-wal").write_bytes(log)


def zeros(path, chance):
    path.write_bytes(bytes(path.stat().st_size))


def noise(path, chance):
    path.write_bytes(chance.randbytes(path.stat().st_size))


def cut_in_half(path, chance):
    os.truncate(path, path.stat().st_size // 2)


def cut_in_a_page(path, chance):
    os.truncate(path, path.stat().st_size - 1234)


def header_overwritten(path, chance):
    with path.open("r+b") as file:
        file.write(chance.randbytes(100))


def noise_in_the_pages(path, chance):
    with path.open("r+b") as file:
        for _ in range(40):
            file.seek(chance.randrange(4096, path.stat().st_size - 64))
            file.write(chance.randbytes(64))


def a_page_swapped_for_another(path, chance):
    content = bytearray(path.read_bytes())
    last = len(content) // 4096 - 1
    content[4096:8192], content[last * 4096 :] = content[last * 4096 :], content[4096:8192]
    path.write_bytes(content)


def another_programs_database(path, chance):
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE batch (id INTEGER PRIMARY KEY, body BLOB)")


def a_table_dropped(path, chance):
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE meta")


def a_log_of_noise(path, chance):
    path.with_name(path.name + "-wal").write_bytes(chance.randbytes(200_000))


def marked_unclean(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('clean', 0)")
        db.commit()


def text(n):
    return batch.encode_observation(NoRead(device=f"scanner-{n}", boot_ns=n))


RUINS = [
    empty_file,
    empty_with_a_log,
    zeros,
    noise,
    cut_in_half,
    cut_in_a_page,
    header_overwritten,
    noise_in_the_pages,
    a_page_swapped_for_another,
    another_programs_database,
    a_table_dropped,
    a_log_of_noise,
]


@pytest.fixture(scope="module")
def well_filled(tmp_path_factory):
    """A spool with batches in every lane, as a killed gateway leaves it: not marked clean."""
    path = tmp_path_factory.mktemp("whole") / "spool.db"
    spool = Spool(path, BUDGET, bytes(16))
    spool.start()
    for n in range(HELD):
        spool.add(n % 3, text(n))
        if n % 15 == 14:
            spool.flush().result(60)
    spool.stop()
    marked_unclean(path)
    return path


def started(path):
    spool = Spool(path, BUDGET, bytes(16))
    spool.start()
    assert spool.epoch is not None
    return spool


def observations(spool, lane):
    found = {}
    while True:  # what is damaged is set aside as it is met, and told of by the next commit
        rows, _ = spool.fetch(lane, *EVERYTHING, 10_000).result(60)
        spool.flush().result(60)
        told = {
            (row.epoch, sequence): batch.decode_observation(encoded)
            for row in rows
            for sequence, encoded in enumerate(
                batch.decode_body(row.body, row.codec).observations, row.first
            )
        }
        if told.keys() <= found.keys():
            return found
        found |= told


@pytest.mark.parametrize("ruin", RUINS, ids=lambda ruin: ruin.__name__)
def test_a_ruined_file_never_stops_the_gateway(well_filled, tmp_path, ruin):
    path = tmp_path / "spool.db"
    shutil.copyfile(well_filled, path)
    ruin(path, random.Random(ruin.__name__))
    spool = started(path)
    try:
        for lane in (CRITICAL, LIVE, BULK):
            for n in range(50):
                spool.add(lane, text(10_000 + n))
        spool.flush().result(60)
        for lane in (CRITICAL, LIVE, BULK):
            held = observations(spool, lane)
            fresh = [seen for (epoch, _), seen in held.items() if epoch == spool.epoch]
            assert {seen.boot_ns for seen in fresh} >= set(range(10_000, 10_050))
            for (epoch, _), seen in held.items():  # what is old is what was written, or gone
                if epoch != spool.epoch and isinstance(seen, NoRead):
                    assert seen == NoRead(device=f"scanner-{seen.boot_ns}", boot_ns=seen.boot_ns)
        # Looked through they have another name, and that may be over by now.
        looked_through = [
            *tmp_path.glob("spool.corrupt-*.db"),
            *tmp_path.glob("spool.salvaged-*.db"),
        ]
        set_aside = {
            each.name.partition("-")[2] for each in looked_through
        }  # once, if just renamed
        told = [
            each
            for each in observations(spool, LIVE).values()
            if isinstance(each, DeviceEvent) and each.event == "lost"
        ]
        assert len(told) == len(set_aside), "the hub hears of every file set aside"
        assert spool.state().result(60).degraded is None
    finally:
        spool.stop()


def test_a_batch_with_a_flipped_bit_is_set_aside_with_a_record(well_filled, tmp_path):
    path = tmp_path / "spool.db"
    shutil.copyfile(well_filled, path)
    with closing(sqlite3.connect(path)) as db:
        (body,) = db.execute("SELECT body FROM batch WHERE lane = 0 AND first = 11").fetchone()
        body = bytearray(body)
        body[len(body) // 2] ^= 0x10
        db.execute("UPDATE batch SET body = ? WHERE lane = 0 AND first = 11", (bytes(body),))
        db.commit()
    spool = started(path)
    try:
        held = observations(spool, CRITICAL)
        old = [sequence for (epoch, sequence) in held if epoch != spool.epoch]
        assert old == [n for n in range(1, HELD // 3 + 1) if n not in range(11, 16)]
        told = [each for each in held.values() if isinstance(each, Evicted)]
        assert [(each.lane, each.first_sequence, each.last_sequence) for each in told] == [
            (CRITICAL, 11, 15)
        ]
    finally:
        spool.stop()
