"""Somebody who listens to a named query over a WebSocket."""

import asyncio
import time
from collections.abc import AsyncGenerator

from aerocast_hub.database.engine import Database
from aerocast_hub.epcis.asking import asked_for
from aerocast_hub.epcis.schedule import Schedule
from aerocast_hub.epcis.subscriptions import NamedQuery, new_events
from aerocast_hub.epcis.writing import document
from aerocast_hub.events import EpcisEventsKept
from aerocast_hub.outbox.publish import POLL_S, Publisher, Subscription, TooSlowError


class Listener:
    """Gives what a query finds, as it comes or by a schedule.

    Parameters
    ----------
    schedule
        None: as it comes.
    """

    def __init__(
        self,
        query: NamedQuery,
        schedule: Schedule | None,
        database: Database,
        publisher: Publisher,
    ) -> None:
        self._query = query
        self._schedule = schedule
        self._database = database
        self._publisher = publisher

    async def documents(self, reached: int, ends_at_s: float) -> AsyncGenerator[str, None]:
        """Give documents of the events kept after one, until an instant or the hub stops.

        Parameters
        ----------
        reached
            The last event's number that is not told any more.
        ends_at_s
            Seconds since 1970-01-01.
        """
        asked = asked_for(self._query.query)
        while not self._publisher.is_closed and time.time() < ends_at_s:
            with self._publisher.subscribe() as news:
                while not news.is_dropped and time.time() < ends_at_s:
                    if self._schedule is not None:
                        await self._sleep(self._schedule, ends_at_s)
                    async with self._database.reading() as session:
                        found, reached = await new_events(session, asked, reached)
                    if found:
                        yield document(found, self._query.name).decode()
                    if self._schedule is None:
                        await _anything_new(news)

    async def _sleep(self, schedule: Schedule, ends_at_s: float) -> None:
        now_s = time.time()
        due_s = schedule.next_us(int(now_s * 1e6)) / 1e6
        await asyncio.sleep(max(min(due_s, ends_at_s) - now_s, 0.01))


async def _anything_new(news: Subscription) -> None:
    """Wait for EPCIS events, or a while."""
    try:
        async with asyncio.timeout(POLL_S):
            while not isinstance((await news.next()).event, EpcisEventsKept):
                pass
    except (TimeoutError, TooSlowError):
        return
