"""One transaction of the inbox: who speaks, what is new, and what time it was."""

import logging
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, get_args

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.gateways import ClockAnchor, Evicted
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.events.every import Event
from aerocast_hub.gateways.orders import take_result
from aerocast_hub.gateways.state import (
    Heard,
    Known,
    Name,
    known_gateways,
    note_heard,
    note_status,
    speak_in_turn,
)
from aerocast_hub.inbox.answers import Answers, Reply
from aerocast_hub.inbox.clock import TRUSTED, Claim, seen_at_us
from aerocast_hub.inbox.ledger import BootKey, LaneKey, Ledger, LifeKey
from aerocast_hub.inbox.marks import has_room
from aerocast_hub.inbox.quarantine import Quarantined, of_message, set_aside
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.inbox.store import Row
from aerocast_hub.inbox.unpack import (
    LARGEST_TIME_NS,
    Batch,
    Message,
    Passed,
    Result,
    Status,
    Unreadable,
    read_observation,
    unpack,
)
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

FULL_RETRY_MS = 1_000  # for a lane with too many holes: they may be filled meanwhile
_KIND = {kind: str(kind.__struct_config__.tag) for kind in get_args(Observation)}


class Seen(NamedTuple):
    """One new observation on its way into the store."""

    batch: Batch
    lane: LaneKey
    sequence: int
    raw: bytes
    observation: Observation


class Transaction:
    """What is gathered while one transaction is under way.

    Attributes
    ----------
    may_repeat
        It will be made again when another transaction is in its way.
    """

    def __init__(
        self,
        session: AsyncSession,
        metrics: Metrics,
        slow_down_ms: int = 0,
        *,
        may_repeat: bool = False,
    ) -> None:
        """Begin; senders are asked to wait ``slow_down_ms`` before they send more."""
        self.may_repeat = may_repeat
        self._session = session
        self._metrics = metrics
        self._slow_down_ms = slow_down_ms
        self._ledger = Ledger(session, time.time_ns() // 1000)
        self._known: dict[Name, Known] = {}
        self._answers = Answers()
        self.events: list[Event] = []
        self.quarantined: list[Quarantined] = []

    async def take_in(self, messages: Sequence[Message]) -> list[Seen]:
        """Check who speaks; note arrivals, clocks and evictions; give what is new."""
        told: list[Batch | Status | Result] = []
        for each in map(unpack, messages):
            if isinstance(each, Unreadable):
                self._set_message_aside(each)
            elif isinstance(each, Passed):
                self._metrics.messages.labels("passed").inc()
            else:
                told.append(each)
        speakers = {_name(each) for each in told} | self._answers.senders_of_unreadable()
        self._known = await known_gateways(self._session, speakers)
        await speak_in_turn(self._session, (each.gateway_id for each in self._known.values()))
        told = [each for each in told if self._may_speak(each)]
        for status in told:
            if isinstance(status, Status):
                await self._take_status(status)
        for result in told:
            if isinstance(result, Result):
                await self._take_result(result)
        return await self._take_batches([each for each in told if isinstance(each, Batch)])

    def rows(self, seen: Sequence[Seen]) -> list[tuple[Row, Seen]]:
        """Put observations on the best clock there is, as rows to store."""
        rows: list[tuple[Row, Seen]] = []
        for _, group in groupby(seen, key=lambda each: id(each.batch)):
            rows += self._rows_of_a_batch(list(group))
        return rows

    def refuse(self, seen: Seen, reason: str) -> None:
        """Turn away for good an observation that could be read but never be kept."""
        self._ledger.put(seen.lane, self._ledger.marks(seen.lane).lack(seen.sequence))
        self._refuse(seen.batch, seen.lane, seen.sequence, reason)

    @property
    def has_news_of_clocks(self) -> bool:
        """Say, after `finish`, whether a clock became better than what was stored on it."""
        return self._ledger.has_news_of_clocks

    async def finish(self) -> None:
        """Write everything that goes with the observations."""
        await self._ledger.save()
        await set_aside(self._session, self.quarantined)
        await write_events(self._session, self.events)

    def replies(self) -> list[Reply]:
        """Give the acknowledgements; call it after the commit."""
        return self._answers.replies(self._ledger.marks, self._is_known)

    def _is_known(self, name: Name) -> bool:
        known = self._known.get(name)
        return known is not None and not known.is_revoked

    def _may_speak(self, told: Batch | Status | Result) -> bool:
        name = _name(told)
        if self._is_known(name):
            return True
        self._metrics.messages.labels("unknown_gateway").inc()
        if isinstance(told, Batch):
            self._answers.not_known(name, told.body.epoch, told.body.lane)
        return False

    async def _take_status(self, told: Status) -> None:
        self._metrics.messages.labels("status").inc()
        received_at_us = told.message.received_at_us
        self.events += await note_status(
            self._session, _name(told), self._id(told), told.status, received_at_us
        )

    async def _take_result(self, told: Result) -> None:
        self._metrics.messages.labels("result").inc()
        received_at_us = told.message.received_at_us
        self.events += await take_result(
            self._session, _name(told), self._id(told), told.result, received_at_us
        )

    async def _take_batches(self, batches: Sequence[Batch]) -> list[Seen]:
        await self._ledger.load(
            (self._lane(batch) for batch in batches),
            (
                BootKey(self._id(batch), boot_id)
                for batch in batches
                for boot_id in (batch.envelope.boot_id_sent, batch.body.boot_id)
            ),
        )
        newest: dict[Name, Batch] = {}
        seen: list[Seen] = []
        for batch in batches:
            newest[_name(batch)] = batch
            self._hear_sending(batch)
            new = self._new_of(batch)
            self._hear_times(batch, [each.observation.boot_ns for each in new])
            seen += new
        self.events += await note_heard(
            self._session,
            [
                Heard(name, self._id(batch), batch.body.epoch, batch.message.received_at_us)
                for name, batch in newest.items()
            ],
        )
        await self._take_news_of_the_gateway(seen)
        return seen

    def _hear_sending(self, batch: Batch) -> None:
        """Learn the sender's present clock from the receipt, and from what it says itself."""
        envelope = batch.envelope
        boot = BootKey(self._id(batch), envelope.boot_id_sent)
        received_at_us = batch.message.received_at_us
        self._ledger.hear_receipt(boot, envelope.boot_ns_sent, received_at_us, is_live=True)
        claim = Claim(envelope.boot_ns_sent, envelope.wall_ns_sent, envelope.clock_quality)
        self._hear_claim(boot, claim, received_at_us)

    def _hear_claim(self, boot: BootKey, claim: Claim, received_at_us: int) -> None:
        is_believed = self._ledger.hear_claim(boot, claim, received_at_us)
        if not is_believed and claim.quality >= TRUSTED:
            self._metrics.clock_claims_refused.inc()

    def _hear_times(self, batch: Batch, times_ns: Sequence[int]) -> None:
        """Note when things were seen; of a boot before the present one, that they are in the past.

        A replayed recording may lie before the boot, or after the sending: that says nothing.
        """
        body, envelope = batch.body, batch.envelope
        is_present = body.boot_id == envelope.boot_id_sent
        latest_ns = envelope.boot_ns_sent if is_present else LARGEST_TIME_NS
        times_ns = [each for each in times_ns if 0 <= each <= latest_ns]
        if not times_ns:
            return
        gateway_id = self._id(batch)
        self._ledger.hear_life(
            LifeKey(gateway_id, body.epoch, body.boot_id), min(times_ns), max(times_ns)
        )
        if not is_present:
            boot = BootKey(gateway_id, body.boot_id)
            received_at_us = batch.message.received_at_us
            self._ledger.hear_receipt(boot, max(times_ns), received_at_us, is_live=False)

    def _new_of(self, batch: Batch) -> list[Seen]:
        body, lane = batch.body, self._lane(batch)
        last = body.first_sequence + body.count - 1
        marks = self._ledger.marks(lane).has_left(batch.envelope.oldest_sequence)
        fits = has_room(marks, body.first_sequence, last)
        wait_ms = self._slow_down_ms if fits else max(FULL_RETRY_MS, self._slow_down_ms)
        self._answers.taken(_name(batch), lane, wait_ms)
        if not fits:
            self._metrics.messages.labels("too_many_holes").inc()
            self._ledger.put(lane, marks)
            return []
        new = marks.new_within(body.first_sequence, last)
        self._ledger.put(lane, marks)
        self._metrics.messages.labels("stored" if new else "repeated").inc()
        numbers = [number for first, end in new for number in range(first, end + 1)]
        self._metrics.observations.labels("repeated").inc(body.count - len(numbers))
        read = [seen for number in numbers if (seen := self._read(batch, lane, number)) is not None]
        self._ledger.put(lane, self._ledger.marks(lane).receive_all(each.sequence for each in read))
        return read

    def _read(self, batch: Batch, lane: LaneKey, sequence: int) -> Seen | None:
        raw = _raw(batch, sequence)
        try:
            observation = read_observation(raw)
        except ProtocolError as error:
            self._refuse(batch, lane, sequence, str(error))
            return None
        return Seen(batch, lane, sequence, raw, observation)

    def _refuse(self, batch: Batch, lane: LaneKey, sequence: int, reason: str) -> None:
        """Turn an observation away for good: into quarantine here, set aside at its gateway.

        Until the gateway has set it aside it is sent again and refused again, kept here once.
        """
        self._answers.refused(_name(batch), lane, sequence)
        if not self._ledger.marks(lane).is_refused(sequence):
            self._ledger.refuse(lane, sequence)
            self._metrics.observations.labels("refused").inc()
            self.quarantined.append(
                Quarantined(
                    batch.message.received_at_us,
                    batch.message.topic,
                    "observation",
                    reason,
                    _raw(batch, sequence),
                    lane.epoch,
                    lane.lane,
                    sequence,
                )
            )

    async def _take_news_of_the_gateway(self, seen: Sequence[Seen]) -> None:
        """Clock anchors and evictions concern the inbox itself, before any feature."""
        evictions = []
        anchors = []
        for each in seen:
            told = each.observation
            if type(told) is Evicted:
                evictions.append((each.lane.gateway_id, told))
            elif type(told) is ClockAnchor:
                boot = BootKey(each.lane.gateway_id, told.boot_id)
                claim = Claim(told.boot_ns, told.wall_ns, told.quality)
                anchors.append((boot, claim, each.batch.message.received_at_us))
        await self._ledger.load(
            (LaneKey(gateway, what.epoch, what.lane) for gateway, what in evictions),
            (boot for boot, _, _ in anchors),
        )
        for gateway_id, evicted in evictions:
            self._ledger.evict(gateway_id, evicted)
        for anchor in anchors:
            self._hear_claim(*anchor)

    def _rows_of_a_batch(self, seen: Sequence[Seen]) -> Iterator[tuple[Row, Seen]]:
        """One batch has one boot, and so one clock."""
        batch = seen[0].batch
        clock = self._ledger.clock(BootKey(seen[0].lane.gateway_id, batch.body.boot_id))
        received_at_us = batch.message.received_at_us
        for each in seen:
            what = each.observation
            at_us, quality = seen_at_us(clock, what.boot_ns, received_at_us)
            row = Row(
                *each.lane,
                each.sequence,
                _KIND[type(what)],
                what.device,
                what.boot_ns,
                at_us,
                quality,
                received_at_us,
                each.raw,
            )
            yield row, each

    def _set_message_aside(self, unreadable: Unreadable) -> None:
        message, reason, sender = unreadable
        self._metrics.messages.labels("unreadable").inc()
        log.warning("a message on %s cannot be read: %s", message.topic[:200], reason)
        self.quarantined.append(of_message(message, reason))
        if sender is not None:
            site, gateway, lane = sender
            self._answers.unreadable((site, gateway), lane, message.payload)

    def _id(self, told: Batch | Status | Result) -> int:
        return self._known[_name(told)].gateway_id

    def _lane(self, batch: Batch) -> LaneKey:
        return LaneKey(self._id(batch), batch.body.epoch, batch.body.lane)


def sighting_of(row: Row, seen: Seen) -> Sighting:
    """Give a stored observation as the features meet it."""
    return Sighting(
        site=seen.batch.site,
        gateway=seen.batch.gateway,
        epoch=row.epoch,
        lane=row.lane,
        sequence=row.sequence,
        seen_at_us=row.seen_at_us,
        clock_quality=row.clock_quality,
        observation=seen.observation,
    )


def _name(told: Batch | Status | Result) -> Name:
    return told.site, told.gateway


def _raw(batch: Batch, sequence: int) -> bytes:
    return bytes(batch.body.observations[sequence - batch.body.first_sequence])
