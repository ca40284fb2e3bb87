"""A spool file that cannot be used: a fresh start, what is whole put back, the rest told."""

import os
import random
import shutil
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from aerocast_agent.spool import Spool
from aerocast_agent.spool_adding import AT_ONCE, add_batches
from aerocast_agent.spool_rows import Row
from aerocast_protocols import batch
from aerocast_protocols.batch import Acknowledgement
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE
from aerocast_protocols.observations.gateways import Evicted

BOOT = bytes(range(16))
BUDGET = 64 * 1024 * 1024
EVERYTHING = ((-1, -1), (2**63 - 1, 0))
PAGE = 4096


def seen(n):
    filling = random.Random(n).randbytes(300).hex()
    return batch.encode_observation(NoRead(device=filling, boot_ns=n))


def held(spool, lane):
    rows, _ = spool.fetch(lane, *EVERYTHING, 10_000).result(60)
    return rows


def sequences(spool, lane, epoch):
    return [
        n for row in held(spool, lane) if row.epoch == epoch for n in range(row.first, row.last + 1)
    ]


def told_lost(spool, lane, epoch):
    return {
        n
        for row in held(spool, CRITICAL)
        for each in batch.decode_body(row.body, row.codec).observations
        if isinstance(told := batch.decode_observation(each), Evicted)
        and (told.lane, told.epoch) == (lane, epoch)
        for n in range(told.first_sequence, told.last_sequence + 1)
    }


def filled(path, batches=30):
    spool = Spool(path, BUDGET, BOOT)
    spool.start()
    for n in range(batches):
        for k in range(20):
            spool.add(LIVE if n % 2 else BULK, seen(n * 20 + k))
        spool.flush().result(60)
    return spool


def rescued(path, spool):
    ends_s = time.monotonic() + 60
    while any(path.parent.glob("spool.corrupt-*.db")) and time.monotonic() < ends_s:
        time.sleep(0.02)
    spool.flush().result(60)
    assert not any(path.parent.glob("spool.corrupt-*.db"))


def overwrite(path, at, content):
    with path.open("r+b") as opened:
        opened.seek(at)
        opened.write(content)


def a_wrong_header(path):
    overwrite(path, 0, b"\0" * 100)


def a_foreign_header(path):
    overwrite(path, 68, b"\0\0\0\1")


def a_damaged_schema(path):
    overwrite(path, 100, b"\xff" * 500)


def used_pages(path):
    content = path.read_bytes()
    return [at for at in range(3 * PAGE, len(content), PAGE) if any(content[at : at + PAGE])]


def pages_of_zeros_in_the_middle(path):
    pages = used_pages(path)
    for at in pages[len(pages) // 3 : len(pages) // 2]:
        overwrite(path, at, bytes(PAGE))


def a_cut_file(path):
    pages = used_pages(path)
    with path.open("r+b") as opened:
        opened.truncate(pages[len(pages) // 2] + 100)


@pytest.mark.parametrize(
    "damage",
    [
        a_wrong_header,
        a_foreign_header,
        a_damaged_schema,
        pages_of_zeros_in_the_middle,
        a_cut_file,
    ],
)
def test_what_is_whole_is_put_back_and_the_rest_is_told(tmp_path, damage):
    path = tmp_path / "spool.db"
    first = filled(path)
    first.stop()
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE meta SET value = 0 WHERE key = 'clean'")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    damage(path)
    second = Spool(path, BUDGET, BOOT)
    second.start()
    second.add(LIVE, seen(0))
    second.flush().result(60)
    try:
        rescued(path, second)
        assert second.epoch != first.epoch
        for lane in (LIVE, BULK):
            kept = sequences(second, lane, first.epoch)
            assert kept == sorted(set(kept))
            if kept:
                missing = set(range(1, kept[-1] + 1)) - set(kept)
                assert missing <= told_lost(second, lane, first.epoch)
                assert not told_lost(second, lane, first.epoch) & set(kept)
        assert sum(len(sequences(second, lane, first.epoch)) for lane in (LIVE, BULK)) >= 100
    finally:
        second.stop()
    assert len(list(tmp_path.glob("spool.salvaged-*.db"))) == 1


def test_a_file_damaged_in_mid_life_is_replaced_and_every_sequence_is_accounted_for(tmp_path):
    path = tmp_path / "spool.db"
    spool = filled(path, batches=300)
    try:
        spool.acknowledge(Acknowledgement(lane=LIVE, epoch=spool.epoch, up_to_sequence=40))
        spool.flush().result(60)
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        pages = used_pages(path)
        for at in pages[: len(pages) // 2]:
            overwrite(path, at, b"\xa5" * PAGE)
        for lane in (LIVE, BULK):  # looks, and finds the damage
            spool.fetch(lane, *EVERYTHING, 10_000).exception(60)
        spool.add(LIVE, seen(0))
        spool.flush().result(60)
        rescued(path, spool)
        for lane, last, acked in ((LIVE, 3001, 40), (BULK, 3000, 0)):
            kept = set(sequences(spool, lane, spool.epoch))
            gone = told_lost(spool, lane, spool.epoch)
            assert not kept & gone
            assert kept | gone >= set(range(acked + 1, last + 1))
        assert len(list(tmp_path.glob("spool.salvaged-*.db"))) == 1
        state = spool.state().result(60)
        assert state.degraded is None
    finally:
        spool.stop()


def floor_of(spool, lane):
    """Give the oldest sequence of this life the hub would be told of."""
    return spool.fetch(lane, *EVERYTHING, 1).result(60)[1][spool.epoch]


def test_until_a_rescue_is_done_the_hub_is_told_that_everything_is_still_held(tmp_path):
    path = tmp_path / "spool.db"
    damaged, door = tmp_path / "spool.corrupt-12345678.db", tmp_path / "door"
    os.mkfifo(damaged)  # whoever reads it waits until someone writes
    os.link(damaged, door)
    spool = Spool(path, BUDGET, BOOT)
    done = threading.Event()
    spool.on_rescued = done.set
    spool.start()
    try:
        for n in range(5):
            spool.add(LIVE, seen(n))
            spool.flush().result(60)
        spool.acknowledge(Acknowledgement(lane=LIVE, epoch=spool.epoch, up_to_sequence=3))
        spool.flush().result(60)
        assert held(spool, LIVE)[0].first == 4
        assert floor_of(spool, LIVE) == 1
        noise = tmp_path / "noise"
        noise.write_bytes(b"x" * PAGE)
        noise.replace(damaged)
        os.close(os.open(door, os.O_WRONLY))
        assert done.wait(60)
        assert floor_of(spool, LIVE) == 4
    finally:
        spool.stop()


def test_while_someone_else_adds_the_hub_is_told_that_everything_is_still_held(tmp_path):
    spool = filled(tmp_path / "spool.db", batches=6)
    door, begun = threading.Event(), threading.Event()

    def found():
        body = batch.encode_body(
            epoch=7, lane=BULK, first_sequence=1, boot_id=BOOT, observations=[seen(1)]
        )
        for number in range(2 * AT_ONCE):
            if number == AT_ONCE + 1:  # the first portion is committed
                begun.set()
                door.wait(60)
            yield Row(BULK, 7, 1 + number, 1, 0, batch.PLAIN, body)

    try:
        spool.acknowledge(Acknowledgement(lane=LIVE, epoch=spool.epoch, up_to_sequence=20))
        spool.flush().result(60)
        assert floor_of(spool, LIVE) == 21
        adding = threading.Thread(target=add_batches, args=(tmp_path / "spool.db", BUDGET, found()))
        adding.start()
        assert begun.wait(60)
        assert floor_of(spool, LIVE) == 1
        door.set()
        adding.join(60)
        assert floor_of(spool, LIVE) == 21
    finally:
        spool.stop()


def test_what_is_only_in_the_log_of_an_empty_file_is_put_back(tmp_path):
    killed = tmp_path / "killed" / "spool.db"
    first = filled(killed, batches=4)
    path = tmp_path / "spool.db"
    path.touch()
    shutil.copy(killed.with_name("spool.db-wal"), tmp_path / "spool.db-wal")
    first.stop()
    second = Spool(path, BUDGET, BOOT)
    second.start()
    try:
        rescued(path, second)
        assert sequences(second, LIVE, first.epoch) == list(range(1, 41))
        assert sequences(second, BULK, first.epoch) == list(range(1, 41))
    finally:
        second.stop()


def test_a_rescue_that_was_cut_short_is_done_at_the_next_start_and_announced(tmp_path):
    path = tmp_path / "spool.db"
    first = filled(path, batches=4)
    first.stop()
    path.rename(tmp_path / "spool.corrupt-12345678.db")
    second = Spool(path, BUDGET, BOOT)
    announced = threading.Event()
    second.on_rescued = announced.set
    second.start()
    try:
        rescued(path, second)
        assert announced.wait(60)
        rows, floor = second.fetch(LIVE, *EVERYTHING, 100).result(60)
        assert floor[first.epoch] == 1
        assert {row.epoch for row in rows} == {first.epoch}
    finally:
        second.stop()
