"""Read a spool beside the daemon that writes it: never a write, never a lock held for long.

Rows are asked for a page at a time, so that the daemon's log can be brought back into its file
between two pages however slowly the rows are used.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from aerocast_protocols import batch
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import LANE_NAMES, LIVE, Observation
from aerocast_protocols.observations.gateways import ClockAnchor

from aerocast_agent import clock
from aerocast_agent.lanes import EVERY_LANE
from aerocast_agent.spool_opening import APPLICATION_ID
from aerocast_agent.spool_rows import Row

PAGE_ROWS = 64
_COLUMNS = "lane, epoch, first, count, boot_ns, codec, body"
FIRST: tuple[int, int] = (-1, -1)


class Unreadable(NamedTuple):
    """An observation, or a whole batch, that cannot be decoded."""

    error: str
    encoded: bytes


class Seen(NamedTuple):
    """One stored observation.

    Attributes
    ----------
    lane, epoch, sequence
        Its name for ever, with the gateway's.
    boot_id
        The boot its ``boot_ns`` belongs to; None when the batch cannot be read.
    """

    lane: int
    epoch: int
    sequence: int
    boot_id: bytes | None
    observation: Observation | Unreadable


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a spool for reading only, daemon up or down.

    Raises
    ------
    OSError
        There is no such file, or it may not be read.
    sqlite3.Error
        It is no spool, or cannot be used; `spool salvage` may still find its rows.
    """
    with path.open("rb") as file:
        if not file.read(1):  # SQLite would throw its log away, even when it only reads
            raise sqlite3.DatabaseError(f"{path} is empty")
    where = path.absolute().as_uri()
    db = sqlite3.connect(f"{where}?mode=ro", uri=True)
    try:
        return _checked(db, path)
    except sqlite3.OperationalError:
        db.close()
        if path.with_name(path.name + "-wal").exists():
            raise
    except BaseException:
        db.close()
        raise
    # Not ours to write beside, and nobody has it open: it will not change under us.
    db = sqlite3.connect(f"{where}?mode=ro&immutable=1", uri=True)
    try:
        return _checked(db, path)
    except BaseException:
        db.close()
        raise


def batches(
    db: sqlite3.Connection,
    lanes: Sequence[int] = EVERY_LANE,
    after: dict[int, tuple[int, int]] | None = None,
) -> Iterator[Row]:
    """Give stored batches, lane by lane, oldest first, those beyond ``after`` of each lane."""
    for lane in lanes:
        reached = (after or {}).get(lane, FIRST)
        while True:
            page = db.execute(
                f"SELECT {_COLUMNS} FROM batch WHERE lane = ? AND (epoch, first) > (?, ?)"  # noqa: S608  constant
                " ORDER BY epoch, first LIMIT ?",
                (lane, *reached, PAGE_ROWS),
            ).fetchall()
            yield from (Row(*parts) for parts in page)
            if len(page) < PAGE_ROWS:
                break
            reached = page[-1][1:3]


def newest_batches(db: sqlite3.Connection, lane: int, most_rows: int) -> list[Row]:
    """Give the last batches of a lane, oldest of them first."""
    found = db.execute(
        f"SELECT {_COLUMNS} FROM batch WHERE lane = ? ORDER BY epoch DESC, first DESC LIMIT ?",  # noqa: S608  constant
        (lane, most_rows),
    ).fetchall()
    return [Row(*parts) for parts in reversed(found)]


def observations(row: Row) -> Iterator[Seen]:
    """Decode a batch; what cannot be read keeps its place."""
    try:
        body = batch.decode_body(row.body, row.codec)
    except ProtocolError as error:
        unreadable = Unreadable(str(error), row.body)
        yield from (
            Seen(row.lane, row.epoch, number, None, unreadable)
            for number in range(row.first, row.last + 1)
        )
        return
    for number, encoded in enumerate(body.observations):
        seen: Observation | Unreadable
        try:
            seen = batch.decode_observation(encoded)
        except ProtocolError as error:
            seen = Unreadable(str(error), bytes(encoded))
        yield Seen(row.lane, row.epoch, row.first + number, body.boot_id, seen)


class Times:
    """Says when observations were, in UTC, as far as this machine and the spool know.

    For this boot the clock of now will do, once it is set. Earlier boots need an anchor that is
    still in the spool; without one their UTC is unknown here (the hub often knows it).

    Parameters
    ----------
    db
        Where to look for anchors; None to know this boot alone.
    """

    def __init__(self, db: sqlite3.Connection | None) -> None:
        self._db = db
        self._wall_less_boot_ns: dict[bytes, int] = {}
        if clock.quality() != clock.UNSET:
            self._wall_less_boot_ns[clock.boot_id()] = clock.wall_ns() - clock.boot_ns()

    def utc_us(self, boot_id: bytes | None, boot_ns: int) -> int | None:
        """Give UTC in microseconds; None when that boot's clock is not known."""
        if boot_id is None:
            return None
        if boot_id not in self._wall_less_boot_ns and self._db is not None:
            db, self._db = self._db, None  # once
            self._learn(batches(db, [LIVE]))
        offset_ns = self._wall_less_boot_ns.get(boot_id)
        return None if offset_ns is None else (offset_ns + boot_ns) // 1000

    def _learn(self, rows: Iterable[Row]) -> None:
        for row in rows:
            for seen in observations(row):
                if isinstance(seen.observation, ClockAnchor):
                    found = seen.observation
                    self._wall_less_boot_ns[found.boot_id] = found.wall_ns - found.boot_ns


def lane_number(name: str) -> int:
    """Give a lane's number from its name or number.

    Raises
    ------
    ValueError
        There is no such lane.
    """
    if name in LANE_NAMES:
        return LANE_NAMES.index(name)
    if name.isdecimal() and int(name) < len(LANE_NAMES):
        return int(name)
    raise ValueError(f"no lane {name!r}; there are: {', '.join(LANE_NAMES)}")


def set_aside(path: Path) -> list[Path]:
    """Name the spool files that were moved away because they could not be used."""
    return sorted(
        each
        for each in path.parent.glob(f"{path.stem}.corrupt-*{path.suffix}")
        if each.suffix == path.suffix
    )


def _checked(db: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    db.execute("PRAGMA busy_timeout=5000")
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise sqlite3.DatabaseError(f"{path} is no spool")
    db.execute("SELECT count(*) FROM meta").fetchone()
    return db
