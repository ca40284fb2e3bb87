"""Claim: a batch is stored at least 15 times as fast as rows one by one, 1.5 times as SQLAlchemy's.

The same observations into Debian's PostgreSQL, every commit flushed: in batches by the hub's own
store, in batches by SQLAlchemy Core (INSERT ... ON CONFLICT DO NOTHING), and one row a transaction.
Then what the hub's store holds is appended again: nothing may be added, nor may it take longer.
Rounds take turns, so that whatever else the machine does meets all of them.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import uvloop
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.inbox.store import Row, event_store
from aerocast_hub.inbox.tables import ObservationRow
from postgresql_beside import postgresql_beside
from sqlalchemy import Table, func, select
from sqlalchemy.dialects.postgresql import insert

NOW_US = 1_800_000_000_000_000
BATCH = 500
BATCHES = 40
ONE_BY_ONE = 500
Way = Callable[[Database, Sequence[Row]], Awaitable[int]]


def main() -> None:
    """Measure in turns, print medians and ratios."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--rounds", type=int, default=7)
    rounds = asking.parse_args().rounds
    with postgresql_beside() as address:
        uvloop.run(_measure(address, rounds))


async def _measure(address: str, rounds: int) -> None:
    database = Database(address)
    await migrate(database)
    rates: dict[str, list[float]] = {"ours": [], "replayed": [], "core": [], "one by one": []}
    first = 1
    for _ in range(rounds + 1):
        for name, way, size, count in (
            ("ours", _ours, BATCH, BATCHES),
            ("replayed", _ours, BATCH, BATCHES),
            ("core", _core, BATCH, BATCHES),
            ("one by one", _ours, 1, ONE_BY_ONE),
        ):
            start = first - BATCH * BATCHES if name == "replayed" else first
            batches = [_rows(start + size * number, size) for number in range(count)]
            began = time.perf_counter()
            stored = sum([await way(database, batch) for batch in batches])
            rates[name].append(size * count / (time.perf_counter() - began))
            if stored != (0 if name == "replayed" else size * count):
                sys.exit(f"{name}: {stored} rows were stored of {size * count}")
            first = max(first, start + size * count)
    async with database.reading() as session:
        if await session.scalar(select(func.count()).select_from(ObservationRow)) != first - 1:
            sys.exit("not every row is there once")
    await database.close()
    for each in rates.values():
        del each[0]  # the first round warms up
    for name, each in rates.items():
        print(
            f"{name:<11}{statistics.median(each):>9,.0f} rows/s ({min(each):,.0f}-{max(each):,.0f})"
        )
    for name, bar in (("one by one", 15.0), ("core", 1.5)):
        ratios = [ours / other for ours, other in zip(rates["ours"], rates[name], strict=True)]
        print(
            f"ours / {name}: {statistics.median(ratios):.1f} (lowest {min(ratios):.1f}; bar {bar})"
        )
    again = [two / one for one, two in zip(rates["ours"], rates["replayed"], strict=True)]
    print(f"replay / first time: {statistics.median(again):.2f}, 0 rows added (bar 1.0)")


async def _ours(database: Database, rows: Sequence[Row]) -> int:
    async with database.writing() as session:
        return len(await event_store(database).append(session, rows))


async def _core(database: Database, rows: Sequence[Row]) -> int:
    table = cast("Table", ObservationRow.__table__)
    async with database.writing() as session:
        await session.execute(
            insert(table).on_conflict_do_nothing(), [row._asdict() for row in rows]
        )
    return len(rows)


def _rows(first: int, count: int) -> list[Row]:
    return [
        Row(
            1, 7 << 32, 2, at, "tag_read", "portal-4", at * 10**6, NOW_US + at, 3, NOW_US, b"x" * 70
        )
        for at in range(first, first + count)
    ]


if __name__ == "__main__":
    main()
