"""Claim: questions to 50 million observations are answered within 100 ms (p99).

Debian's PostgreSQL with the hub's own tables and months; observations are generated in it, 41
gateways and nine kinds, as if thirteen months went by, until there are so many, and at each size
the hub's own reading functions are asked, a different thing each time. Prints the curve, and at
the end how long loading took and what it takes on disk. `--most 5000000` stops sooner.
"""

import argparse
import gc
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable

import uvloop
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.database.months import Month
from aerocast_hub.database.partitions import make_months
from aerocast_hub.gateways.observations import list_stored
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.store import Key, Row, not_stored
from aerocast_protocols.batch import encode_observation
from aerocast_protocols.observations.bags import TagRead
from postgresql_beside import postgresql_beside
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SIZES = (100_000, 500_000, 1_000_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000)
AT_ONCE = 500_000
GATEWAYS = 41
FIRST = Month(2026, 1)
MONTHS = 13
ASKED = 400
# What is generated need not outlive a power cut; and no checkpoint every few seconds.
SETTINGS = {
    "fsync": "off",
    "max_wal_senders": "0",
    "max_wal_size": "8GB",
    "shared_buffers": "512MB",
    "wal_level": "minimal",
}
BYTES_EACH = 400  # with indexes and the log of changes; a little over what it comes to
KINDS = [
    "tag_read",
    "tag_read",
    "tag_read",
    "tag_read",
    "tag_read",
    "aircraft_state",
    "aircraft_state",
    "bag_passage",
    "aircraft_weather",
    "code_scan",
    "beacon_seen",
    "weather_measured",
    "unread_bag",
    "no_read",
]

_YEAR_US = (FIRST.after(MONTHS).first_us - FIRST.first_us) // 1_000_000 * 1_000_000
_GENERATE = text(
    "INSERT INTO observations (gateway_id, epoch, lane, sequence, kind, device, boot_ns,"
    " seen_at_us, clock_quality, received_at_us, body)"
    " SELECT 1 + n % gateways, 4294967296, 2, 1 + n / gateways,"
    " (CAST(:kinds AS text[]))[1 + n * 7919 % many], 'portal-' || (1 + n % 4), at_us * 1000,"
    " at_us, 3, at_us + 300000, CAST(:body AS bytea)"
    " FROM (SELECT CAST(:gateways AS bigint) AS gateways, CAST(:many AS bigint) AS many,"
    " CAST(:first_us AS bigint) AS first_us, CAST(:step_us AS bigint) AS step_us) AS given,"
    " generate_series(CAST(:start AS bigint), CAST(:last AS bigint)) AS n,"
    " LATERAL (SELECT first_us + n * step_us AS at_us) AS made"
)


def main() -> None:
    """Generate and ask, size by size."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--most", type=int, default=SIZES[-1])
    most = asking.parse_args().most
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < most * BYTES_EACH * 1.2:
        sys.exit(f"{free / 1e9:.0f} GB are free, {most * BYTES_EACH * 1.2 / 1e9:.0f} are needed")
    with postgresql_beside(SETTINGS) as address:
        uvloop.run(_measure(address, [size for size in SIZES if size <= most]))


async def _measure(address: str, sizes: list[int]) -> None:
    database = Database(address)
    await migrate(database)
    await add_gateways(database)
    for ahead in range(0, MONTHS + 1, 3):
        async with database.writing() as session:
            await make_months(session, FIRST.after(ahead).first_us)
    there, loading_s = 0, 0.0
    print(f"{'observations':>13}  {'load/s':>8}  {'p50 ms':>7}  {'p99 ms':>7}  {'disk GB':>8}")
    for size in sizes:
        began = time.perf_counter()
        before = there
        await generate(database, there, size, _YEAR_US // sizes[-1])
        there = size
        took_s = time.perf_counter() - began
        loading_s += took_s
        async with database.reading() as session:
            await session.execute(text("CHECKPOINT"))
        await _ask(database, there + 1)  # plans are made, as in a hub that has run for a while
        gc.collect()
        gc.freeze()  # as a hub does once it has started
        took_ms = await _ask(database, there)
        disk = await disk_gb(database)
        print(
            f"{there:>13,}  {(there - before) / took_s:>8,.0f}  {took_ms[ASKED // 2]:>7.1f}"
            f"  {took_ms[ASKED * 99 // 100]:>7.1f}  {disk:>8.2f}",
            flush=True,
        )
    print(f"{there:,} observations loaded in {loading_s:.0f} s, {disk:.1f} GB on disk (bar 100 ms)")
    await database.close()


async def add_gateways(database: Database) -> None:
    """Register those the observations are of."""
    async with database.writing() as session:
        for number in range(GATEWAYS):
            await add_gateway(session, "lfbo", f"g-{number}")


async def generate(database: Database, start: int, end: int, step_us: int) -> None:
    """Generate the observations of these numbers, one every ``step_us`` since ``FIRST``."""
    for there in range(start, end, AT_ONCE):
        async with database.writing() as session:
            await session.execute(_GENERATE, _given(there, min(there + AT_ONCE, end) - 1, step_us))
    async with database.writing() as session:
        await session.execute(text("ANALYZE observations"))


def _given(start: int, last: int, step_us: int) -> dict[str, object]:
    read = TagRead(device="portal-4", boot_ns=10**15, epc=bytes(12), antenna=2, rssi_dbm=-51.5)
    return {
        "gateways": GATEWAYS,
        "kinds": KINDS,
        "many": len(KINDS),
        "body": encode_observation(read),
        "first_us": FIRST.first_us,
        "step_us": step_us,
        "start": start,
        "last": last,
    }


async def _ask(database: Database, there: int) -> list[float]:
    """Ask things chosen by ``there``; give how long each took, shortest first."""
    chosen = random.Random(there)  # noqa: S311  repeatable, not secret
    took_ms = []
    for number in range(ASKED):
        async with database.reading() as session:
            ask = QUESTIONS[number % len(QUESTIONS)]
            began = time.perf_counter()
            await ask(session, chosen, there)
            took_ms.append((time.perf_counter() - began) * 1e3)
    return sorted(took_ms)


async def _newest_of_all(session: AsyncSession, _chosen: random.Random, _there: int) -> None:
    _check(await list_stored(session), 100)


async def _newest_of_a_kind(session: AsyncSession, chosen: random.Random, _there: int) -> None:
    _check(await list_stored(session, kind=chosen.choice(KINDS)), 100)


async def _newest_of_a_gateway(session: AsyncSession, chosen: random.Random, _there: int) -> None:
    _check(await list_stored(session, gateway=f"g-{chosen.randrange(GATEWAYS)}"), 100)


async def _of_a_kind_and_gateway(session: AsyncSession, chosen: random.Random, _there: int) -> None:
    name = f"g-{chosen.randrange(GATEWAYS)}"
    _check(await list_stored(session, kind=chosen.choice(KINDS), gateway=name, limit=50), 1)


async def _is_it_stored(session: AsyncSession, chosen: random.Random, there: int) -> None:
    first = chosen.randrange(1, there // GATEWAYS - 100)
    gateway_id = 1 + chosen.randrange(GATEWAYS)
    keys = [Key(gateway_id, 2**32, 2, first + number) for number in range(100)]
    rows = [Row(*key, "tag_read", "portal-4", 0, 0, 3, 0, b"") for key in keys]
    if await not_stored(session, rows):
        sys.exit("something that was generated is not there")


QUESTIONS: tuple[Callable[[AsyncSession, random.Random, int], Awaitable[None]], ...] = (
    _newest_of_all,
    _newest_of_a_kind,
    _newest_of_a_gateway,
    _of_a_kind_and_gateway,
    _is_it_stored,
)


def _check(found: list[object] | object, least: int) -> None:
    if not isinstance(found, list) or len(found) < least:
        sys.exit("an answer is not whole")


async def disk_gb(database: Database) -> float:
    """Give what the database takes on disk."""
    asked = text("SELECT pg_database_size(current_database())")
    async with database.reading() as session:
        size: int = await session.scalar(asked)
    return size / 1e9


if __name__ == "__main__":
    main()
