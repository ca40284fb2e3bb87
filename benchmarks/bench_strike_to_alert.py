"""Claim: a strike that reaches the hub is an alert within one second.

In one process on SQLite, as a whole hub runs: the inbox's share for lightning, the outbox, and the
follower that raises alerts. A time counts from the strike's transaction being opened to the
alert's event being handed to whoever listens. Each strike is at another airport.

Arguments: strikes (50).
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from aerocast_hub.airports import airports_within
from aerocast_hub.alerts.watch import FOLLOWED, take_in
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.outbox.follow import Follower
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.running import running
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.weather.local_weather import absorb
from aerocast_protocols.observations.weather import LightningStrike

CLAIM_S = 1.0


async def main(strikes: int) -> int:
    """Measure and print; 1 when the claim is missed."""
    sites = [each.icao.lower() for each in airports_within((35, -10, 60, 30)) if each.icao]
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{Path(folder) / 'hub.db'}")
        await migrate(database)
        publisher = Publisher(database, Metrics())
        await publisher.start()
        alerts = Follower("alerts", FOLLOWED, take_in, database, publisher)
        async with running(publisher.run()), running(alerts.run()):
            with publisher.subscribe() as news:
                for number, site in enumerate(sites[:strikes]):
                    seen = LightningStrike(device="tempest", boot_ns=1, distance_km=3.0)
                    strike = Sighting(
                        site=site, gateway="roof", epoch=1, lane=0, sequence=number + 1,
                        seen_at_us=time.time_ns() // 1000, clock_quality=3, observation=seen,
                    )  # fmt: skip
                    begun_s = time.monotonic()
                    async with database.writing() as session:
                        await write_events(session, await absorb(session, [strike]))
                    publisher.wake()
                    while (await news.next()).event.__struct_config__.tag != "alert_raised":
                        pass
                    took.append(time.monotonic() - begun_s)
            publisher.close()
        await database.close()
    took.sort()
    median_ms, worst_ms = took[len(took) // 2] * 1000, took[-1] * 1000
    print(f"{len(took)} strikes: median {median_ms:.0f} ms, worst {worst_ms:.0f} ms")
    print(f"claim <= {CLAIM_S:g} s: {'kept' if took[-1] <= CLAIM_S else 'MISSED'}")
    return 0 if took[-1] <= CLAIM_S else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:] or ["50"]))))
