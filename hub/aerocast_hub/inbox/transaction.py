"""One transaction of the inbox: who speaks, what is new, what time it was, what to acknowledge."""

import logging
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, get_args

from aerocast_protocols.batch import (
    REFUSED,
    SLOW_DOWN,
    STORED,
    UNKNOWN_GATEWAY,
    UNREADABLE,
    Acknowledgement,
    decode_observation,
    digest_of,
    encode_acknowledgements,
)
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations import ClockAnchor, Evicted, Observation
from aerocast_protocols.topics import down
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.events import Event
from aerocast_hub.gateways.state import (
    Known,
    Name,
    known_gateways,
    note_heard,
    note_status,
    speak_in_turn,
)
from aerocast_hub.inbox.clock import TRUSTED, Claim, seen_at_us
from aerocast_hub.inbox.ledger import BootKey, LaneKey, Ledger, LifeKey
from aerocast_hub.inbox.marks import MOST_RANGES, Ranges, has_room, union
from aerocast_hub.inbox.quarantine import Quarantined, of_message, set_aside
from aerocast_hub.inbox.sighting import Sighting
from aerocast_hub.inbox.store import Row
from aerocast_hub.inbox.unpack import (
    LARGEST_NUMBER,
    LARGEST_TIME_NS,
    Batch,
    Message,
    Status,
    Unreadable,
    unpack,
)
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

UNKNOWN_RETRY_MS = 60_000
FULL_RETRY_MS = 1_000  # for a lane with too many holes: they may be filled meanwhile
MOST_ACKNOWLEDGEMENTS = 64  # in one message, as the wire says
_KIND = {kind: str(kind.__struct_config__.tag) for kind in get_args(Observation)}


class Reply(NamedTuple):
    """An acknowledgement to publish."""

    topic: str
    payload: bytes


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
        self._to_acknowledge: dict[tuple[Name, LaneKey], int] = {}
        self._refused: dict[tuple[Name, LaneKey], Ranges] = {}
        self._unknown: dict[tuple[Name, int, int], None] = {}
        self._unreadable: list[tuple[Name, Acknowledgement]] = []
        self.events: list[Event] = []
        self.quarantined: list[Quarantined] = []

    async def take_in(self, messages: Sequence[Message]) -> list[Seen]:
        """Check who speaks; note arrivals, clocks and evictions; give what is new."""
        batches: list[Batch] = []
        statuses: list[Status] = []
        for each in map(unpack, messages):
            if isinstance(each, Unreadable):
                self._set_message_aside(each)
            elif isinstance(each, Batch):
                batches.append(each)
            elif isinstance(each, Status):
                statuses.append(each)
            else:
                self._metrics.messages.labels("passed").inc()
        speakers = {(batch.site, batch.gateway) for batch in batches}
        speakers |= {(status.site, status.gateway) for status in statuses}
        speakers |= {name for name, _ in self._unreadable}
        self._known = await known_gateways(self._session, speakers)
        await speak_in_turn(self._session, (each.gateway_id for each in self._known.values()))
        for status in statuses:
            await self._take_status(status)
        return await self._take_batches([each for each in batches if self._may_speak(each)])

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
        by_name: dict[Name, list[Acknowledgement]] = {}
        for (name, lane), ranges in self._refused.items():
            by_name.setdefault(name, []).append(refused(lane.lane, lane.epoch, ranges))
        for (name, lane), wait_ms in self._to_acknowledge.items():
            marks = self._ledger.marks(lane)
            by_name.setdefault(name, []).append(
                Acknowledgement(
                    lane=lane.lane,
                    epoch=lane.epoch,
                    up_to_sequence=marks.up_to(),
                    missing_ranges=marks.missing(),
                    highest_sequence=marks.highest(),
                    status=SLOW_DOWN if wait_ms else STORED,
                    retry_after_ms=wait_ms,
                )
            )
        for name, epoch, lane_number in self._unknown:
            by_name.setdefault(name, []).append(
                Acknowledgement(
                    lane=lane_number,
                    epoch=epoch,
                    up_to_sequence=0,
                    status=UNKNOWN_GATEWAY,
                    retry_after_ms=UNKNOWN_RETRY_MS,
                )
            )
        lists = [(name, some) for name, each in by_name.items() for some in _in_pieces(each)]
        lists += [(name, [each]) for name, each in self._unreadable if self._is_known(name)]
        return [Reply(down(*name, "ack"), encode_acknowledgements(some)) for name, some in lists]

    def _is_known(self, name: Name) -> bool:
        known = self._known.get(name)
        return known is not None and not known.is_revoked

    def _may_speak(self, batch: Batch) -> bool:
        if self._is_known((batch.site, batch.gateway)):
            return True
        self._metrics.messages.labels("unknown_gateway").inc()
        key = ((batch.site, batch.gateway), batch.body.epoch, batch.body.lane)
        self._unknown[key] = None
        return False

    async def _take_status(self, status: Status) -> None:
        name = (status.site, status.gateway)
        known = self._known.get(name)
        if known is None or known.is_revoked:
            self._metrics.messages.labels("unknown_gateway").inc()
            return
        self._metrics.messages.labels("status").inc()
        self.events += await note_status(
            self._session, name, known.gateway_id, status.status, status.message.received_at_us
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
            newest[(batch.site, batch.gateway)] = batch
            self._hear_sending(batch)
            new = self._new_of(batch)
            self._hear_times(batch, [each.observation.boot_ns for each in new])
            seen += new
        for name, batch in newest.items():
            self.events += await note_heard(
                self._session,
                name,
                self._id(batch),
                batch.body.epoch,
                batch.message.received_at_us,
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
        acknowledged = ((batch.site, batch.gateway), lane)
        wait_ms = self._slow_down_ms if fits else max(FULL_RETRY_MS, self._slow_down_ms)
        wait_ms = max(wait_ms, self._to_acknowledge.get(acknowledged, 0))
        self._to_acknowledge[acknowledged] = wait_ms
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
        raw = bytes(batch.body.observations[sequence - batch.body.first_sequence])
        try:
            observation = decode_observation(raw)
            _check_numbers(observation)
        except ProtocolError as error:
            self._refuse(batch, lane, sequence, str(error))
            return None
        return Seen(batch, lane, sequence, raw, observation)

    def _refuse(self, batch: Batch, lane: LaneKey, sequence: int, reason: str) -> None:
        """Turn an observation away for good: into quarantine here, set aside at its gateway.

        Until the gateway has set it aside it is sent again and refused again, kept here once.
        """
        name = (batch.site, batch.gateway)
        ranges = self._refused.get((name, lane), ())
        self._refused[name, lane] = union((*ranges, (sequence, sequence)))
        marks = self._ledger.marks(lane)
        if not marks.is_refused(sequence):
            self._ledger.put(lane, marks.refuse(sequence))
            self._metrics.observations.labels("refused").inc()
            self.quarantined.append(
                Quarantined(
                    batch.message.received_at_us,
                    batch.message.topic,
                    "observation",
                    reason,
                    bytes(batch.body.observations[sequence - batch.body.first_sequence]),
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
            *name, lane = sender
            told = Acknowledgement(
                lane=lane,
                epoch=0,
                up_to_sequence=0,
                status=UNREADABLE,
                digest=digest_of(message.payload),
            )
            self._unreadable.append(((name[0], name[1]), told))

    def _id(self, batch: Batch) -> int:
        return self._known[(batch.site, batch.gateway)].gateway_id

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


def refused(lane: int, epoch: int, ranges: Ranges) -> Acknowledgement:
    """Tell a gateway what to set aside for good."""
    return Acknowledgement(
        lane=lane,
        epoch=epoch,
        up_to_sequence=0,
        missing_ranges=ranges[:MOST_RANGES],
        status=REFUSED,
    )


def _check_numbers(observation: Observation) -> None:
    """Refuse what no database column can hold.

    Raises
    ------
    ProtocolError
        A time or number is beyond any real one, or a name holds a NUL.
    """
    if abs(observation.boot_ns) > LARGEST_TIME_NS:
        raise ProtocolError(f"boot_ns {observation.boot_ns} is impossible")
    if "\0" in observation.device:
        raise ProtocolError("the device's name holds a NUL")
    if type(observation) is ClockAnchor and abs(observation.wall_ns) > LARGEST_TIME_NS:
        raise ProtocolError(f"wall_ns {observation.wall_ns} is impossible")
    if type(observation) is Evicted:
        first, last = observation.first_sequence, observation.last_sequence
        if not 1 <= first <= last <= LARGEST_NUMBER or observation.epoch > LARGEST_NUMBER:
            raise ProtocolError(f"evicted {first} to {last} of {observation.epoch} is impossible")
        if "\0" in observation.reason:
            raise ProtocolError("the reason of an eviction holds a NUL")


def _in_pieces(acknowledgements: list[Acknowledgement]) -> list[list[Acknowledgement]]:
    return [
        acknowledgements[start : start + MOST_ACKNOWLEDGEMENTS]
        for start in range(0, len(acknowledgements), MOST_ACKNOWLEDGEMENTS)
    ]
