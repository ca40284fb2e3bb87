"""Partners' events into the inbox, as a gateway of theirs would send them."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from aerocast_protocols.batch import Acknowledgement, decode_acknowledgements
from aerocast_protocols.observations.every import LIVE
from aerocast_protocols.topics import down, up

from aerocast_hub.audit.acting import THE_HUB, Acting, acting
from aerocast_hub.database.replica import answering_a_request
from aerocast_hub.inbox.answers import Reply
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.ingest.reported import Report, as_sent

MOST_MESSAGES = 500
"""A transaction takes so many, or one report where that is more."""


class _Waiting:
    """A report's messages until they are stored, and then what the inbox says of its lane."""

    def __init__(self, sent: Sequence[Message], answered_on: str) -> None:
        self.sent = sent
        self.answered_on = answered_on
        self.told: list[Acknowledgement] | None = None


class PartnerInbox:
    """Takes in what partners report.

    While one transaction runs, reports gather for the next: one flush to disk serves them all, and
    reports of one partner do not queue for its marks one by one.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._waiting: deque[_Waiting] = deque()
        self._turn = asyncio.Lock()

    async def take(self, site: str, name: str, report: Report) -> list[Acknowledgement]:
        """Store a report; give what the inbox acknowledges after its commit, if it could.

        Acknowledgements are the gateway's of that transaction: of all its reports in it.
        """
        now_ns = time.time_ns()
        topic = up(site, name, LIVE)
        sent = [Message(topic, payload, now_ns // 1000) for payload in as_sent(report, now_ns)]
        ours = _Waiting(sent, down(site, name, "ack"))
        self._waiting.append(ours)
        try:
            async with self._turn:
                while ours.told is None:
                    await self._store_some()
        finally:
            if ours in self._waiting:
                self._waiting.remove(ours)
        return ours.told

    async def _store_some(self) -> None:
        """Store what waits, in the order it came; who is broken off leaves it to the next."""
        taken = self._take()
        try:
            # Nobody's work in particular, whoever's turn it is; and soon asked for by each of them.
            with acting(Acting(THE_HUB)), answering_a_request():
                replies = await self._inbox.receive([each for one in taken for each in one.sent])
        except BaseException:
            self._waiting.extendleft(reversed(taken))
            raise
        told = _by_topic(replies)
        for each in taken:
            each.told = told.get(each.answered_on, [])

    def _take(self) -> list[_Waiting]:
        taken = [self._waiting.popleft()]
        count = len(taken[0].sent)
        while self._waiting and count + len(self._waiting[0].sent) <= MOST_MESSAGES:
            taken.append(self._waiting.popleft())
            count += len(taken[-1].sent)
        return taken


def _by_topic(replies: Sequence[Reply]) -> dict[str, list[Acknowledgement]]:
    told: dict[str, list[Acknowledgement]] = {}
    for reply in replies:
        told.setdefault(reply.topic, []).extend(decode_acknowledgements(reply.payload))
    return told
