"""The hub that does what only one may do is killed: another does it, and nothing is done twice."""

import asyncio
import json
import shutil
import time
from collections import Counter

import pytest
from aerocast_hub.baggage.bags import passenger_of
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.events.bags import BagChanged
from aerocast_hub.events.every import decode_event
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.leases.deciding import HOLDS_S
from aerocast_hub.leases.tables import LeaseRow
from aerocast_hub.orientation.passenger_links import Links
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.outbox.tables import FollowerRow, OutboxRow
from aerocast_hub.settings import load_settings
from aerocast_hub.sight.row_rules import ROW_RULES
from aerocast_hub.webhooks.store import add_webhook
from sqlalchemy import func, select, text

from tests.grow.town import SECRET, HubProcess
from tests.hub.postgresql import PostgreSQL, find_binaries

MIN_US = 60_000_000
PASSENGERS = 30
PATIENCE_S = 120
LEASES = ("baggage", "orientation")


@pytest.fixture
def postgresql():
    server = PostgreSQL(find_binaries())
    try:
        server.start()
        yield server
    finally:
        server.crash()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
async def database(postgresql, tmp_path):
    """Passengers of a flight, each with a bag and a link that an app follows."""
    (tmp_path / "data").mkdir()
    settings = load_settings(
        mode="dev",
        database_url=f"postgresql+asyncpg://hub@/postgres?host={postgresql.folder}",
        data_dir=tmp_path / "data",
        secret_key=SECRET,
    )
    database = Database(settings.database, ROW_RULES, settings.sealing_keys)
    await migrate(database)
    lay_out(tmp_path, time.time_ns() // 1000)
    await import_flights(database, tmp_path / "flights.jsonl")
    await import_bags(database, tmp_path / "bags.jsonl")
    yield database
    await database.close()


def lay_out(folder, now_us):
    def iso(at_us):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_us / 1e6))

    due_us = now_us + 30 * MIN_US
    flight = {
        "flight": "AF6120", "date": iso(due_us)[:10], "from": "CDG", "to": "TLS", "reclaim": "4",
        "scheduled_off_block": iso(due_us - 90 * MIN_US), "scheduled_on_block": iso(due_us),
    }  # fmt: skip
    bags = [
        {
            "licence_plate": f"02201234{number:02}", "flight": "AF6120", "from": "CDG",
            "flight_date": iso(due_us)[:10], "to": "TLS", "surname": f"Name {number}",
            "passenger": f"PNR{number:03}",
        }
        for number in range(PASSENGERS)
    ]  # fmt: skip
    (folder / "flights.jsonl").write_text(json.dumps(flight))
    (folder / "bags.jsonl").write_text("\n".join(json.dumps(each) for each in bags))


async def give_links(database):
    """Make a link for everybody, and a webhook; give the bags. What was until now is told."""
    links, now_us = Links(lambda: SECRET), time.time_ns() // 1000
    async with database.writing() as session:
        bags = list(await session.scalars(text("SELECT id FROM bags ORDER BY licence_plate")))
        for bag in bags:
            await links.make(session, await passenger_of(session, bag), "eva", 5, now_us)
        await add_webhook(session, "http://127.0.0.1:9/", ["guidance_changed"], "eva")
        newest = await session.scalar(select(func.max(OutboxRow.id)))
        session.add_all(FollowerRow(name=each, last_id=newest) for each in ("guidance", "webhooks"))
    return bags


async def change(database, bags):
    """Say that something became known of bags, one after the other."""
    for bag in bags:
        changed = BagChanged(
            at_us=time.time_ns() // 1000, bag_id=bag, licence_plate="", state="announced"
        )
        async with database.writing() as session:
            await write_events(session, [changed])


async def holders(database):
    """Give who holds the leases, as the processes' ids."""
    async with database.reading() as session:
        rows = await session.scalars(select(LeaseRow.holder).where(LeaseRow.name.in_(LEASES)))
        return [int(each.split("/")[1]) if each else None for each in rows]


async def until_renewed(database):
    """Wait for the next sign of life of every holder; give an instant before the first, steady."""
    at_s, beats = time.monotonic(), await signs_of_life(database)

    async def all_have_renewed():
        now = await signs_of_life(database)
        return all(new > old for new, old in zip(now, beats, strict=True))

    await until(all_have_renewed)
    return at_s


async def signs_of_life(database):
    """Give the leases' beats."""
    async with database.reading() as session:
        ruled = LeaseRow.name.in_(LEASES)
        return list(
            await session.scalars(select(LeaseRow.beat).where(ruled).order_by(LeaseRow.name))
        )


async def told(database):
    """Count what apps were told, by their links."""
    async with database.reading() as session:
        rows = await session.scalars(
            select(OutboxRow.body).where(OutboxRow.kind == "guidance_changed")
        )
        return Counter(decode_event(each).link_id for each in rows)


async def queued(database):
    """Count what is queued for the webhook."""
    async with database.reading() as session:
        return await session.scalar(text("SELECT count(*) FROM webhook_deliveries"))


async def until(is_so):
    async with asyncio.timeout(PATIENCE_S):
        while not await is_so():  # noqa: ASYNC110  told by what other processes do
            await asyncio.sleep(0.1)


@pytest.mark.timeout(600)
async def test_a_killed_holder_is_followed_and_everything_is_told_once(database, tmp_path):
    bags = await give_links(database)
    settings = {
        "database_url": database.engine.url.render_as_string(hide_password=False),
        "data_dir": tmp_path / "data",
        "services": ",".join(LEASES),
        "broker_url": "none:",
    }
    hubs = [HubProcess(tmp_path / f"hub-{number}", **settings) for number in range(2)]
    try:
        for hub in hubs:  # one after the other: the first has everything
            hub.start()
            await asyncio.to_thread(hub.wait)
        first, second = hubs
        assert await holders(database) == [first.process.pid] * len(LEASES)

        renewed_after_s = await until_renewed(database)
        await change(database, bags[: PASSENGERS // 2])
        first.kill()  # wherever it is with telling that
        await change(database, bags[PASSENGERS // 2 :])

        async def are_the_seconds():
            return await holders(database) == [second.process.pid] * len(LEASES)

        await until(are_the_seconds)
        # Not before the one that was killed would have stopped by itself, were it only stuck.
        assert time.monotonic() - renewed_after_s > HOLDS_S

        async def all_are_told():
            return len(await told(database)) == await queued(database) == PASSENGERS

        await until(all_are_told)
        await change(database, bags)  # nothing in it is news

        async def all_are_followed():
            async with database.reading() as session:
                newest = await session.scalar(
                    select(func.max(OutboxRow.id)).where(OutboxRow.kind == "bag_changed")
                )
                reached = await session.scalar(
                    select(FollowerRow.last_id).where(FollowerRow.name == "guidance")
                )
            return reached == newest

        await until(all_are_followed)
        assert await are_the_seconds()
        assert set((await told(database)).values()) == {1}
        assert await queued(database) == PASSENGERS
    finally:
        for hub in hubs:
            hub.kill()
