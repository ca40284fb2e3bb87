"""Orders on their way to gateways: every hub with a broker publishes those that wait.

Orders are rows. Whoever is asked for one need have no broker, and several hubs may share one: a
gateway runs an order's id once, so what comes twice is harmless. So an order is published again
until it is answered or expires: the broker, the gateway's link or the answer may have been lost.
Nothing is retained: an order is for who is there.
"""

import asyncio
import logging
import time

from aerocast_protocols import commands
from aerocast_protocols.topics import down
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.orders import waiting_orders
from aerocast_hub.inbox.gathering import Source
from aerocast_hub.outbox.publish import POLL_S, Publisher, TooSlowError

log = logging.getLogger(__name__)

CALLED_BY = ("gateway_ordered",)
LOOK_EVERY_S = 5.0
AGAIN_AFTER_S = 10.0
"""Long enough for most answers to come first."""


class Courier:
    """Delivers orders over one source's connection to its broker."""

    def __init__(self, database: Database, publisher: Publisher, source: Source) -> None:
        self._database = database
        self._publisher = publisher
        self._source = source
        self._published_at_us: dict[str, int] = {}

    async def run(self) -> None:
        """Deliver until cancelled; a database that does not answer is asked again."""
        with self._publisher.bell(CALLED_BY) as bell:
            while True:
                await self._source.is_connected.wait()
                try:
                    await self.deliver(time.time_ns() // 1000)
                    await bell.wait(LOOK_EVERY_S)
                except TooSlowError:
                    await asyncio.sleep(POLL_S)  # the hub stops
                except (SQLAlchemyError, OSError) as error:
                    self._database.tell_failure("orders wait", error)
                    await asyncio.sleep(POLL_S)

    async def deliver(self, now_us: int) -> None:
        """Publish what waits and was not published a moment ago."""
        async with self._database.reading() as session:
            waiting = await waiting_orders(session, now_us)
        before = self._published_at_us
        self._published_at_us = {
            each.command.id: before[each.command.id]
            for each in waiting
            if each.command.id in before
        }
        for site, gateway, command in waiting:
            published_at_us = before.get(command.id)
            if published_at_us is not None and now_us - published_at_us < AGAIN_AFTER_S * 1e6:
                continue
            if await self._source.order(down(site, gateway, "command"), commands.encode(command)):
                self._published_at_us[command.id] = now_us
                if published_at_us is None:
                    log.info("order %s goes to %s/%s: %s", command.id, site, gateway, command.verb)
