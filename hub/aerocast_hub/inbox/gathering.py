"""Messages on their way from a broker into the inbox: gathered, stored together, answered.

Nothing here is trusted to be stored anywhere: what is dropped is sent again by its gateway.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from aerocast_hub.inbox.answers import Reply
from aerocast_hub.inbox.pressure import Pressure
from aerocast_hub.inbox.receive import Inbox
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.telemetry.metrics import Metrics

MOST_MESSAGES = 500
GATHER_S = 0.05
"""A transaction takes what came within this time, at most so many messages: one flush to disk
then serves all gateways."""
MOST_WAITING_BYTES = 32 * 1024 * 1024
LONGEST_TURN_S = 5.0
"""An idle inbox comes round this often, so that whoever watches can tell idle from stuck."""

Done = Callable[[], Awaitable[None]]
"""Tells the broker that a message was taken in: it need not keep it."""


class Source(Protocol):
    """Feeds the inbox from a broker of some kind, and takes orders to gateways there."""

    is_connected: asyncio.Event

    @property
    def turned_at_s(self) -> float:
        """When the inbox last came round, monotonic seconds."""

    async def run(self) -> None:
        """Keep a connection, and store what comes over it, until cancelled."""

    async def order(self, topic: str, payload: bytes) -> bool:
        """Hand the broker an order, to be delivered at least once; say whether there is one."""


class _Waiting(NamedTuple):
    """A message in the queue, and since when (monotonic seconds)."""

    message: Message
    since_s: float
    done: Done | None


class Gathering:
    """The queue between a broker and the inbox.

    Attributes
    ----------
    turned_at_s
        When the inbox last came round: everything taken was stored and answered, or nothing
        waited (monotonic seconds). A transaction that hangs stops it.
    """

    def __init__(self, inbox: Inbox, metrics: Metrics) -> None:
        self.turned_at_s = time.monotonic()
        self._inbox = inbox
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._pressure = Pressure()
        self._arrived = asyncio.Event()

    def put(self, message: Message, done: Done | None = None) -> None:
        """Queue a message; with too many waiting it is dropped, and sent again by its gateway."""
        if self._waiting_bytes + len(message.payload) > MOST_WAITING_BYTES:
            self._metrics.messages.labels("dropped").inc()
            return
        self._waiting.append(_Waiting(message, time.monotonic(), done))
        self._waiting_bytes += len(message.payload)
        self._metrics.waiting_bytes.set(self._waiting_bytes)
        self._arrived.set()

    async def keep_storing(self, answer: Callable[[Sequence[Reply]], Awaitable[None]]) -> None:
        """Store what waits and answer its senders, until cancelled."""
        while True:
            self.turned_at_s = time.monotonic()
            try:
                async with asyncio.timeout(LONGEST_TURN_S):
                    await self._arrived.wait()
            except TimeoutError:
                self._measure()
                continue
            await asyncio.sleep(GATHER_S if len(self._waiting) < MOST_MESSAGES else 0)
            slow_down_ms = self._measure()
            taken = self._take(MOST_MESSAGES)
            await answer(await self._inbox.receive([each.message for each in taken], slow_down_ms))
            for each in taken:
                if each.done is not None:
                    await each.done()

    def _measure(self) -> int:
        """Look how far behind the inbox is; give how long senders should wait, milliseconds."""
        lag_s = time.monotonic() - self._waiting[0].since_s if self._waiting else 0.0
        slow_down_ms = self._pressure.observe(lag_s, self._waiting_bytes)
        self._metrics.inbox_lag_seconds.set(lag_s)
        self._metrics.inbox_slows_down.set(self._pressure.is_high)
        return slow_down_ms

    def _take(self, most: int) -> list[_Waiting]:
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._waiting_bytes -= sum(len(each.message.payload) for each in taken)
        self._metrics.waiting_bytes.set(self._waiting_bytes)
        if not self._waiting:
            self._arrived.clear()
        return taken
