"""Winds from aircraft in the database, and the wind over an airport made of them."""

import asyncio
from collections.abc import Sequence

import msgspec
from aerocast_protocols.observations.aircraft import AircraftWeather
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.events.every import Event
from aerocast_hub.inbox.sighting import Retimed, Sighting, lives_on
from aerocast_hub.weather.aircraft_wind import AircraftWind, is_sound, km_between, latest
from aerocast_hub.weather.heading_bias import HeadingBias, block_of
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT
from aerocast_hub.weather.tables import AircraftWindRow
from aerocast_hub.weather.wind_field import FARTHEST_KM, WINDOW_S, WindAt, wind_at
from aerocast_hub.weather.wind_profile import (
    Profile,
    WindFlag,
    WindLevel,
    believed,
    near,
    profile,
)
from aerocast_hub.weather.wind_tables import HeadingBiasRow, WindBlockRow

MOST_WINDS = 20_000
FARTHEST_HEARD_KM = 450.0  # line of sight to an aircraft at 40 000 ft
Place = tuple[float, float]


class Winds(msgspec.Struct, frozen=True, kw_only=True):
    """The wind over an airport.

    Attributes
    ----------
    latitude_deg, longitude_deg
        Where: the airport's position, else the middle of what its gateways heard; None when
        neither is known, and then there are no levels.
    levels
        One for every 1,000 ft, lowest first, up to flight level 150.
    flags
        Wind shear, inversions, low-level jets.
    refused
        Winds left out because they did not fit what others met beside them.
    aircraft
        The newest wind of each aircraft near by, the newest first, as its gateway derived it.
    """

    place: str
    at_us: int
    latitude_deg: float | None
    longitude_deg: float | None
    levels: list[WindLevel]
    flags: list[WindFlag]
    refused: int
    aircraft: list[AircraftWind]
    notice: str = NOT_FOR_FLIGHT


@lives_on(AircraftWeather)
async def absorb(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:
    """Keep winds that aircraft met."""
    rows = _rows(sightings)
    await insert_new(session, AircraftWindRow, rows)
    await _mark(session, _moments_us(sightings))
    return []


async def retime(session: AsyncSession, retimed: Sequence[Retimed]) -> list[Event]:
    """Put winds on their corrected times."""
    rows = _rows([each.sighting for each in retimed])
    await insert_or_replace(session, AircraftWindRow, rows)
    await _mark(session, _moments_us([each.sighting for each in retimed]))
    await _mark(session, [each.was_at_us for each in retimed if _is_wind(each.sighting)])
    return []


async def winds_over(session: AsyncSession, place: str, now_us: int) -> Winds:
    """Give the wind over an airport (a code) or a site (its name) at an instant."""
    met = await _heard(session, now_us)
    position = _position(place, [wind for wind, site in met if site == place.lower()])
    drawn, newest = Profile(levels=[]), list[AircraftWind]()
    if position is not None:
        winds = near([wind for wind, _ in met], position, now_us)
        biases = await _biases(session, {wind.icao for wind in winds})
        drawn = await asyncio.to_thread(profile, winds, biases, position, now_us)
        newest = latest(winds)
    return Winds(
        place=place,
        at_us=now_us,
        latitude_deg=None if position is None else position[0],
        longitude_deg=None if position is None else position[1],
        levels=drawn.levels,
        flags=drawn.flags,
        refused=drawn.refused,
        aircraft=newest,
    )


async def wind_over(session: AsyncSession, place: Place, altitude_ft: float, now_us: int) -> WindAt:
    """Give the wind at any place (degrees), pressure altitude and instant."""
    met = [wind for wind, _ in await _heard(session, now_us)]
    winds = near(met, place, now_us, FARTHEST_KM)
    biases = await _biases(session, {wind.icao for wind in winds})

    def find() -> WindAt:
        return wind_at(believed(winds, biases)[0], place, altitude_ft, now_us)

    return await asyncio.to_thread(find)


async def winds_between(
    session: AsyncSession, site: str, from_us: int, to_us: int, most: int
) -> tuple[list[AircraftWind], dict[str, HeadingBias]]:
    """Give the winds a site's gateways heard, the newest when too many, and what is known of them.

    ``site`` is its name; an airport's code names the site of that name.
    """
    rows = await session.scalars(
        select(AircraftWindRow)
        .where(
            AircraftWindRow.site == site.lower(),
            AircraftWindRow.seen_at_us.between(from_us, to_us),
        )
        .order_by(AircraftWindRow.seen_at_us.desc())
        .limit(most)
    )
    winds = [wind_of_row(row) for row in rows]
    return winds, await _biases(session, {wind.icao for wind in winds})


async def sites_heard(session: AsyncSession, now_us: int) -> list[str]:
    """Name the sites whose gateways heard a wind within the last quarter of an hour."""
    sites = await session.scalars(
        select(AircraftWindRow.site)
        .where(AircraftWindRow.seen_at_us.between(now_us - int(WINDOW_S * 1e6), now_us))
        .distinct()
    )
    return sorted(sites)


async def count_aircraft_winds(session: AsyncSession) -> int:
    """Count the winds kept."""
    return await session.scalar(select(func.count()).select_from(AircraftWindRow)) or 0


async def count_wind_levels(session: AsyncSession, now_us: int) -> int:
    """Count the levels with a wind over every site heard within the window."""
    over = [await winds_over(session, site, now_us) for site in await sites_heard(session, now_us)]
    return sum(level.wind_speed_kt is not None for winds in over for level in winds.levels)


def wind_of_row(row: AircraftWindRow) -> AircraftWind:
    """Give a wind as it is kept."""
    return AircraftWind(**{name: getattr(row, name) for name in AircraftWind.__struct_fields__})


def _position(place: str, own: Sequence[AircraftWind]) -> Place | None:
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
    return [(wind_of_row(row), row.site) for row in rows]


async def _biases(session: AsyncSession, icaos: set[str]) -> dict[str, HeadingBias]:
    rows = await session.scalars(
        select(HeadingBiasRow).where(HeadingBiasRow.icao.in_(sorted(icaos)))
    )
    return {
        row.icao: HeadingBias(bias_deg=row.bias_deg, sigma_deg=row.sigma_deg, cells=row.cells)
        for row in rows
    }


def _is_wind(sighting: Sighting) -> bool:
    return isinstance(sighting.observation, AircraftWeather)


def _moments_us(sightings: Sequence[Sighting]) -> list[int]:
    return [sighting.seen_at_us for sighting in sightings if _is_wind(sighting)]


async def _mark(session: AsyncSession, moments_us: Sequence[int]) -> None:
    """Note whose quarters of an hour have changed: `wind_keeping` thins them anew."""
    blocks = sorted({block_of(each) for each in moments_us})
    await insert_new(session, WindBlockRow, [{"block_us": each} for each in blocks])


def _rows(sightings: Sequence[Sighting]) -> list[dict[str, object]]:
    return [
        _row(sighting, wind)
        for sighting in sightings
        if isinstance(sighting.observation, AircraftWeather)
        and is_sound(wind := _wind(sighting.seen_at_us, sighting.observation))
    ]


def _wind(seen_at_us: int, told: AircraftWeather) -> AircraftWind:
    names = [name for name in AircraftWind.__struct_fields__ if name != "seen_at_us"]
    return AircraftWind(seen_at_us=seen_at_us, **{name: getattr(told, name) for name in names})


def _row(sighting: Sighting, wind: AircraftWind) -> dict[str, object]:
    return {
        **sighting.key(),
        **msgspec.structs.asdict(wind),
    }
