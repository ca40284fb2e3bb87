"""Winds from aircraft in the database, and the wind over an airport made of them."""

from collections.abc import Sequence
from math import isfinite

import msgspec
from aerocast_protocols.observations import AircraftWeather
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.events import Event
from aerocast_hub.inbox.sighting import Retimed, Sighting
from aerocast_hub.weather.tables import AircraftWindRow
from aerocast_hub.weather.wind_field import (
    WINDOW_S,
    AircraftWind,
    WindLevel,
    km_between,
    latest,
    near,
    wind_levels,
)

MOST_WINDS = 20_000
FARTHEST_HEARD_KM = 450.0  # line of sight to an aircraft at 40 000 ft


class Winds(msgspec.Struct, frozen=True, kw_only=True):
    """The wind over an airport.

    Attributes
    ----------
    latitude_deg, longitude_deg
        Where: the airport's position, else the middle of what its gateways heard; None when
        neither is known, and then there are no levels.
    levels
        Lowest first, up to flight level 150.
    aircraft
        The newest wind of each aircraft near by, the newest first.
    """

    place: str
    at_us: int
    latitude_deg: float | None
    longitude_deg: float | None
    levels: list[WindLevel]
    aircraft: list[AircraftWind]


async def absorb(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:
    """Keep winds that aircraft met."""
    await insert_new(session, AircraftWindRow, _rows(sightings))
    return []


async def retime(session: AsyncSession, retimed: Sequence[Retimed]) -> list[Event]:
    """Put winds on their corrected times."""
    rows = _rows([each.sighting for each in retimed])
    await insert_or_replace(session, AircraftWindRow, rows)
    return []


async def winds_over(session: AsyncSession, place: str, now_us: int) -> Winds:
    """Give the wind over an airport (a code) or a site (its name) at an instant."""
    heard = await _heard(session, now_us)
    position = _position(place, [wind for wind, site in heard if site == place.lower()])
    winds = [wind for wind, _ in heard]
    return Winds(
        place=place,
        at_us=now_us,
        latitude_deg=None if position is None else position[0],
        longitude_deg=None if position is None else position[1],
        levels=[] if position is None else wind_levels(winds, position, now_us),
        aircraft=[] if position is None else latest(near(winds, position, now_us)),
    )


async def count_aircraft_winds(session: AsyncSession) -> int:
    """Count the winds kept."""
    return await session.scalar(select(func.count()).select_from(AircraftWindRow)) or 0


async def count_wind_levels(session: AsyncSession, now_us: int) -> int:
    """Count the levels with a wind over every site heard within the window."""
    sites = sorted({site for _, site in await _heard(session, now_us)})
    fields = [await winds_over(session, site, now_us) for site in sites]
    return sum(level.wind_speed_kt is not None for winds in fields for level in winds.levels)


def _position(place: str, own: Sequence[AircraftWind]) -> tuple[float, float] | None:
    """Give where a place is: the airport of that code, else the middle of what its site heard.

    A site may be called what is an airport's code elsewhere: then its own winds tell.
    """
    known = airport(place)
    at = None if known is None else (known.latitude_deg, known.longitude_deg)
    if not own:
        return at
    middle = (
        sum(wind.latitude_deg for wind in own) / len(own),
        sum(wind.longitude_deg for wind in own) / len(own),
    )
    return at if at is not None and km_between(at, middle) < FARTHEST_HEARD_KM else middle


async def _heard(session: AsyncSession, now_us: int) -> list[tuple[AircraftWind, str]]:
    rows = await session.scalars(
        select(AircraftWindRow)
        .where(AircraftWindRow.seen_at_us.between(now_us - int(WINDOW_S * 1e6), now_us))
        .order_by(AircraftWindRow.seen_at_us.desc())
        .limit(MOST_WINDS)
    )
    return [(_wind(row), row.site) for row in rows]


def _wind(row: AircraftWindRow) -> AircraftWind:
    return AircraftWind(
        seen_at_us=row.seen_at_us,
        icao=row.icao,
        latitude_deg=row.latitude_deg,
        longitude_deg=row.longitude_deg,
        altitude_ft=row.altitude_ft,
        wind_direction_deg=row.wind_direction_deg,
        wind_speed_kt=row.wind_speed_kt,
        source=row.source,
        temperature_c=row.temperature_c,
    )


def _is_sound(wind: AircraftWeather) -> bool:
    """Say whether every number is one: a gateway's fault must not become a wind."""
    numbers = (
        wind.latitude_deg,
        wind.longitude_deg,
        wind.altitude_ft,
        wind.wind_direction_deg,
        wind.wind_speed_kt,
        wind.temperature_c or 0.0,
    )
    return all(isfinite(number) for number in numbers)


def _rows(sightings: Sequence[Sighting]) -> list[dict[str, object]]:
    return [
        _row(sighting, sighting.observation)
        for sighting in sightings
        if isinstance(sighting.observation, AircraftWeather) and _is_sound(sighting.observation)
    ]


def _row(sighting: Sighting, wind: AircraftWeather) -> dict[str, object]:
    return {
        "site": sighting.site,
        "gateway": sighting.gateway,
        "epoch": sighting.epoch,
        "lane": sighting.lane,
        "sequence": sighting.sequence,
        "seen_at_us": sighting.seen_at_us,
        "icao": wind.icao,
        "latitude_deg": wind.latitude_deg,
        "longitude_deg": wind.longitude_deg,
        "altitude_ft": wind.altitude_ft,
        "wind_direction_deg": wind.wind_direction_deg,
        "wind_speed_kt": wind.wind_speed_kt,
        "source": wind.source,
        "temperature_c": wind.temperature_c,
    }
