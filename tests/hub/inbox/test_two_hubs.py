"""Two hubs on one PostgreSQL take in what gateways send at the same time: as one would have."""

import asyncio
import os
import random

import pytest
from aerocast_hub.database.engine import Database
from aerocast_hub.flights.imports import ScheduledFlight, keep_flights
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.gateways.views import loss_accounts
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.services import every_absorb
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.observations.aircraft import AircraftGroundEvent
from aerocast_protocols.observations.bags import BagPassage
from sqlalchemy import text

from tests.hub.inbox.wire import NOW_US, SECOND_NS, SITE, acknowledged, batch, tag

ROUNDS = 30 if os.environ.get("AEROCAST_SOAK") else 3
GATEWAYS = ("hall-1", "hall-2")
LANES = (1, 2)
LAST = 120


@pytest.fixture
def engine_kind():
    """On SQLite there is one writer at a time, and one hub."""
    return "postgresql"


def observation(gateway, lane, number):
    """Tags, and bags that pass both gateways."""
    if lane == 1:
        return BagPassage(
            device="portal",
            boot_ns=number * SECOND_NS,
            belt=f"belt-{gateway}",
            point="sortation" if gateway == "hall-1" else "makeup",
            epc=bytes(12),
            licence_plate=f"00571234{number % 10:02}",
            sigma_ms=5.0,
            reads=3,
            confidence=0.9,
        )
    return tag(number)


def pieces(chance, gateway, lane):
    """Cut a lane into batches, send some of them again, and shuffle the end of it."""
    found, first = [], 1
    while first <= LAST:
        last = min(LAST, first + chance.randint(0, 14))
        seen = [observation(gateway, lane, number) for number in range(first, last + 1)]
        found.append(batch(first, seen, lane=lane, gateway=gateway))
        first = last + 1
    found += chance.sample(found, len(found) // 3)
    chance.shuffle(found)
    return found


async def take_in(inbox, messages, chance):
    """Take messages in as a source does, some at a time; give the acknowledgements."""
    replies, waiting = [], list(messages)
    while waiting:
        several, waiting = waiting[: (some := chance.randint(1, 20))], waiting[some:]
        replies += await inbox.receive(several)
    return replies


def inbox_on(database):
    metrics = Metrics()
    return Inbox(database, every_absorb(), Publisher(database, metrics), metrics)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_two_hubs_at_once_lose_nothing_double_nothing_and_quarantine_nothing(
    database, database_url, seed
):
    chance = random.Random(seed)
    async with database.writing() as session:
        for gateway in GATEWAYS:
            await add_gateway(session, SITE, gateway)
    other = Database(database_url)
    sent = [
        each for gateway in GATEWAYS for lane in LANES for each in pieces(chance, gateway, lane)
    ]
    chance.shuffle(sent)
    shared = [sent[0::2], sent[1::2]]
    replies = await asyncio.gather(
        *(
            take_in(inbox_on(on), messages, random.Random(seed + number))
            for number, (on, messages) in enumerate(zip((database, other), shared, strict=True))
        )
    )
    await other.close()
    async with database.reading() as session:
        stored = await session.execute(
            text("SELECT gateway_id, lane, count(*), count(DISTINCT sequence) FROM observations"
                 " GROUP BY gateway_id, lane")
        )  # fmt: skip
        assert [tuple(row[2:]) for row in stored] == [(LAST, LAST)] * 4
        assert await session.scalar(text("SELECT count(*) FROM quarantine")) == 0
        for account in await loss_accounts(session):
            assert (account.received, account.unexplained) == (2 * LAST, 0)
        passed = await session.execute(text("SELECT count(*) FROM bag_evidence"))
        assert passed.scalar() == 2 * LAST
        bags = (await session.execute(text("SELECT count(*) FROM bags"))).scalar()
    told = acknowledged([*replies[0], *replies[1]])
    assert {key[0] for key in told} == set(GATEWAYS)
    assert bags == len(await bags_of_one_hub(database, sent))


async def bags_of_one_hub(database, sent):
    """Take in all of it again, over one hub: nothing is new, and the bags are as they were."""
    before = await bags_of(database)
    await take_in(inbox_on(database), sent, random.Random(0))
    assert await bags_of(database) == before
    return before


async def bags_of(database):
    async with database.reading() as session:
        rows = await session.execute(text("SELECT id, version, state FROM bags ORDER BY id"))
        return [tuple(row) for row in rows]


async def test_what_an_aircraft_does_is_one_flight_whichever_hub_hears_it(database, database_url):
    flights = [f"AF{number}" for number in range(6100, 6120)]
    icaos = [f"39{number:04x}" for number in range(20)]
    async with database.writing() as session:
        for gateway in GATEWAYS:
            await add_gateway(session, SITE, gateway)
        await keep_flights(session, [scheduled(*each) for each in zip(flights, icaos, strict=True)])
    other = Database(database_url)
    heard = [
        [ground_event(icao, number, *what) for number, icao in enumerate(icaos, 1)]
        for what in (("landed", "hall-1"), ("on_stand", "hall-2"))
    ]
    await asyncio.gather(
        *(
            take_in(inbox_on(on), messages, random.Random(1))
            for on, messages in zip((database, other), heard, strict=True)
        )
    )
    await other.close()
    async with database.reading() as session:
        known = await session.execute(text("SELECT landed_us, on_block_us FROM flights"))
        assert [None in row for row in known] == [False] * len(flights)


def scheduled(flight, icao):
    return ScheduledFlight(
        flight=flight,
        flight_key=flight,
        date="2027-01-15",
        icao=icao,
        origin="CDG",
        destination="TLS",
        off_block_due_us=NOW_US - 5_400_000_000,
        on_block_due_us=NOW_US,
    )


def ground_event(icao, number, event, gateway):
    """Each in a batch of its own, a moment before ``NOW_US``."""
    what = AircraftGroundEvent(
        device="sky",
        boot_ns=(700 if event == "landed" else 900) * SECOND_NS,
        icao=icao,
        event=event,
        sigma_s=5.0,
        known_at_boot_ns=950 * SECOND_NS,
        stand="B2" if event == "on_stand" else None,
    )
    return batch(number, [what], lane=1, gateway=gateway)
