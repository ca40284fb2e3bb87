"""Claim: the spool writes an event for at most two thirds of the processor time of SQLite rows.

Peers, in the same run and folder: `sqlite3.executemany` and `sqlite_utils.insert_all`, one row an
event, WAL with synchronous=FULL; and rows as ThingsBoard's gateway lays them out (AUTOINCREMENT and
an index over the time, synchronous=NORMAL). Events are encoded and stores are open before the clock
starts; each store takes 500 at a time and commits each time. Processor time of the whole process.
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import sqlite_utils
from aerocast_agent.spool_file import SpoolFile
from aerocast_agent.spool_rows import Changes, Row
from aerocast_protocols import batch
from aerocast_protocols.observations.bags import TagRead
from aerocast_protocols.observations.every import BULK

EVENTS = 50_000
AT_ONCE = 500
ROUNDS = 5
BOOT = bytes(16)
Write = Callable[[list[bytes]], None]
Store = Callable[[Path], AbstractContextManager[Write]]


def main() -> None:
    """Measure in turns, print medians and ratios."""
    events = [
        batch.encode_observation(
            TagRead(
                device="portal-4",
                boot_ns=1_000_000_000 + number * 2_000_000,
                epc=number.to_bytes(12, "big"),
                antenna=1 + number % 4,
                rssi_dbm=-40.0 - number % 35,
                reader_seen_at_us=1_720_267_200_000_000 + number * 2_000,
            )
        )
        for number in range(EVENTS)
    ]
    portions = [events[at : at + AT_ONCE] for at in range(0, EVENTS, AT_ONCE)]
    stores: dict[str, Store] = {
        "aerocast, plain": lambda path: _spool(path, batch.PLAIN),
        "aerocast, zstd": lambda path: _spool(path, batch.ZSTD),
        "sqlite3 executemany": lambda path: _rows(path, "FULL", indexed=False),
        "rows as ThingsBoard's": lambda path: _rows(path, "NORMAL", indexed=True),
        "sqlite_utils insert_all": _sqlite_utils,
    }
    took: dict[str, list[float]] = {name: [] for name in stores}
    for _ in range(ROUNDS):
        for name, store in stores.items():
            took[name].append(_cpu_us_an_event(store, portions))
    ours = statistics.median(took["aerocast, plain"])
    for name, each in took.items():
        median = statistics.median(each)
        print(f"{name:<24}{median:6.2f} us/event ({min(each):.2f}-{max(each):.2f})", end="")
        print(f"   {ours / median:.2f} of it")
    ratio = statistics.median(took["sqlite3 executemany"]) / ours
    print(f"ratio: {ratio:.2f} (claim: at least 1.5)")


def _cpu_us_an_event(store: Store, portions: list[list[bytes]]) -> float:
    with tempfile.TemporaryDirectory() as folder, store(Path(folder) / "store.db") as write:
        began_s = time.process_time()
        for portion in portions:
            write(portion)
        return (time.process_time() - began_s) / EVENTS * 1e6


@contextmanager
def _spool(path: Path, codec: int) -> Iterator[Write]:
    file = SpoolFile(path, 1_000_000_000)
    first = 1

    def write(portion: list[bytes]) -> None:
        nonlocal first
        body = batch.encode_body(
            epoch=file.epoch,
            lane=BULK,
            first_sequence=first,
            boot_id=BOOT,
            observations=portion,
            codec=codec,
        )
        row = Row(BULK, file.epoch, first, len(portion), 0, codec, body)
        file.commit(Changes(rows=[row]), lambda _: [])
        first += len(portion)

    yield write
    file.close(clean=True)


@contextmanager
def _rows(path: Path, synchronous: str, *, indexed: bool) -> Iterator[Write]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={synchronous}")
        auto = "AUTOINCREMENT" if indexed else ""
        db.execute(f"CREATE TABLE event (id INTEGER PRIMARY KEY {auto}, at INTEGER, body BLOB)")
        if indexed:
            db.execute("CREATE INDEX event_at ON event (at)")

        def write(portion: list[bytes]) -> None:
            now_ms = time.time_ns() // 1_000_000
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                "INSERT INTO event (at, body) VALUES (?, ?)", ((now_ms, each) for each in portion)
            )
            db.execute("COMMIT")

        yield write


@contextmanager
def _sqlite_utils(path: Path) -> Iterator[Write]:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        table = sqlite_utils.Database(connection)["event"]
        yield lambda portion: _insert_all(table, portion)


def _insert_all(table: sqlite_utils.db.Table, portion: list[bytes]) -> None:
    table.insert_all(({"body": each} for each in portion), batch_size=AT_ONCE)


if __name__ == "__main__":
    main()
