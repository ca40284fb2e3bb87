"""Open the spool's file, judge whether it can be used, and move one that cannot out of the way."""

import logging
import os
import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from aerocast_agent.lanes import EVERY_LANE

log = logging.getLogger(__name__)

APPLICATION_ID = 0x41455243  # "AERC": tells our file from another's
SCHEMA = 1
PAGE = 4096
WAL_PAGES = 1000
CHECK_FOR_S = 1.0
MOST_OF_DISK_AS_LOG = 16  # a sixteenth: on a card of a few megabytes the log must leave room

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE batch (
  lane INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
  boot_ns INTEGER NOT NULL, codec INTEGER NOT NULL, crc INTEGER NOT NULL,
  body BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX batch_in_order ON batch (lane, epoch, first);
CREATE TABLE dead (
  id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, reason TEXT NOT NULL, encoded BLOB NOT NULL) STRICT;
"""
_NEEDED = (
    "SELECT key, value FROM meta LIMIT 0",
    "SELECT lane, epoch, first, count, boot_ns, codec, crc, body FROM batch LIMIT 0",
    "SELECT id, lane, epoch, first, last, reason, encoded FROM dead LIMIT 0",
)


def open_file(path: Path, budget_bytes: int, log_pages: int) -> sqlite3.Connection:
    """Open a spool, or make one; its log is grown to ``log_pages``.

    Raises
    ------
    sqlite3.OperationalError
        It cannot be used now: locked, full, not permitted.
    sqlite3.DatabaseError
        It is damaged, or no spool.
    """
    _keep_log_of_empty_file(path)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        fresh = db.execute("PRAGMA page_count").fetchone()[0] == 0
        if fresh:
            db.execute(f"PRAGMA page_size={PAGE}")
        db.execute("PRAGMA journal_mode=WAL")
        for setting in (
            "synchronous=FULL",
            "temp_store=MEMORY",
            "cache_size=-1024",
            "mmap_size=0",
            "busy_timeout=5000",
            f"wal_autocheckpoint={log_pages}",
            f"max_page_count={budget_bytes // PAGE + 2 * WAL_PAGES}",
        ):
            db.execute(f"PRAGMA {setting}")
        if fresh:
            db.executescript(f"BEGIN; PRAGMA application_id={APPLICATION_ID}; {_TABLES}")
            db.execute("INSERT INTO meta VALUES ('schema', ?), ('clean', 1)", (SCHEMA,))
            db.execute("COMMIT")
        else:
            _verify(db)
        _grow_wal(db, log_pages)
    except BaseException:
        db.close()
        raise
    return db


def mark_of(epoch: int | None, acked: dict[int, int], durable: dict[int, int]) -> str:
    """Give what goes into the name of a file moved aside in mid-life: what it should have held."""
    if epoch is None:
        return ""
    return f"-{epoch}-" + "-".join(f"{acked[lane]}_{durable[lane]}" for lane in EVERY_LANE)


def _keep_log_of_empty_file(path: Path) -> None:
    """Refuse an empty or missing file that has a log: SQLite would throw the log away."""
    if not _size(path) and _size(path.with_name(path.name + "-wal")):
        raise sqlite3.DatabaseError("it is empty, and its log is not")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _verify(db: sqlite3.Connection) -> None:
    """See that the file is ours and whole; a clean one is not read through."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise sqlite3.DatabaseError("it is another program's database")
    for needed in _NEEDED:
        try:
            db.execute(needed)
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):
                raise
            raise sqlite3.DatabaseError(str(error)) from error
    schema, clean = (
        db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        for key in ("schema", "clean")
    )
    if schema is None or schema[0] != SCHEMA:
        raise sqlite3.DatabaseError(f"its schema {schema} is not {SCHEMA}")
    if clean is None or not clean[0]:
        found = _quick_check(db)
        if found != "ok":
            raise sqlite3.DatabaseError(found)


def _quick_check(db: sqlite3.Connection) -> str:
    """Look for damage, but no longer than a start may take: the rest shows in use."""
    ends_s = time.monotonic() + CHECK_FOR_S
    db.set_progress_handler(lambda: time.monotonic() > ends_s, 10_000)
    try:
        return str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return "ok"
        raise
    finally:
        db.set_progress_handler(None, 0)


def next_counter(path: Path) -> int:
    """Give the counter after that of a file that cannot be used; 0 when it cannot be told."""
    if not _size(path):  # even to read it would throw its log away
        return 0
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            last = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    except sqlite3.Error:
        return 0
    return (last[0] >> 32) + 1 if last and isinstance(last[0], int) else 0


def _grow_wal(db: sqlite3.Connection, pages: int) -> None:
    try:
        db.execute("CREATE TABLE IF NOT EXISTS growth (filling BLOB)")
        db.execute("BEGIN")
        for _ in range(pages // 50):  # in pieces: memory taken once stays with the process
            db.execute("INSERT INTO growth VALUES (zeroblob(?))", (50 * PAGE,))
        db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        log.warning("no room to grow the spool's log ahead of use: %s", error)
        if db.in_transaction:
            db.execute("ROLLBACK")
        return
    db.execute("DROP TABLE growth")
    db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()


def move_aside(path: Path, mark: str) -> Path:
    """Rename a file that cannot be used, and what belongs to it; ``mark`` goes into its name."""
    path.touch()  # only its log may be left
    aside = path.with_name(f"{path.stem}.corrupt-{secrets.token_hex(4)}{mark}{path.suffix}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            os.replace(part, aside.with_name(aside.name + suffix))  # noqa: PTH105  atomic by name
    return aside
