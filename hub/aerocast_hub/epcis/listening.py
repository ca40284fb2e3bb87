"""Somebody who listens to a named query over a WebSocket."""

import asyncio
import time
from collections.abc import AsyncGenerator

from aerocast_hub.database.engine import Database
from aerocast_hub.epcis.asking import asked_for
from aerocast_hub.epcis.schedule import Schedule
from aerocast_hub.epcis.subscriptions import NamedQuery, new_events
from aerocast_hub.epcis.writing import document
from aerocast_hub.events.partners import EpcisEventsKept
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

    async def documents(self, reached: int) -> AsyncGenerator[str, None]:
        """Give documents of the events kept after one, until the hub stops.

        Parameters
        ----------
        reached
            The last event's number that is not told any more.
        """
        asked = asked_for(self._query.query)
        while not self._publisher.is_closed:
            with self._publisher.subscribe() as news:
                while not news.is_dropped:
                    if self._schedule is not None:
                        await _sleep_until_due(self._schedule)
                    async with self._database.reading() as session:
                        found, reached = await new_events(session, asked, reached)
                    if found:
                        yield document(found, self._query.name).decode()
                    if self._schedule is None:
                        await _anything_new(news)


async def _sleep_until_due(schedule: Schedule) -> None:
    now_s = time.time()
    due_s = schedule.next_us(int(now_s * 1e6)) / 1e6
    await asyncio.sleep(max(due_s - now_s, 0.01))


async def _anything_new(news: Subscription) -> None:
    """Wait for EPCIS events, or a while."""
    try:
        async with asyncio.timeout(POLL_S):
            while not isinstance((await news.next()).event, EpcisEventsKept):
                pass
    except (TimeoutError, TooSlowError):
        return
