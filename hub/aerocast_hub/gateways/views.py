"""What is known of the gateways, read for people: who is there, how they are, what was lost."""

from collections import defaultdict
from typing import Literal

import msgspec
from aerocast_protocols.observations.gateways import GatewayHealth
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.gateways.losses import (
    Account,
    Eviction,
    LaneAccount,
    Told,
    account_of_gateway,
    account_of_lane,
)
from aerocast_hub.gateways.registry import Position
from aerocast_hub.gateways.tables import GatewayCountsRow, GatewayRow, GatewayStateRow
from aerocast_hub.inbox.marks import Marks, decode_ranges
from aerocast_hub.inbox.tables import EvictionRow, MarkRow

SILENT_AFTER_US = 90_000_000
"""A gateway tells its health every 30 s; three missed are a silence."""

State = Literal["never", "online", "silent", "gone", "revoked"]


class GatewayView(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway as an operator sees it.

    Attributes
    ----------
    state
        ``never`` heard, ``online``, ``silent`` (online, but nothing came for 90 s), ``gone`` (its
        last will arrived), ``revoked``.
    position, position_source
        Where it is: the last GPS ``fix``, else as ``registered``.
    health
        What it last told about itself, at ``health_at_us``.
    """

    site: str
    name: str
    state: State
    state_since_us: int | None = None
    last_seen_at_us: int | None = None
    agent_version: str | None = None
    position: Position | None = None
    position_source: Literal["fix", "registered"] | None = None
    position_at_us: int | None = None
    health: GatewayHealth | None = None
    health_at_us: int | None = None


async def view_gateways(session: AsyncSession, now_us: int) -> list[GatewayView]:
    """Give every gateway as it is at ``now_us`` (UTC microseconds), by site and name."""
    rows = await session.execute(_everything())
    return [_view(gateway, state, now_us) for gateway, state in rows]


async def view_gateway(
    session: AsyncSession, site: str, name: str, now_us: int
) -> GatewayView | None:
    """Give one gateway; None when it is not registered."""
    rows = await session.execute(
        _everything().where(GatewayRow.site == site, GatewayRow.name == name)
    )
    found = rows.one_or_none()
    return None if found is None else _view(found[0], found[1], now_us)


async def loss_accounts(
    session: AsyncSession, site: str | None = None, name: str | None = None
) -> list[Account]:
    """Give the loss account of every gateway, or of those of a site, or of one."""
    gateways = select(GatewayRow).order_by(GatewayRow.site, GatewayRow.name)
    if site is not None:
        gateways = gateways.where(GatewayRow.site == site)
    if name is not None:
        gateways = gateways.where(GatewayRow.name == name)
    # One question for each kind of row, not for each gateway: there may be a thousand.
    ids = gateways.with_only_columns(GatewayRow.id).order_by(None)
    evictions: dict[tuple[int, int, int], list[Eviction]] = defaultdict(list)
    for gone in await session.scalars(select(EvictionRow).where(EvictionRow.gateway_id.in_(ids))):
        evictions[gone.gateway_id, gone.epoch, gone.lane].append(
            Eviction(gone.first_sequence, gone.last_sequence, gone.reason)
        )
    lanes: dict[int, list[LaneAccount]] = defaultdict(list)
    for mark in await session.scalars(
        select(MarkRow)
        .where(MarkRow.gateway_id.in_(ids))
        .order_by(MarkRow.first_received_at_us, MarkRow.epoch, MarkRow.lane)
    ):
        gone_there = evictions[mark.gateway_id, mark.epoch, mark.lane]
        lanes[mark.gateway_id].append(_lane(mark, gone_there))
    told: dict[int, dict[int, Told]] = defaultdict(dict)
    for row in await session.scalars(
        select(GatewayCountsRow).where(GatewayCountsRow.gateway_id.in_(ids))
    ):
        told[row.gateway_id][row.epoch] = Told(
            row.accepted, row.durable, row.acknowledged, row.evicted, row.dead
        )
    return [
        account_of_gateway(each.site, each.name, lanes[each.id], told[each.id])
        for each in await session.scalars(gateways)
    ]


def _lane(row: MarkRow, evictions: list[Eviction]) -> LaneAccount:
    marks = Marks(
        received=decode_ranges(row.received),
        given_up=decode_ranges(row.given_up),
        refused=decode_ranges(row.refused),
        oldest_sequence=row.oldest_sequence,
    )
    return account_of_lane(row.epoch, row.lane, marks, evictions)


def _everything() -> Select[GatewayRow, GatewayStateRow]:
    return (
        select(GatewayRow, GatewayStateRow)
        .outerjoin(GatewayStateRow, GatewayStateRow.gateway_id == GatewayRow.id)
        .order_by(GatewayRow.site, GatewayRow.name)
    )


def _view(gateway: GatewayRow, row: GatewayStateRow | None, now_us: int) -> GatewayView:
    known = GatewayView(
        site=gateway.site,
        name=gateway.name,
        state=_state(gateway, row, now_us),
        position=_place(gateway.latitude_deg, gateway.longitude_deg, gateway.altitude_m),
        position_source="registered" if gateway.latitude_deg is not None else None,
    )
    if row is None:
        return known
    if fix := _place(row.fix_latitude_deg, row.fix_longitude_deg, row.fix_altitude_m):
        known = msgspec.structs.replace(
            known, position=fix, position_source="fix", position_at_us=row.fix_at_us
        )
    return msgspec.structs.replace(
        known,
        state_since_us=row.state_since_us,
        last_seen_at_us=row.last_seen_at_us,
        agent_version=row.agent_version,
        health=None
        if row.health is None
        else msgspec.msgpack.decode(row.health, type=GatewayHealth),
        health_at_us=row.health_at_us,
    )


def _state(gateway: GatewayRow, row: GatewayStateRow | None, now_us: int) -> State:
    if gateway.revoked_at_us is not None:
        return "revoked"
    if row is None:
        return "never"
    if row.state == "gone":
        return "gone"
    return "silent" if now_us - row.last_seen_at_us > SILENT_AFTER_US else "online"


def _place(
    latitude_deg: float | None, longitude_deg: float | None, altitude_m: float | None
) -> Position | None:
    if latitude_deg is None or longitude_deg is None:
        return None
    return Position(latitude_deg=latitude_deg, longitude_deg=longitude_deg, altitude_m=altitude_m)
