"""Whoever is bound to an airline finds what is of another one as if it were not there."""

import asyncio
from urllib.parse import quote

import pytest
import pytest_asyncio
from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import METADATA, flights
from aerocast_hub.database.sight import Sight, seeing
from aerocast_hub.sight.row_rules import ROW_RULES
from litestar.routes import HTTPRoute, WebSocketRoute
from sqlalchemy import delete

from tests.hub.sight.conftest import hub_of, make_things

NOBODY = "00000000-0000-0000-0000-000000000000"

# Every route whose answer holds rows: path -> what stands for the thing asked for, None for lists.
ONE = {
    "/api/flights/{flight_id:str}": "flight_id",
    "/api/flights/{flight_id:str}/bags": "flight_id",
    "/api/flights/{flight_id:str}/compliance": "flight_id",
    "/api/flights/{flight_id:str}/compliance.csv": "flight_id",
    "/flights/{flight_id:str}": "flight_id",
    "/api/bags/{licence_plate:str}": "plate",
    "/api/bags/{licence_plate:str}/passenger": "plate",
    "/bags/{bag_id:str}": "bag_id",
    "/api/alerts/{alert_id:str}": "alert_id",
    "/api/guidance/preview/{bag:str}": "plate",
}
NO_BAG = {"/api/bags/{licence_plate:str}/history": "plate"}  # an empty list is its "not there"
LISTS = (
    "/api/flights",
    "/api/bags",
    "/api/alerts",
    "/api/bag-messages",
    "/api/airports/TLS/transfers",
    "/api/connections/TLS",
    "/epcis/v2/events",
    "/epcis/v2/epcs",
    "/epcis/v2/readPoints",
    "/epcis/v2/bizLocations",
    "/epcis/v2/bizSteps",
    "/epcis/v2/dispositions",
    "/",
    "/alerts",
    "/transfers/TLS",
)
CONNECTIONS = {  # nobody here changes aircraft
    "/transfers/TLS",
    "/api/airports/TLS/transfers",
    "/api/connections/TLS",
}
ALIKE = {"/epcis/v2/bizSteps", "/epcis/v2/dispositions"}  # both airlines' bags do the same things
TOLD_ELSEWHERE = {  # tested one by one below, beside their features, or empty for everybody here
    "/live",
    "/live/ws",
    "/api/events",
    "/api/guidance/flights/{flight_id:str}",
    "/links",
    "/links/{link_id:str}",
    "/links/{link_id:str}/revocation",
    "/api/passenger-links",
    "/api/passenger-links/{link_id:str}",
    "/api/passenger-links/{link_id:str}/qr",
    "/api/flights/parked",
    "/api/alerts/past",
    "/api/airports/{airport:str}/transfers",
    "/api/connections/{airport:str}",
    "/transfers/{airport:str}",
    "/api/bags/search",
    "/api/bags/{licence_plate:str}/actions",
    "/bags/{bag_id:str}/actions",
    "/api/alerts/{alert_id:str}/acknowledgement",
    "/alerts/{alert_id:str}/acknowledge",
    "/api/flights/{flight_id:str}/bags/{licence_plate:str}/loss-reason",
    "/api/baggage/history/v1.0/tag/{licence_plate:str}/flightdate/{flight_date:str}",
    "/epcis/v2",
    "/epcis/v2/capture",
    "/epcis/v2/capture/{capture_id:str}",
    "/epcis/v2/events/{rest:path}",
    "/epcis/v2/eventTypes",
    "/epcis/v2/nextPageToken/{token:str}",
    "/epcis/v2/queries",
    "/epcis/v2/queries/{name:str}",
    "/epcis/v2/queries/{name:str}/events",
    "/epcis/v2/queries/{name:str}/subscriptions",
    "/epcis/v2/queries/{name:str}/subscriptions/{subscription_id:str}",
    *(
        f"/epcis/v2/{name}/{{rest:path}}"
        for name in ("epcs", "bizSteps", "bizLocations", "readPoints", "dispositions", "eventTypes")
    ),
}


@pytest.fixture
def database_url(shared_database_url):
    """Nobody here writes anything: one hub and one airport do for all."""
    return shared_database_url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url, tmp_path_factory):
    async with hub_of(shared_database_url, tmp_path_factory.mktemp("hub")) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def things(shared_database_url, tmp_path_factory):
    database = Database(shared_database_url)
    yield await make_things(database, tmp_path_factory.mktemp("things"))
    await database.close()


def test_every_route_that_tells_rows_is_tried_here(hub):
    ruled = {
        route.path
        for route in hub.app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if method != "OPTIONS"  # Litestar's own
        if handler.opt.get("rows") == "ruled" and handler.opt.get("public") is not True
    } | {
        route.path
        for route in hub.app.routes
        if isinstance(route, WebSocketRoute) and route.route_handler.opt.get("rows") == "ruled"
    }
    assert ruled == {*ONE, *NO_BAG, *TOLD_ELSEWHERE, *(each for each in LISTS if each in ruled)}


def test_every_table_with_flights_or_bags_in_it_has_a_rule_or_is_reached_through_one():
    ruled = {table.__tablename__ for table in ROW_RULES}
    of_bags = {
        name
        for name, table in METADATA.tables.items()
        if {"flight", "flight_key", "bag_id", "licence_plate", "subject"}
        & set(table.columns.keys())
    }
    # Plates, legs and evidence are read beside bags; passengers by way of them.
    through_bags = {"bag_plates", "bag_legs", "bag_evidence", "passengers", "bag_message_plates"}
    # A place that is closed, and what is told of it, are of no flight; the subject of a line of the
    # trail or of an account elsewhere is whatever it is about, and neither is told to the bound.
    of_no_flight = {"place_outages", "place_queues", "audit", "provider_identities"}
    assert of_bags - ruled - through_bags == of_no_flight


def asked(path, value):
    before, _, rest = path.partition("{")
    return before + value + rest.partition("}")[2]


@pytest.mark.parametrize("path", ONE)
async def test_what_is_of_others_answers_as_if_it_were_not_there(hub, airline, own, other, path):
    field = ONE[path]
    mine = await hub.get(asked(path, getattr(own, field)), headers=airline)
    assert mine.status_code == 200, mine.text
    theirs = await hub.get(asked(path, getattr(other, field)), headers=airline)
    nowhere = NOBODY if field != "plate" else "9999999999"
    none = await hub.get(asked(path, nowhere), headers=airline)
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.text.replace(getattr(other, field), nowhere) == none.text


async def test_the_history_of_others_bags_is_empty(hub, airline, own, other):
    for things, count in ((own, 1), (other, 0)):
        path = asked("/api/bags/{licence_plate:str}/history", things.plate)
        assert len((await hub.get(path, headers=airline)).json()) == count
    day = (await hub.get(f"/api/flights/{own.flight_id}", headers=airline)).json()["date"]
    for things, status in ((own, 200), (other, 404)):
        path = f"/api/baggage/history/v1.0/tag/{things.plate}/flightdate/{day}"
        assert (await hub.get(path, headers=airline)).status_code == status


def mentions(text, things):
    return [each for each in (*things[:4], things.alert_id, things.plate[-6:]) if each in text]


@pytest.mark.parametrize("path", LISTS)
async def test_lists_hold_nothing_of_others(hub, token, airline, own, other, path):
    # In this order: meanwhile the hub may publish more, and nothing that is told is taken back.
    bound = await hub.get(path, headers=airline)
    assert bound.status_code == 200, bound.text
    whole = await hub.get(path, headers=token())
    assert whole.status_code == 200, whole.text
    assert mentions(bound.text, other) == []
    if path not in {*CONNECTIONS, *ALIKE}:
        assert len(bound.text) < len(whole.text)
    if path in {"/api/flights", "/api/bags", "/api/alerts", "/epcis/v2/events", "/"}:
        assert mentions(whole.text, other)
        assert mentions(bound.text, own)


async def test_searching_finds_ones_own_alone(hub, token, airline, own, other):
    async def found(asked, headers):
        answer = await hub.post("/api/bags/search", json=asked, headers=headers)
        return [each["id"] for each in answer.json()["bags"]]

    assert sorted(await found({}, token())) == sorted([own.bag_id, other.bag_id])
    assert await found({}, airline) == [own.bag_id]
    assert await found({"flight": other.flight}, airline) == []


async def test_epcis_tells_ones_own_bags_alone(hub, airline, own, other):
    for things, status in ((own, 200), (other, 404)):
        path = f"/epcis/v2/events/{quote(things.epcis_id, safe='')}"
        assert (await hub.get(path, headers=airline)).status_code == status
    assert (await hub.get("/epcis/v2/capture", headers=airline)).json() == []
    query = {"name": "everything", "query": {}}
    assert (await hub.post("/epcis/v2/queries", headers=airline, json=query)).status_code == 403


async def test_an_airport_sees_what_comes_and_goes_there(hub, token, own, other):
    paris, toulouse = (token(stations=frozenset({each})) for each in ("LFPG", "TLS"))
    for headers, expected in ((paris, {own.flight}), (toulouse, {own.flight, other.flight})):
        listed = (await hub.get("/api/flights", headers=headers)).json()
        assert {each["flight"] for each in listed} == expected
        bags = (await hub.get("/api/bags", headers=headers)).json()
        assert {each["flight"] for each in bags} == expected
    both = token(airlines=frozenset({"BA"}), stations=frozenset({"LFPG"}))
    for path in ("/api/flights", "/api/bags", "/api/alerts"):
        assert (await hub.get(path, headers=both)).json() == []


async def test_who_is_bound_to_no_airline_of_any_sees_nothing(hub, token, things):
    nothing = token(airlines=frozenset())
    for path in ("/api/flights", "/api/bags", "/api/alerts", "/api/bag-messages"):
        assert (await hub.get(path, headers=nothing)).json() == []


async def test_the_longer_designator_is_another_airlines(hub, token, things):
    for airlines, count in (({"AFR"}, 0), ({"BA", "AF"}, 2), ({"A6", "F6"}, 0)):
        bound = token(airlines=frozenset(airlines))
        assert len((await hub.get("/api/flights", headers=bound)).json()) == count


async def test_what_tells_of_everybody_is_closed_to_who_is_bound(hub, airline):
    closed = ("/api/summary", "/api/performance", "/performance", "/api/gateways",
              "/api/observations", "/api/quarantine", "/api/gateway-clocks")  # fmt: skip
    for path in closed:
        answer = await hub.get(path, headers=airline)
        assert answer.status_code == 403, path
    assert "bound to some airlines" in (await hub.get("/api/summary", headers=airline)).text


async def test_one_request_narrows_no_other(hub, token, airline, own, other):
    async def ask(headers):
        return len((await hub.get("/api/flights", headers=headers)).json())

    whole = token()
    assert await asyncio.gather(*(ask(each) for each in [airline, whole] * 8)) == [1, 2] * 8


async def test_a_session_that_sees_some_rows_cannot_write(database_url, things):
    ruled = Database(database_url, ROW_RULES)

    with seeing(Sight(airlines=frozenset({"AF"}))):
        async with ruled.reading() as session:
            with pytest.raises(RuntimeError, match="cannot write"):
                await session.execute(delete(flights.FlightRow))
    await ruled.close()


async def test_a_database_without_rules_answers_nobody_who_is_bound(database):
    with seeing(Sight(stations=frozenset({"TLS"}))), pytest.raises(RuntimeError, match="rules"):
        async with database.reading():
            pass
