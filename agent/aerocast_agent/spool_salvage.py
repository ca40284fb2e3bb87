"""Get out of a damaged spool file every batch that is still what was written.

First as SQLite reads it; where SQLite stops, page by page. A batch counts as whole when its
checksum fits and it says of itself what it is filed under, so a wrong one cannot pass. Page by page
also finds batches that had been deleted: the hub has them already and counts each once.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from aerocast_protocols import batch
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import LANE_NAMES

from aerocast_agent.lanes import EVERY_LANE
from aerocast_agent.spool_opening import PAGE
from aerocast_agent.spool_reading import PAGE_ROWS
from aerocast_agent.spool_rows import Row
from aerocast_agent.sqlite_pages import Pages, Value

_COLUMNS = 8
Key = tuple[int, int, int]


class Damaged(NamedTuple):
    """A batch that is no longer what was written."""

    lane: int
    epoch: int
    first: int
    held: int
    why: str

    def __str__(self) -> str:
        """Name it as people do."""
        last = self.first + self.held - 1
        return f"{LANE_NAMES[self.lane]} {self.epoch}/{self.first}-{last}: {self.why}"


def salvage(path: Path) -> Iterator[Row | Damaged]:
    """Give every whole batch of a spool file once, and at the end those found damaged.

    Raises
    ------
    OSError
        The file cannot be read at all.
    """
    with path.open("rb"):
        pass
    found: set[Key] = set()
    damaged: dict[Key, Damaged] = {}
    for readings in _every_row(path):
        kept = [each for each in map(_judged, readings) if each is not None]
        whole = next((each for each in kept if isinstance(each, Row)), None)
        if whole is None:
            for each in kept:
                if isinstance(each, Damaged):
                    damaged.setdefault(each[:3], each)
        elif whole[:3] not in found:
            found.add(whole[:3])
            yield whole
    yield from (each for key, each in damaged.items() if key not in found)


def _every_row(path: Path) -> Iterator[list[tuple[Value, ...]]]:
    sound = False
    # SQLite throws away the log of an empty file, even of one it opens only to read.
    if path.stat().st_size >= PAGE:
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
                sound = db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
                yield from ([row] for row in _as_sqlite_reads_it(db))
        except sqlite3.Error:
            sound = False
    if not sound:
        with Pages(path, PAGE) as pages:
            yield from pages.rows(_COLUMNS)


def _as_sqlite_reads_it(db: sqlite3.Connection) -> Iterator[tuple[Value, ...]]:
    reached = -1
    while True:
        page = db.execute(
            "SELECT rowid, lane, epoch, first, count, boot_ns, codec, crc, body FROM batch"
            " WHERE rowid > ? ORDER BY rowid LIMIT ?",
            (reached, PAGE_ROWS),
        ).fetchall()
        yield from (row[1:] for row in page)
        if len(page) < PAGE_ROWS:
            return
        reached = page[-1][0]


def _judged(values: tuple[Value, ...]) -> Row | Damaged | None:
    """Tell a whole batch from a damaged one, and from what is no batch at all."""
    *numbers, body = values
    known = [each for each in numbers if isinstance(each, int)]
    if len(known) != 7 or not isinstance(body, bytes):
        return None
    lane, epoch, first, held, boot_ns, codec, crc = known
    if lane not in EVERY_LANE or epoch < 0 or first < 1 or not 1 <= held <= batch.MOST_OBSERVATIONS:
        return None
    row = Row(lane, epoch, first, held, boot_ns, codec, body)
    why = "its checksum does not fit" if zlib.crc32(body) != crc else _contradiction(row)
    return row if why is None else Damaged(lane, epoch, first, held, why)


def _contradiction(row: Row) -> str | None:
    try:
        said = batch.decode_body(row.body, row.codec)
    except ProtocolError as error:
        return str(error)
    if (said.lane, said.epoch, said.first_sequence, said.count) != row[:4]:
        return "it is filed under another name"
    return None
