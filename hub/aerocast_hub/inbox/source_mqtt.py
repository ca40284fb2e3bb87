"""The inbox's side of MQTT: every gateway's messages in, acknowledgements out.

paho runs in a thread of its own and hands over to asyncio. MQTT 5 is tried first, then 3.1.1.
Nothing here is trusted to be stored anywhere: what is dropped is sent again by its gateway.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable, Sequence

from aerocast_protocols.topics import EVERY_UP, up
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from aerocast_hub.broker_url import BrokerAddress, tls_context
from aerocast_hub.inbox.answers import Reply
from aerocast_hub.inbox.gathering import Gathering
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outage import Outage
from aerocast_hub.running import together
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
KEEP_ALIVE_S = 30
LONGEST_WAIT_S = 10.0
STABLE_S = 30.0
EVERY_STATUS = up("+", "+", "status")
_CANNOT_SHARE = (
    "the broker has no shared subscriptions: unset BROKER_GROUP and run one hub, use a broker that "
    "has them, or RabbitMQ over amqp://"
)
_VERSIONS = (MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311)


class MqttSource:
    """Feeds the inbox from a broker, for as long as it runs.

    Parameters
    ----------
    group
        Hubs of one group share the gateways' messages (MQTT 5 §4.8.2, shared subscriptions). None:
        this hub gets them all.
    """

    def __init__(
        self, address: BrokerAddress, inbox: Inbox, metrics: Metrics, group: str | None = None
    ) -> None:
        self.is_connected = asyncio.Event()
        self._address = address
        self._group = group
        self._metrics = metrics
        self._gathering = Gathering(inbox, metrics)
        self._client: Client | None = None
        self._outage = Outage()

    @property
    def turned_at_s(self) -> float:
        """When the inbox last came round, monotonic seconds."""
        return self._gathering.turned_at_s

    async def run(self) -> None:
        """Keep a connection, and store what comes over it, until cancelled."""
        await together(self._keep_connected(), self._gathering.keep_storing(self._answer))

    async def _answer(self, replies: Sequence[Reply]) -> None:
        client = self._client
        if client is None:
            return  # not connected: the gateways send again and are answered then
        for reply in replies:
            client.publish(reply.topic, reply.payload, qos=0)

    async def order(self, topic: str, payload: bytes) -> bool:
        """Hand the broker an order, to be delivered at least once; say whether there is one."""
        client = self._client
        if client is None:
            return False
        return client.publish(topic, payload, qos=1).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    async def _keep_connected(self) -> None:
        attempt = 0
        while True:
            opened_at = time.monotonic()
            reasons: list[str] = []
            for version in _VERSIONS if self._group is None else _VERSIONS[:1]:
                connection = _Connection(self._address, version, self._group, self._gathering.put)
                try:
                    await connection.open()
                    await self._serve(connection)
                    break
                except (OSError, TimeoutError) as error:
                    reasons.append(f"over {version.name}: {error!r}")
                finally:
                    await connection.close()
            else:
                if self._outage.note_failure():
                    log.warning("no broker %s", "; ".join(reasons))
            attempt = 0 if time.monotonic() - opened_at > STABLE_S else attempt + 1
            longest_s = min(LONGEST_WAIT_S, 0.1 * 2 ** min(attempt, 10))
            await asyncio.sleep(random.uniform(0, longest_s))  # noqa: S311  spreads, hides nothing

    async def _serve(self, connection: "_Connection") -> None:
        """Use an open connection until it is lost."""
        log.info("connected to the broker over %s", connection.version.name)
        self._client = connection.client
        self._outage.note_answer()
        self._metrics.broker_connected.set(1)
        self.is_connected.set()
        try:
            await connection.lost
            log.warning("the broker is lost")
        finally:
            self._client = None
            self._metrics.broker_connected.set(0)
            self.is_connected.clear()


class _Connection:
    """One connection to a broker: paho's thread on one side, futures of this loop on the other."""

    def __init__(
        self,
        address: BrokerAddress,
        version: MQTTProtocolVersion,
        group: str | None,
        put: Callable[[Message], None],
    ) -> None:
        self.version = version
        self._address = address
        self._group = group
        self._put = put
        self._loop = asyncio.get_running_loop()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"aerocast-hub-{secrets.token_hex(4)}",
            protocol=version,
            reconnect_on_failure=False,
        )
        self.client.connect_timeout = CONNECT_TIMEOUT_S
        if address.user is not None:
            self.client.username_pw_set(address.user, address.password)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message

    async def open(self) -> None:
        """Connect and subscribe.

        Raises
        ------
        OSError, TimeoutError
            Nobody is there, it speaks another version, or it refuses.
        """
        if (tls := tls_context(self._address)) is not None:
            self.client.tls_set_context(tls)
        async with asyncio.timeout(2 * CONNECT_TIMEOUT_S):
            await asyncio.to_thread(
                self.client.connect, self._address.host, self._address.port, KEEP_ALIVE_S
            )
            self.client.loop_start()
            await self._subscribed

    async def close(self) -> None:
        """Leave, and end paho's thread. Safe in any state."""
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)
        if self._subscribed.done() and not self._subscribed.cancelled():
            self._subscribed.exception()  # looked at, so that nobody complains it never was

    # Below: called by paho, in its thread.

    def _on_connect(
        self,
        client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._tell(self._fail, f"refused: {reason}")
        elif self._group is None:
            client.subscribe(EVERY_UP, qos=1)
        elif not getattr(properties, "SharedSubscriptionAvailable", 1):
            self._tell(self._fail, _CANNOT_SHARE)
        else:
            # Retained words on gateways come only to who does not share; they are few.
            shared = f"$share/{self._group}/{EVERY_UP}"
            client.subscribe([(shared, SubscribeOptions(1)), (EVERY_STATUS, SubscribeOptions(1))])

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._tell(self._fail, f"subscription refused: {reasons[0]}")
        else:
            self._tell(self._succeed)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._tell(self._fail, f"closed: {reason}")

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        received_at_us = time.time_ns() // 1000
        self._tell(self._put, Message(message.topic, bytes(message.payload), received_at_us))

    def _tell(self, what: Callable[..., None], *given: object) -> None:
        self._loop.call_soon_threadsafe(what, *given)

    # Below: in the loop again.

    def _succeed(self) -> None:
        if not self._subscribed.done():
            self._subscribed.set_result(None)

    def _fail(self, reason: str) -> None:
        if not self._subscribed.done():
            self._subscribed.set_exception(ConnectionError(reason))
        if not self.lost.done():
            self.lost.set_result(None)
