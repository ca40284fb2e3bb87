"""Hold a spool against what it must be: the file, each batch, and how they fit together."""

import sqlite3
import zlib
from collections.abc import Iterator

import msgspec
from aerocast_protocols import batch
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import LANE_NAMES

from aerocast_agent.lanes import EVERY_LANE
from aerocast_agent.spool_opening import SCHEMA
from aerocast_agent.spool_reading import batches
from aerocast_agent.spool_rows import Row

MOST_NAMED = 100


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: what, whether it is well, and what was found."""

    what: str
    well: bool
    found: str


def findings(db: sqlite3.Connection) -> Iterator[Finding]:
    """Look at everything there is to look at, the costly last."""
    try:
        yield _schema(db)
        yield _totals(db)
        yield from _pages(db)
        for lane in EVERY_LANE:
            yield from _lane(db, lane)
    except sqlite3.DatabaseError as error:
        yield Finding(what="file", well=False, found=str(error))


def _schema(db: sqlite3.Connection) -> Finding:
    found = db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    schema = None if found is None else found[0]
    return Finding(what="schema", well=schema == SCHEMA, found=f"{schema}, expected {SCHEMA}")


def _totals(db: sqlite3.Connection) -> Finding:
    """Hold what is on disk against what came in less what left; both read at one moment."""
    accepted, left, held = db.execute(
        "SELECT coalesce((SELECT value FROM meta WHERE key = 'accepted'), 0),"
        " coalesce((SELECT sum(value) FROM meta WHERE key IN ('acked', 'evicted', 'dead')), 0),"
        " coalesce((SELECT sum(count) FROM batch), 0)"
    ).fetchone()
    found = f"{accepted} came in, {left} left, {held} are here"
    return Finding(what="totals", well=accepted - left == held, found=found)


def _pages(db: sqlite3.Connection) -> Iterator[Finding]:
    problems = [str(each) for (each,) in db.execute(f"PRAGMA integrity_check({MOST_NAMED})")]
    if problems == ["ok"]:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        yield Finding(what="pages", well=True, found=f"{pages} pages are sound")
    else:
        yield from (Finding(what="pages", well=False, found=each) for each in problems)


def _lane(db: sqlite3.Connection, lane: int) -> Iterator[Finding]:
    name = LANE_NAMES[lane]
    rows = bad = 0
    before: Row | None = None
    for row in batches(db, [lane]):
        rows += 1
        problem = _problem(db, row, before)
        before = row
        if problem is not None:
            bad += 1
            if bad <= MOST_NAMED:
                yield Finding(what=f"{name} {row.epoch}/{row.first}", well=False, found=problem)
    yield Finding(what=name, well=not bad, found=f"{rows} batches, {bad} of them damaged")


def _problem(db: sqlite3.Connection, row: Row, before: Row | None) -> str | None:
    crc = db.execute(
        "SELECT crc FROM batch WHERE lane = ? AND epoch = ? AND first = ?", row[:3]
    ).fetchone()
    if crc is None:
        return None  # the hub has it by now
    if crc[0] != zlib.crc32(row.body):
        return "its checksum does not fit: it is not what was written"
    try:
        body = batch.decode_body(row.body, row.codec)
    except ProtocolError as error:
        return str(error)
    said = (body.lane, body.epoch, body.first_sequence, body.count)
    if said != row[:4]:
        return f"it is filed as {row[:4]} and says {said} of itself"
    if before is not None and before.epoch == row.epoch and before.last >= row.first:
        return f"it overlaps the batch before it, {before.first} to {before.last}"
    return None
