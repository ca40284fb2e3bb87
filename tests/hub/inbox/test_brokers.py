"""Brokers as they are: Mosquitto as Debian starts it, and one that forgets all it was given."""

import asyncio
import contextlib
import time
from types import SimpleNamespace

import pytest
from aerocast_hub.gateways.orders import Wish, give_order, newest_orders
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox import courier, gathering
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.run import listening
from aerocast_hub.inbox.tables import ObservationRow
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.running import running
from aerocast_hub.settings import load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols import commands
from aerocast_protocols.commands import CommandResult
from aerocast_protocols.topics import down, up
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import func, select

from tests.clock import Clock
from tests.hub.inbox.test_source_mqtt import Gateway
from tests.hub.inbox.wire import GATEWAY, SITE, status, tags
from tests.mosquitto import mosquitto as run_mosquitto
from tests.waiting import until


@pytest.fixture
def mosquitto(tmp_path):
    """Mosquitto with its defaults: it saves every half hour, if at all."""
    (tmp_path / "data").mkdir()
    lines = f"allow_anonymous true\npersistence true\npersistence_location {tmp_path}/data/\n"
    with run_mosquitto(tmp_path, lines) as broker:
        yield broker


@pytest.fixture
def engine_kind():
    """The broker is what matters here: one database will do."""
    return "sqlite"


@pytest.fixture
async def hub(database, database_url, tmp_path, mosquitto):
    """Gives a function that runs an inbox on that broker."""
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)

    @contextlib.asynccontextmanager
    async def run(absorb=None):
        settings = load_settings(
            mode="dev",
            database_url=database_url,
            data_dir=tmp_path,
            broker_url=f"mqtt://127.0.0.1:{mosquitto.port}",
        )
        metrics = Metrics()
        inbox = Inbox(database, absorb or {}, Publisher(database, metrics), metrics)
        async with listening(settings, inbox, metrics) as source, asyncio.timeout(60):
            await source.is_connected.wait()
            yield source

    return run


@contextlib.asynccontextmanager
async def connected(port, version=MQTTProtocolVersion.MQTTv5):
    gateway = Gateway(port, version)
    try:
        async with asyncio.timeout(60):
            await gateway.ready.wait()
        yield gateway
    finally:
        await gateway.stop()


async def stored(database):
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(ObservationRow))


@pytest.mark.parametrize("version", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
async def test_mosquitto_with_its_defaults_will_do(hub, mosquitto, database, version):
    async with hub(), connected(mosquitto.port, version) as gateway:
        gateway.send(tags(1, 200))
        gateway.send(tags(1, 200))
        gateway.send(tags(301, 400))
        ack = await gateway.ack(200)
        while ack.highest_sequence < 400:
            ack = await gateway.ack(200)
        assert ack.missing_ranges == ((201, 300),)
        gateway.send(tags(201, 300))
        await gateway.ack(400)
    assert await stored(database) == 400


async def test_what_a_broker_took_and_forgot_is_acknowledged_only_when_it_comes_again(
    hub, mosquitto, database
):
    async with connected(mosquitto.port) as gateway:
        for first in range(1, 101, 10):
            sent = gateway.client.publish(*tags(first, first + 9)[:2], qos=1)
            await asyncio.to_thread(sent.wait_for_publish, 60)  # the broker's own word for it
        mosquitto.kill()
        mosquitto.start()
        gateway.ready.clear()
        async with hub():
            async with asyncio.timeout(60):
                await gateway.ready.wait()
            await asyncio.sleep(0.3)
            assert await stored(database) == 0
            assert gateway.acks.empty()
            for first in range(1, 101, 10):
                gateway.send(tags(first, first + 9))
            await gateway.ack(100)
    assert await stored(database) == 100


async def test_a_broker_killed_again_and_again_costs_and_doubles_nothing(hub, mosquitto, database):
    async with hub() as source, connected(mosquitto.port) as gateway:
        for first in range(1, 31, 10):
            gateway.send(tags(first, first + 9))
            mosquitto.kill()
            gateway.ready.clear()
            mosquitto.start()
            async with asyncio.timeout(60):
                await gateway.ready.wait()
                while not source.is_connected.is_set():
                    await source.is_connected.wait()
            acknowledged = 0
            while acknowledged < first + 9:  # as an agent does: again until the hub has it
                gateway.send(tags(first, first + 9))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        acknowledged = (await gateway.acks.get()).up_to_sequence
    assert await stored(database) == 30


async def test_an_inbox_that_lags_asks_for_a_rest_and_withdraws_it_when_it_has_caught_up(
    hub, mosquitto, database, monkeypatch
):
    clock, begun, lets = Clock(), asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(gathering, "time", SimpleNamespace(monotonic=clock))
    lets.set()

    async def absorb(_session, _sightings):
        begun.set()
        await lets.wait()
        return []

    async with hub({"slow": absorb}) as source, connected(mosquitto.port) as gateway:
        gateway.send(tags(1, 10))
        assert (await gateway.ack(10)).status == 0
        begun.clear()
        lets.clear()
        gateway.send(tags(11, 20))
        await begun.wait()  # the inbox is busy with it; this one waits behind
        gateway.send(tags(21, 30))
        await until(lambda: source._gathering._waiting)
        clock.now_s += 2.5
        lets.set()
        assert (await gateway.ack(20)).status == 0
        ack = await gateway.ack(30)
        assert (ack.status, ack.retry_after_ms) == (3, 2500)
        gateway.send(tags(31, 40))
        assert (await gateway.ack(40)).status == 0
    assert await stored(database) == 40


class Ear:
    """A gateway's ear for orders: comes back by itself after a broker that was killed."""

    def __init__(self, port):
        self.orders = asyncio.Queue()
        loop = asyncio.get_running_loop()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="ear")
        self.client.reconnect_delay_set(0.1, 0.2)
        topic = down(SITE, GATEWAY, "command")
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self.client.on_message = lambda _client, _data, message: loop.call_soon_threadsafe(
            self.orders.put_nowait, (commands.decode(message.payload), message.retain)
        )
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    async def stop(self):
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


async def test_an_order_reaches_its_gateway_though_the_broker_was_killed_meanwhile(
    hub, mosquitto, database, monkeypatch
):
    monkeypatch.setattr(courier, "AGAIN_AFTER_S", 0.2)
    monkeypatch.setattr(courier, "LOOK_EVERY_S", 0.2)
    now_us = time.time_ns() // 1000
    ear = Ear(mosquitto.port)
    try:
        async with hub() as source:
            publisher = Publisher(database, Metrics())
            inbox = Inbox(database, {}, publisher, Metrics())
            await inbox.receive([status("online", received_at_us=now_us)])
            mosquitto.kill()
            async with database.writing() as session:
                wish = Wish("restart_device", "portal")
                asked = await give_order(session, (SITE, GATEWAY), wish, "anna", now_us)
            async with running(courier.Courier(database, publisher, source).run()):
                mosquitto.start()
                async with asyncio.timeout(60):
                    for _ in range(2):
                        order, is_retained = await ear.orders.get()
                        assert (order.id, order.device, is_retained) == (asked.id, "portal", False)
                    result = commands.encode(CommandResult(id=asked.id, output="restarted"))
                    sent = ear.client.publish(up(SITE, GATEWAY, "result"), result, qos=1)
                    assert sent.rc == 0
                    while (await told(database)).state != "done":  # noqa: ASYNC110  a row has no event
                        await asyncio.sleep(0.05)
    finally:
        await ear.stop()


async def told(database):
    async with database.reading() as session:
        (order,) = await newest_orders(session, (SITE, GATEWAY), 9, time.time_ns() // 1000)
    return order
