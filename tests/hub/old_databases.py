"""Old databases, frozen as SQL: ``python -m tests.hub.old_databases NAME`` freezes today's.

A release freezes its own once; the file is never changed again. `test_old_databases` upgrades each.
"""

import asyncio
import contextlib
import sqlite3
import sys
import tempfile
from pathlib import Path

from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.services import every_absorb
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.observations.bags import BagPassage

from tests.hub.inbox.wire import GATEWAY, SITE, batch, tag

FOLDER = Path(__file__).with_name("old_databases")
PLATE = "0057123456"


async def fill(file):
    """Make a database of this version with a gateway, reads, and a bag that passed."""
    database = Database(f"sqlite+aiosqlite:///{file}")
    try:
        await migrate(database)
        async with database.writing() as session:
            await add_gateway(session, SITE, GATEWAY)
        metrics = Metrics()
        inbox = Inbox(database, every_absorb(), Publisher(database, metrics), metrics)
        passage = BagPassage(
            device="portal",
            boot_ns=5_000_000_000,
            belt="belt-4",
            point="sortation",
            epc=bytes(12),
            sigma_ms=40.0,
            reads=9,
            confidence=0.9,
            licence_plate=PLATE,
        )
        await inbox.receive([batch(1, [tag(1), passage, tag(3)])])
    finally:
        await database.close()


def dump(file):
    """Give a database as SQL, the same for the same content."""
    with contextlib.closing(sqlite3.connect(file)) as opened:
        return "\n".join(opened.iterdump()) + "\n"


def thaw(sql, file):
    """Make a database of what was frozen."""
    with contextlib.closing(sqlite3.connect(file)) as opened:
        opened.executescript(sql)


def main():
    """Freeze a database of this version under the name given."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(Path(folder, "hub.db")))
        frozen = FOLDER / f"{sys.argv[1]}.sql"
        FOLDER.mkdir(exist_ok=True)
        with frozen.open("x") as file:
            file.write(dump(Path(folder, "hub.db")))


if __name__ == "__main__":
    main()
