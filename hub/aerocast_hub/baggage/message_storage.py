"""Where links and the API bring baggage messages: a transaction for each delivery."""

import time
from collections.abc import Callable, Sequence

from aerocast_protocols.baggage import MessageBuffer

from aerocast_hub.audit.acting import THE_HUB, who_acts
from aerocast_hub.baggage.messages import Incoming, TakenIn, record_taken, take_in
from aerocast_hub.database.engine import Database, in_spite_of_others
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.telemetry.metrics import Metrics


class Storage:
    """Takes in messages, each call a transaction of its own, and tells the hub's listeners."""

    def __init__(self, database: Database, wake: Callable[[], None], metrics: Metrics) -> None:
        self._database = database
        self._wake = wake
        self._metrics = metrics

    async def store(self, payloads: Sequence[bytes], sender: str) -> list[TakenIn]:
        """Take in what a partner sent; a payload holds a message, seldom several.

        Raises
        ------
        SQLAlchemyError, OSError
            The database does not answer: nothing is stored.
        """
        now_us = time.time_ns() // 1000
        incoming = [Incoming(raw, now_us, sender) for payload in payloads for raw in split(payload)]

        async def keep(*, may_repeat: bool) -> list[TakenIn]:
            async with self._database.writing() as session:
                taken, events = await take_in(session, incoming, may_repeat=may_repeat)
                await write_events(session, events)
                if who_acts().actor != THE_HUB:  # what links bring is in the messages' own table
                    await record_taken(session, sender, taken)
            return taken

        taken = await in_spite_of_others(keep)
        self._wake()
        for each in taken:
            outcome = "refused" if each.refused else "new" if each.is_new else "known"
            self._metrics.bag_messages.labels(outcome).inc()
        return taken


def split(payload: bytes) -> list[bytes]:
    """Give the messages in a text; one that holds none is one that will be refused."""
    buffer = MessageBuffer()
    buffer.feed(payload)
    return [raw for raw in buffer.flush() if raw.strip()] or [payload]
