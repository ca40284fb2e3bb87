"""Whoever is bound to an airline or an airport is told of their own alone, by every stream."""

import json
import time
from functools import partial

import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.database.sight import Sight, seeing
from aerocast_hub.epcis.listening import Listener
from aerocast_hub.epcis.subscriptions import NamedQuery
from aerocast_hub.events.accounts import AccountLocked
from aerocast_hub.events.alerts import AlertRaised
from aerocast_hub.events.bags import BagChanged, BagUnread
from aerocast_hub.events.flights import FlightLanded, FlightScheduled
from aerocast_hub.events.gateways import GatewayStateChanged
from aerocast_hub.events.partners import WebhookDied
from aerocast_hub.events.ramp import RampClosed
from aerocast_hub.live.server_sent import stream
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.sight.happenings import may_hear
from aerocast_hub.sight.row_rules import ROW_RULES
from aerocast_hub.telemetry.metrics import Metrics
from litestar.testing import TestClient

BOUND = {"airline": {"airlines": frozenset({"AF"})}, "station": {"stations": frozenset({"CDG"})}}
LAST_US = 999


@pytest.fixture(params=BOUND)
def bound(request):
    return BOUND[request.param]


@pytest.fixture
def expected(bound):
    return [
        *("bag_changed", "flight_scheduled", "flight_landed", "alert_raised"),
        "ramp_closed" if "airlines" in bound else "bag_unread",
        "flight_landed",
    ]


@pytest.fixture
def happened(things):
    """Events of both airlines, of nobody, and the last one: a landing of the own airline's."""
    told = {"at_us": 1, "sigma_s": 1.0}
    events = []
    for each in (things["BA"], things["AF"]):
        bag = {"bag_id": each.bag_id, "licence_plate": each.plate}
        alert = {"alert_id": each.alert_id, "alert_kind": "rush", "subject": f"bag {each.bag_id}"}
        events += [
            BagChanged(at_us=1, **bag, state="x"),
            FlightScheduled(at_us=1, flight_id=each.flight_id),
            FlightLanded(**told, flight_id=each.flight_id),
            AlertRaised(at_us=1, **alert, severity="warning", reason="late"),
        ]
    return [
        *events,
        GatewayStateChanged(at_us=1, site="tls", gateway="hall-1", state="online"),
        AccountLocked(at_us=1, user_id="u", after_tries=50),
        WebhookDied(at_us=1, webhook_id="w", url="https://x.example", reason="gone"),
        RampClosed(at_us=1, airport="LFBO", reason="lightning", since_us=1),
        BagUnread(at_us=1, site="cdg"),
        FlightLanded(**told | {"at_us": LAST_US}, flight_id=things["AF"].flight_id),
    ]


def check(told, things, expected):
    assert [each["kind"] for each in told] == expected
    others = {*things["BA"]}
    assert not others & {value for each in told for value in each.values()}


async def write(database, events):
    async with database.writing() as session:
        await write_events(session, events)


@pytest.fixture
async def ruled(database_url):
    opened = Database(database_url, ROW_RULES)
    yield opened
    await opened.close()


async def test_server_sent_events_tell_ones_own_alone(
    ruled, database, things, happened, bound, expected
):
    publisher = Publisher(ruled, Metrics())
    await publisher.start()
    who = Principal(user_id="1", name="af", permissions=frozenset(), expires_at_s=2**40)
    with seeing(Sight(**bound)):
        listening = stream(publisher, Standing(ruled), who, partial(may_hear, ruled))
        assert b"ready" in await anext(listening)
        await write(database, happened)
        while await publisher.publish_committed():
            pass
        told = []
        while not told or told[-1]["at_us"] != LAST_US:
            told.append(json.loads((await anext(listening)).decode().partition("data: ")[2]))
        await listening.aclose()
    check(told, things, expected)


@pytest.fixture
def settings(database_url, tmp_path):
    return load_settings(
        mode="dev", database_url=database_url, data_dir=tmp_path / "data", broker_url="none:"
    )


def bearer(hub, bound):
    signer = hub.app.state.hub.keys.signer
    allowed = frozenset({"baggage:read", "webhooks:write"})
    issued = signer.issue("1", "somebody", allowed, int(time.time()), **bound)
    return {"authorization": f"Bearer {issued}"}


def test_a_socket_tells_ones_own_alone_and_what_is_asked_for_again_too(
    settings, things, happened, bound, expected
):
    with TestClient(create_app(settings, SERVICES)) as hub:
        headers = bearer(hub, bound)
        running = hub.app.state.hub
        after = hub.get("/api/events", params={"limit": 1000}, headers=headers).json()["next_after"]
        with hub.websocket_connect("/live/ws", headers=headers) as socket:
            assert json.loads(socket.receive_text(timeout=60)) == {"ready": True}
            hub.blocking_portal.call(write, running.database, happened)
            running.publisher.wake()
            told = []
            while not told or told[-1]["at_us"] != LAST_US:
                heard = json.loads(socket.receive_text(timeout=60))
                told += [heard["event"]] * ("event" in heard)
        with hub.websocket_connect("/live/ws", headers=headers) as socket:
            assert json.loads(socket.receive_text(timeout=60)) == {"ready": True}
        missed = hub.get("/api/events", params={"after": after}, headers=headers).json()
    check(told, things, expected)
    replayed = [each["data"] for each in missed["events"]]
    named = [each["type"].rpartition(".")[2] for each in missed["events"]]
    check([{"kind": kind} | each for kind, each in zip(named, replayed, strict=True)],
          things, expected)  # fmt: skip


async def test_a_listener_to_an_epcis_query_is_told_of_ones_own_bags_alone(ruled, things, bound):
    with seeing(Sight(**bound)):
        query = NamedQuery(name="all", query={})
        documents = Listener(query, None, ruled, Publisher(ruled, Metrics())).documents(0)
        told = json.loads(await anext(documents))
        await documents.aclose()
    listed = told["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    ids = {each["eventID"] for each in listed}
    assert things["AF"].epcis_id in ids
    assert things["BA"].epcis_id not in ids
    assert things["BA"].plate not in json.dumps(listed)
