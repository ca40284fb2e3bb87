"""Flights live on aircraft ground events: each is kept, and its aircraft's flights folded again."""

from collections.abc import Sequence
from math import isfinite

from aerocast_protocols.observations.aircraft import AircraftGroundEvent
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.events.every import Event
from aerocast_hub.flights.matching import plain_callsign
from aerocast_hub.flights.refold import refold_aircraft
from aerocast_hub.flights.tables import GroundEventRow
from aerocast_hub.inbox.sighting import Retimed, Sighting, lives_on

UNKNOWN_SIGMA_S = 3600.0  # for a gateway that does not know: any other report is better


@lives_on(AircraftGroundEvent)
async def absorb(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:
    """Keep ground events; give what they change in flights."""
    rows = [
        _row(sighting, sighting.observation)
        for sighting in sightings
        if isinstance(sighting.observation, AircraftGroundEvent)
    ]
    if not rows:
        return []
    await insert_new(session, GroundEventRow, rows)
    times = [sighting.seen_at_us for sighting in sightings if _is_ground_event(sighting)]
    icaos = {str(row["icao"]) for row in rows}
    return await refold_aircraft(session, icaos, min(times), max(times))


async def retime(session: AsyncSession, retimed: Sequence[Retimed]) -> list[Event]:
    """Put ground events on their corrected times; fold the flights they were of and are of now."""
    moved = [each for each in retimed if _is_ground_event(each.sighting)]
    rows = [
        _row(sighting, sighting.observation)
        for sighting, _ in moved
        if isinstance(sighting.observation, AircraftGroundEvent)
    ]
    if not rows:
        return []
    await insert_or_replace(session, GroundEventRow, rows)
    times = [at_us for each in moved for at_us in (each.was_at_us, each.sighting.seen_at_us)]
    icaos = {str(row["icao"]) for row in rows}
    return await refold_aircraft(session, icaos, min(times), max(times))


def _is_ground_event(sighting: Sighting) -> bool:
    return isinstance(sighting.observation, AircraftGroundEvent)


def _row(sighting: Sighting, event: AircraftGroundEvent) -> dict[str, object]:
    return {
        **sighting.key(),
        "icao": event.icao,
        "event": event.event,
        "at_us": sighting.seen_at_us,
        "sigma_s": event.sigma_s if isfinite(event.sigma_s) else UNKNOWN_SIGMA_S,
        "stand": event.stand and event.stand.replace("\x00", ""),
        "callsign": plain_callsign(event.callsign or "") or None,
        "latitude_deg": _finite(event.latitude_deg),
        "longitude_deg": _finite(event.longitude_deg),
    }


def _finite(degrees: float | None) -> float | None:
    return degrees if degrees is not None and isfinite(degrees) else None
