"""Committed events to whoever listens: in order, at least once, never waiting for the slow.

An event is a row of the outbox, written in the transaction that made it true. Here the rows are
read back after their commit and handed to the subscribers of this process. A subscriber that does
not keep up is dropped, and told so: it asks for the present state and subscribes again.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby

import msgspec
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.events.every import Event, decode_event, encode_event, kind_of
from aerocast_hub.outbox.tables import OutboxRow
from aerocast_hub.telemetry.metrics import Metrics
from aerocast_hub.telemetry.tracing import current_traceparent, span

log = logging.getLogger(__name__)

POLL_S = 1.0
"""How long an event written by another process of the hub may go unnoticed."""
READ_AT_ONCE = 500
KEPT_S = 24 * 3600
SWEEP_EVERY_S = 3600
_ORDER_LOCK = 7_301_443  # any number of ours


class Published:
    """An event and its number in the outbox: greater than of any event before it."""

    __slots__ = ("_told", "event", "id")

    def __init__(self, number: int, event: Event) -> None:
        self.id = number
        self.event = event
        self._told: str | None = None

    def as_told(self) -> str:
        """Give it as JSON, ``{"id": ..., "event": {...}}``: written once for all who listen."""
        if self._told is None:
            self._told = f'{{"id":{self.id},"event":{msgspec.json.encode(self.event).decode()}}}'
        return self._told


class TooSlowError(Exception):
    """The subscriber's queue ran over, or the hub stops: ask for the present state later on."""


class Subscription:
    """One listener's bounded queue; iterate it."""

    def __init__(self, longest: int) -> None:
        self._waiting: asyncio.Queue[Published | None] = asyncio.Queue(longest)
        self.is_dropped = False

    def offer(self, published: Published) -> bool:
        """Put one in the queue; False when it is full, and the subscription over."""
        if not self.is_dropped:
            try:
                self._waiting.put_nowait(published)
            except asyncio.QueueFull:
                self.is_dropped = True
        return not self.is_dropped

    def end(self) -> None:
        """Let a listener go who may be waiting: what is queued is still given out."""
        if not self.is_dropped:
            self.is_dropped = True
            if self._waiting.empty():
                self._waiting.put_nowait(None)

    @property
    def is_empty(self) -> bool:
        """Say that nothing waits."""
        return self._waiting.empty()

    async def next(self) -> Published:
        """Wait for the next event.

        Raises
        ------
        TooSlowError
            Everything queued was given out, and later events were not queued.
        """
        if self.is_dropped and self._waiting.empty():
            raise TooSlowError
        published = await self._waiting.get()
        if published is None:
            raise TooSlowError
        return published

    async def __aiter__(self) -> AsyncIterator[Published]:
        """Give events as they come; ends by raising `TooSlowError`."""
        while True:
            yield await self.next()


class Bell:
    """Rings when something of some kinds was published, once for however much.

    For who reads what it was from the database: that needs no queue, and is never too slow.
    """

    def __init__(self, kinds: Collection[str]) -> None:
        self._kinds = frozenset(kinds)
        self._rung = asyncio.Event()
        self._is_ended = False

    def offer(self, published: Published) -> bool:
        """Ring if it is of the kinds; never refuses."""
        if kind_of(published.event) in self._kinds:
            self._rung.set()
        return True

    def end(self) -> None:
        """Let go who waits: nothing more will be told."""
        self._is_ended = True
        self._rung.set()

    async def wait(self, longest_s: float | None = None) -> None:
        """Wait until it rang since the last time, or for so long: to look by oneself.

        Raises
        ------
        TooSlowError
            The hub stops.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._rung.wait()
        if self._is_ended:
            raise TooSlowError
        self._rung.clear()


class Publisher:
    """Hands committed events to the subscribers of this process.

    Attributes
    ----------
    on_wake
        Called when this process has committed events: to tell the other hubs.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._subscriptions: set[Subscription | Bell] = set()
        self._is_closed = False
        self._woken = asyncio.Event()
        self._last_id = 0
        self.on_wake: Callable[[], None] | None = None

    @contextmanager
    def subscribe(self, longest_queue: int = 256) -> Iterator[Subscription]:
        """Listen to every event published from now on, until the block ends."""
        subscription = Subscription(longest_queue)
        with self._listening(subscription):
            yield subscription

    @contextmanager
    def bell(self, kinds: Collection[str]) -> Iterator[Bell]:
        """Be called when something of some kinds was published, until the block ends."""
        bell = Bell(kinds)
        with self._listening(bell):
            yield bell

    @contextmanager
    def _listening(self, listener: Subscription | Bell) -> Iterator[None]:
        if self._is_closed:
            listener.end()
        self._subscriptions.add(listener)
        try:
            yield
        finally:
            self._subscriptions.discard(listener)

    @property
    def is_closed(self) -> bool:
        """Say that the hub stops: nothing more will be told."""
        return self._is_closed

    def close(self) -> None:
        """Let every listener go, and whoever still comes: an open stream would keep the hub up."""
        self._is_closed = True
        for subscription in tuple(self._subscriptions):
            subscription.end()

    def wake(self) -> None:
        """Look for new events now: a transaction with some was committed."""
        self._woken.set()
        if self.on_wake is not None:
            self.on_wake()

    def look(self) -> None:
        """Look for new events now: another hub says there are some."""
        self._woken.set()

    async def start(self) -> None:
        """Begin after the last event there is: who listens later asks for the present state."""
        async with self._database.reading() as session:
            self._last_id = await session.scalar(select(func.max(OutboxRow.id))) or 0

    async def run(self) -> None:
        """Publish until cancelled; a database that does not answer is asked again."""
        while True:
            self._woken.clear()  # before looking: who wakes us meanwhile is not missed
            try:
                while await self.publish_committed():
                    pass
            except (SQLAlchemyError, OSError) as error:
                self._database.tell_failure("events wait", error)
                await asyncio.sleep(POLL_S)
            try:
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()
            except TimeoutError:
                log.debug("nobody called: looking by ourselves")

    async def publish_committed(self) -> int:
        """Hand out what was committed since the last call, oldest first; say how many."""
        async with self._database.reading() as session:
            rows = (
                await session.execute(
                    select(OutboxRow.id, OutboxRow.body, OutboxRow.traceparent)
                    .where(OutboxRow.id > self._last_id)
                    .order_by(OutboxRow.id)
                    .limit(READ_AT_ONCE)
                )
            ).all()
        for traceparent, together in groupby(rows, key=lambda row: row.traceparent):
            with span("tell events", [traceparent]):  # of one transaction: one for each cost 30 %
                for row_id, body, _ in together:
                    self._last_id = row_id
                    self._decode_and_hand_out(row_id, body)
        return len(rows)

    def _decode_and_hand_out(self, row_id: int, body: bytes) -> None:
        try:
            event = decode_event(body)
        except msgspec.MsgspecError:
            log.exception("event %d is of no kind this version knows", row_id)
        else:
            self._hand_out(Published(row_id, event))

    def _hand_out(self, published: Published) -> None:
        self._metrics.events_published.inc()
        for subscription in tuple(self._subscriptions):
            if not subscription.offer(published):
                self._subscriptions.discard(subscription)
                self._metrics.subscribers_dropped.inc()
                log.warning("a subscriber was dropped: it did not keep up with the events")


async def sweep(database: Database) -> None:
    """Delete what everybody has had time enough to take in.

    The newest stays in any case: it tells who comes back late that there was something.
    """
    before_us = time.time_ns() // 1000 - KEPT_S * 1_000_000
    newest = select(func.max(OutboxRow.id)).scalar_subquery()
    async with database.writing() as session:
        await session.execute(
            delete(OutboxRow).where(OutboxRow.written_at_us < before_us, OutboxRow.id < newest)
        )


async def keep_swept(database: Database) -> None:
    """Sweep once an hour until cancelled; a database that does not answer is asked again."""
    while True:
        try:
            await sweep(database)
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("old events stay", error)
        await asyncio.sleep(SWEEP_EVERY_S)


async def write_events(session: AsyncSession, events: Sequence[Event]) -> None:
    """Put events into the outbox, in the caller's transaction; `Publisher.wake` after its commit.

    Writers queue here until they commit, so that ids are in commit order and none is passed over.
    """
    if not events:
        return
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ORDER_LOCK})
    now_us, traceparent = time.time_ns() // 1000, current_traceparent()
    await session.execute(
        insert(OutboxRow),
        [
            {
                "written_at_us": now_us,
                "kind": kind_of(event),
                "body": encode_event(event),
                "traceparent": traceparent,
            }
            for event in events
        ],
    )
