"""The spool's file: batches as rows of SQLite, each ready to be published as it stands.

One connection, used by one thread. WAL with ``synchronous=FULL``: what a commit has returned from
survives a power cut. The WAL is grown once at the start, because a flush of a file that grows
costs twice as much. Nothing here knows of time, memory queues or MQTT.
"""

import logging
import secrets
import shutil
import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path

from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE

from aerocast_agent.lanes import EVERY_LANE, Span, joined
from aerocast_agent.spool_opening import (
    MOST_OF_DISK_AS_LOG,
    PAGE,
    WAL_PAGES,
    move_aside,
    next_counter,
    open_file,
)
from aerocast_agent.spool_rows import (
    Changes,
    Explain,
    Outcome,
    Row,
    allowance,
    only_explains,
    spans_told,
    without,
)

log = logging.getLogger(__name__)

# A lane gives up its oldest batches when the file is this full: bulk first, critical last.
FULL_AT = {BULK: 0.85, LIVE: 0.95, CRITICAL: 1.0}
MOST_DEAD_ROWS, MOST_DEAD_BYTES = 1000, 8 * 1024 * 1024
TOTALS = ("accepted", "acked", "evicted", "dead")
LARGEST_SEQUENCE = 2**63 - 1
ADDING = "adding-"
"""Begins the name under which someone who adds to the spool says so in ``meta``."""


class SpoolFile:
    """An open spool. Every method may raise ``sqlite3.Error``; a commit is whole or not at all.

    Attributes
    ----------
    epoch
        This life of the agent, committed before anything else. Given when a file is opened again
        within one life.
    kept_aside
        Where a file that could not be used was moved to, None when all was well.
    most_at_once
        Bytes one commit may add, so that log and file fit the smallest disk.
    """

    def __init__(
        self,
        path: Path,
        budget_bytes: int,
        epoch: int | None = None,
        *,
        mark: str = "",
        distrusted: bool = False,
    ) -> None:
        """Open a spool, or begin a new one where the old cannot be used.

        Parameters
        ----------
        mark
            Goes into the name of a file that is moved aside.
        distrusted
            SQLite has found it damaged while it was in use.
        """
        self.kept_aside: Path | None = None
        counter = 0
        self._path = path
        self._budget_bytes = budget_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._wal_pages = wal_pages = min(WAL_PAGES, _disk(path)[0] // MOST_OF_DISK_AS_LOG // PAGE)
        self.most_at_once = wal_pages * PAGE // (1 if wal_pages == WAL_PAGES else 4)
        try:
            if distrusted and path.exists():
                raise sqlite3.DatabaseError("it was found damaged")  # noqa: TRY301  one way out
            self._db = open_file(path, budget_bytes, wal_pages)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "disk I/O" not in str(error):
                raise  # locked, full or not permitted: the file itself may be sound
            counter = next_counter(path)
            self.kept_aside = move_aside(path, mark)
            log.error(  # noqa: TRY400  what SQLite says of a file is all there is to know
                "spool %s cannot be used (%s): a new one is begun; the old one is kept as %s, and"
                " what is whole in it is put back",
                path,
                str(error).splitlines()[0],
                self.kept_aside.name,
            )
            self._db = open_file(path, budget_bytes, wal_pages)
        try:
            self.epoch = self._begin_epoch(epoch, counter)
        except sqlite3.Error:
            self._db.close()
            raise

    def _begin_epoch(self, epoch: int | None, counter: int) -> int:
        """Commit the next epoch (or the one that goes on): counter << 32 | 32 random bits."""
        if epoch is None:
            last = self._db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
            counter = counter if last is None else (last[0] >> 32) + 1
            epoch = (counter & 0x7FFFFFFF) << 32 | secrets.randbits(32)
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM meta WHERE key GLOB ?", (f"{ADDING}*",))
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('epoch', ?), ('clean', 0)", (epoch,))
        self._db.execute("COMMIT")
        return epoch

    def commit(self, changes: Changes, explain: Explain) -> Outcome:
        """Write everything or nothing, and make room when the budget is used up."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            acked: dict[int, int] = {}
            for span in changes.stored:
                acked[span.epoch] = acked.get(span.epoch, 0) + self._delete_inside(span)
            dead: list[Span] = []
            unexplained: list[Span] = []
            for span in changes.refused:
                self._set_aside(span, dead, unexplained)
            self._insert(changes.rows)
            evicted, told_by_them = self._make_room()
            lost = joined(sorted([*changes.lost, *evicted, *unexplained, *told_by_them]))
            explained = list(explain(lost)) if lost else []
            self._insert(explained)
            self._add_to_totals(
                accepted=sum(row.held for row in [*changes.rows, *explained])
                + _width(changes.lost)
                + changes.spared,
                acked=sum(acked.values()) + changes.spared,
                evicted=_width(changes.lost) + _width(evicted),
                dead=_width(dead),
            )
            db.execute("COMMIT")
        except BaseException as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
                self._empty_log()
            raise
        return Outcome(acked, evicted, dead)

    def _empty_log(self) -> None:
        """Let the next commit write the log from its start: only a commit would, and none fits."""
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.OperationalError as error:
            log.warning("the spool's log cannot be emptied: %s", error)

    def fetch(
        self, lane: int, after: tuple[int, int], before: tuple[int, int], most_rows: int
    ) -> tuple[list[Row], list[Span]]:
        """Give batches of a lane in order, ``after`` < (epoch, first) < ``before``.

        Also gives the spans of those that are no longer what was written.
        """
        found = self._db.execute(
            "SELECT lane, epoch, first, count, boot_ns, codec, body, crc FROM batch"
            " WHERE lane = ? AND (epoch, first) > (?, ?) AND (epoch, first) < (?, ?)"
            " ORDER BY epoch, first LIMIT ?",
            (lane, *after, *before, most_rows),
        )
        rows: list[Row] = []
        damaged: list[Span] = []
        for *parts, crc in found:
            row = Row(*parts)
            if crc == zlib.crc32(row.body):
                rows.append(row)
            else:
                damaged.append(Span(lane, row.epoch, row.first, row.last, "corrupt"))
        return rows, damaged

    def oldest(self, lane: int, epoch: int) -> int | None:
        """Give the oldest sequence held of a lane and epoch; None when nothing is.

        While someone adds to the spool that is 1: older ones may yet come.
        """
        found = self._db.execute(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM meta WHERE key GLOB ?)"
            " THEN 1 ELSE min(first) END FROM batch WHERE lane = ? AND epoch = ?",
            (f"{ADDING}*", lane, epoch),
        ).fetchone()
        return None if found[0] is None else int(found[0])

    def totals(self) -> dict[str, int]:
        """Count observations since the file was made: accepted, acked, evicted, dead."""
        found = dict(self._db.execute("SELECT key, value FROM meta"))
        return {key: int(found.get(key, 0)) for key in TOTALS}

    def _add_to_totals(self, **more: int) -> None:
        self._db.executemany(
            "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = value + ?2",
            [(key, count) for key, count in more.items() if count],
        )

    def rows(self) -> dict[int, int]:
        """Count the batches of each lane."""
        counted = dict(self._db.execute("SELECT lane, count(*) FROM batch GROUP BY lane"))
        return {lane: counted.get(lane, 0) for lane in EVERY_LANE}

    def oldest_boot_ns(self) -> int | None:
        """Give when the oldest batch of this epoch was accepted."""
        found = self._db.execute(
            "SELECT min(boot_ns) FROM (SELECT boot_ns FROM batch WHERE epoch = ?1 AND lane = 0"
            " UNION ALL SELECT boot_ns FROM batch WHERE epoch = ?1 AND lane = 1"
            " UNION ALL SELECT boot_ns FROM batch WHERE epoch = ?1 AND lane = 2)",
            (self.epoch,),
        ).fetchone()
        return None if found[0] is None else int(found[0])

    def used_bytes(self) -> int:
        """Give the bytes that batches and their index take."""
        pages = self._db.execute("PRAGMA page_count").fetchone()[0]
        free = self._db.execute("PRAGMA freelist_count").fetchone()[0]
        return int(pages - free) * PAGE

    def close(self, *, clean: bool) -> None:
        """Close; a clean file needs no check at the next start."""
        try:
            if clean:
                self._db.execute("INSERT OR REPLACE INTO meta VALUES ('clean', 1)")
        finally:
            self._db.close()

    def _insert(self, rows: Iterable[Row]) -> None:
        self._db.executemany(
            "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    each.lane,
                    each.epoch,
                    each.first,
                    each.held,
                    each.boot_ns,
                    each.codec,
                    zlib.crc32(each.body),
                    each.body,
                )
                for each in rows
            ],
        )

    def _delete_inside(self, span: Span) -> int:
        last = min(span.last, LARGEST_SEQUENCE)
        deleted = self._db.execute(
            "DELETE FROM batch WHERE lane = ? AND epoch = ? AND first BETWEEN ? AND ?"
            " AND first + count - 1 <= ? RETURNING count",
            (span.lane, span.epoch, min(span.first, last), last, last),
        )
        return sum(count for (count,) in deleted.fetchall())

    def _set_aside(self, span: Span, dead: list[Span], unexplained: list[Span]) -> None:
        """Move a span's observations to the dead; what else their batches held stays."""
        end = min(span.last, LARGEST_SEQUENCE)
        touched = self._db.execute(
            "SELECT lane, epoch, first, count, boot_ns, codec, body FROM batch WHERE lane = ?"
            " AND epoch = ? AND first <= ? AND first + count - 1 >= ?",
            (span.lane, span.epoch, end, min(span.first, end)),
        ).fetchall()
        for row in (Row(*each) for each in touched):
            first, last = max(row.first, span.first), min(row.last, end)
            self._db.execute(
                "DELETE FROM batch WHERE lane = ? AND epoch = ? AND first = ?", row[:3]
            )
            self._bury(row, first, last, span.reason)
            kept = [] if span.reason == "corrupt" else without(row, first, last)
            self._insert(kept)
            gone = span._replace(first=first, last=last)
            dead.append(gone)
            if not only_explains(row, first, last):
                unexplained.append(gone)

    def _bury(self, row: Row, first: int, last: int, reason: str) -> None:
        self._db.execute(
            "INSERT INTO dead (lane, epoch, first, last, reason, encoded)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (row.lane, row.epoch, first, last, reason, row.body),
        )
        self._db.execute(
            "DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?"
            " OR id <= coalesce((SELECT max(id) FROM (SELECT id, sum(length(encoded)) OVER"
            " (ORDER BY id DESC) AS size FROM dead) WHERE size > ?), 0)",
            (MOST_DEAD_ROWS, MOST_DEAD_BYTES),
        )

    def _make_room(self) -> tuple[list[Span], list[Span]]:
        """Give up what there is no room for; also give the losses it told of, to be told again."""
        taken = self._path.stat().st_size
        log_path = self._path.with_name(self._path.name + "-wal")
        still_to_grow = max(0, 2 * self._wal_pages * PAGE - log_path.stat().st_size)
        total, free = _disk(self._path)
        allowed = allowance(self._budget_bytes, taken, (total, max(0, free - still_to_grow)))
        evicted: list[Span] = []
        told_by_them: list[Span] = []
        for lane in reversed(EVERY_LANE):
            excess = self.used_bytes() - int(allowed * FULL_AT[lane])
            while excess > 0:
                oldest = self._db.execute(
                    "SELECT epoch, first, count, length(body) FROM batch WHERE lane = ?"
                    " ORDER BY epoch, first LIMIT 64",
                    (lane,),
                ).fetchall()
                if not oldest:
                    break
                for epoch, first, count, size in oldest:
                    if excess <= 0:
                        break
                    ((codec, body),) = self._db.execute(
                        "DELETE FROM batch WHERE lane = ? AND epoch = ? AND first = ?"
                        " RETURNING codec, body",
                        (lane, epoch, first),
                    ).fetchall()
                    if lane == CRITICAL:
                        told_by_them += spans_told(body, codec)
                    excess -= size
                    evicted.append(Span(lane, epoch, first, first + count - 1, "budget"))
                excess = self.used_bytes() - int(allowed * FULL_AT[lane])
        return joined(evicted), told_by_them


def _width(spans: Iterable[Span]) -> int:
    return sum(span.width for span in spans)


def _disk(path: Path) -> tuple[int, int]:
    usage = shutil.disk_usage(path.parent)
    return usage.total, usage.free
