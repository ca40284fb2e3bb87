"""An airport where two airlines fly: what of one is nobody's business of the other."""

import json
import time
from typing import NamedTuple

import pytest
from aerocast_hub.alerts.conditions import Condition
from aerocast_hub.alerts.store import settle
from aerocast_hub.app import create_app
from aerocast_hub.baggage.absorb import absorb as absorb_bags
from aerocast_hub.baggage.bags import find_bag
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.baggage.message_storage import Storage
from aerocast_hub.epcis.publishing import JourneyPublisher
from aerocast_hub.events.bags import BagChanged
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.flights.store import list_flights
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.observations.bags import BagPassage
from litestar.testing import AsyncTestClient
from sqlalchemy import text

MIN = 60_000_000
PERMISSIONS = frozenset(
    {
        *("alerts:read", "alerts:write", "baggage:read", "baggage:write", "flights:read"),
        *("orientation:read", "weather:read", "gateways:read"),
    }
)


class Things(NamedTuple):
    """What there is of one airline."""

    flight: str
    flight_id: str
    plate: str
    bag_id: str
    alert_id: str
    epcis_id: str


def hub_of(database_url, folder):
    """A client of a hub that has not started."""
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=folder / "data", broker_url="none:"
    )
    return AsyncTestClient(create_app(settings, SERVICES), raise_server_exceptions=False)


@pytest.fixture
async def hub(database_url, tmp_path):
    async with hub_of(database_url, tmp_path) as client:
        yield client


@pytest.fixture
def token(hub):
    def issue(**bound):
        signer = hub.app.state.hub.keys.signer
        issued = signer.issue("1", "somebody", PERMISSIONS, int(time.time()), **bound)
        return {"authorization": f"Bearer {issued}"}

    return issue


FLIGHTS = {
    "AF": ("AF6120", "0057111111", "CDG"),
    "BA": ("BA0375", "0125222222", "LHR"),
}


@pytest.fixture
async def things(database, tmp_path):
    return await make_things(database, tmp_path)


@pytest.fixture
def own(things):
    return things["AF"]


@pytest.fixture
def other(things):
    return things["BA"]


@pytest.fixture
def airline(token, things):
    return token(airlines=frozenset({"AF"}))


async def make_things(database, folder):
    """A flight to Toulouse, a bag, an alert, a message and EPCIS events of each airline."""
    now_us = time.time_ns() // 1000
    today = time.strftime("%Y-%m-%d", time.gmtime(now_us / 1e6))

    def iso(at_us):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_us / 1e6))

    flights, bags = [], []
    for flight, plate, origin in FLIGHTS.values():
        legs = {"flight": flight, "from": origin, "to": "TLS"}
        due = {"scheduled_off_block": iso(now_us - 90 * MIN), "scheduled_on_block": iso(now_us)}
        flights.append(legs | due | {"date": today})
        whose = {"surname": f"Own{origin}", "passenger": "Ann"}
        bags.append(legs | whose | {"flight_date": today, "licence_plate": plate})
    (folder / "flights.jsonl").write_text("\n".join(map(json.dumps, flights)))
    (folder / "bags.jsonl").write_text("\n".join(map(json.dumps, bags)))
    await import_flights(database, folder / "flights.jsonl")
    await import_bags(database, folder / "bags.jsonl")
    publisher = JourneyPublisher("https://hub.example")
    day = time.strftime("%d%b", time.gmtime(now_us / 1e6)).upper()
    texts = [
        f"BSM\r\n.V/1L{origin}\r\n.F/{flight}/{day}/TLS\r\n.N/{plate}001\r\nENDBSM\r\n".encode()
        for flight, plate, origin in FLIGHTS.values()
    ]
    await Storage(database, lambda: None, Metrics()).store(texts, "test")
    found = {}
    for number, (airline, (flight, plate, origin)) in enumerate(FLIGHTS.items()):
        passage = BagPassage(
            device="portal", boot_ns=1, belt="belt-4", point="loading", epc=b"\x0c" * 12,
            licence_plate=plate, sigma_ms=40.0, reads=9, confidence=0.9,
        )  # fmt: skip
        seen = Sighting(
            site=origin.lower(), gateway="hall-1", epoch=1, lane=0, sequence=number,
            seen_at_us=now_us - 20 * MIN, clock_quality=3, observation=passage,
        )  # fmt: skip
        async with database.writing() as session:
            await absorb_bags(session, [seen])
            bag = await find_bag(session, plate)
            changed = BagChanged(at_us=1, bag_id=bag.id, licence_plate=plate, state="loaded")
            await publisher.take_in(session, [changed])
            (mine,) = [
                each for each in await list_flights(session, now_us) if each.flight == flight
            ]
            wrong = Condition(
                key=f"late {bag.id}", kind="rush", severity="warning", subject=f"bag {bag.id}",
                reason=f"a bag of {flight}",
            )  # fmt: skip
            (raised,) = await settle(session, {f"test {bag.id}": [wrong]}, now_us)
            asked = text("SELECT event_id FROM epcis_events WHERE subject = :bag")
            (epcis_id, *_) = (await session.scalars(asked, {"bag": bag.id})).all()
        found[airline] = Things(flight, mine.id, plate, bag.id, raised.alert_id, epcis_id)
    return found
