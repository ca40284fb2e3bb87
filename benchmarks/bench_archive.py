"""What a month of many observations costs to archive, and to ask afterwards.

Debian's PostgreSQL with the hub's own tables; a month of observations is generated in it, as in
`bench_fifty_million.py`. The hub's own functions then write the month's Parquet file to a folder,
check it, and ask it questions through DuckDB within the bounds that `archive query` has. Prints
rows a second, the file beside what the database takes, and the most memory the process took.
`--rows 1000000` is quicker.
"""

import argparse
import asyncio
import resource
import tempfile
import time
from pathlib import Path

from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.database.partitions import make_months
from aerocast_hub.settings import load_settings
from aerocast_hub.storage.archive import make_archive, verify_archive
from aerocast_hub.storage.archive_bounds import Bounds
from aerocast_hub.storage.archive_question import ask_archives
from aerocast_hub.storage.objects import open_objects
from bench_fifty_million import FIRST, SETTINGS, add_gateways, disk_gb, generate
from postgresql_beside import postgresql_beside

QUESTIONS = {
    "rows by kind": "SELECT kind, count(*) FROM observations GROUP BY kind",
    "busiest hours": "SELECT gateway, seen_at_us // 3600000000 AS hour, count(*) AS n"
    " FROM observations GROUP BY ALL ORDER BY n DESC LIMIT 10",
    "out of the JSON": "SELECT min(CAST(observation->>'rssi_dbm' AS DOUBLE)) FROM observations"
    " WHERE gateway = 'g-7'",
}


def main() -> None:
    """Generate a month, archive it, ask it."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--rows", type=int, default=20_000_000)
    rows = asking.parse_args().rows
    with postgresql_beside(SETTINGS) as address, tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(address, Path(folder), rows))


async def _measure(address: str, folder: Path, rows: int) -> None:
    database = Database(address)
    await migrate(database)
    await add_gateways(database)
    async with database.writing() as session:
        await make_months(session, FIRST.first_us)
    began = time.perf_counter()
    month_us = FIRST.after(1).first_us - FIRST.first_us - 1_000_000  # they are received later
    await generate(database, 0, rows, month_us // rows)
    print(f"{rows:,} observations generated in {time.perf_counter() - began:.0f} s")
    objects = open_objects(load_settings(mode="dev", data_dir=folder))
    before_mb = _most_mb()
    began = time.perf_counter()
    archived = await make_archive(database, objects, FIRST)
    took_s = time.perf_counter() - began
    if archived is None:
        raise SystemExit("nothing was archived")
    print(
        f"written in {took_s:.0f} s, {rows / took_s:,.0f} observations/s;"
        f" {archived.size / 1e9:.2f} GB of {await disk_gb(database):.1f} GB in the database;"
        f" {_most_mb():.0f} MB of memory ({before_mb:.0f} before)"
    )
    began = time.perf_counter()
    verified = await verify_archive(objects, archived)
    if verified.problem is not None or verified.rows != rows:
        raise SystemExit(f"the archive is not whole: {verified}")
    print(f"checked in {time.perf_counter() - began:.1f} s")
    for name, sql in QUESTIONS.items():
        began = time.perf_counter()
        answer = [row async for row in ask_archives(objects, [archived], sql, Bounds())]
        print(f"{name}: {len(answer)} rows in {time.perf_counter() - began:.2f} s")
    await database.close()


def _most_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
