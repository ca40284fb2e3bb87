"""Correcting times: what was stored before a gateway knew the time is put right when it does.

Which boots have something to correct stands in the database, so that a hub that is killed goes on
where it was. Each step is a transaction of its own: a part of one boot's observations, what the
features make of them anew, and the events that tell it.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aerocast_protocols.batch import decode_observation
from sqlalchemy import bindparam, func, or_, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database, is_unable_now
from aerocast_hub.events.every import Event
from aerocast_hub.events.gateways import GatewayClockCorrected
from aerocast_hub.gateways.state import Name, name_of
from aerocast_hub.inbox.clock import JUMP_NS, TRUSTED, BootClock, seen_at_us
from aerocast_hub.inbox.ledger import BootKey
from aerocast_hub.inbox.sighting import Retime, Retimed, Sighting
from aerocast_hub.inbox.tables import BootClockRow, LifeRow, ObservationRow
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 1000
LOOK_EVERY_S = 5.0
"""How long news of a clock in another hub may go unnoticed."""
SETTLES_S = 5.0
"""Receipts of a boot that never knew the time are bettered by every batch of a backlog: only when
they have been still for so long are its times put right."""
_BEGIN = (-1, -1, -1)


class _Task(NamedTuple):
    """A boot whose observations are on another clock than the best one known."""

    boot: BootKey
    clock: BootClock


class Retimer:
    """Puts stored observations on the best clock known of their boot."""

    def __init__(
        self,
        database: Database,
        retime: Mapping[str, Retime],
        publisher: Publisher,
        metrics: Metrics,
        news: asyncio.Event | None = None,
    ) -> None:
        """Correct as told by ``news``: it is set when a clock became better in this hub."""
        self._database = database
        self._retime = retime
        self._publisher = publisher
        self._metrics = metrics
        self._news = asyncio.Event() if news is None else news
        self._unsettled: dict[BootKey, tuple[int, float]] = {}

    async def run(self) -> None:
        """Correct what there is to correct, until cancelled."""
        while True:
            self._news.clear()
            try:
                await self.correct(settles_s=SETTLES_S)
            except (SQLAlchemyError, OSError) as error:
                self._database.tell_failure("times wait for their correction", error)
            wait_s = SETTLES_S if self._unsettled else LOOK_EVERY_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                log.debug("nobody called: looking by ourselves")

    async def correct(self, settles_s: float = 0.0) -> int:
        """Correct every boot that needs it and is settled; say how many observations changed."""
        changed = 0
        for task in await self._tasks():
            if task.clock.quality >= TRUSTED or self._is_settled(task, settles_s):
                changed += await self._correct_boot(task)
        return changed

    async def _tasks(self) -> list[_Task]:
        moved_ns = func.abs(BootClockRow.offset_ns - BootClockRow.corrected_offset_ns)
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(BootClockRow).where(
                    or_(BootClockRow.quality > BootClockRow.corrected_quality, moved_ns > JUMP_NS)
                )
            )
            return [
                _Task(
                    BootKey(row.gateway_id, row.boot_id),
                    BootClock(row.offset_ns, row.quality, row.receipt_ns, row.was_live),
                )
                for row in rows
            ]

    def _is_settled(self, task: _Task, settles_s: float) -> bool:
        now_s = asyncio.get_running_loop().time()
        offset_ns, since_s = self._unsettled.get(task.boot, (0, now_s))
        if offset_ns != task.clock.offset_ns:
            since_s = now_s
        self._unsettled[task.boot] = (task.clock.offset_ns, since_s)
        if now_s - since_s < settles_s:
            return False
        del self._unsettled[task.boot]
        return True

    async def _correct_boot(self, task: _Task) -> int:
        epochs, name = await self._lives_of(task.boot)
        after = _BEGIN
        total = 0
        while True:
            async with self._database.writing() as session:
                rows = await _stored(session, task.boot.gateway_id, epochs, after)
                changed = [(row, each) for row in rows if (each := _retimed(row, task.clock, name))]
                retimed = [each for _, each in changed]
                await _update(session, changed)
                events = await self._put_right(session, retimed)
                total += len(retimed)
                is_done = len(rows) < ROWS_AT_ONCE
                if is_done:
                    await _note_corrected(session, task)
                    if total:
                        events.append(_corrected(name, total))
                await write_events(session, events)
            self._metrics.times_corrected.inc(len(retimed))
            self._publisher.wake()
            if is_done:
                return total
            after = (rows[-1].epoch, rows[-1].lane, rows[-1].sequence)

    async def _lives_of(self, boot: BootKey) -> tuple[list[int], Name]:
        """Give the lives lived in a boot alone; one that claims two boots is nobody's."""
        async with self._database.reading() as session:
            boots = await session.execute(
                select(LifeRow.epoch, LifeRow.boot_id).where(LifeRow.gateway_id == boot.gateway_id)
            )
            boots_of: dict[int, set[bytes]] = {}
            for epoch, boot_id in boots:
                boots_of.setdefault(epoch, set()).add(boot_id)
            epochs = [epoch for epoch, ids in boots_of.items() if ids == {boot.boot_id}]
            return sorted(epochs), await name_of(session, boot.gateway_id)

    async def _put_right(self, session: AsyncSession, retimed: Sequence[Retimed]) -> list[Event]:
        events: list[Event] = []
        if retimed:
            for feature, retime in self._retime.items():
                events += await _made_again(session, feature, retime, retimed)
        return events


async def _update(session: AsyncSession, changed: Sequence[tuple[ObservationRow, Retimed]]) -> None:
    if not changed:
        return
    connection = await session.connection()
    await connection.execute(
        _UPDATE,
        [
            {
                "of_gateway": row.gateway_id,
                "of_epoch": row.epoch,
                "of_lane": row.lane,
                "of_sequence": row.sequence,
                "of_receipt": row.received_at_us,
                "at_us": sighting.seen_at_us,
                "quality": sighting.clock_quality,
            }
            for row, (sighting, _) in changed
        ],
    )


async def _stored(
    session: AsyncSession, gateway_id: int, epochs: Sequence[int], after: tuple[int, int, int]
) -> Sequence[ObservationRow]:
    key = tuple_(ObservationRow.epoch, ObservationRow.lane, ObservationRow.sequence)
    rows = await session.scalars(
        select(ObservationRow)
        .where(
            ObservationRow.gateway_id == gateway_id,
            ObservationRow.epoch.in_(epochs),
            key > after,
        )
        .order_by(ObservationRow.epoch, ObservationRow.lane, ObservationRow.sequence)
        .limit(ROWS_AT_ONCE)
    )
    return rows.all()


async def _note_corrected(session: AsyncSession, task: _Task) -> None:
    await session.execute(
        update(BootClockRow)
        .where(
            BootClockRow.gateway_id == task.boot.gateway_id,
            BootClockRow.boot_id == task.boot.boot_id,
        )
        .values(corrected_offset_ns=task.clock.offset_ns, corrected_quality=task.clock.quality)
    )


async def _made_again(
    session: AsyncSession, feature: str, retime: Retime, retimed: Sequence[Retimed]
) -> list[Event]:
    """Let a feature make again what it made; where it stumbles its old times stay."""
    try:
        async with session.begin_nested():
            return await retime(session, retimed)
    except Exception as error:
        if is_unable_now(error):
            raise
        if len(retimed) == 1:
            log.exception("%s could not correct the time of a sighting", feature)
            return []
        log.exception("%s failed on %d corrections: one by one", feature, len(retimed))
    events: list[Event] = []
    for each in retimed:
        events += await _made_again(session, feature, retime, [each])
    return events


def _retimed(row: ObservationRow, clock: BootClock, name: Name) -> Retimed | None:
    """Give an observation on its better clock; None when it is on that one already."""
    at_us, quality = seen_at_us(clock, row.boot_ns, row.received_at_us)
    if row.clock_quality == quality and abs(at_us - row.seen_at_us) * 1000 <= JUMP_NS:
        return None
    sighting = Sighting(
        site=name[0],
        gateway=name[1],
        epoch=row.epoch,
        lane=row.lane,
        sequence=row.sequence,
        seen_at_us=at_us,
        clock_quality=quality,
        observation=decode_observation(row.body),
    )
    return Retimed(sighting, row.seen_at_us)


def _corrected(name: Name, total: int) -> GatewayClockCorrected:
    now_us = time.time_ns() // 1000
    return GatewayClockCorrected(at_us=now_us, site=name[0], gateway=name[1], observations=total)


_UPDATE = (
    update(ObservationRow.__table__)  # type: ignore[arg-type]  # a Table, typed as its wider base
    .where(
        ObservationRow.gateway_id == bindparam("of_gateway"),
        ObservationRow.epoch == bindparam("of_epoch"),
        ObservationRow.lane == bindparam("of_lane"),
        ObservationRow.sequence == bindparam("of_sequence"),
        ObservationRow.received_at_us == bindparam("of_receipt"),
    )
    .values(seen_at_us=bindparam("at_us"), clock_quality=bindparam("quality"))
)
