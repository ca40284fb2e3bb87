"""Batches in, acknowledgements out: identity, once only, one transaction.

`Inbox.receive` takes what the broker delivered (up to some hundred messages), stores what is new
with everything the features make of it, commits, and only then says what to acknowledge.
"""

import logging
from collections.abc import Mapping, Sequence

import msgspec
from aerocast_protocols.topics import up
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.events import Event
from aerocast_hub.inbox.quarantine import Quarantined, of_message, set_aside
from aerocast_hub.inbox.sighting import Absorb, Sighting
from aerocast_hub.inbox.store import event_store
from aerocast_hub.inbox.transaction import Reply, Transaction, refusal_of, sighting_of
from aerocast_hub.inbox.unpack import Message
from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

_HUB_IS_UNREADY = (OperationalError, InterfaceError, ProgrammingError, OSError)
_CANNOT_BE_HELD = (DataError, OverflowError)


class Inbox:
    """The one way observations come into the hub."""

    def __init__(
        self,
        database: Database,
        absorb: Mapping[str, Absorb],
        publisher: Publisher,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._absorb = absorb
        self._publisher = publisher
        self._metrics = metrics
        self._store = event_store(database)

    async def receive(
        self, messages: Sequence[Message], *, is_crowded: bool = False
    ) -> list[Reply]:
        """Store messages and give the acknowledgements to publish.

        What cannot be stored because the database does not answer is not acknowledged: the
        gateways still hold it and send again.

        Parameters
        ----------
        is_crowded
            More is waiting than the hub keeps up with: ask the senders to slow down.
        """
        try:
            with self._metrics.transaction_seconds.time():
                transaction = await self._in_one_transaction(messages, is_crowded=is_crowded)
        except Exception as error:
            log.exception("%d messages could not be stored together", len(messages))
            return await self._after_failure(messages, error, is_crowded=is_crowded)
        self._publisher.wake()
        return transaction.replies()

    async def _after_failure(
        self, messages: Sequence[Message], error: Exception, *, is_crowded: bool
    ) -> list[Reply]:
        """Find the one message that spoils it for the others, and set it aside.

        Only what no database could hold is refused for good: a gateway must not give up data for
        a mistake or an unready database of ours.
        """
        if isinstance(error, _HUB_IS_UNREADY) or not await self._database.answers():
            log.warning("%d messages stay with their gateways for now", len(messages))
            self._metrics.messages.labels("unstored").inc(len(messages))
            return []
        if len(messages) > 1:
            replies = []
            for message in messages:
                replies += await self.receive([message], is_crowded=is_crowded)
            return replies
        try:
            async with self._database.writing() as session:
                await set_aside(session, [of_message(messages[0], repr(error))])
        except (SQLAlchemyError, OSError):
            log.exception("nor could the message be put into quarantine: its gateway keeps it")
            return []
        self._metrics.quarantined.labels("message").inc()
        refusal = refusal_of(messages[0]) if isinstance(error, _CANNOT_BE_HELD) else None
        return [refusal] if refusal else []

    async def _in_one_transaction(
        self, messages: Sequence[Message], *, is_crowded: bool
    ) -> Transaction:
        async with self._database.writing() as session:
            transaction = Transaction(session, self._metrics, is_crowded=is_crowded)
            seen = await transaction.take_in(messages)
            rows = {row.key: (row, each) for row, each in transaction.rows(seen)}
            new = await self._store.append(session, [row for row, _ in rows.values()])
            sightings = [sighting_of(row, each) for key, (row, each) in rows.items() if key in new]
            self._metrics.observations.labels("stored").inc(len(sightings))
            for feature, absorb in self._absorb.items():
                transaction.events += await self._absorbed(
                    session, feature, absorb, sightings, transaction.quarantined
                )
            await transaction.finish()
        for each in transaction.quarantined:
            self._metrics.quarantined.labels(each.part).inc()
        return transaction

    async def _absorbed(
        self,
        session: AsyncSession,
        feature: str,
        absorb: Absorb,
        sightings: Sequence[Sighting],
        quarantined: list[Quarantined],
    ) -> list[Event]:
        """Let a feature make of sightings what it will; what it stumbles over is set aside."""
        if not sightings:
            return []
        try:
            async with session.begin_nested():
                return await absorb(session, sightings)
        except Exception as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            if len(sightings) > 1:
                log.exception("%s failed on %d sightings: one by one", feature, len(sightings))
                events = []
                for sighting in sightings:
                    events += await self._absorbed(
                        session, feature, absorb, [sighting], quarantined
                    )
                return events
            log.exception("%s could not take in a sighting: quarantine", feature)
            quarantined.append(_unabsorbed(feature, sightings[0], error))
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
