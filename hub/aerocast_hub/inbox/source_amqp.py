"""The inbox's side of RabbitMQ: gateways speak MQTT to it, the hubs read one queue over AMQP.

RabbitMQ's MQTT plugin publishes on the exchange ``amq.topic``, with dots for the slashes of topics
(RabbitMQ 3.10 and later, "MQTT Plugin", topic exchange mapping). It has no shared subscriptions:
several hubs share a durable quorum queue instead, and what one was given and did not settle before
it died goes to another. A message is settled once its transaction is over, stored or not: what is
not stored its gateway sends again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from aerocast_protocols.topics import EVERY_UP

from aerocast_hub.inbox.answers import Reply
from aerocast_hub.inbox.gathering import Gathering
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outage import Outage
from aerocast_hub.running import together
from aerocast_hub.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from aio_pika.abc import AbstractConnection, AbstractExchange, AbstractIncomingMessage

log = logging.getLogger(__name__)

EXCHANGE = "amq.topic"
PREFETCH = 400
"""Of 64 KiB each: less than the inbox lets wait, so none is dropped here."""
MOST_QUEUED_BYTES = 1024 * 1024 * 1024
"""While no hub is there. More pushes the oldest out: gateways still hold it and send again."""
CONNECT_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 30
LONGEST_WAIT_S = 10.0
STABLE_S = 30.0


def routing_key(topic: str) -> str:
    """Give a topic (or filter) as RabbitMQ's exchanges have it."""
    return topic.replace("/", ".").replace("+", "*")


def topic_of(key: str) -> str:
    """Give a routing key as a topic."""
    return key.replace(".", "/")


class AmqpSource:
    """Feeds the inbox from a queue, for as long as it runs.

    Parameters
    ----------
    url
        ``amqp://user:password@host:port/virtual-host`` or ``amqps://``.
    group
        Names the queue: hubs of one group share it.
    """

    def __init__(self, url: str, group: str, inbox: Inbox, metrics: Metrics) -> None:
        self.is_connected = asyncio.Event()
        self._url = url
        self._queue_name = f"aerocast.{group}"
        self._metrics = metrics
        self._gathering = Gathering(inbox, metrics)
        self._exchange: AbstractExchange | None = None
        self._outage = Outage()

    @property
    def turned_at_s(self) -> float:
        """When the inbox last came round, monotonic seconds."""
        return self._gathering.turned_at_s

    async def run(self) -> None:
        """Keep a connection, and store what comes over it, until cancelled."""
        await together(self._keep_connected(), self._gathering.keep_storing(self._answer))

    async def _keep_connected(self) -> None:
        import aio_pika  # noqa: PLC0415  an extra
        from aio_pika.exceptions import AMQPError  # noqa: PLC0415  an extra

        attempt = 0
        while True:
            opened_at = time.monotonic()
            try:
                connection = await aio_pika.connect(
                    self._url,
                    timeout=CONNECT_TIMEOUT_S,
                    heartbeat=KEEP_ALIVE_S,
                    client_properties={"connection_name": "aerocast-hub"},
                )
                async with connection:
                    await self._serve(connection)
            except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
                if self._outage.note_failure():
                    log.warning("no RabbitMQ: %r", error)
            attempt = 0 if time.monotonic() - opened_at > STABLE_S else attempt + 1
            longest_s = min(LONGEST_WAIT_S, 0.1 * 2 ** min(attempt, 10))
            await asyncio.sleep(random.uniform(0, longest_s))  # noqa: S311  spreads, hides nothing

    async def _serve(self, connection: "AbstractConnection") -> None:
        """Read the queue until the connection is lost."""
        # Acknowledgements to gateways need no confirmation: a lost one is asked for again.
        channel = await connection.channel(publisher_confirms=False)
        await channel.set_qos(prefetch_count=PREFETCH)
        exchange = await channel.get_exchange(EXCHANGE, ensure=False)
        queue = await channel.declare_queue(
            self._queue_name,
            durable=True,
            arguments={"x-queue-type": "quorum", "x-max-length-bytes": MOST_QUEUED_BYTES},
        )
        await queue.bind(exchange, routing_key(EVERY_UP))
        await queue.consume(self._put)
        log.info("reading queue %s of RabbitMQ", self._queue_name)
        self._exchange = exchange
        self._outage.note_answer()
        self._metrics.broker_connected.set(1)
        self.is_connected.set()
        try:
            await asyncio.wait(
                [
                    asyncio.ensure_future(connection.closed()),
                    asyncio.ensure_future(channel.closed()),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
            log.warning("RabbitMQ is lost")
        finally:
            self._exchange = None
            self._metrics.broker_connected.set(0)
            self.is_connected.clear()

    async def _put(self, delivered: "AbstractIncomingMessage") -> None:
        received_at_us = time.time_ns() // 1000
        message = Message(topic_of(delivered.routing_key or ""), delivered.body, received_at_us)
        self._gathering.put(message, partial(_settle, delivered))

    async def _answer(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            if not await self._publish(reply.topic, reply.payload):
                return  # the gateways send again and are answered then

    async def order(self, topic: str, payload: bytes) -> bool:
        """Hand the broker an order; the MQTT plugin delivers it as its gateway subscribed."""
        return await self._publish(topic, payload)

    async def _publish(self, topic: str, payload: bytes) -> bool:
        from aio_pika import Message as Sent  # noqa: PLC0415  an extra
        from aio_pika.exceptions import AMQPError  # noqa: PLC0415  an extra

        if self._exchange is None:
            return False
        try:
            await self._exchange.publish(Sent(payload), routing_key(topic), mandatory=False)
        except (AMQPError, OSError, RuntimeError) as error:
            log.info("a message to a gateway could not be sent: %r", error)
            return False
        return True


async def _settle(delivered: "AbstractIncomingMessage") -> None:
    """Tell RabbitMQ that a message was taken; over a lost connection it gives it out again."""
    from aio_pika.exceptions import AMQPError  # noqa: PLC0415  an extra

    try:
        await delivered.ack()
    except (AMQPError, OSError, RuntimeError) as error:
        log.debug("a message comes again: %r", error)
