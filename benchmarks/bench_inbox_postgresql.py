"""Claim: from MQTT to committed in PostgreSQL, a hub takes 20,000 events a second on two cores.

Everything on this machine: Mosquitto, 20 gateways' batches of tag reads sent as fast as the hub
acknowledges them (at most `AHEAD` of each gateway), the whole inbox with every feature, and
Debian's PostgreSQL with every commit flushed. An event counts once the hub has acknowledged it, and
at the end the database is asked whether each is there once.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import uvloop
from aerocast_hub.broker_url import BrokerAddress
from aerocast_hub.database.engine import Database
from aerocast_hub.database.migrate import migrate
from aerocast_hub.gateways.registry import add_gateway
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.source_mqtt import MqttSource
from aerocast_hub.inbox.tables import ObservationRow
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.services import every_absorb
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_protocols.batch import (
    ZSTD,
    Envelope,
    decode_acknowledgements,
    encode_body,
    encode_envelope,
)
from aerocast_protocols.topics import down, up
from our_store import BOOT, event
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from postgresql_beside import postgresql_beside
from sqlalchemy import func, select

from tests.mosquitto import mosquitto

SITE = "lfbo"
GATEWAYS = 20
AHEAD = 8
EPOCH = 7 << 32


def main() -> None:
    """Measure rounds of full batches and of live ones, print their rates."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--rounds", type=int, default=5)
    asking.add_argument("--events", type=int, default=200_000, help="a round")
    asked = asking.parse_args()
    for size, what in ((500, "a backlog's batches, 500 events each"), (50, "live, 50 events each")):
        rates = []
        with tempfile.TemporaryDirectory() as folder, postgresql_beside() as address:
            lines = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
            with mosquitto(Path(folder), lines) as broker:
                processes = multiprocessing.get_context("spawn")
                is_ready = processes.Event()
                hub = processes.Process(
                    target=_serve, args=(address, broker.port, is_ready), daemon=True
                )
                hub.start()
                if not is_ready.wait(60):
                    sys.exit("the hub does not connect to the broker")
                sender = _Sender(broker.port, size)
                rates += [sender.send(asked.events) for _ in range(asked.rounds + 1)]
                sender.close()
                hub.terminate()
                hub.join()
            sent = (asked.rounds + 1) * asked.events
            if (stored := asyncio.run(_count(address))) != sent:
                sys.exit(f"{stored} events are stored of {sent}")
        rates = rates[1:]  # the first round warms up
        print(
            f"{what}: {statistics.median(rates):,.0f} events/s "
            f"({min(rates):,.0f}-{max(rates):,.0f}; bar 20,000), each stored once"
        )


class _Sender:
    """All gateways over one connection; keeps `AHEAD` batches of each under way."""

    def __init__(self, port: int, size: int) -> None:
        self._size = size
        self._next = dict.fromkeys((f"g-{number}" for number in range(GATEWAYS)), 1)
        self._acknowledged = dict.fromkeys(self._next, 0)
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="gateways", protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.max_inflight_messages_set(0)
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe(down(SITE, "+", "ack"))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def send(self, events: int) -> float:
        """Send so many events in all; give the events acknowledged in a second."""
        each = events // GATEWAYS // self._size
        ready = {
            name: [
                _message(name, first + self._size * number, self._size) for number in range(each)
            ]
            for name, first in self._next.items()
        }
        waiting = {name: list(reversed(messages)) for name, messages in ready.items()}
        until = {name: first + self._size * each - 1 for name, first in self._next.items()}
        began = time.perf_counter()
        while any(self._acknowledged[name] < last for name, last in until.items()):
            for name, messages in waiting.items():
                while messages and self._under_way(name) < AHEAD:
                    self._client.publish(*messages.pop(), qos=1)
                    self._next[name] += self._size
            time.sleep(0.002)
            if time.perf_counter() - began > 60:
                sys.exit("the hub does not acknowledge")
        took = time.perf_counter() - began
        return GATEWAYS * each * self._size / took

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _under_way(self, name: str) -> int:
        return (self._next[name] - 1 - self._acknowledged[name]) // self._size

    def _hear(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        name = message.topic.split("/")[3]
        for each in decode_acknowledgements(message.payload):
            self._acknowledged[name] = max(self._acknowledged[name], each.up_to_sequence)


def _message(name: str, first: int, size: int) -> tuple[str, bytes]:
    body = encode_body(
        epoch=EPOCH,
        lane=2,
        first_sequence=first,
        boot_id=BOOT,
        observations=[event(first + number) for number in range(size)],
        codec=ZSTD,
    )
    envelope = Envelope(
        codec=ZSTD,
        boot_id_sent=BOOT,
        boot_ns_sent=10**16,
        wall_ns_sent=time.time_ns(),
        clock_quality=3,
        oldest_sequence=1,
        body=body,
    )
    return up(SITE, name, 2), encode_envelope(envelope)


def _serve(address: str, port: int, is_ready: Event) -> None:
    uvloop.run(_take_in(address, port, is_ready))


async def _take_in(address: str, port: int, is_ready: Event) -> None:
    database = Database(address)
    await migrate(database)
    async with database.writing() as session:
        for number in range(GATEWAYS):
            await add_gateway(session, SITE, f"g-{number}")
    metrics = Metrics()
    publisher = Publisher(database, metrics)
    await publisher.start()
    inbox = Inbox(database, every_absorb(), publisher, metrics)
    source = MqttSource(BrokerAddress("127.0.0.1", port), inbox, metrics)
    async with asyncio.TaskGroup() as group:
        group.create_task(publisher.run())
        group.create_task(source.run())
        await source.is_connected.wait()
        is_ready.set()


async def _count(address: str) -> int:
    database = Database(address)
    async with database.reading() as session:
        found = await session.scalar(select(func.count()).select_from(ObservationRow))
    await database.close()
    return found or 0


if __name__ == "__main__":
    main()
