"""The spool on a real file: durable means committed, and nothing leaves without a trace."""

import random
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from aerocast_agent.lanes import Span, joined
from aerocast_agent.spool import Spool
from aerocast_agent.spool_rows import allowance, spans_of
from aerocast_protocols import batch
from aerocast_protocols.batch import REFUSED, UNKNOWN_GATEWAY, Acknowledgement
from aerocast_protocols.observations.bags import NoRead
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE
from aerocast_protocols.observations.gateways import DeviceEvent, Evicted

BOOT = bytes(range(16))
EVERYTHING = ((-1, -1), (2**63 - 1, 0))


@pytest.fixture
def open_spool(tmp_path):
    opened = []

    def open_it(budget_mb=64, path=None):
        spool = Spool(path or tmp_path / "spool.db", budget_mb * 1024 * 1024, BOOT)
        spool.start()
        opened.append(spool)
        return spool

    yield open_it
    for spool in opened:
        spool.stop()


def seen(n, filling=0):
    return batch.encode_observation(NoRead(device=f"s{'x' * filling}", boot_ns=n))


def held(spool, lane, after=EVERYTHING[0], before=EVERYTHING[1], most=10_000):
    rows, _ = spool.fetch(lane, after, before, most).result(60)
    return rows


def sequences(spool, lane):
    return [n for row in held(spool, lane) for n in range(row.first, row.last + 1)]


def observations(spool, lane):
    return [
        batch.decode_observation(each)
        for row in held(spool, lane)
        for each in batch.decode_body(row.body, row.codec).observations
    ]


def counters(spool):
    return spool.state().result(60).counters


def test_what_is_flushed_is_durable_and_decodes(open_spool):
    spool = open_spool()
    for n in range(1200):
        spool.add(BULK, seen(n))
    spool.flush().result(60)
    assert counters(spool)[:2] == (1200, 1200)
    assert [each.boot_ns for each in observations(spool, BULK)] == list(range(1200))
    for row in held(spool, BULK):
        body = batch.decode_body(row.body, row.codec)
        assert (body.epoch, body.lane, body.first_sequence) == (spool.epoch, BULK, row.first)
        assert body.boot_id == BOOT


def test_an_observation_is_durable_by_its_deadline_without_a_flush(open_spool):
    spool = open_spool()
    durable = threading.Event()
    spool.on_durable = durable.set
    spool.add(CRITICAL, seen(1))
    assert durable.wait(60)
    assert sequences(spool, CRITICAL) == [1]


def test_every_life_has_an_epoch_of_its_own(open_spool, tmp_path):
    first = open_spool()
    first.add(LIVE, seen(1))
    first.stop()
    second = open_spool()
    second.add(LIVE, seen(2))
    second.flush().result(60)
    assert first.epoch >> 32 == 0
    assert second.epoch >> 32 == 1
    assert [(row.epoch, row.first) for row in held(second, LIVE)] == [
        (first.epoch, 1),
        (second.epoch, 1),
    ]


def test_an_acknowledgement_lets_whole_batches_go(open_spool):
    spool = open_spool()
    for n in range(3):
        spool.add(LIVE, seen(n))
        spool.flush().result(60)
    spool.acknowledge(Acknowledgement(lane=LIVE, epoch=spool.epoch, up_to_sequence=2))
    spool.acknowledge(Acknowledgement(lane=LIVE, epoch=spool.epoch + 1, up_to_sequence=9))
    spool.flush().result(60)
    assert sequences(spool, LIVE) == [3]
    assert counters(spool).acked == 2
    rows, oldest = spool.fetch(LIVE, *EVERYTHING, 10).result(60)
    assert oldest == {spool.epoch: 3}
    assert rows[0].first == 3


def test_what_the_hub_has_beyond_a_hole_is_let_go_too(open_spool):
    spool = open_spool()
    for n in range(5):
        spool.add(LIVE, seen(n))
        spool.flush().result(60)
    spool.acknowledge(
        Acknowledgement(
            lane=LIVE,
            epoch=spool.epoch,
            up_to_sequence=1,
            missing_ranges=((2, 3),),
            highest_sequence=4,
        )
    )
    spool.flush().result(60)
    assert sequences(spool, LIVE) == [2, 3, 5]


@pytest.mark.parametrize(
    ("acknowledgement", "stored", "refused"),
    [
        ({"up_to_sequence": 0}, [], []),
        ({"up_to_sequence": 5}, [(1, 5)], []),
        ({"up_to_sequence": 5, "highest_sequence": 9}, [(1, 5), (6, 9)], []),
        (
            {"up_to_sequence": 5, "missing_ranges": ((6, 7), (9, 9)), "highest_sequence": 12},
            [(1, 5), (8, 8), (10, 12)],
            [],
        ),
        ({"up_to_sequence": 5, "missing_ranges": ((6, 7),)}, [(1, 5)], []),
        (
            {"up_to_sequence": 5, "missing_ranges": ((3, 3),), "status": REFUSED},
            [(1, 5)],
            [(3, 3)],
        ),
        ({"up_to_sequence": 5, "status": UNKNOWN_GATEWAY}, [], []),
    ],
)
def test_an_acknowledgement_is_read_as_spans(acknowledgement, stored, refused):
    found = spans_of(Acknowledgement(lane=0, epoch=1, **acknowledgement))
    assert [[(span.first, span.last) for span in spans] for spans in found] == [stored, refused]


def test_what_is_refused_for_good_is_set_aside_and_the_rest_stays(open_spool, tmp_path):
    spool = open_spool()
    for n in range(1, 6):
        spool.add(LIVE, seen(n))
    spool.flush().result(60)
    spool.acknowledge(
        Acknowledgement(
            lane=LIVE, epoch=spool.epoch, up_to_sequence=0, missing_ranges=((3, 3),), status=REFUSED
        )
    )
    spool.flush().result(60)
    assert sequences(spool, LIVE) == [1, 2, 4, 5]
    assert [each.boot_ns for each in observations(spool, LIVE)] == [1, 2, 4, 5]
    assert counters(spool).dead == 1
    told = observations(spool, CRITICAL)
    assert [(e.lane, e.first_sequence, e.last_sequence, e.reason) for e in told] == [
        (LIVE, 3, 3, "refused")
    ]
    spool.acknowledge(
        Acknowledgement(
            lane=CRITICAL,
            epoch=spool.epoch,
            up_to_sequence=0,
            missing_ranges=((1, 1),),
            status=REFUSED,
        )
    )
    spool.flush().result(60)
    assert observations(spool, CRITICAL) == []  # a refused record needs no record of its own


def test_over_budget_the_oldest_bulk_goes_first_and_the_hub_is_told(open_spool):
    spool = open_spool(budget_mb=8)
    spool.add(LIVE, seen(0))
    spool.flush().result(60)
    for n in range(300):
        spool.add(BULK, incompressible(n))
        if n % 2:
            spool.flush().result(60)
    left = sequences(spool, BULK)
    assert left == list(range(left[0], 301))
    assert left[0] > 1
    assert sequences(spool, LIVE) == [1]
    told = [each for each in observations(spool, CRITICAL) if isinstance(each, Evicted)]
    gone = sorted(n for e in told for n in range(e.first_sequence, e.last_sequence + 1))
    assert gone == list(range(1, left[0]))
    assert {(e.lane, e.epoch, e.reason) for e in told} == {(BULK, spool.epoch, "budget")}
    state = spool.state().result(60)
    assert state.counters.evicted == len(gone)
    assert state.used_bytes <= 8 * 1024 * 1024


def incompressible(n):
    text = random.Random(n).randbytes(30_000).hex()
    return batch.encode_observation(NoRead(device=text, boot_ns=n))


def looked_through(folder):
    """Wait until the file that was set aside has its last name; give it."""
    ends_s = time.monotonic() + 60
    while any(folder.glob("spool.corrupt-*.db")) and time.monotonic() < ends_s:
        time.sleep(0.02)
    (aside,) = folder.glob("spool.salvaged-*.db")
    return aside


def test_a_file_that_is_no_spool_is_kept_aside_and_the_hub_is_told(open_spool, tmp_path):
    path = tmp_path / "spool.db"
    path.write_bytes(b"this is no database, " * 1000)
    spool = open_spool()
    spool.flush().result(60)
    (told,) = observations(spool, LIVE)
    assert isinstance(told, DeviceEvent)
    assert told.event == "lost"
    aside = looked_through(tmp_path)
    assert aside.name.replace("salvaged", "corrupt") in told.detail
    assert aside.read_bytes().startswith(b"this is no database")


def test_another_programs_database_is_not_touched(open_spool, tmp_path):
    with closing(sqlite3.connect(tmp_path / "spool.db")) as other:
        other.execute("CREATE TABLE meta (key, value)")
        other.execute("INSERT INTO meta VALUES ('mine', 1)")
        other.commit()
    spool = open_spool()
    spool.add(LIVE, seen(1))
    spool.flush().result(60)
    with closing(sqlite3.connect(looked_through(tmp_path))) as kept:
        assert kept.execute("SELECT * FROM meta").fetchall() == [("mine", 1)]


def test_a_damaged_batch_is_set_aside_and_explained(open_spool, tmp_path):
    first = open_spool()
    for n in range(2):
        first.add(LIVE, seen(n))
        first.flush().result(60)
    first.stop()
    with closing(sqlite3.connect(tmp_path / "spool.db")) as db:
        db.execute("UPDATE batch SET body = CAST(x'00' || substr(body, 2) AS BLOB) WHERE first = 1")
        db.commit()
    second = open_spool()
    assert sequences(second, LIVE) == [2]
    second.flush().result(60)
    (told,) = observations(second, CRITICAL)
    assert (told.epoch, told.first_sequence, told.last_sequence, told.reason) == (
        first.epoch,
        1,
        1,
        "corrupt",
    )


def test_without_a_disk_it_goes_on_in_memory_and_says_so(open_spool, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    spool = open_spool(path=blocked / "spool.db")
    spool.add(LIVE, seen(1))
    with pytest.raises(sqlite3.Error, match="blocked"):
        spool.state().result(60)
    state = spool.state_in_memory()
    assert "blocked" in state.degraded
    assert state.counters[:2] == (1, 0)
    blocked.unlink()
    spool.flush().result(60)
    state = spool.state().result(60)
    assert state.degraded is None
    assert state.counters[:2] == (1, 1)
    assert sequences(spool, LIVE) == [1]


def test_memory_is_bounded_while_the_disk_is_away_and_the_loss_is_told(open_spool, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    spool = open_spool(path=blocked / "spool.db")
    for n in range(200):
        spool.add(BULK, batch.encode_observation(NoRead(device="x" * 40_000, boot_ns=n)))
    state = spool.state_in_memory()
    assert state.waiting_bytes <= 4 * 1024 * 1024
    assert state.counters.evicted > 0
    blocked.unlink()
    spool.flush().result(60)
    left = sequences(spool, BULK)
    told = observations(spool, CRITICAL)
    assert sum(e.last_sequence - e.first_sequence + 1 for e in told) == left[0] - 1
    assert {(e.epoch, e.reason) for e in told} == {(spool.epoch, "disk_full")}


def test_an_observation_no_batch_can_carry_is_refused(open_spool):
    spool = open_spool()
    with pytest.raises(ValueError, match="fits no batch"):
        spool.add(LIVE, b"x" * 70_000)


def test_an_acknowledgement_of_numbers_no_file_holds_changes_nothing(open_spool):
    spool = open_spool()
    spool.add(LIVE, seen(1))
    most = 2**64 - 1
    for acknowledgement in (
        Acknowledgement(lane=LIVE, epoch=most, up_to_sequence=most),
        Acknowledgement(
            lane=BULK,
            epoch=spool.epoch,
            up_to_sequence=most,
            missing_ranges=((most, most), (9, 3)),
            status=REFUSED,
            highest_sequence=most,
        ),
    ):
        spool.acknowledge(acknowledgement)
    spool.flush().result(60)
    assert sequences(spool, LIVE) == [1]


def test_the_allowance_shrinks_with_the_disk():
    mb = 1024 * 1024
    assert allowance(512 * mb, 10 * mb, (100_000 * mb, 50_000 * mb)) == 512 * mb
    assert allowance(512 * mb, 10 * mb, (1000 * mb, 60 * mb)) == 20 * mb
    assert allowance(512 * mb, 10 * mb, (1000 * mb, 0)) == 10 * mb


def test_neighbouring_spans_become_one():
    spans = [Span(0, 1, 1, 2, "b"), Span(0, 1, 3, 4, "b"), Span(0, 1, 6, 6, "b")]
    assert joined(spans) == [Span(0, 1, 1, 4, "b"), Span(0, 1, 6, 6, "b")]
