"""Batches in, acknowledgements out: identity, once only, one transaction.

`Inbox.receive` takes what the broker delivered (up to some hundred messages), stores what is new
with everything the features make of it, commits, and only then says what to acknowledge.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec
from aerocast_protocols.observations.every import Observation
from aerocast_protocols.topics import up
from sqlalchemy.exc import (
    DataError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database, in_spite_of_others, is_conflict, is_unable_now
from aerocast_hub.events.every import Event
from aerocast_hub.inbox.answers import Reply
from aerocast_hub.inbox.quarantine import Quarantined, of_message, set_aside
from aerocast_hub.inbox.sighting import Absorb, Sighting, kinds_of
from aerocast_hub.inbox.store import Row, event_store
from aerocast_hub.inbox.traces import TransactionTrace
from aerocast_hub.inbox.transaction import Seen, Transaction, sighting_of
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

_HUB_IS_UNREADY = (OperationalError, InterfaceError, ProgrammingError, OSError)
_CANNOT_BE_HELD = (DataError, OverflowError)


class Inbox:
    """The one way observations come into the hub.

    Attributes
    ----------
    on_better_clock
        Called after a commit that made a clock better than what was stored on it.
    """

    def __init__(
        self,
        database: Database,
        absorb: Mapping[str, Absorb],
        publisher: Publisher,
        metrics: Metrics,
    ) -> None:
        self.on_better_clock: Callable[[], None] | None = None
        self._database = database
        self._absorb = absorb
        self._kinds = {feature: kinds_of(each) for feature, each in absorb.items()}
        self._publisher = publisher
        self._metrics = metrics
        self._store = event_store(database)

    async def receive(self, messages: Sequence[Message], slow_down_ms: int = 0) -> list[Reply]:
        """Store messages and give the acknowledgements to publish.

        What cannot be stored because the database does not answer is not acknowledged: the
        gateways still hold it and send again.

        Parameters
        ----------
        slow_down_ms
            More is waiting than the hub keeps up with: ask the senders to wait so long.
        """
        try:
            started_s = time.perf_counter()
            with TransactionTrace() as traced:
                transaction = await self._in_spite_of_others(messages, slow_down_ms, traced)
            self._metrics.observe_transaction(time.perf_counter() - started_s, traced.trace_id)
        except Exception as error:
            if not is_unable_now(error):
                log.exception("%d messages could not be stored together", len(messages))
            return await self._after_failure(messages, error, slow_down_ms)
        return self._committed(transaction)

    def _committed(self, transaction: Transaction) -> list[Reply]:
        for each in transaction.quarantined:
            self._metrics.quarantined.labels(each.part).inc()
        self._publisher.wake()
        if transaction.has_news_of_clocks and self.on_better_clock is not None:
            self.on_better_clock()
        return transaction.replies()

    async def _after_failure(
        self, messages: Sequence[Message], error: Exception, slow_down_ms: int
    ) -> list[Reply]:
        """Find the one message that spoils it for the others, and in it what does.

        Only what no database could hold is refused for good: a gateway must not give up data for
        a mistake or an unready database of ours.
        """
        is_unready = isinstance(error, _HUB_IS_UNREADY) or is_unable_now(error)
        if is_unready or not await self._database.answers():
            if is_unable_now(error):
                self._database.tell_failure("what gateways send stays with them", error)
            else:
                log.warning("%d messages stay with their gateways for now", len(messages))
            self._metrics.messages.labels("unstored").inc(len(messages))
            return []
        if len(messages) > 1:
            replies = []
            for message in messages:
                replies += await self.receive([message], slow_down_ms)
            return replies
        try:
            if isinstance(error, _CANNOT_BE_HELD) and (taken := await self._in_pieces(messages)):
                return self._committed(taken)
            async with self._database.writing() as session:
                await set_aside(session, [of_message(messages[0], repr(error))])
        except (SQLAlchemyError, OSError) as failure:
            self._database.tell_failure("what gateways send stays with them", failure)
            return []
        self._metrics.quarantined.labels("message").inc()
        return []

    async def _in_spite_of_others(
        self, messages: Sequence[Message], slow_down_ms: int, traced: TransactionTrace
    ) -> Transaction:
        """Store messages; what fails only because another hub wrote at the same time is repeated.

        The last time everything that goes wrong is taken at its word.
        """

        async def store(*, may_repeat: bool) -> Transaction:
            return await self._in_one_transaction(
                messages, slow_down_ms, traced, may_repeat=may_repeat
            )

        return await in_spite_of_others(store)

    async def _in_pieces(self, messages: Sequence[Message]) -> Transaction | None:
        """Take in what can be kept of a message, and refuse by name what no database holds."""
        try:
            with TransactionTrace() as traced:
                return await self._in_one_transaction(messages, 0, traced, one_by_one=True)
        except _CANNOT_BE_HELD:
            log.exception("a message cannot be held even piece by piece")
            return None

    async def _in_one_transaction(
        self,
        messages: Sequence[Message],
        slow_down_ms: int,
        traced: TransactionTrace,
        *,
        one_by_one: bool = False,
        may_repeat: bool = False,
    ) -> Transaction:
        async with self._database.writing() as session:
            transaction = Transaction(session, self._metrics, slow_down_ms, may_repeat=may_repeat)
            seen = await transaction.take_in(messages)
            traced.begin(seen)
            rows = transaction.rows(seen)
            if one_by_one:
                new = await self._append_one_by_one(session, transaction, rows)
            else:
                new = await self._store.append(session, [row for row, _ in rows])
            self._metrics.observations.labels("stored").inc(len(new))
            if len(new) < len(rows):
                keys = {row.key for row in new}
                rows = [(row, each) for row, each in rows if row.key in keys]
            sightings = self._of_use(rows)
            for feature, absorb in self._absorb.items():
                kinds = self._kinds[feature]
                transaction.events += await self._absorbed(
                    session,
                    feature,
                    absorb,
                    sightings
                    if kinds is None
                    else [each for each in sightings if type(each.observation) in kinds],
                    transaction,
                )
            await transaction.finish()
        return transaction

    def _of_use(self, rows: Sequence[tuple[Row, Seen]]) -> list[Sighting]:
        """Give what any feature makes something of, as the features meet it."""
        if None in self._kinds.values():
            return [sighting_of(row, each) for row, each in rows]
        kinds = frozenset[type[Observation]]().union(*filter(None, self._kinds.values()))
        return [sighting_of(row, each) for row, each in rows if type(each.observation) in kinds]

    async def _append_one_by_one(
        self, session: AsyncSession, transaction: Transaction, rows: Sequence[tuple[Row, Seen]]
    ) -> Sequence[Row]:
        """Store what can be stored, and refuse by name what no database holds."""
        new: list[Row] = []
        for row, seen in rows:
            try:
                async with session.begin_nested():
                    new += await self._store.append(session, [row])
            except _CANNOT_BE_HELD as error:
                transaction.refuse(seen, repr(error))
        return new

    async def _absorbed(
        self,
        session: AsyncSession,
        feature: str,
        absorb: Absorb,
        sightings: Sequence[Sighting],
        transaction: Transaction,
    ) -> list[Event]:
        """Let a feature make of sightings what it will; what it stumbles over is set aside."""
        if not sightings:
            return []
        try:
            async with session.begin_nested():
                return await absorb(session, sightings)
        except Exception as error:
            if is_unable_now(error):
                raise
            if transaction.may_repeat and is_conflict(error):
                raise  # no sighting's fault: the whole transaction is repeated
            if len(sightings) > 1:
                log.exception("%s failed on %d sightings: one by one", feature, len(sightings))
                events = []
                for sighting in sightings:
                    events += await self._absorbed(
                        session, feature, absorb, [sighting], transaction
                    )
                return events
            log.exception("%s could not take in a sighting: quarantine", feature)
            transaction.quarantined.append(_unabsorbed(feature, sightings[0], error))
            return []


def _unabsorbed(feature: str, sighting: Sighting, error: Exception) -> Quarantined:
    return Quarantined(
        sighting.seen_at_us,
        up(sighting.site, sighting.gateway, sighting.lane),
        "absorb",
        f"{feature}: {error!r}",
        msgspec.msgpack.encode(sighting.observation),
        sighting.epoch,
        sighting.lane,
        sighting.sequence,
    )
