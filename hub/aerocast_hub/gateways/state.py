"""Whether gateways are there and how they are: what they say, and what their silence says."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from aerocast_protocols.batch import GatewayStatus
from aerocast_protocols.observations.gateways import GatewayHealth, PositionFix
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.insert import insert_or_replace
from aerocast_hub.events.every import Event
from aerocast_hub.events.gateways import GatewayHealthReported, GatewayStateChanged
from aerocast_hub.gateways.tables import GatewayCountsRow, GatewayRow, GatewayStateRow
from aerocast_hub.inbox.sighting import Retimed, Sighting, lives_on

Name = tuple[str, str]
"""Site and gateway."""


class Known(msgspec.Struct, frozen=True):
    """A registered gateway, as the inbox needs it."""

    gateway_id: int
    is_revoked: bool


async def known_gateways(session: AsyncSession, names: Iterable[Name]) -> dict[Name, Known]:
    """Look gateways up by site and name; who is not registered is not in the answer."""
    rows = await session.execute(
        select(GatewayRow.id, GatewayRow.site, GatewayRow.name, GatewayRow.revoked_at_us).where(
            tuple_(GatewayRow.site, GatewayRow.name).in_(sorted(set(names)))
        )
    )
    return {
        (site, name): Known(gateway_id, revoked_at_us is not None)
        for gateway_id, site, name, revoked_at_us in rows
    }


async def speak_in_turn(session: AsyncSession, gateway_ids: Iterable[int]) -> None:
    """Wait until other hubs have committed what these gateways sent to them.

    Of two hubs that take in batches of one gateway at the same time, the second then sees what the
    first has stored. SQLite has one writer at a time anyway.
    """
    await session.execute(
        select(GatewayRow.id)
        .where(GatewayRow.id.in_(sorted(set(gateway_ids))))
        .order_by(GatewayRow.id)
        .with_for_update(key_share=True)
    )


async def name_of(session: AsyncSession, gateway_id: int) -> Name:
    """Give the name of a registered gateway."""
    row = await session.get_one(GatewayRow, gateway_id)
    return row.site, row.name


class Heard(NamedTuple):
    """A gateway that spoke: in which life, and when the hub heard it."""

    name: Name
    gateway_id: int
    epoch: int
    at_us: int


async def note_heard(session: AsyncSession, heard: Sequence[Heard]) -> list[Event]:
    """Note which gateways spoke, each named once; one thought gone in that life is back."""
    states = await _states(session, {each.gateway_id for each in heard})
    events: list[Event] = []
    for each in heard:
        row = states.get(each.gateway_id)
        if row is None:
            session.add(_first_state(each.gateway_id, "online", each.epoch, each.at_us))
            events.append(_changed(each.name, "online", each.at_us))
            continue
        row.last_seen_at_us = max(row.last_seen_at_us, each.at_us)
        if row.state == "gone" and row.state_epoch == each.epoch:
            row.state, row.state_since_us = "online", each.at_us
            events.append(_changed(each.name, "online", each.at_us))
    return events


async def note_status(
    session: AsyncSession, name: Name, gateway_id: int, status: GatewayStatus, now_us: int
) -> list[Event]:
    """Take in a gateway's word on itself. The last will of an earlier life changes nothing."""
    row = await session.get(GatewayStateRow, gateway_id)
    if row is None:
        row = _first_state(gateway_id, status.state, status.epoch, now_us)
        row.agent_version = status.agent_version or None
        session.add(row)
        return [_changed(name, status.state, now_us)]
    if status.state == "gone" and status.epoch != row.state_epoch:
        return []
    was = row.state
    row.last_seen_at_us = max(row.last_seen_at_us, now_us)
    row.state_epoch = status.epoch
    row.agent_version = status.agent_version or row.agent_version
    if status.state == was:
        return []
    row.state, row.state_since_us = status.state, now_us
    return [_changed(name, status.state, now_us)]


@lives_on(GatewayHealth, PositionFix)
async def absorb(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:
    """Keep the newest health and position of each gateway, and what it counted in each life.

    Newest is told by the gateway's own count within its present life, never by a clock: a gateway
    whose clock was years ahead must not be stuck with that day's health.
    """
    told = [
        sighting
        for sighting in sightings
        if isinstance(sighting.observation, GatewayHealth | PositionFix)
    ]
    if not told:
        return []
    known = await known_gateways(session, {(each.site, each.gateway) for each in told})
    events: list[Event] = []
    await _keep_counts(session, told, known)
    states = await _states(session, {each.gateway_id for each in known.values()})
    for sighting in told:
        row = states.get(known[sighting.site, sighting.gateway].gateway_id)
        if row is None:
            continue
        if isinstance(sighting.observation, GatewayHealth):
            events += _take_health(row, sighting, sighting.observation)
        elif isinstance(sighting.observation, PositionFix):
            _take_fix(row, sighting, sighting.observation)
    return events


async def _keep_counts(
    session: AsyncSession, told: Sequence[Sighting], known: Mapping[Name, Known]
) -> None:
    newest: dict[tuple[int, int], Sighting] = {}
    for sighting in sorted(told, key=lambda each: each.sequence):
        if isinstance(sighting.observation, GatewayHealth):
            gateway_id = known[sighting.site, sighting.gateway].gateway_id
            newest[gateway_id, sighting.epoch] = sighting
    if not newest:
        return
    row = GatewayCountsRow
    kept = await session.execute(
        select(row.gateway_id, row.epoch, row.told_sequence).where(
            tuple_(row.gateway_id, row.epoch).in_(sorted(newest))
        )
    )
    told_before = {(gateway_id, epoch): sequence for gateway_id, epoch, sequence in kept}
    await insert_or_replace(
        session,
        row,
        [
            {
                "gateway_id": gateway_id,
                "epoch": epoch,
                "told_sequence": sighting.sequence,
                "accepted": health.accepted,
                "durable": health.durable,
                "acknowledged": health.acked,
                "evicted": health.evicted,
                "dead": health.dead,
            }
            for (gateway_id, epoch), sighting in sorted(newest.items())
            if isinstance(health := sighting.observation, GatewayHealth)
            and sighting.sequence > told_before.get((gateway_id, epoch), -1)
        ],
    )


async def retime(session: AsyncSession, retimed: Sequence[Retimed]) -> list[Event]:
    """Put the newest health and position of each gateway on their corrected time."""
    for sighting, _ in retimed:
        told = sighting.observation
        if not isinstance(told, GatewayHealth | PositionFix):
            continue
        name = (sighting.site, sighting.gateway)
        known = await known_gateways(session, [name])
        row = await session.get(GatewayStateRow, known[name].gateway_id)
        if row is None:
            continue
        key = (sighting.epoch, sighting.sequence)
        if isinstance(told, GatewayHealth) and key == (row.health_epoch, row.health_sequence):
            row.health_at_us = sighting.seen_at_us
        elif isinstance(told, PositionFix) and key == (row.fix_epoch, row.fix_sequence):
            row.fix_at_us = sighting.seen_at_us
    return []


async def _states(session: AsyncSession, ids: Collection[int]) -> dict[int, GatewayStateRow]:
    """Read the states of gateways at once: a transaction may hold batches of hundreds."""
    rows = await session.scalars(
        select(GatewayStateRow).where(GatewayStateRow.gateway_id.in_(sorted(ids)))
    )
    return {row.gateway_id: row for row in rows}


def _take_health(row: GatewayStateRow, sighting: Sighting, health: GatewayHealth) -> list[Event]:
    if not _is_newer(row, sighting, row.health_epoch, row.health_sequence):
        return []
    row.health = msgspec.msgpack.encode(health)
    row.health_at_us = sighting.seen_at_us
    row.health_epoch, row.health_sequence = sighting.epoch, sighting.sequence
    row.agent_version = health.agent_version
    return [
        GatewayHealthReported(
            at_us=sighting.seen_at_us, site=sighting.site, gateway=sighting.gateway
        )
    ]


def _take_fix(row: GatewayStateRow, sighting: Sighting, fix: PositionFix) -> None:
    if fix.mode < 2 or fix.latitude_deg is None or fix.longitude_deg is None:
        return
    if _is_newer(row, sighting, row.fix_epoch, row.fix_sequence):
        row.fix_latitude_deg, row.fix_longitude_deg = fix.latitude_deg, fix.longitude_deg
        row.fix_altitude_m = fix.altitude_m
        row.fix_at_us = sighting.seen_at_us
        row.fix_epoch, row.fix_sequence = sighting.epoch, sighting.sequence


def _is_newer(
    row: GatewayStateRow, sighting: Sighting, epoch: int | None, sequence: int | None
) -> bool:
    if epoch is None or sequence is None:
        return True
    if sighting.epoch == epoch:
        return sighting.sequence > sequence
    return sighting.epoch == row.state_epoch


def _first_state(gateway_id: int, state: str, epoch: int, now_us: int) -> GatewayStateRow:
    return GatewayStateRow(
        gateway_id=gateway_id,
        last_seen_at_us=now_us,
        state=state,
        state_epoch=epoch,
        state_since_us=now_us,
    )


def _changed(name: Name, state: str, now_us: int) -> GatewayStateChanged:
    return GatewayStateChanged(
        at_us=now_us, site=name[0], gateway=name[1], state="gone" if state == "gone" else "online"
    )
