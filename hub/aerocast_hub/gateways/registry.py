"""The registry: which gateways may speak."""

import time

import msgspec
from aerocast_protocols.topics import is_name
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.trail import record
from aerocast_hub.events.gateways import GatewayStateChanged
from aerocast_hub.gateways.tables import GatewayCertificateRow, GatewayClaimRow, GatewayRow
from aerocast_hub.outbox.publish import write_events


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A place: degrees on WGS 84, metres above sea level."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float | None = None


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """A registered gateway.

    Attributes
    ----------
    carrier
        The container, cart or tug it rides on: where the gateway is, so are the bags in it.
    """

    site: str
    name: str
    added_at_us: int
    revoked_at_us: int | None = None
    position: Position | None = None
    carrier: str | None = None


class GatewayRefusedError(ValueError):
    """A gateway cannot be registered or revoked as asked; the message says why."""


async def add_gateway(
    session: AsyncSession,
    site: str,
    name: str,
    position: Position | None = None,
    carrier: str | None = None,
) -> Gateway:
    """Register a gateway; one that was revoked is let in again.

    Raises
    ------
    GatewayRefusedError
        The name is no name, or it is registered already.
    """
    for value in (site, name):
        if not is_name(value):
            raise GatewayRefusedError(f"{value!r} is no name: use a-z, 0-9 and -, at most 32")
    row = await _find(session, site, name)
    if row is not None and row.revoked_at_us is None:
        raise GatewayRefusedError(f"gateway {site}/{name} is registered already")
    now_us = time.time_ns() // 1000
    if row is None:
        row = GatewayRow(site=site, name=name, added_at_us=now_us)
        session.add(row)
    row.revoked_at_us = None
    row.carrier = carrier if carrier is not None else row.carrier
    if position is not None:
        row.latitude_deg = position.latitude_deg
        row.longitude_deg = position.longitude_deg
        row.altitude_m = position.altitude_m
    await session.flush()
    added = _gateway(row)
    let_in = GatewayStateChanged(at_us=now_us, site=site, gateway=name, state="added")
    await write_events(session, [let_in])
    await record(session, "gateway_added", subject=f"gateway {site}/{name}", after=added)
    return added


async def revoke_gateway(session: AsyncSession, site: str, name: str) -> Gateway:
    """Let a gateway speak no more, and its certificates be good no more; what it sent stays.

    Raises
    ------
    GatewayRefusedError
        It is not registered.
    """
    row = await _find(session, site, name)
    if row is None:
        raise GatewayRefusedError(f"gateway {site}/{name} is not registered")
    before = _gateway(row)
    now_us = time.time_ns() // 1000
    if row.revoked_at_us is None:
        row.revoked_at_us = now_us
        shut_out = GatewayStateChanged(at_us=now_us, site=site, gateway=name, state="revoked")
        await write_events(session, [shut_out])
    await session.execute(
        update(GatewayCertificateRow)
        .where(
            GatewayCertificateRow.gateway_id == row.id,
            GatewayCertificateRow.revoked_at_us.is_(None),
        )
        .values(revoked_at_us=now_us)
    )
    await session.execute(delete(GatewayClaimRow).where(GatewayClaimRow.gateway_id == row.id))
    await session.flush()
    after = _gateway(row)
    subject = f"gateway {site}/{name}"
    await record(session, "gateway_revoked", subject=subject, before=before, after=after)
    return after


async def list_gateways(session: AsyncSession) -> list[Gateway]:
    """Give every gateway, revoked ones too, by site and name."""
    rows = await session.scalars(select(GatewayRow).order_by(GatewayRow.site, GatewayRow.name))
    return [_gateway(row) for row in rows]


async def our_sites(session: AsyncSession) -> frozenset[str]:
    """Name the sites where gateways of ours may speak."""
    rows = await session.scalars(
        select(GatewayRow.site).where(GatewayRow.revoked_at_us.is_(None)).distinct()
    )
    return frozenset(rows)


async def carriers(session: AsyncSession) -> dict[tuple[str, str], str]:
    """Give what gateways ride on: site and name -> container, cart or tug."""
    rows = await session.execute(
        select(GatewayRow.site, GatewayRow.name, GatewayRow.carrier).where(
            GatewayRow.carrier.is_not(None)
        )
    )
    return {(site, name): carrier for site, name, carrier in rows if carrier is not None}


async def _find(session: AsyncSession, site: str, name: str) -> GatewayRow | None:
    found: GatewayRow | None = await session.scalar(
        select(GatewayRow).where(GatewayRow.site == site, GatewayRow.name == name)
    )
    return found


def _gateway(row: GatewayRow) -> Gateway:
    position = None
    if row.latitude_deg is not None and row.longitude_deg is not None:
        position = Position(
            latitude_deg=row.latitude_deg,
            longitude_deg=row.longitude_deg,
            altitude_m=row.altitude_m,
        )
    return Gateway(
        site=row.site,
        name=row.name,
        added_at_us=row.added_at_us,
        revoked_at_us=row.revoked_at_us,
        position=position,
        carrier=row.carrier,
    )
