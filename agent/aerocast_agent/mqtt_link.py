"""One connection to the broker, from connecting to losing it; paho runs it in a thread of its own.

Each connection is a client of its own, so nothing half-sent outlives it: what counts is in the
spool, not in the client's memory.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from paho.mqtt import client as paho_client
from paho.mqtt.client import (
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
    MQTTv5,
    MQTTv311,
)
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from aerocast_agent.broker_login import find_login

# Cut before the broker has acted on the goodbye, it tells everybody that the gateway is gone.
GOODBYE_WITHIN_S = 3.0
BROKER_ENDS_WITHIN_S = 2.0
CONNECT_WITHIN_S = 10.0
KEEPALIVE_S = 30
DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


class _NeverRaised(Exception):  # noqa: N818  it is not an error: nobody raises it
    """Stands for TLS's exceptions where TLS is not loaded."""


if vars(paho_client)["ssl"] is None:
    # paho names them whenever its socket has nothing to read, TLS or not: its thread would end.
    vars(paho_client)["ssl"] = SimpleNamespace(
        SSLWantReadError=_NeverRaised, SSLWantWriteError=_NeverRaised
    )


class Broker(NamedTuple):
    """Where to connect and how.

    Attributes
    ----------
    version
        5, or 3 for MQTT 3.1.1.
    passed_s
        A time that has passed for sure (seconds since 1970), see `aerocast_agent.tls`.
    user, password
        For brokers that ask for them.
    login
        The file that holds them instead; is read at each connection.
    is_the_hubs
        Whether a hub on this machine may have left them for us, see `aerocast_agent.broker_login`.
    """

    url: str
    version: int
    certificate: str | None = None
    key: str | None = None
    ca: str | None = None
    passed_s: float = 0.0
    user: str | None = None
    password: str | None = None
    login: str | None = None
    is_the_hubs: bool = False


class Will(NamedTuple):
    """What the broker says for us when we are gone."""

    topic: str
    payload: bytes


class LinkError(Exception):
    """The broker was not reached, or refused us.

    Attributes
    ----------
    refused
        True when something answered and would not have us: another version may do better.
    """

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused


class Link:
    """A connection; ``lost`` is set when it is gone.

    Parameters
    ----------
    received
        Called in the event loop with topic and payload of every message.
    keep_session
        Whether the broker shall keep messages for this client while it is away.

    Raises
    ------
    LinkError
        The certificate, key, ca or login cannot be used.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        will: Will | None,
        received: Callable[[str, bytes], None],
        *,
        keep_session: bool = False,
    ) -> None:
        self.lost = asyncio.Event()
        self.why_lost = ""
        self._loop = asyncio.get_running_loop()
        self._received = received
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._subscribed: dict[int, asyncio.Future[None]] = {}
        self._reached = False
        self._broker = broker
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if broker.version == 5 else not keep_session,
            protocol=MQTTv5 if broker.version == 5 else MQTTv311,
            reconnect_on_failure=False,
        )
        client = self._client
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1)
        user, password = login_of(broker)
        if user is not None:
            client.username_pw_set(user, password)
        if urlsplit(broker.url).scheme == "mqtts":
            from aerocast_agent.tls import context_for  # noqa: PLC0415  memory: few speak TLS

            files = (broker.certificate, broker.key, broker.ca)
            try:
                client.tls_set_context(context_for(*files, broker.passed_s))
            except (OSError, ValueError) as error:
                raise LinkError(
                    f"{broker.url}: certificate, key or ca: {error}", refused=False
                ) from error
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_open = self._on_socket_open

    async def open(self, subscriptions: list[str]) -> None:
        """Connect and subscribe.

        Raises
        ------
        LinkError
            It did not come about.
        """
        url = urlsplit(self._broker.url)
        port = url.port or DEFAULT_PORTS[url.scheme]
        self._client.connect_async(url.hostname or "", port, keepalive=KEEPALIVE_S)
        self._client.loop_start()
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await self._connected
                for topic in subscriptions:
                    await self._subscribe(topic)
        except TimeoutError as error:
            await self.close()
            raise LinkError(
                f"{self._broker.url}: no answer within {CONNECT_WITHIN_S:g} s", refused=False
            ) from error
        except BaseException:
            await self.close()
            raise

    async def _subscribe(self, topic: str) -> None:
        done: asyncio.Future[None] = self._loop.create_future()
        _, mid = self._client.subscribe(topic, qos=1)
        if mid is None or self.lost.is_set():
            raise LinkError(f"{self._broker.url}: the link closed", refused=True)
        self._subscribed[mid] = done
        lost = asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait((done, lost), return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.cancel()
        if not done.done():
            raise LinkError(f"{self._broker.url}: {self.why_lost}", refused=True)

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand over a message; whether it arrives, the hub's acknowledgement says."""
        self._client.publish(topic, payload, qos=1)

    async def close(self) -> None:
        """Say goodbye, and wait for the client's thread to end."""
        self._client.disconnect()
        if self._reached and not self.lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_WITHIN_S):
                    await self.lost.wait()
        opened = cast("socket.socket | None", self._client.socket())
        if opened is not None:
            with contextlib.suppress(OSError):  # it is closing anyway
                opened.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    # The client's thread calls what follows; the event loop does the work.

    def _on_connect(
        self,
        _client: Client,
        _data: object,
        _flags: ConnectFlags,
        code: ReasonCode,
        _more: Properties | None,
    ) -> None:
        self._tell(self._answered, str(code), not code.is_failure)

    def _on_connect_fail(self, _client: Client, _data: object) -> None:
        self._client.disconnect()
        self._tell(self._failed, "cannot be reached")

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        flags: DisconnectFlags,
        code: ReasonCode,
        _more: Properties | None,
    ) -> None:
        if not code.is_failure and not flags.is_disconnect_packet_from_server:
            _wait_for_the_broker_to_end(self._client.socket())
        self._tell(self._failed, f"the link closed: {code}")

    def _on_subscribe(
        self,
        _client: Client,
        _data: object,
        mid: int,
        _codes: list[ReasonCode],
        _more: Properties | None,
    ) -> None:
        self._tell(self._granted, mid)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._tell(self._received, message.topic, message.payload)

    def _on_socket_open(self, _client: Client, _data: object, _socket: object) -> None:
        self._reached = True

    def _tell(self, what: Callable[..., None], *about: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *about)

    def _answered(self, code: str, well: bool) -> None:  # noqa: FBT001  passed by position across threads
        if self._connected.done():
            return
        if well:
            self._connected.set_result(None)
        else:
            self._connected.set_exception(
                LinkError(f"{self._broker.url}: refused: {code}", refused=True)
            )

    def _failed(self, why: str) -> None:
        self.why_lost = self.why_lost or why
        self.lost.set()
        if not self._connected.done():
            self._connected.set_exception(
                LinkError(f"{self._broker.url}: {why}", refused=self._reached)
            )

    def _granted(self, mid: int) -> None:
        waiting = self._subscribed.pop(mid, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


def _wait_for_the_broker_to_end(opened: object) -> None:
    """Wait, after the goodbye, until the broker closes the connection.

    paho closes it at once. With something unread TCP then resets the connection and the broker
    never reads the goodbye; and a broker that has read it, but sees the end of the connection
    before it has acted on it, sends the last will all the same.
    """
    ends_s = time.monotonic() + BROKER_ENDS_WITHIN_S
    connection = cast("socket.socket | None", opened)
    if connection is None:  # it had ended before
        return
    # TimeoutError is among them: enough waited. ValueError: TLS was shut down while it was read.
    with contextlib.suppress(OSError, ValueError):
        while (left_s := ends_s - time.monotonic()) > 0:
            connection.settimeout(left_s)
            if not connection.recv(4096):
                return


def login_of(broker: Broker) -> tuple[str | None, str | None]:
    """Give user and password for a broker; none for who has a certificate and no ``login``.

    What a hub of this machine left may be of one that was killed, and the port another broker's by
    now: RabbitMQ believes no certificate beside a password.

    Raises
    ------
    LinkError
        The login cannot be used.
    """
    if broker.user is not None or not broker.is_the_hubs:
        return broker.user, broker.password
    if broker.certificate is not None and broker.login is None:
        return None, None
    try:
        return find_login(broker.url, broker.login) or (None, None)
    except (OSError, ValueError) as error:
        raise LinkError(f"{broker.url}: [hub] login: {error}", refused=False) from error
