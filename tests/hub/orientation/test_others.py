"""What orientation asks of other services: over HTTP it is told the same as in process."""

import functools
import json
import time

import httpx
import pytest
from aerocast_hub.app import create_app
from aerocast_hub.asking.client import ServiceAwayError, ServiceClient
from aerocast_hub.baggage.asked import PASSENGERS_AT_ONCE
from aerocast_hub.baggage.evidence import Announced, Leg
from aerocast_hub.baggage.evidence_store import keep_evidence
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.database.engine import Database
from aerocast_hub.database.sight import Sight, seeing
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.flights.store import Booking
from aerocast_hub.orientation import board_keeping
from aerocast_hub.orientation.advisor import Advisor
from aerocast_hub.orientation.board_keeping import Boards
from aerocast_hub.orientation.connections import connections_at
from aerocast_hub.orientation.others import IN_PROCESS, asked_over_http
from aerocast_hub.orientation.passenger_links import Links
from aerocast_hub.settings import load_settings
from aerocast_hub.sight.row_rules import ROW_RULES
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.weather.asked import RampAsked

KEY = "a key of tests, as long as one must be"
MIN_US, HOUR_US = 60_000_000, 3_600_000_000
PASSENGERS, CHANGES = 250, 25


@functools.cache
def now_us():
    """Give the instant of this file's first test: it may be long after it was collected."""
    return time.time_ns() // 1000


def today():
    return time.strftime("%Y-%m-%d", time.gmtime(now_us() / 1e6))


@pytest.fixture
def engine_kind():
    return "sqlite"


@pytest.fixture
async def day(database, tmp_path):
    """An arrival with 250 passengers, and bags that fly on."""
    flights = [
        {"flight": "AF1", "from": "CDG", "to": "TLS", "scheduled_on_block": now_us() / 1e6 + 600},
        {"flight": "AF2", "from": "TLS", "to": "NCE", "scheduled_off_block": now_us() / 1e6 + 4200},
        {"flight": "LH3", "from": "MUC", "to": "TLS", "scheduled_on_block": now_us() / 1e6 + 900},
    ]
    route = {"flight": "AF1", "flight_date": today(), "from": "CDG", "to": "TLS"}
    bags = [
        {"licence_plate": f"0220{number:06}", "surname": f"Name{number}", "passenger": f"P{number}"}
        | route
        for number in range(PASSENGERS)
    ]
    for name, rows in (("flights", flights), ("bags", bags)):
        told = (each | {"date": today()} if name == "flights" else each for each in rows)
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(each) for each in told))
    await import_flights(database, tmp_path / "flights.jsonl")
    await import_bags(database, tmp_path / "bags.jsonl")
    await announce_changes(database)
    (tmp_path / "service").mkdir()
    settings = load_settings(
        mode="dev",
        database_url=str(database.engine.url),
        data_dir=tmp_path / "service",
        secret_key=KEY,
        broker_url="none:",
    )
    by_rules = Database(settings.database, ROW_RULES, settings.sealing_keys)
    yield by_rules, create_app(settings, ["baggage", "weather"])
    await by_rules.close()


async def announce_changes(database):
    """Announce bags that fly on."""
    legs = (Leg("AF1", "AF1", today(), "CDG", "TLS"), Leg("AF2", "AF2", today(), "TLS", "NCE"))
    at = {"at_us": now_us() - HOUR_US, "known_at_us": now_us() - HOUR_US, "legs": legs}
    known = [(f"0057{n:06}", Announced(id=f"change-{n}", **at)) for n in range(CHANGES)]
    async with database.writing() as session:
        await keep_evidence(session, known)
        await refold_plates(session, {plate for plate, _ in known})


class Asked:
    """Counts the questions on their way to a service."""

    def __init__(self, app):
        self.paths = []
        self._transport = httpx.ASGITransport(app)

    async def note(self, request):
        self.paths.append(request.url.path.rpartition("/")[2])

    def client(self, name):
        """Give a client whose questions go to the application itself, with all headers."""
        client = ServiceClient(name, "http://service", "orientation", lambda: KEY, Metrics())
        client._client = httpx.AsyncClient(
            transport=self._transport,
            base_url="http://service",
            event_hooks={"request": [self.note]},
        )
        return client


@pytest.fixture
async def elsewhere(day):
    database, app = day
    asked = Asked(app)
    clients = asked.client("baggage"), asked.client("weather")
    yield database, asked_over_http(*clients), asked
    for each in clients:
        await each.close()
    await app.state.hub.database.close()


async def flight_ids(session, others):
    found = await others.baggage.flights_between(session, now_us() - HOUR_US, now_us() + HOUR_US)
    return {each.flight: each.id for each in found}


async def every_answer(database, others):
    """Ask everything there is to ask."""
    booking, unknown = Booking("AF1", today(), "CDG", "TLS"), Booking("XX9", today(), "A", "B")
    baggage, weather = others
    async with database.reading() as session:
        flight_id = (await flight_ids(session, others)).get("AF1", "nobody's")
        people = await baggage.aboard(session, flight_id) or ()
        called = [("AF1", today()), ("LH3", today()), ("XX9", today())]
        ramp = RampAsked(airport="TLS", at_us=now_us())
        return {
            "people": people,
            "no flight": await baggage.aboard(session, "nobody's"),
            "bags of each": await baggage.bags_of_each(session, [*people, "nobody"]),
            "bags of one": await baggage.bags_of(session, people[0]) if people else [],
            "bags with": await baggage.bags_with(session, "0220000001"),
            "owner": await baggage.owner(session, "0220000001"),
            "no owner": await baggage.owner(session, "9999999999"),
            "passenger": await baggage.passenger(session, "0220000001", "name1"),
            "wrong name": await baggage.passenger(session, "0220000001", "name2"),
            "flights": await baggage.flights(session, [booking, unknown]),
            "on belts": await baggage.bags_on_belts(session, called),
            "no belts": await baggage.bags_on_belts(session, []),
            "transfers": await baggage.transfers(session, "TLS", now_us(), 6 * HOUR_US),
            "ramp": await weather.ramp(session, ramp),
            "times": await weather.times(session, "TLS"),
        }


@pytest.mark.parametrize("airline", [None, "AF", "LH"])
async def test_over_http_whoever_asks_is_told_the_same_as_in_process(elsewhere, airline):
    database, others, asked = elsewhere
    sight = Sight(airlines=None if airline is None else frozenset({airline}))
    with seeing(sight):
        there = await every_answer(database, others)
        assert asked.paths.count("bags-of-passengers") == (1 if airline == "LH" else 3)
        asked.paths.clear()
        assert await every_answer(database, IN_PROCESS) == there
    assert asked.paths == []
    if airline != "LH":
        assert len(there["people"]) == PASSENGERS
        assert there["passenger"] is not None
        assert there["on belts"][0].bags > 0
        assert len(there["transfers"]) == CHANGES
    else:
        assert (there["people"], there["passenger"], there["bags with"]) == ((), None, [])


async def test_a_whole_flight_a_board_and_connections_take_few_questions(elsewhere, monkeypatch):
    monkeypatch.setattr(board_keeping, "KEPT_S", 3600.0)
    database, others, asked = elsewhere
    links = Links(lambda: KEY)
    advisor = Advisor(database, Metrics(), links, others)
    async with database.reading() as session:
        flight_id = (await flight_ids(session, IN_PROCESS))["AF1"]
    told = await advisor.on_flight(flight_id, now_us())
    assert sorted(asked.paths) == [
        "aboard",
        *3 * ["bags-of-passengers"],
        "flights",
        "ramp",
        "times",
    ]
    here = await Advisor(database, Metrics(), links).on_flight(flight_id, now_us())
    assert told == here
    assert len(told) == PASSENGERS

    asked.paths.clear()
    boards = Boards(database, advisor.around, others)
    for _ in range(3):
        board = await boards.of_airport("TLS")
        assert board is not None
    assert sorted(asked.paths) == ["bags-on-belts", "flights-between", "ramp", "times"]

    asked.paths.clear()
    ahead = {"ahead_us": 6 * HOUR_US}
    async with database.reading() as session:
        listed = await connections_at(session, "TLS", now_us(), **ahead, others=others)
        assert await connections_at(session, "TLS", now_us(), **ahead) == listed
    assert len(listed) == CHANGES
    assert asked.paths[0] == "transfers"
    assert len(asked.paths) <= 4


async def test_a_question_has_a_bound(elsewhere):
    asked = elsewhere[2]
    too_many = {"ids": ["one"] * (PASSENGERS_AT_ONCE + 1)}
    with pytest.raises(ServiceAwayError, match="the baggage service answers 400"):
        await asked.client("baggage").ask("/internal/baggage/bags-of-passengers", too_many, list)
