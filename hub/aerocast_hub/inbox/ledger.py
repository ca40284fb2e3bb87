"""Marks and boots' clocks of the gateways in one transaction: read once, changed, written back."""

from collections.abc import Iterable
from typing import NamedTuple

from aerocast_protocols.observations.gateways import Evicted
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.inbox.clock import (
    JUMP_NS,
    TRUSTED,
    BootClock,
    Claim,
    after_claim,
    after_receipt,
    is_believable,
    is_jump,
)
from aerocast_hub.inbox.marks import Marks, decode_ranges, encode_ranges
from aerocast_hub.inbox.tables import BootClockRow, EvictionRow, LifeRow, MarkRow


class LaneKey(NamedTuple):
    """One lane of one life of one gateway."""

    gateway_id: int
    epoch: int
    lane: int


class BootKey(NamedTuple):
    """One boot of one gateway."""

    gateway_id: int
    boot_id: bytes


class LifeKey(NamedTuple):
    """One life of one gateway in one boot."""

    gateway_id: int
    epoch: int
    boot_id: bytes


Span = tuple[int, int]
"""First and last CLOCK_BOOTTIME, nanoseconds."""


class _Kept(NamedTuple):
    """A boot's clock as the database has it, and what its observations have been put on."""

    clock: BootClock
    corrected: BootClock


class Ledger:
    """What the transaction knows and changes about arrivals and clocks.

    Attributes
    ----------
    has_news_of_clocks
        After `save`: a clock became better than what was stored on it.
    """

    def __init__(self, session: AsyncSession, now_us: int) -> None:
        self.has_news_of_clocks = False
        self._session = session
        self._now_us = now_us
        self._marks: dict[LaneKey, Marks] = {}
        self._clocks: dict[BootKey, BootClock] = {}
        self._evictions: dict[tuple[int, ...], str] = {}
        self._as_loaded: dict[LaneKey, Marks] = {}
        self._clocks_as_loaded: dict[BootKey, _Kept] = {}
        self._lives: dict[LifeKey, Span] = {}

    async def load(self, lanes: Iterable[LaneKey], boots: Iterable[BootKey]) -> None:
        """Read (and on PostgreSQL lock) the marks of lanes and the clocks of boots."""
        wanted = sorted(set(lanes) - self._marks.keys())
        if wanted:
            await self._insert_missing(wanted)
            rows = await self._session.scalars(
                select(MarkRow)
                .where(tuple_(MarkRow.gateway_id, MarkRow.epoch, MarkRow.lane).in_(wanted))
                .order_by(MarkRow.gateway_id, MarkRow.epoch, MarkRow.lane)
                .with_for_update()
            )
            for row in rows:
                key = LaneKey(row.gateway_id, row.epoch, row.lane)
                self._marks[key] = Marks(
                    received=decode_ranges(row.received),
                    given_up=decode_ranges(row.given_up),
                    refused=decode_ranges(row.refused),
                    oldest_sequence=row.oldest_sequence,
                )
                self._as_loaded[key] = self._marks[key]
        booted = sorted(set(boots) - self._clocks.keys())
        if booted:
            clocks = await self._session.scalars(
                select(BootClockRow)
                .where(tuple_(BootClockRow.gateway_id, BootClockRow.boot_id).in_(booted))
                .order_by(BootClockRow.gateway_id, BootClockRow.boot_id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
            for each in clocks:
                boot = BootKey(each.gateway_id, each.boot_id)
                clock = BootClock(each.offset_ns, each.quality, each.receipt_ns, each.was_live)
                self._clocks[boot] = clock
                corrected = BootClock(each.corrected_offset_ns, each.corrected_quality)
                self._clocks_as_loaded[boot] = _Kept(clock, corrected)

    def marks(self, lane: LaneKey) -> Marks:
        """Give the marks of a loaded lane."""
        return self._marks[lane]

    def put(self, lane: LaneKey, marks: Marks) -> None:
        """Replace the marks of a loaded lane."""
        self._marks[lane] = marks

    def refuse(self, lane: LaneKey, sequence: int) -> None:
        """Note an observation that arrived and can never be taken in."""
        self._marks[lane] = self._marks[lane].refuse(sequence)

    def evict(self, gateway_id: int, evicted: Evicted) -> None:
        """Note what a gateway gave up; the lane is loaded."""
        lane = LaneKey(gateway_id, evicted.epoch, evicted.lane)
        given_up = (evicted.first_sequence, evicted.last_sequence)
        self._marks[lane] = self._marks[lane].give_up(*given_up)
        self._evictions[(*lane, *given_up)] = evicted.reason

    def hear_receipt(
        self, boot: BootKey, boot_ns: int, received_at_us: int, *, is_live: bool
    ) -> None:
        """Note that what was at ``boot_ns`` had come by ``received_at_us``."""
        known = self._clocks.get(boot)
        self._clocks[boot] = after_receipt(known, boot_ns, received_at_us, is_live=is_live)

    def hear_claim(self, boot: BootKey, claim: Claim, received_at_us: int) -> bool:
        """Take a gateway's word on its clock into account; False when nobody can believe it."""
        known = self._clocks.get(boot)
        if not is_believable(known, claim, received_at_us):
            return False
        self._clocks[boot] = after_claim(known, claim)
        return True

    def hear_life(self, life: LifeKey, first_boot_ns: int, last_boot_ns: int) -> None:
        """Note that something was seen between two instants of a life."""
        span = self._lives.get(life, (first_boot_ns, last_boot_ns))
        self._lives[life] = (min(span[0], first_boot_ns), max(span[1], last_boot_ns))

    def clock(self, boot: BootKey) -> BootClock | None:
        """Give the best known clock of a boot."""
        return self._clocks.get(boot)

    async def save(self) -> None:
        """Write back what has changed."""
        await insert_or_replace(
            self._session,
            MarkRow,
            [
                {
                    **lane._asdict(),
                    "received": encode_ranges(marks.received),
                    "given_up": encode_ranges(marks.given_up),
                    "oldest_sequence": marks.oldest_sequence,
                    "first_received_at_us": self._now_us,
                    "refused": encode_ranges(marks.refused),
                }
                for lane, marks in self._marks.items()
                if marks != self._as_loaded[lane]
            ],
            keep=["first_received_at_us"],
        )
        await self._save_clocks()
        await self._save_lives()
        await insert_or_replace(
            self._session,
            EvictionRow,
            [
                {
                    "gateway_id": key[0],
                    "epoch": key[1],
                    "lane": key[2],
                    "first_sequence": key[3],
                    "last_sequence": key[4],
                    "reason": reason,
                }
                for key, reason in self._evictions.items()
            ],
        )

    async def _save_clocks(self) -> None:
        rows = []
        for boot, clock in self._clocks.items():
            kept = self._clocks_as_loaded.get(boot)
            if kept is not None and kept.clock == clock:
                continue
            corrected = clock if kept is None else _corrected(kept, clock)
            self.has_news_of_clocks |= needs_correction(clock, corrected)
            rows.append(
                {
                    **boot._asdict(),
                    **clock._asdict(),
                    "corrected_offset_ns": corrected.offset_ns,
                    "corrected_quality": corrected.quality,
                }
            )
        await insert_or_replace(self._session, BootClockRow, rows)

    async def _save_lives(self) -> None:
        if not self._lives:
            return
        known = {
            LifeKey(row.gateway_id, row.epoch, row.boot_id): row
            for row in await self._session.scalars(
                select(LifeRow).where(
                    tuple_(LifeRow.gateway_id, LifeRow.epoch, LifeRow.boot_id).in_(self._lives)
                )
            )
        }
        rows = []
        for life, (first, last) in self._lives.items():
            row = known.get(life)
            if row is not None and row.first_boot_ns <= first and last <= row.last_boot_ns:
                continue
            rows.append(
                {
                    **life._asdict(),
                    "first_received_at_us": self._now_us,
                    "first_boot_ns": first if row is None else min(first, row.first_boot_ns),
                    "last_boot_ns": last if row is None else max(last, row.last_boot_ns),
                }
            )
        await insert_or_replace(self._session, LifeRow, rows, keep=["first_received_at_us"])

    async def _insert_missing(self, lanes: list[LaneKey]) -> None:
        nothing = encode_ranges(())
        await insert_new(
            self._session,
            MarkRow,
            [
                {
                    **lane._asdict(),
                    "received": nothing,
                    "given_up": nothing,
                    "oldest_sequence": 0,
                    "first_received_at_us": self._now_us,
                    "refused": nothing,
                }
                for lane in lanes
            ],
        )


def needs_correction(clock: BootClock, corrected: BootClock) -> bool:
    """Say whether what was stored on one clock is to be put on another."""
    return clock.quality > corrected.quality or is_jump(clock, corrected)


def _corrected(kept: _Kept, clock: BootClock) -> BootClock:
    """Let what was stored before keep its times while a trusted clock only drifts."""
    moved_ns = clock.offset_ns - kept.clock.offset_ns
    drifts = kept.corrected.quality == clock.quality >= TRUSTED and abs(moved_ns) <= JUMP_NS
    if not drifts:
        return kept.corrected
    return kept.corrected._replace(offset_ns=kept.corrected.offset_ns + moved_ns)
