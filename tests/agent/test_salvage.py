"""A damaged spool gives back every batch that is whole, and never one that is not."""

import json
import random
import shutil
import sqlite3
from contextlib import closing

import pytest
from aerocast_agent import clock
from aerocast_agent.cli import main
from aerocast_agent.spool import Spool
from aerocast_agent.spool_adding import add_batches
from aerocast_agent.spool_reading import batches, open_to_read
from aerocast_agent.spool_rows import Row
from aerocast_agent.spool_salvage import Damaged, salvage
from aerocast_protocols import batch
from aerocast_protocols.observations.bags import CodeScan, TagRead
from aerocast_protocols.observations.every import BULK, CRITICAL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BUDGET = 16 * 1024 * 1024
PAGE = 4096


def fill(path, *, rounds=12, reads=300):
    """Give a spool of small batches and of batches that run over many pages, not checkpointed."""
    spool = Spool(path, BUDGET, clock.boot_id())
    spool.start()
    chance = random.Random(1)
    for number in range(rounds):
        text = f"{number:010}"
        scan = CodeScan(device="desk", boot_ns=number, content="plate", text=text)
        spool.add(CRITICAL, batch.encode_observation(scan))
        for each in range(reads):
            read = TagRead(device="portal", boot_ns=each, epc=chance.randbytes(60))
            spool.add(BULK, batch.encode_observation(read))
        spool.flush().result(60)
    return spool


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A file and its log as a power cut leaves them: some in the one, some in the other."""
    folder = tmp_path_factory.mktemp("spool")
    spool = fill(folder / "live.db")
    with closing(sqlite3.connect(folder / "live.db")) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    for _ in range(4):
        scan = CodeScan(device="desk", boot_ns=0, content="plate", text="0220123456")
        spool.add(CRITICAL, batch.encode_observation(scan))
        spool.flush().result(60)
    for suffix in ("", "-wal"):
        shutil.copy(folder / f"live.db{suffix}", folder / f"cut.db{suffix}")
    spool.stop()
    with closing(open_to_read(folder / "live.db")) as db:
        rows = set(batches(db))
    assert len(rows) >= 28
    assert max(len(row.body) for row in rows) > 3 * PAGE
    return folder / "cut.db", rows


def copied(original, folder):
    file = folder / "damaged.db"
    for suffix in ("", "-wal"):
        shutil.copy(f"{original[0]}{suffix}", f"{file}{suffix}")
    return file


def whole(file):
    return {each for each in salvage(file) if isinstance(each, Row)}


def overwrite(file, offset, content):
    with file.open("r+b") as opened:
        opened.seek(offset)
        opened.write(content)


def test_a_sound_file_gives_all_it_holds_its_log_included(original, tmp_path):
    assert whole(copied(original, tmp_path)) == original[1]


def test_without_its_head_or_its_tree_all_batches_are_found_page_by_page(original, tmp_path):
    file = copied(original, tmp_path)
    overwrite(file, 0, bytes(100))
    assert whole(file) >= original[1]
    overwrite(file, 0, bytes(3 * PAGE))
    assert len(whole(file) & original[1]) >= len(original[1]) - 4


def test_a_file_cut_short_gives_what_is_left(original, tmp_path):
    file = copied(original, tmp_path)
    half = file.stat().st_size // 2
    with file.open("r+b") as opened:
        opened.truncate(half // PAGE * PAGE + 77)
    found = whole(file)
    assert found <= original[1]
    assert len(found) >= 4


def test_a_flipped_bit_costs_one_batch_which_is_named(original, tmp_path):
    file = copied(original, tmp_path)
    victim = max(original[1], key=lambda row: len(row.body))
    held = file.read_bytes()
    # Somewhere in the middle of the body, on one of the pages it runs over.
    at = held.index(victim.body[9000:9040]) + 20
    overwrite(file, at, bytes([held[at] ^ 1]))
    results = list(salvage(file))
    assert {each for each in results if isinstance(each, Row)} == original[1] - {victim}
    (damaged,) = [each for each in results if isinstance(each, Damaged)]
    assert (damaged.lane, damaged.first, damaged.held) == (victim.lane, victim.first, victim.held)


def test_only_the_log_is_left(original, tmp_path):
    file = copied(original, tmp_path)
    file.write_bytes(b"")
    assert len(whole(file)) >= 4


@given(seed=st.integers(0, 2**32))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_damaged_nothing_wrong_comes_out(original, tmp_path, seed):
    file = copied(original, tmp_path)
    chance = random.Random(seed)
    for _ in range(chance.randrange(1, 12)):
        target = chance.choice((file, file.with_name(file.name + "-wal")))
        at = chance.randrange(target.stat().st_size)
        size = chance.choice((1, 4, 100, PAGE, 5 * PAGE))
        overwrite(target, at, chance.randbytes(size))
    assert whole(file) <= original[1]


@given(content=st.binary(max_size=3 * PAGE))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_file_that_never_was_a_spool_gives_nothing(tmp_path, content):
    file = tmp_path / "any.db"
    file.write_bytes(content)
    assert list(salvage(file)) == []


def write_config(folder):
    config = folder / "agent.toml"
    config.write_text(
        '[gateway]\nsite = "lfbo"\nname = "hall-1"\n[spool]\npath = "spool.db"\nbudget_mb = 16\n'
    )
    return config


def test_salvaged_batches_join_a_spool_in_use_once_and_under_their_own_names(
    original, tmp_path, capsys
):
    config = write_config(tmp_path)
    spool = fill(tmp_path / "spool.db", rounds=1, reads=5)  # one it opens with, it rescues itself
    aside = tmp_path / "spool.corrupt-1a2b3c4d.db"
    copied(original, tmp_path).rename(aside)
    (tmp_path / "damaged.db-wal").rename(tmp_path / f"{aside.name}-wal")
    overwrite(aside, 0, bytes(100))
    try:
        for added, there_already in ((len(original[1]), 0), (0, len(original[1]))):
            code = main(["spool", "salvage", "--into-spool", "--json", "--config", str(config)])
            out, err = capsys.readouterr()
            told = json.loads(out)
            assert code == 0, err
            assert (told["added"], told["no_room"]) == (added, 0)
            assert told["there_already"] >= there_already
        spool.add(CRITICAL, batch.encode_observation(CodeScan(
            device="desk", boot_ns=1, content="plate", text="0220123456")))  # fmt: skip
        spool.flush().result(60)
    finally:
        spool.stop()
    with closing(open_to_read(tmp_path / "spool.db")) as db:
        assert set(batches(db)) >= original[1]
    assert main(["spool", "verify", "--config", str(config)]) == 0


def test_what_finds_no_room_stays_outside_and_pushes_nothing_out(original, tmp_path):
    spool = fill(tmp_path / "spool.db", rounds=3)
    used = spool.state().result(60).used_bytes
    added, there_already, no_room = add_batches(tmp_path / "spool.db", used * 2, original[1])
    after = spool.state().result(60)
    spool.stop()
    assert added
    assert no_room
    assert added + there_already + no_room == len(original[1])
    assert after.used_bytes < used * 2 * 0.85
    assert after.totals["evicted"] == 0


def test_salvage_as_json_lines_names_what_is_damaged(original, tmp_path, capsys):
    file = copied(original, tmp_path)
    held = file.read_bytes()
    victim = max(original[1], key=lambda row: len(row.body))
    at = held.index(victim.body[9000:9040]) + 20
    overwrite(file, at, bytes([held[at] ^ 1]))
    code = main(["spool", "salvage", str(file)])
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert len(lines) == sum(row.held for row in original[1]) - victim.held + 1
    assert "1 batches are damaged" in err
    assert main(["spool", "salvage", str(tmp_path / "none.db")]) == 1
    assert "Next:" in capsys.readouterr().err
