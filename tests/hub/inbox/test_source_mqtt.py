import asyncio
import contextlib
import logging
import os
import signal
import time

import psutil
import pytest
from aerocast_agent.broker_login import find_login
from aerocast_hub.broker_url import BrokerAddress, parse_broker_url
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox import source_mqtt
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.run import listening
from aerocast_hub.inbox.tables import ObservationRow
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.settings import load_settings
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.batch import decode_acknowledgements
from aerocast_protocols.topics import down
from aerocast_simulator.processes import free_port
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import func, select

from tests.hub.inbox.wire import EPOCH, GATEWAY, SITE, tags
from tests.waiting import running, until

BOTH = [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311]


class Gateway:
    """A gateway's side of the link, by hand."""

    def __init__(self, port, version):
        self.acks = asyncio.Queue()
        loop = asyncio.get_running_loop()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id=GATEWAY, protocol=version)
        self.client.reconnect_delay_set(0.1, 0.2)
        if (login := find_login(f"mqtt://127.0.0.1:{port}", None)) is not None:
            self.client.username_pw_set(*login)
        self.client.on_connect = lambda client, *_: client.subscribe(down(SITE, GATEWAY, "ack"))
        self.ready = asyncio.Event()
        self.client.on_subscribe = lambda *_: loop.call_soon_threadsafe(self.ready.set)
        self.client.on_message = lambda _client, _data, message: [
            loop.call_soon_threadsafe(self.acks.put_nowait, ack)
            for ack in decode_acknowledgements(message.payload)
        ]
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def send(self, message):
        self.client.publish(message.topic, message.payload, qos=1)

    async def ack(self, up_to):
        """Wait for an acknowledgement that goes this far."""
        async with asyncio.timeout(60):
            while True:
                ack = await self.acks.get()
                if ack.up_to_sequence >= up_to:
                    return ack

    async def stop(self):
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)


@pytest.fixture
async def gateway():
    """Gives a function that connects a gateway; disconnects it at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def connect(port, version=BOTH[0]):
            connected = Gateway(port, version)
            stack.push_async_callback(connected.stop)
            async with asyncio.timeout(60):
                await connected.ready.wait()
            return connected

        yield connect


@pytest.fixture
async def hub(database, database_url, tmp_path):
    """Gives a function that runs an inbox with an embedded broker of its own."""
    async with database.writing() as session:
        await add_gateway(session, SITE, GATEWAY)
    port, v3_port = free_port(), free_port()
    ours = {
        "broker_url": "embedded:",
        "embedded_broker_port": port,
        "embedded_broker_v3_port": v3_port,
    }

    @contextlib.asynccontextmanager
    async def run(**given):
        settings = load_settings(
            mode="dev", database_url=database_url, data_dir=tmp_path, **(ours | given)
        )
        metrics = Metrics()
        inbox = Inbox(database, {}, Publisher(database, metrics), metrics)
        async with listening(settings, inbox, metrics) as source:
            async with asyncio.timeout(60):
                await source.is_connected.wait()
            yield source

    run.port, run.v3_port = port, v3_port
    return run


async def stored(database):
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(ObservationRow))


def broker_process():
    """The broker's process: the one child of ours that listens."""
    found = [
        child
        for child in psutil.Process().children(recursive=True)
        if any("iotcore" in word for word in child.cmdline())
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("version", BOTH)
async def test_a_batch_goes_in_and_its_acknowledgement_comes_out(hub, gateway, database, version):
    async with hub():
        port = hub.port if version == BOTH[0] else hub.v3_port
        sender = await gateway(port, version)
        sender.send(tags(1, 200))
        sender.send(tags(1, 200))
        sender.send(tags(201, 300))
        ack = await sender.ack(300)
        assert (ack.epoch, ack.lane, ack.status, ack.missing_ranges) == (EPOCH, 2, 0, ())
        assert await stored(database) == 300


async def test_a_killed_broker_comes_back_and_nothing_is_doubled(hub, gateway, database):
    async with hub() as source:
        sender = await gateway(hub.port)
        sender.send(tags(1, 50))
        await sender.ack(50)
        sender.ready.clear()
        os.kill(broker_process().pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while source.is_connected.is_set():  # noqa: ASYNC110  nothing tells of its clearing
                await asyncio.sleep(0.01)
            await source.is_connected.wait()
            await sender.ready.wait()
        sender.send(tags(41, 100))
        await sender.ack(100)
        assert await stored(database) == 100


async def test_a_restarted_hub_remembers_what_it_has(hub, gateway, database):
    async with hub():
        sender = await gateway(hub.port)
        sender.send(tags(1, 50))
        await sender.ack(50)
        sender.ready.clear()
    async with hub():
        async with asyncio.timeout(60):
            await sender.ready.wait()
        sender.send(tags(61, 70))
        ack = await sender.ack(50)
        assert (ack.up_to_sequence, ack.missing_ranges) == (50, ((51, 60),))
        sender.send(tags(41, 60))
        await sender.ack(70)
        assert await stored(database) == 70


async def test_a_broker_that_only_speaks_the_older_version_will_do(hub, gateway, database):
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(hub())
        user, password = find_login(f"mqtt://127.0.0.1:{hub.v3_port}", None)
        only_v3 = f"mqtt://{user}:{password}@127.0.0.1:{hub.v3_port}"
        await stack.enter_async_context(hub(broker_url=only_v3))
        sender = await gateway(hub.v3_port, BOTH[1])
        sender.send(tags(1, 10))
        await sender.ack(10)
        assert await stored(database) == 10


async def test_many_gateways_batches_share_transactions(hub, gateway, database, record_property):
    async with hub():
        sender = await gateway(hub.port)
        began = time.monotonic()
        for first in range(1, 20_000, 200):
            sender.send(tags(first, first + 199))
        await sender.ack(20_000)
        seconds = time.monotonic() - began
        assert await stored(database) == 20_000
    record_property("observations_per_s", round(20_000 / seconds))


def test_a_broker_address_is_read():
    assert parse_broker_url("mqtts://a%40b:s%2Fecret@broker.example") == BrokerAddress(
        host="broker.example",
        port=8883,
        is_encrypted=True,
        user="a@b",
        password="s/ecret",  # noqa: S106  nobody's
    )


@pytest.mark.parametrize("url", ["http://broker", "mqtt://", "broker:1883", "mqtt://broker:99999"])
def test_another_address_is_refused_without_telling_it(url):
    with pytest.raises(ValueError, match="mqtt://host:port") as refused:
        parse_broker_url(url)
    assert "broker:1883" not in str(refused.value)


async def test_of_a_broker_that_is_away_the_log_tells_once(database, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    tries = []

    async def refuse(_reader, writer):
        tries.append(writer)
        writer.close()

    monkeypatch.setattr(source_mqtt, "LONGEST_WAIT_S", 0.01)
    metrics = Metrics()
    inbox = Inbox(database, {}, Publisher(database, metrics), metrics)
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        source = source_mqtt.MqttSource(BrokerAddress("127.0.0.1", port), inbox, metrics)
        async with running(source.run()):
            await until(lambda: len(tries) > 6)
    told = [each.message for each in caplog.records if "no broker" in each.message]
    assert len(told) == 1
    assert "over MQTTv5: " in told[0]
    assert "over MQTTv311: " in told[0]
