"""One day at an airport: the same on every broker, and whole as in four processes."""

import asyncio
import contextlib
import json
import time

import httpx
import pytest
from aerocast_hub.app import create_app
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import NewUser, add_user
from aerocast_hub.baggage.imports import import_bags
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.flights.imports import import_flights
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.broker_login import gateways_login
from aerocast_hub.settings import SERVICES, load_settings
from aerocast_hub.sight.row_rules import ROW_RULES
from aerocast_protocols.batch import decode_acknowledgements
from aerocast_protocols.observations.aircraft import AircraftGroundEvent
from aerocast_protocols.observations.bags import BagPassage
from aerocast_protocols.topics import down
from aerocast_simulator.processes import free_port
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.grow.proxy import Proxy
from tests.grow.town import SECRET, HubProcess
from tests.hub.inbox.wire import GATEWAY, SECOND_NS, SITE, batch
from tests.mosquitto import mosquitto
from tests.rabbitmq import rabbitmq

PLATE, MINUTE_US = "0220123456", 60_000_000
PASSWORD = "a password of tests 7!"  # noqa: S105  nobody else's


@contextlib.contextmanager
def embedded(_folder):
    """The broker inside; gateways share a login."""
    port, v3_port = free_port(), free_port()
    settings = {
        "broker_url": "embedded:",
        "embedded_broker_port": port,
        "embedded_broker_v3_port": v3_port,
    }
    yield settings, port, MQTTProtocolVersion.MQTTv5, gateways_login(SECRET)


@contextlib.contextmanager
def with_mosquitto(folder):
    with mosquitto(folder, "allow_anonymous true\n") as broker:
        url = f"mqtt://127.0.0.1:{broker.port}"
        yield {"broker_url": url}, broker.port, MQTTProtocolVersion.MQTTv5, None


@contextlib.contextmanager
def with_rabbitmq(folder):
    with rabbitmq(folder, configuration="mqtt.allow_anonymous = true\n") as node:
        settings = {"broker_url": node.amqp_url}
        yield settings, node.mqtt_port, MQTTProtocolVersion.MQTTv311, None


BROKERS = {"embedded": embedded, "mosquitto": with_mosquitto, "rabbitmq": with_rabbitmq}


@contextlib.contextmanager
def whole(folder, settings):
    """One process of all services."""
    hub = HubProcess(folder / "hub", data_dir=folder / "data", **settings)
    try:
        hub.start()
        hub.wait()
        yield hub.url, dict.fromkeys(SERVICES, hub.url)
    finally:
        hub.kill()


@contextlib.contextmanager
def split(folder, settings):
    """A process for each service; orientation asks the others over HTTP. The proxy stands apart."""
    hubs = {
        name: HubProcess(folder / name, data_dir=folder / "data", services=name, **settings)
        for name in SERVICES
    }
    hubs["orientation"].environment |= {
        f"AEROCAST_HUB_{name.upper()}_URL": hubs[name].url for name in ("baggage", "weather")
    }
    try:
        for hub in hubs.values():
            hub.start()
        for hub in hubs.values():
            hub.wait()
        yield None, {name: hub.url for name, hub in hubs.items()}
    finally:
        for hub in hubs.values():
            hub.kill()


SHAPES = {"whole": whole, "split": split}


def routes_of(urls):
    """Give, for every path a service answers, its port: what a proxy must know."""
    settings = load_settings(mode="dev", database_url="sqlite+aiosqlite://")
    for name in SERVICES:
        port = int(urls[name].rpartition(":")[2])
        for route in create_app(settings, [name]).routes:
            parts = (
                "[^/?]+" if isinstance(part, dict) or not isinstance(part, str) else part
                for part in route.path_components
            )
            yield f"/{'/'.join(parts)}/?(\\?|$)", port
        yield "/(static|docs)", port


@pytest.fixture
async def hub(request, tmp_path):
    """An airport's hub in some shape on some broker: its address, and a gateway's way in."""
    shape, broker = request.param
    (tmp_path / "broker").mkdir()
    (tmp_path / "data").mkdir()
    async with contextlib.AsyncExitStack() as stack:
        settings, port, version, login = stack.enter_context(BROKERS[broker](tmp_path / "broker"))
        now_us = await lay_out(tmp_path)
        settings["metar_files"] = tmp_path / "LFBO.txt"
        url, urls = await asyncio.to_thread(stack.enter_context, SHAPES[shape](tmp_path, settings))
        if url is None:
            proxy = await stack.enter_async_context(Proxy(list(routes_of(urls))).running())
            url = f"http://127.0.0.1:{proxy.port}"
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))
        yield client, urls, (port, version, login), now_us


async def lay_out(folder):
    """A flight that is due now, with a bag of Ms Müller, and somebody who may look."""
    now_us = time.time_ns() // 1000
    today = time.strftime("%Y-%m-%d", time.gmtime(now_us / 1e6))

    def iso(at_us):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_us / 1e6))

    flight = {
        "flight": "AF6120", "date": today, "icao": "393322", "from": "CDG", "to": "TLS",
        "scheduled_off_block": iso(now_us - 90 * MINUTE_US), "scheduled_on_block": iso(now_us),
        "reclaim": "4",
    }  # fmt: skip
    bag = {
        "licence_plate": PLATE, "flight": "AF6120", "flight_date": today, "from": "CDG",
        "to": "TLS", "surname": "Müller", "passenger": "Anna",
    }  # fmt: skip
    (folder / "flights.jsonl").write_text(json.dumps(flight))
    (folder / "bags.jsonl").write_text(json.dumps(bag))
    minutes = time.strftime("%d%H%MZ", time.gmtime((now_us - 20 * MINUTE_US) / 1e6))
    (folder / "LFBO.txt").write_text(f"LFBO {minutes} 31012KT 9999 FEW030 25/14 Q1015\n")
    settings = load_settings(mode="dev", data_dir=folder / "data", secret_key=SECRET)
    database = Database(settings.database, ROW_RULES, settings.sealing_keys)
    await migrate(database)
    await import_flights(database, folder / "flights.jsonl")
    await import_bags(database, folder / "bags.jsonl")
    async with database.writing() as session:
        await seed_roles(session)
        await add_gateway(session, SITE, GATEWAY)
        await add_user(session, Passwords(), NewUser("op", PASSWORD, "admin"), now_us=now_us)
    await database.close()
    return now_us


async def send(way_in, now_us):
    """Send, as a gateway does, what it saw, again and again until the hub has it."""
    port, version, login = way_in
    loop, acked = asyncio.get_running_loop(), asyncio.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=GATEWAY, protocol=version)
    if login is not None:
        client.username_pw_set(login.user, login.password)
    client.on_connect = lambda client, *_: client.subscribe(down(SITE, GATEWAY, "ack"))
    client.on_message = lambda _client, _data, message: [
        loop.call_soon_threadsafe(acked.set)
        for ack in decode_acknowledgements(message.payload)
        if ack.up_to_sequence >= 3
    ]
    # The batch's boot was 1000 s before it was sent.
    boot_us = now_us - 1000 * 1_000_000

    def at(minutes_ago):
        return (now_us - minutes_ago * MINUTE_US - boot_us) * 1000

    aircraft = {"device": "sky", "icao": "393322", "sigma_s": 5.0, "known_at_boot_ns": at(1)}
    seen = [
        BagPassage(
            device="portal", boot_ns=at(16), belt="belt-4", point="loading", epc=bytes(12),
            licence_plate=PLATE, sigma_ms=40.0, reads=9, confidence=0.9,
        ),
        AircraftGroundEvent(boot_ns=at(6), event="landed", **aircraft),
        AircraftGroundEvent(boot_ns=at(3), event="on_stand", stand="B2", **aircraft),
    ]  # fmt: skip
    message = batch(1, seen, lane=1, wall_ns=now_us * 1000, boot_ns=1000 * SECOND_NS)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        async with asyncio.timeout(240):
            while not acked.is_set():
                client.publish(message.topic, message.payload, qos=1)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await acked.wait()
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


async def find_until_the_weather_is_known(client):
    """Ask as a passenger does; a service that another asks may be too slow the first times."""
    async with asyncio.timeout(240):
        while True:
            asked = {"licence_plate": PLATE, "surname": "muller"}
            found = await client.post("/api/guidance/find", json=asked)
            assert found.status_code in (200, 503), found.text
            if found.is_success and found.json()["guidance"]["weather"]["key"] != "ramp_not_told":
                return found
            await asyncio.sleep(1)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "hub",
    [("whole", "embedded"), ("whole", "mosquitto"), ("whole", "rabbitmq"), ("split", "mosquitto")],
    indirect=True,
    ids="-".join,
)
async def test_what_a_gateway_sees_becomes_what_passengers_are_told(hub):
    client, urls, way_in, now_us = hub
    await send(way_in, now_us)

    answer = await client.post("/auth/login", json={"name": "op", "password": PASSWORD})
    assert answer.status_code in (200, 201), answer.text
    operator = {"authorization": f"Bearer {answer.json()['access_token']}"}

    (flight,) = (await client.get("/api/flights", headers=operator)).json()
    assert flight["actual"]["landed"]["at_us"] == pytest.approx(now_us - 6 * MINUTE_US, abs=2e6)
    assert flight["actual"]["on_block"]["stand"] == "B2"
    bag = (await client.get(f"/api/bags/{PLATE}", headers=operator)).json()
    assert [each["belt"] for each in bag["journey"]["passed"]] == ["belt-4"]
    async with asyncio.timeout(240):
        while (await client.get("/api/weather/LFBO", headers=operator)).status_code != 200:  # noqa: ASYNC110  a clock
            await asyncio.sleep(0.2)

    assert (await client.get("/api/flights")).status_code == 401
    found = await find_until_the_weather_is_known(client)
    guidance = found.json()["guidance"]
    assert guidance["headline"]["text"].startswith("Reclaim 4: ")
    assert "B2" in guidance["reasons"][0]["text"]
    assert guidance["weather"]["key"] == "ramp_fine"
    again = await client.get(f"/api/guidance/{found.json()['token']}")
    assert again.json()["headline"] == guidance["headline"]
    wrong = await client.post(
        "/api/guidance/find", json={"licence_plate": PLATE, "surname": "meier"}
    )
    assert wrong.status_code == 404
    preview = await client.get(f"/api/guidance/preview/{PLATE}", headers=operator)
    assert preview.json()["flight"] == guidance["flight"]
    together = (await client.get(f"/api/guidance/flights/{flight['id']}", headers=operator)).json()
    assert [each["guidance"]["flight"] for each in together] == [guidance["flight"]]
    board = (await client.get("/api/boards/TLS/belts")).json()
    assert [each["belt"] for each in board["belts"]] == ["4"]
    assert (board["belts"][0]["flights"][0]["flight"], board["ramp"]) == ("AF6120", "open")
    assert (await client.get("/api/connections/TLS", headers=operator)).json() == []
    times = (await client.get("/api/arrival-times/TLS", headers=operator)).json()
    assert (times["airport"], times["arrivals"]) == ("TLS", 0)
    link = await client.post("/api/passenger-links", json={"bag": PLATE}, headers=operator)
    assert (await client.get(f"/api/guidance/{link.json()['token']}")).is_success
    for name, url in urls.items():
        async with httpx.AsyncClient(base_url=url, timeout=60) as service:
            assert "swagger" in (await service.get("/docs")).text.lower(), name
