"""What was foretold of arrivals and what came is kept once, and learned from, on both databases."""

import json
import random
import time

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.baggage.absorb import absorb
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.events.bags import BagPassed
from aerocast_hub.events.flights import FlightOnBlock, FlightTimeWithdrawn
from aerocast_hub.flights.absorb import absorb as absorb_ground
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.flights.store import Booking, find_flight
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.orientation.arrival_keeping import keep_arrival, learn_all, take_in
from aerocast_hub.orientation.arrival_learning import Kind
from aerocast_hub.orientation.arrivals import (
    Forecast,
    finished_at,
    ground_times_of,
    learned_times,
)
from aerocast_hub.orientation.surroundings import Surroundings
from aerocast_hub.orientation.tables import ArrivalRow
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_protocols.observations.aircraft import AircraftGroundEvent
from aerocast_protocols.observations.bags import BagPassage
from litestar.testing import AsyncTestClient
from msgspec.msgpack import decode
from msgspec.structs import replace
from sqlalchemy import select

MIN = 60_000_000
DAY = "2024-07-06"
DUE = 1_720_267_200_000_000  # 2024-07-06 12:00 UTC
HOURS_LATER = DUE + 180 * MIN


def written(path, lines):
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


class Airport:
    """Flights AF1, AF2 ... to Toulouse, due five minutes apart, each with some bags."""

    def __init__(self, database, tmp_path):
        self.database, self.folder = database, tmp_path
        self.sequence = 0

    async def plan(self, flights, bags=3):
        lines = [
            {
                "flight": f"AF{n}",
                "date": DAY,
                "icao": f"3900{n:02x}",
                "from": "CDG",
                "to": "TLS",
                "scheduled_on_block": (DUE + n * 5 * MIN) / 1e6,
                "stand": "B2",
                "handler": "Swift",
                "aircraft_type": "A320",
            }
            for n in range(1, flights + 1)
        ]
        await import_flights(self.database, written(self.folder / "flights.jsonl", lines))
        announced = [
            {
                "licence_plate": plate(n, bag),
                "flight": f"AF{n}",
                "flight_date": DAY,
                "from": "CDG",
                "to": "TLS",
                "surname": "Martin",
            }
            for n in range(1, flights + 1)
            for bag in range(bags)
        ]
        await import_bags(self.database, written(self.folder / "bags.jsonl", announced))

    async def saw(self, observation, at_us):
        self.sequence += 1
        sighting = Sighting(
            site="lfbo",
            gateway="hall-1",
            epoch=1,
            lane=0,
            sequence=self.sequence,
            seen_at_us=at_us,
            clock_quality=3,
            observation=observation,
        )
        async with self.database.writing() as session:
            events = await absorb(session, [sighting]) + await absorb_ground(session, [sighting])
            await take_in(session, events)
        return events

    async def parks(self, n, minute=0.0):
        parked = AircraftGroundEvent(
            device="sky",
            boot_ns=1,
            event="on_stand",
            icao=f"3900{n:02x}",
            stand="B2",
            sigma_s=5.0,
            known_at_boot_ns=1,
        )
        return await self.saw(parked, DUE + round((n * 5 + minute) * MIN))

    async def delivers(self, n, bag, minute, point="arrival"):
        passage = BagPassage(
            device="portal",
            boot_ns=1,
            belt="belt-4",
            point=point,
            epc=b"\x0c" * 12,
            licence_plate=plate(n, bag),
            sigma_ms=40.0,
            reads=9,
            confidence=0.9,
        )
        return await self.saw(passage, DUE + round((n * 5 + minute) * MIN))

    async def rows(self):
        async with self.database.reading() as session:
            return {row.flight_id: row for row in await session.scalars(select(ArrivalRow))}

    async def row(self):
        (row,) = (await self.rows()).values()
        return row


def plate(flight, bag):
    return f"0220{flight:03d}{bag:03d}"


@pytest.fixture
def airport(database, tmp_path):
    return Airport(database, tmp_path)


def told(row):
    return decode(row.forecast, type=Forecast)


async def test_an_arrival_is_foretold_when_it_stops_and_what_came_is_kept(airport):
    await airport.plan(1)
    await airport.parks(1)
    row = await airport.row()
    assert (row.airport, row.stand, row.handler, row.aircraft_type) == (
        "TLS", "B2", "Swift", "A320",
    )  # fmt: skip
    assert (row.bags, row.first_us, row.first_min) == (0, None, None)
    assert told(row).told.first.p50_us == row.on_block_us + 13 * MIN
    assert told(row).told.last is not None

    await airport.delivers(1, 1, 18)
    await airport.delivers(1, 0, 16)
    await airport.delivers(1, 2, 25, "reclaim")
    row = await airport.row()
    assert (row.bags, row.first_min) == (3, 16.0)
    assert row.last_us - row.first_us == 9 * MIN
    assert told(row).told.first.p50_us == row.on_block_us + 13 * MIN


async def test_bags_that_were_heard_of_before_their_aircraft_count_too(airport):
    await airport.plan(1)
    await airport.delivers(1, 0, 14)
    assert await airport.rows() == {}
    await airport.parks(1)
    assert (await airport.row()).first_min == 14.0


async def test_the_same_news_again_and_in_another_order_changes_nothing(airport):
    await airport.plan(2)
    news = []
    for n in (1, 2):
        news += await airport.parks(n)
        for bag in range(3):
            news += await airport.delivers(n, bag, 12 + bag)
    before = await airport.rows()
    assert {type(each) for each in news} >= {FlightOnBlock, BagPassed}
    random.Random(5).shuffle(news)
    async with airport.database.writing() as session:
        await take_in(session, news + news)
    after = await airport.rows()
    known = ("on_block_us", "bags", "first_us", "last_us", "first_min", "forecast")
    for flight_id, row in before.items():
        assert [getattr(after[flight_id], name) for name in known] == [
            getattr(row, name) for name in known
        ]


async def test_an_arrival_that_was_another_flights_is_forgotten(airport):
    await airport.plan(1)
    (parked, *_) = await airport.parks(1)
    async with airport.database.writing() as session:
        flight = (
            await Surroundings(session, HOURS_LATER).flight(Booking("AF1", DAY, "CDG", "TLS"))
        ).id
        await take_in(
            session, [FlightTimeWithdrawn(at_us=parked.at_us, flight_id=flight, what="on_block")]
        )
    assert len(await airport.rows()) == 1  # the flight still stands there: the news is old
    async with airport.database.writing() as session:
        gone = await find_flight(session, flight)
        await keep_arrival(session, replace(gone, actual=replace(gone.actual, on_block=None)))
    assert await airport.rows() == {}


async def test_what_is_learned_changes_what_is_foretold_and_is_learned_once(airport):
    await airport.plan(10, bags=2)
    for n in range(1, 11):
        await airport.parks(n)
        await airport.delivers(n, 0, 25 + n % 3)
        await airport.delivers(n, 1, 29)
    later_us = DUE + 600 * MIN
    assert await learn_all(airport.database, DUE) == []  # none is over for two hours
    assert await learn_all(airport.database, later_us) == ["TLS"]
    assert await learn_all(airport.database, later_us) == []
    async with airport.database.reading() as session:
        assert len(await finished_at(session, "TLS", later_us)) == 10
        times = await ground_times_of(session, "LFBO")
        answer = await learned_times(session, "lfbo", later_us, 30)
    kind = Kind("B2", "Swift", "A320")
    assert 20 < times.belt_model(kind).first.median_min < 28
    assert (answer.airport, answer.arrivals, answer.learned_at_us) == ("TLS", 10, later_us)
    assert answer.by_file_min[1] == pytest.approx(13)
    assert answer.factors["handler"].keys() == {"Swift"}
    score = answer.scores.first_bag
    assert (score.cases, score.inside) == (10, 0.0)  # foretold before anything was learned
    assert score.pinball_min == pytest.approx(score.file_pinball_min)


async def test_operators_ask_what_was_learned(airport, database_url, tmp_path):
    settings = load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )
    async with AsyncTestClient(create_app(settings, SERVICES)) as client:
        subject = "00000000-0000-0000-0000-000000000001"
        may = frozenset({"orientation:read"})
        token = client.app.state.hub.keys.signer.issue(subject, "op", may, int(time.time()))
        client.headers["authorization"] = f"Bearer {token}"
        empty = (await client.get("/api/arrival-times/tls")).json()
        assert (empty["airport"], empty["arrivals"]) == ("TLS", 0)
        assert empty["scores"] == {"first_bag": None, "last_bag": None}
        assert empty["first_bag_min"] == empty["by_file_min"]
        assert (await client.get("/api/arrival-times/tls?days=0")).status_code == 400
        del client.headers["authorization"]
        assert (await client.get("/api/arrival-times/tls")).status_code == 401
