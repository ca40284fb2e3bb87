"""Marks and boots' clocks of the gateways in one transaction: read once, changed, written back."""

from collections.abc import Iterable
from typing import NamedTuple

from aerocast_protocols.observations import Evicted
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.inbox.clock import BootClock, better
from aerocast_hub.inbox.marks import Marks, decode_ranges, encode_ranges
from aerocast_hub.inbox.tables import BootClockRow, EvictionRow, MarkRow


class LaneKey(NamedTuple):
    """One lane of one life of one gateway."""

    gateway_id: int
    epoch: int
    lane: int


class BootKey(NamedTuple):
    """One boot of one gateway."""

    gateway_id: int
    boot_id: bytes


class Ledger:
    """What the transaction knows and changes about arrivals and clocks."""

    def __init__(self, session: AsyncSession, now_us: int) -> None:
        self._session = session
        self._now_us = now_us
        self._marks: dict[LaneKey, Marks] = {}
        self._refused: dict[LaneKey, int] = {}
        self._clocks: dict[BootKey, BootClock] = {}
        self._evictions: dict[tuple[int, ...], str] = {}
        self._as_loaded: dict[LaneKey, tuple[Marks, int]] = {}
        self._clocks_as_loaded: dict[BootKey, BootClock] = {}

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
                    oldest_sequence=row.oldest_sequence,
                )
                self._refused[key] = row.refused
                self._as_loaded[key] = (self._marks[key], row.refused)
        booted = sorted(set(boots) - self._clocks.keys())
        if booted:
            clocks = await self._session.scalars(
                select(BootClockRow).where(
                    tuple_(BootClockRow.gateway_id, BootClockRow.boot_id).in_(booted)
                )
            )
            for clock in clocks:
                boot = BootKey(clock.gateway_id, clock.boot_id)
                self._clocks[boot] = BootClock(clock.offset_ns, clock.quality)
            self._clocks_as_loaded.update(self._clocks)

    def marks(self, lane: LaneKey) -> Marks:
        """Give the marks of a loaded lane."""
        return self._marks[lane]

    def put(self, lane: LaneKey, marks: Marks) -> None:
        """Replace the marks of a loaded lane."""
        self._marks[lane] = marks

    def refuse(self, lane: LaneKey) -> None:
        """Count an observation that arrived and could not be read."""
        self._refused[lane] += 1

    def evict(self, gateway_id: int, evicted: Evicted) -> None:
        """Note what a gateway gave up; the lane is loaded."""
        lane = LaneKey(gateway_id, evicted.epoch, evicted.lane)
        given_up = (evicted.first_sequence, evicted.last_sequence)
        self._marks[lane] = self._marks[lane].give_up(*given_up)
        self._evictions[(*lane, *given_up)] = evicted.reason

    def hear_clock(self, boot: BootKey, clock: BootClock) -> None:
        """Take a boot's clock into account."""
        self._clocks[boot] = better(self._clocks.get(boot), clock)

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
                    "refused": self._refused[lane],
                }
                for lane, marks in self._marks.items()
                if (marks, self._refused[lane]) != self._as_loaded[lane]
            ],
            keep=["first_received_at_us"],
        )
        await insert_or_replace(
            self._session,
            BootClockRow,
            [
                {**boot._asdict(), "offset_ns": clock.offset_ns, "quality": clock.quality}
                for boot, clock in self._clocks.items()
                if clock != self._clocks_as_loaded.get(boot)
            ],
        )
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
                    "refused": 0,
                }
                for lane in lanes
            ],
        )
