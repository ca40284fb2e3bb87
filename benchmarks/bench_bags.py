"""Goals for bags: fold 40 events in 50 us, report a wide-body's 400 bags in 100 ms, find one bag.

The history of one bag among ten million events comes within 20 ms (p99).

``--events 1000000`` makes the store smaller, ``--quick`` leaves it out. ``--postgresql URL`` also
measures there (an empty database).
"""

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aerocast_hub.baggage.evidence import (
    Announced,
    Evidence,
    Leg,
    Moved,
    Nested,
    Screened,
    Seen,
    Stowed,
    encode_evidence,
)
from aerocast_hub.baggage.evidence_store import keep_evidence
from aerocast_hub.baggage.fold import journey_of
from aerocast_hub.baggage.history import histories
from aerocast_hub.baggage.insight import flight_compliance
from aerocast_hub.baggage.journey import POINTS
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import METADATA
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.flights.store import list_flights

JULY_6 = 1_720_224_000_000_000
MINUTE_US = 60_000_000
OUT = Leg("AF1", "AF1", "2024-07-06", "CDG", "JFK")
ROUNDS = 9


def main() -> None:
    """Measure each goal, print the figure beside its bar."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--events", type=int, default=10_000_000)
    asking.add_argument("--quick", action="store_true", help="no large store")
    asking.add_argument("--postgresql", metavar="URL", default=None)
    asked = asking.parse_args()
    _measure_fold()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "hub.db")
        schedule = Path(folder, "flights.jsonl")
        flight = {"flight": "AF1", "date": "2024-07-06", "from": "CDG", "to": "JFK"}
        schedule.write_text(json.dumps(flight | {"scheduled_off_block": "2024-07-06T10:00:00Z"}))
        asyncio.run(_measure_report(f"sqlite+aiosqlite:///{file}", schedule))
        if asked.postgresql:
            asyncio.run(_measure_report(asked.postgresql, schedule))
        if not asked.quick:
            _make_store(file, asked.events // 12)
            asyncio.run(_measure_history(file, asked.events // 12))


def _measure_fold() -> None:
    evidence: list[Evidence] = [
        Announced(id="a", at_us=JULY_6 - 10**9, legs=(OUT,), authority_to_load=True),
        *(_seen(i, JULY_6 + i * MINUTE_US) for i in range(34)),
        Screened(id="s", at_us=JULY_6 + 5, result="cleared", site="lfpg"),
        Stowed(id="t", at_us=JULY_6 + 34 * MINUTE_US, container="AKE1", leg=OUT, site="lfpg"),
        Nested(id="n", at_us=JULY_6 + 35 * MINUTE_US, container="AKE1", leg=OUT),
        _moved("off_block", 40),
        _moved("on_block", 500),
    ]
    random.Random(1).shuffle(evidence)  # noqa: S311  repeatable, not secret
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(1000):
            journey_of(evidence)
        took.append((time.process_time() - began) / 1000)
    best, middle = min(took) * 1e6, statistics.median(took) * 1e6
    print(f"fold of {len(evidence)} events: {middle:.1f} us (best {best:.1f}; bar 50)")


def _seen(number: int, at_us: int, plate: str = "") -> Seen:
    return Seen(
        id=f"lfpg/hall-1/4294967296123/0/{plate}{number}",
        at_us=at_us,
        known_at_us=at_us + 300_000,
        site="lfpg",
        gateway="hall-1",
        point=POINTS[number % 6],
        belt=f"belt-{number % 6}",
        sigma_ms=40.0,
        confidence=0.9,
    )


def _moved(what: str, minute: int) -> Moved:
    return Moved(
        id=what,
        at_us=JULY_6 + minute * MINUTE_US,
        flight_key="AF1",
        flight_date="2024-07-06",
        what="off_block" if what == "off_block" else "on_block",
    )


async def _measure_report(address: str, schedule: Path) -> None:
    database = Database(address)
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await import_flights(database, schedule)
    plates = [f"0057{i:06d}" for i in range(400)]
    evidence = []
    for plate in plates:
        evidence.append((plate, Announced(id=f"a{plate}", at_us=JULY_6 - 10**9, legs=(OUT,))))
        evidence += [(plate, _seen(i, JULY_6 + i * MINUTE_US, plate)) for i in range(11)]
    async with database.writing() as session:
        await keep_evidence(session, evidence)
        began = time.perf_counter()
        await refold_plates(session, set(plates))
        print(f"  400 bags folded and written: {(time.perf_counter() - began) * 1e3:.0f} ms")
    async with database.reading() as session:
        (known,) = await list_flights(session, JULY_6 + 600 * MINUTE_US)
    took = []
    for _ in range(ROUNDS):
        async with database.reading() as session:
            began = time.perf_counter()
            found = await flight_compliance(session, known.id, JULY_6 + 700 * MINUTE_US)
            took.append(time.perf_counter() - began)
    if found is None or found.report.points[0].read != 400:
        sys.exit("the report does not hold the 400 bags")
    kind = address.split(":", 1)[0]
    print(f"report of 400 bags, {kind}: {statistics.median(took) * 1e3:.0f} ms (bar 100)")
    await database.close()


def _make_store(file: Path, plates: int) -> None:
    began = time.perf_counter()
    with sqlite3.connect(file) as store:
        store.execute("PRAGMA synchronous = OFF")
        store.execute("PRAGMA journal_mode = WAL")
        for at in range(0, plates, 20_000):
            store.executemany(
                "INSERT INTO bag_evidence (id, form, subject, kind, at_us, known_at_us, site,"
                " point, belt, body) VALUES (?, 0, ?, ?, ?, ?, 'lfpg', ?, ?, ?)",
                _rows(at, min(at + 20_000, plates)),
            )
            store.commit()
            _progress(at / plates)
    store.close()
    size_gb = file.stat().st_size / 1e9
    print(f"  {plates * 12:,} events made in {time.perf_counter() - began:.0f} s, {size_gb:.1f} GB")


async def _measure_history(file: Path, plates: int) -> None:
    database = Database(f"sqlite+aiosqlite:///{file}")
    chosen = random.Random(3)  # noqa: S311  repeatable, not secret
    took = []
    for _ in range(1000):
        plate = f"1{chosen.randrange(plates):09d}"
        async with database.reading() as session:
            began = time.perf_counter()
            found = await histories(session, plate)
            took.append(time.perf_counter() - began)
        if len(found) != 1 or len(found[0].evidence) != 12:
            sys.exit(f"the history of {plate} is not whole")
    await database.close()
    took.sort()
    print(
        f"history of one bag among {plates * 12:,} events: median {took[500] * 1e3:.1f} ms, "
        f"p99 {took[990] * 1e3:.1f} ms (bar 20)"
    )


def _rows(first: int, last: int) -> Iterator[tuple[object, ...]]:
    for number in range(first, last):
        plate = f"1{number:09d}"
        for i in range(12):
            seen = _seen(i, JULY_6 + (number % 500_000) * 1_000_000 + i * MINUTE_US, plate)
            yield (
                seen.id,
                plate,
                "passage",
                seen.at_us,
                seen.known_at_us,
                seen.point,
                seen.belt,
                encode_evidence(seen),
            )


def _progress(share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r  making the store: {share:4.0%}", end="", file=sys.stderr)


if __name__ == "__main__":
    main()
