"""The lives of a gateway for people: which of them knew the time, and what bounds the others."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.gateways.tables import GatewayRow
from aerocast_hub.inbox.clock import TRUSTED, BootClock
from aerocast_hub.inbox.lives import Bounds, Life, bounds_of, in_order
from aerocast_hub.inbox.tables import BootClockRow, LifeRow

_SAME_BOOT = and_(
    BootClockRow.gateway_id == LifeRow.gateway_id, BootClockRow.boot_id == LifeRow.boot_id
)


class LifeView(msgspec.Struct, frozen=True, kw_only=True):
    """One start of a gateway's agent.

    Attributes
    ----------
    boot_id
        The machine's boot it was in, hex.
    clock_quality
        0 the hub's own receipt, 2 hardware clock, 3 network time, 4 GPS.
    is_anchored
        Whether the gateway ever knew the time in that boot. If not, what it saw is in order but
        its times are estimates, within the bounds.
    first_seen_at_us, last_seen_at_us
        The first and last thing seen in it, UTC us by the best clock known.
    not_before_us, not_after_us
        What bounds the times of a life that was never anchored: the last trusted moment of an
        earlier one, the first of a later one or the hub's receipt. None where nothing bounds them.
    """

    epoch: int
    boot_id: str
    first_received_at_us: int
    clock_quality: int
    is_anchored: bool
    first_seen_at_us: int | None
    last_seen_at_us: int | None
    not_before_us: int | None = None
    not_after_us: int | None = None


async def view_lives(session: AsyncSession, site: str, name: str) -> list[LifeView]:
    """Give the lives of a gateway, in the order they were lived."""
    gateway_id = await session.scalar(
        select(GatewayRow.id).where(GatewayRow.site == site, GatewayRow.name == name)
    )
    if gateway_id is None:
        return []
    lives = in_order(await _lives(session, gateway_id))
    return [_view(lives, at) for at in range(len(lives))]


async def count_unanchored(session: AsyncSession) -> dict[tuple[str, str], int]:
    """Count the lives in which a gateway never knew the time, by site and name."""
    rows = await session.execute(
        select(GatewayRow.site, GatewayRow.name, func.count())
        .join(LifeRow, LifeRow.gateway_id == GatewayRow.id)
        .outerjoin(BootClockRow, _SAME_BOOT)
        .where(or_(BootClockRow.quality.is_(None), BootClockRow.quality < TRUSTED))
        .group_by(GatewayRow.site, GatewayRow.name)
    )
    return {(site, name): number for site, name, number in rows}


async def bounds_by_epoch(session: AsyncSession, gateway_id: int) -> dict[int, Bounds]:
    """Give the bounds of every life of a gateway that was never anchored."""
    lives = in_order(await _lives(session, gateway_id))
    return {
        life.epoch: bounds_of(lives, at) for at, life in enumerate(lives) if not life.is_anchored
    }


async def _lives(session: AsyncSession, gateway_id: int) -> list[Life]:
    rows: Iterable[tuple[LifeRow, BootClockRow | None]] = await session.execute(
        select(LifeRow, BootClockRow)
        .outerjoin(BootClockRow, _SAME_BOOT)
        .where(LifeRow.gateway_id == gateway_id)
    )
    return [
        Life(
            epoch=row.epoch,
            boot_id=row.boot_id,
            first_received_at_us=row.first_received_at_us,
            first_boot_ns=row.first_boot_ns,
            last_boot_ns=row.last_boot_ns,
            clock=_clock(clock),
        )
        for row, clock in rows
    ]


def _clock(row: BootClockRow | None) -> BootClock | None:
    if row is None:
        return None
    return BootClock(row.offset_ns, row.quality, row.receipt_ns, row.was_live)


def _view(lives: Sequence[Life], at: int) -> LifeView:
    life = lives[at]
    clock = life.clock
    bounds = Bounds(not_before_us=None, not_after_us=None)
    if not life.is_anchored:
        bounds = bounds_of(lives, at)
    return LifeView(
        epoch=life.epoch,
        boot_id=life.boot_id.hex(),
        first_received_at_us=life.first_received_at_us,
        clock_quality=clock.quality if clock else 0,
        is_anchored=life.is_anchored,
        first_seen_at_us=clock and (clock.offset_ns + life.first_boot_ns) // 1000,
        last_seen_at_us=clock and (clock.offset_ns + life.last_boot_ns) // 1000,
        not_before_us=bounds.not_before_us,
        not_after_us=bounds.not_after_us,
    )
