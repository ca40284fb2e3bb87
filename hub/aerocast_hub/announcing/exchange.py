"""Committed events onto RabbitMQ's exchange: durable, confirmed, in order, at least once.

How far it has come stands among the followers, and is moved on only after RabbitMQ has confirmed:
what a crash or a lost connection leaves in doubt is sent again under the same id.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.announcing.asyncapi import EXCHANGE
from aerocast_hub.announcing.cloud_event import KINDS, MEDIA_TYPE, cloud_event, routing_key
from aerocast_hub.announcing.reading import Committed, events_after
from aerocast_hub.database.engine import Database, is_unable_now
from aerocast_hub.database.insert import insert_or_replace
from aerocast_hub.outage import Outage
from aerocast_hub.outbox.publish import POLL_S, Publisher, TooSlowError
from aerocast_hub.outbox.tables import FollowerRow
from aerocast_hub.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aio_pika.abc import AbstractConnection

log = logging.getLogger(__name__)

NAME = "exchange"
READ_AT_ONCE = 200
CONNECT_TIMEOUT_S = 10.0
CONFIRMED_WITHIN_S = 10.0
LONGEST_WAIT_S = 10.0


class Announcer:
    """Sends what is committed to the exchange, for as long as it runs.

    Parameters
    ----------
    url
        ``amqp://user:password@host:port/virtual-host``.
    source
        The hub's own address, as `CloudEvent.source`.
    """

    def __init__(
        self, url: str, source: str, database: Database, publisher: Publisher, metrics: Metrics
    ) -> None:
        self._url = url
        self._source = source
        self._database = database
        self._publisher = publisher
        self._metrics = metrics
        self._outage = Outage()

    async def run(self) -> None:
        """Send until cancelled; a RabbitMQ or a database that is away is waited for."""
        from aio_pika.exceptions import AMQPError  # noqa: PLC0415  an extra

        wait_s = 0.2
        while True:
            try:
                async with announcing(self._url, self._source) as send:
                    wait_s = 0.2
                    self._outage.note_answer()
                    log.info("events go to exchange %s of RabbitMQ", EXCHANGE)
                    await self._send_what_comes(send)
            except (AMQPError, OSError, TimeoutError, RuntimeError, SQLAlchemyError) as error:
                if is_unable_now(error):
                    self._database.tell_failure("events for RabbitMQ wait", error)
                elif self._outage.note_failure():
                    log.warning("events wait for RabbitMQ: %r", error)
            await asyncio.sleep(random.uniform(wait_s / 2, wait_s))  # noqa: S311  spreads, hides nothing
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    async def _send_what_comes(self, send: "Send") -> None:
        with self._publisher.bell(KINDS) as bell:
            while True:
                while await self.catch_up(send):
                    pass
                try:
                    await bell.wait(POLL_S)
                except TooSlowError:
                    await asyncio.sleep(POLL_S)  # the hub stops

    async def catch_up(self, send: "Send") -> bool:
        """Send what was committed since the last call; say whether there may be more."""
        async with self._database.reading() as session:
            reached = await session.scalar(
                select(FollowerRow.last_id).where(FollowerRow.name == NAME)
            )
            stretch = await events_after(session, reached or 0, READ_AT_ONCE)
        if stretch.reached is None:
            return False
        await send.all(stretch.events)
        self._metrics.events_announced.inc(len(stretch.events))
        async with self._database.writing() as session:
            progress = {"name": NAME, "last_id": stretch.reached}
            await insert_or_replace(session, FollowerRow, [progress])
        return True


class Send:
    """Sends events to the exchange, or to one queue of it, and waits for RabbitMQ's word."""

    def __init__(self, connection: "AbstractConnection", source: str) -> None:
        self._connection = connection
        self._source = source

    async def open(self, queue: str | None = None) -> None:
        """Make the exchange where there is none; or find the queue.

        Raises
        ------
        aio_pika.exceptions.AMQPError
            There is no such queue, or an exchange of another kind has the name.
        """
        self._channel = await self._connection.channel(on_return_raises=queue is not None)
        self._queue = queue
        if queue is None:
            self._exchange = await self._channel.declare_exchange(EXCHANGE, "topic", durable=True)
        else:
            await self._channel.declare_queue(queue, passive=True)
            self._exchange = self._channel.default_exchange

    async def all(self, events: Sequence[Committed]) -> None:
        """Send events in order; they are confirmed when this ends.

        Raises
        ------
        aio_pika.exceptions.AMQPError, OSError, TimeoutError
            RabbitMQ does not confirm: nobody knows which of them it has.
        """
        from aio_pika import DeliveryMode, Message  # noqa: PLC0415  an extra

        # Written to the connection in this order; the confirmations come as they come.
        async with asyncio.timeout(CONFIRMED_WITHIN_S):
            confirmed = await asyncio.gather(
                *(
                    self._exchange.publish(
                        Message(
                            msgspec.json.encode(
                                cloud_event(number, event, self._source, traceparent)
                            ),
                            content_type=MEDIA_TYPE,
                            delivery_mode=DeliveryMode.PERSISTENT,
                            message_id=str(number),
                        ),
                        routing_key(event) if self._queue is None else self._queue,
                        mandatory=self._queue is not None,
                    )
                    for number, event, traceparent in events
                ),
                return_exceptions=True,
            )
        for each in confirmed:
            if isinstance(each, BaseException):
                raise each


@asynccontextmanager
async def announcing(url: str, source: str, queue: str | None = None) -> "AsyncIterator[Send]":
    """Connect to RabbitMQ beside the block; with ``queue``, to send to that one alone."""
    import aio_pika  # noqa: PLC0415  an extra

    connection = await aio_pika.connect(
        url, timeout=CONNECT_TIMEOUT_S, client_properties={"connection_name": "aerocast-events"}
    )
    async with connection:
        send = Send(connection, source)
        await send.open(queue)
        yield send
