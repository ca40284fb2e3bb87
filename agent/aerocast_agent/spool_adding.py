"""Put salvaged batches into a spool whose daemon may be running: few at a time, none twice."""

import secrets
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from aerocast_protocols.observations.every import BULK

from aerocast_agent.spool_file import ADDING, FULL_AT
from aerocast_agent.spool_opening import APPLICATION_ID, PAGE, SCHEMA
from aerocast_agent.spool_rows import Row, allowance, without

AT_ONCE = 20
"""Batches in one commit: at most 1.3 MB, so that the daemon never waits long for its turn."""
LEFT_FREE = 0.05
"""Of the budget, below where bulk is given up: what is salvaged must not push out what is new."""


class Added(NamedTuple):
    """What came of it, in batches; ``no_room`` were left out because the spool is full."""

    added: int
    there_already: int
    no_room: int


def _nothing(_: Row) -> None:
    """Do without the batches that found no room."""


def add_batches(
    path: Path,
    budget_bytes: int,
    rows: Iterable[Row],
    left_out: Callable[[Row], None] = _nothing,
) -> Added:
    """Add batches to a spool under their own epoch and sequences; the hub counts each once.

    Until all are there the daemon tells the hub that it holds everything, for they may come in any
    order. (If this is cut short, until the daemon's next start.)

    ``left_out`` is called with each that found no room.

    Raises
    ------
    sqlite3.Error
        It is no spool, may not be written, or its daemon did not let go of it within 10 s.
    """
    added = there_already = no_room = 0
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as db:
        db.isolation_level = None
        db.execute("PRAGMA busy_timeout=10000")
        db.execute("PRAGMA synchronous=FULL")
        _check(db, path)
        name = ADDING + secrets.token_hex(4)
        left = iter(rows)
        while some := list(islice(left, AT_ONCE)):
            db.execute("BEGIN IMMEDIATE")
            try:
                db.execute("INSERT OR IGNORE INTO meta VALUES (?, 1)", (name,))
                room = _room(db, path, budget_bytes)
                for row in some:
                    parts = list(_missing(db, row))
                    room -= sum(len(part.body) for part in parts)
                    if room < 0:
                        no_room += 1
                        left_out(row)
                    elif parts:
                        _insert(db, parts)
                        added += 1
                    else:
                        there_already += 1
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        db.execute("DELETE FROM meta WHERE key = ?", (name,))
    return Added(added, there_already, no_room)


def _check(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise sqlite3.DatabaseError(f"{path} is no spool")
    schema = db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    if schema is None or schema[0] != SCHEMA:
        raise sqlite3.DatabaseError(f"{path} is of another version")


def _room(db: sqlite3.Connection, path: Path, budget_bytes: int) -> int:
    pages, free = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count")
    )
    disk = shutil.disk_usage(path.parent)
    allowed = allowance(budget_bytes, pages * PAGE, (disk.total, disk.free))
    return int(allowed * (FULL_AT[BULK] - LEFT_FREE)) - (pages - free) * PAGE


def _missing(db: sqlite3.Connection, row: Row) -> Iterator[Row]:
    """Give the parts of a batch that the spool does not hold."""
    held = db.execute(
        "SELECT first, first + count - 1 FROM batch WHERE lane = ? AND epoch = ?"
        " AND first <= ? AND first + count - 1 >= ? ORDER BY first",
        (row.lane, row.epoch, row.last, row.first),
    ).fetchall()
    parts = [row]
    for first, last in held:
        cut: list[Row] = []
        for part in parts:
            overlaps = first <= part.last and part.first <= last
            cut += (
                without(part, max(first, part.first), min(last, part.last)) if overlaps else [part]
            )
        parts = cut
    yield from parts


def _insert(db: sqlite3.Connection, parts: Iterable[Row]) -> None:
    for part in parts:
        db.execute(
            "INSERT INTO batch (lane, epoch, first, count, boot_ns, codec, crc, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*part[:6], zlib.crc32(part.body), part.body),
        )
        # It came in, once more: what came in less what left is what is held.
        db.execute(
            "INSERT INTO meta VALUES ('accepted', ?1)"
            " ON CONFLICT (key) DO UPDATE SET value = value + ?1",
            (part.held,),
        )
