"""Carts and containers with a gateway aboard: where its GPS is, the bags in them are."""

import time
from collections.abc import Sequence
from math import asin, cos, isfinite, radians, sin, sqrt

from aerocast_protocols.observations.gateways import PositionFix
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.evidence import Placed
from aerocast_hub.baggage.evidence_store import keep_of_containers, last_placed
from aerocast_hub.baggage.journeys import refold_container
from aerocast_hub.events.every import Event
from aerocast_hub.gateways.registry import carriers
from aerocast_hub.inbox.sighting import Sighting

MOVED_M = 25.0
EVERY_US = 60_000_000
EARTH_M = 6_371_000.0


async def place_carriers(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:
    """Take in where carriers are: every 25 m, and each minute while they stand."""
    fixes = [each for each in sightings if isinstance(each.observation, PositionFix)]
    riding = await carriers(session) if fixes else {}
    told: list[Event] = []
    by_carrier: dict[str, list[Placed]] = {}
    now_us = time.time_ns() // 1000
    for sighting in fixes:
        carrier = riding.get((sighting.site, sighting.gateway))
        placed = None if carrier is None else _placed(sighting, carrier, now_us)
        if carrier is not None and placed is not None:
            by_carrier.setdefault(carrier, []).append(placed)
    for carrier, found in sorted(by_carrier.items()):
        kept = worth_keeping(found, await last_placed(session, carrier))
        if kept:
            await keep_of_containers(session, kept)
            told += await refold_container(session, carrier)
    return told


def worth_keeping(found: Sequence[Placed], last: Placed | None) -> list[Placed]:
    """Thin a carrier's positions: what moved it, and one a minute."""
    kept: list[Placed] = []
    for each in sorted(found, key=lambda placed: placed.at_us):
        if last is None or each.at_us - last.at_us >= EVERY_US or distance_m(last, each) >= MOVED_M:
            kept.append(each)
            last = each
    return kept


def distance_m(one: Placed, other: Placed) -> float:
    """Give the distance of two positions on the sphere, metres (haversine); 0 where unknown."""
    places = (one.latitude_deg, one.longitude_deg, other.latitude_deg, other.longitude_deg)
    if any(each is None for each in places):
        return 0.0
    lat1, lon1, lat2, lon2 = (radians(each) for each in places if each is not None)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))


def _placed(sighting: Sighting, carrier: str, now_us: int) -> Placed | None:
    fix = sighting.observation
    if not isinstance(fix, PositionFix) or fix.mode < 2:
        return None
    latitude, longitude = fix.latitude_deg, fix.longitude_deg
    if latitude is None or longitude is None or not (isfinite(latitude) and isfinite(longitude)):
        return None
    name = f"{sighting.site}/{sighting.gateway}/{sighting.epoch}/{sighting.lane}"
    return Placed(
        id=f"{name}/{sighting.sequence}",
        at_us=sighting.seen_at_us,
        known_at_us=now_us,
        container=carrier,
        site=sighting.site,
        latitude_deg=latitude,
        longitude_deg=longitude,
    )
