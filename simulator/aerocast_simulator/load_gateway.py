"""One of many gateways in a load test: its own MQTT connection, its own sequences, nothing lost.

It keeps each batch until the hub says it is stored, as an agent does, but in memory: what is tried
here is the hub and its broker, not a gateway's disk. All gateways share one event loop; paho runs
in it without a thread of its own.
"""

import asyncio
import os
import random
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from aerocast_protocols.batch import (
    SLOW_DOWN,
    STORED,
    ZLIB,
    Envelope,
    decode_acknowledgements,
    encode_body,
    encode_envelope,
    encode_observation,
)
from aerocast_protocols.observations.bags import BagPassage, TagRead
from aerocast_protocols.observations.every import Observation
from aerocast_protocols.topics import down, up
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from aerocast_simulator.load_window import Waiting, Window

LANE = 1
KEEP_ALIVE_S = 60
_CLOCK_BY_NETWORK = 3


class Broker(NamedTuple):
    """Where the broker is, and how to be let in."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None


class Pace(NamedTuple):
    """How much a belt sees.

    Attributes
    ----------
    reads_per_s
        Tag reads, before bags are made of them.
    bags_per_min
        Bags that pass.
    """

    reads_per_s: float = 5.0
    bags_per_min: float = 12.0


class LoadGateway:
    """A gateway of a load test.

    Parameters
    ----------
    observe_wait
        Told how long each batch waited for the hub's word, seconds.

    Attributes
    ----------
    made, acknowledged
        Observations made, and those the hub said it has stored.
    sent_again
        Batches sent more than once.
    reconnects
        Times the connection was lost and made anew.
    """

    def __init__(
        self,
        site: str,
        name: str,
        broker: Broker,
        pace: Pace,
        observe_wait: Callable[[float], None],
    ) -> None:
        self.site, self.name = site, name
        self.made = self.acknowledged = self.sent_again = self.reconnects = 0
        self._broker, self._pace, self._observe_wait = broker, pace, observe_wait
        self._random = random.Random(f"{site}/{name}")  # noqa: S311  a load, no secret
        self._boot_id = os.urandom(16)
        self._epoch = 1 << 32 | secrets.randbits(32)  # of this run alone
        self._next = 1
        self._window = Window()
        self._bag = self._random.randrange(10**5)

    @property
    def slowed_down(self) -> int:
        """Times the hub asked it to slow down."""
        return self._window.slowed_down

    async def run(self, until_s: float, drain_s: float) -> None:
        """See and send once a second until ``until_s`` (monotonic), then await the hub's word."""
        link = _Link(self)
        task = asyncio.create_task(link.run(self._broker))
        try:
            await asyncio.sleep(self._random.random())  # so that not all send at once
            while time.monotonic() < until_s:
                due_s = time.monotonic() + 1.0
                self._see()
                self._send_what_is_due(link)
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            give_up_s = time.monotonic() + drain_s
            while self._window.waiting and time.monotonic() < give_up_s:
                self._send_what_is_due(link)
                await asyncio.sleep(0.2)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _see(self) -> None:
        """Make a second's observations into a batch."""
        now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        seen: list[Observation] = [
            TagRead(
                device="tunnel",
                boot_ns=now_ns - each,
                epc=self._random.randbytes(12),
                antenna=1 + each % 4,
                rssi_dbm=-50.0 - each % 20,
            )
            for each in range(self._count(self._pace.reads_per_s))
        ]
        for _ in range(self._count(self._pace.bags_per_min / 60)):
            self._bag = (self._bag + 1) % 10**6
            seen.append(
                BagPassage(
                    device="tunnel",
                    boot_ns=now_ns,
                    belt="1",
                    point="sortation",
                    epc=self._random.randbytes(12),
                    licence_plate=f"0{self._random.randrange(1, 1000):03d}{self._bag:06d}",
                    sigma_ms=20.0,
                    reads=30,
                    confidence=0.99,
                )
            )
        if not seen:
            return
        body = encode_body(
            epoch=self._epoch,
            lane=LANE,
            first_sequence=self._next,
            boot_id=self._boot_id,
            observations=[encode_observation(each) for each in seen],
            codec=ZLIB,
        )
        self._next += len(seen)
        self.made += len(seen)
        self._window.waiting.append(Waiting(self._next - 1, body, time.monotonic()))

    def _count(self, rate: float) -> int:
        """Draw how many of a rate fall into this second, right on average."""
        return int(rate) + (self._random.random() < rate % 1)

    def _send_what_is_due(self, link: "_Link") -> None:
        now_s = time.monotonic()
        for index in self._window.due(now_s):
            each = self._window.waiting[index]
            if not link.publish(up(self.site, self.name, LANE), self._envelope(each.body)):
                return
            self.sent_again += each.tries > 0
            self._window.sent(index, now_s)

    def _envelope(self, body: bytes) -> bytes:
        return encode_envelope(
            Envelope(
                codec=ZLIB,
                boot_id_sent=self._boot_id,
                boot_ns_sent=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
                wall_ns_sent=time.time_ns(),
                clock_quality=_CLOCK_BY_NETWORK,
                oldest_sequence=1,
                body=body,
            )
        )

    def lose_connection(self) -> None:
        """Take it that what is on its way may never come: send it again."""
        self.reconnects += 1
        self._window.send_all_again()

    def take_acknowledgement(self, payload: bytes) -> None:
        """Let go of what the hub says it has stored."""
        now_s = time.monotonic()
        for told in decode_acknowledgements(payload):
            if (told.lane, told.epoch) != (LANE, self._epoch):
                continue
            if told.status not in (STORED, SLOW_DOWN):
                continue
            for each in self._window.acknowledge(told, now_s):
                self._observe_wait(now_s - each.made_s)
            self.acknowledged = max(self.acknowledged, told.up_to_sequence)


class _Link:
    """A connection to the broker in the event loop, made again whenever it is lost."""

    def __init__(self, gateway: LoadGateway) -> None:
        self._gateway = gateway
        self._loop = asyncio.get_running_loop()
        self._lost = asyncio.Event()
        self._is_up = False
        self._client: Client | None = None

    def publish(self, topic: str, payload: bytes) -> bool:
        """Send one message at QoS 1; False when there is no connection."""
        if not self._is_up or self._client is None:
            return False
        return self._client.publish(topic, payload, qos=1).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    async def run(self, broker: Broker) -> None:
        """Stay connected until cancelled."""
        attempt = 0
        while True:
            client = self._client = self._new_client(broker)
            self._lost.clear()
            try:
                await asyncio.to_thread(client.connect, broker.host, broker.port, KEEP_ALIVE_S)
                self._watch(client)
                attempt = 0
                while not self._lost.is_set():
                    client.loop_misc()
                    try:
                        async with asyncio.timeout(1.0):
                            await self._lost.wait()
                    except TimeoutError:
                        continue
            except OSError:
                attempt += 1
            finally:
                self._leave(client)
            self._gateway.lose_connection()
            await asyncio.sleep(random.uniform(0, min(10.0, 0.5 * 2**attempt)))  # noqa: S311  spread

    def _new_client(self, broker: Broker) -> Client:
        gateway = self._gateway
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{gateway.site}-{gateway.name}",
            protocol=MQTTv5,
            reconnect_on_failure=False,
        )
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _watch(self, client: Client) -> None:
        """Read and write in the event loop; not before: it is no other thread's to touch."""
        if (socket := client.socket()) is None:  # lost already
            self._lost.set()
            return
        client.on_socket_register_write = lambda *_: self._write_soon(client)
        # Before it is closed: its number goes to the next connection, which would never be heard.
        number = socket.fileno()
        client.on_socket_close = lambda *_: self._forget(number)
        self._loop.add_reader(socket, self._read, client)
        self._write_soon(client)

    def _forget(self, number: int) -> None:
        self._loop.remove_reader(number)
        self._loop.remove_writer(number)

    def _leave(self, client: Client) -> None:
        self._is_up = False
        client.on_disconnect = None
        if client.socket() is not None:
            client.disconnect()
            client.loop_write()
        if (socket := client.socket()) is not None:  # it took no more
            self._forget(socket.fileno())
            socket.close()

    def _read(self, client: Client) -> None:
        if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost.set()

    def _write_soon(self, client: Client) -> None:
        if (socket := client.socket()) is not None:
            self._loop.add_writer(socket, self._write, client)

    def _write(self, client: Client) -> None:
        if client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost.set()
        elif not client.want_write() and (socket := client.socket()) is not None:
            self._loop.remove_writer(socket)

    def _on_connect(
        self,
        client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._lost.set()
            return
        client.subscribe(down(self._gateway.site, self._gateway.name, "ack"), qos=0)
        self._is_up = True

    def _on_disconnect(self, *_: object) -> None:
        self._lost.set()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._gateway.take_acknowledgement(bytes(message.payload))
