"""What gateways' own sensors tell: strikes, that detectors listen, local weather.

Never in place of a report, and always with where it comes from.
"""

import time
from collections.abc import Iterable, Sequence

from aerocast_protocols.observations.weather import LightningStrike, LightningWatch, WeatherMeasured
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.events.every import Event
from aerocast_hub.inbox.sighting import Retimed, Sighting, lives_on
from aerocast_hub.weather.derived import MPS_TO_KT
from aerocast_hub.weather.ramp_judging import airports_of_sites, judge
from aerocast_hub.weather.ramp_tables import ListeningRow, LocalWeatherRow, StrikeRow

KEPT_US = 8 * 24 * 3_600_000_000
LISTENING_KEPT_US = 31 * 24 * 3_600_000_000
_UNSURE_CLOCKS = (1, 2)  # saved at shutdown, or kept by a battery: off by nobody knows how much


@lives_on(LightningStrike, LightningWatch, WeatherMeasured)
async def absorb(session: AsyncSession, sightings: Sequence[Sighting]) -> list[Event]:
    """Keep what sensors told, and judge at once the ramps where lightning struck."""
    now_us = time.time_ns() // 1000
    sites = await _keep(session, sightings, now_us, again=False)
    told: list[Event] = []
    for settings in await airports_of_sites(session, sites):
        told += await judge(session, settings, now_us)
    return told


async def retime(session: AsyncSession, retimed: Sequence[Retimed]) -> list[Event]:
    """Put what sensors told on its corrected time."""
    now_us = time.time_ns() // 1000
    for sighting, was_at_us in retimed:
        if isinstance(sighting.observation, LightningWatch):
            await session.execute(
                delete(ListeningRow).where(
                    ListeningRow.site == sighting.site,
                    ListeningRow.detector == _source(sighting, sighting.observation.sensor),
                    ListeningRow.at_us == was_at_us,
                )
            )
    sites = await _keep(session, [each.sighting for each in retimed], now_us, again=True)
    told: list[Event] = []
    for settings in await airports_of_sites(session, sites):
        told += await judge(session, settings, now_us)
    return told


async def forget(session: AsyncSession, now_us: int) -> None:
    """Delete what is older than it is kept."""
    for column, kept_us in (
        (StrikeRow.received_at_us, KEPT_US),
        (LocalWeatherRow.at_us, KEPT_US),
        (ListeningRow.at_us, LISTENING_KEPT_US),
    ):
        await session.execute(delete(column.class_).where(column < now_us - kept_us))


async def _keep(
    session: AsyncSession, sightings: Iterable[Sighting], now_us: int, *, again: bool
) -> set[str]:
    """Keep them; give the sites where lightning struck, or a detector stopped listening."""
    strikes, words, weather = [], [], []
    sites: set[str] = set()
    for each in sightings:
        seen = each.observation
        if isinstance(seen, LightningStrike):
            strikes.append(_strike(each, seen, now_us))
            sites.add(each.site)
        elif isinstance(seen, LightningWatch):
            words.append(_word(each, seen))
            if not seen.listening:
                sites.add(each.site)
        elif isinstance(seen, WeatherMeasured):
            weather.append(_weather(each, seen))
    keep = insert_or_replace if again else insert_new
    await keep(session, StrikeRow, strikes)
    await keep(session, ListeningRow, words)
    await keep(session, LocalWeatherRow, weather)
    return sites


def _strike(each: Sighting, seen: LightningStrike, now_us: int) -> dict[str, object]:
    is_unsure = each.clock_quality in _UNSURE_CLOCKS
    return {
        "source": _source(each, seen.sensor),
        "key": _key(each),
        # Of a clock nobody vouches for a strike counts from when it was heard of: the safe side.
        "at_us": max(each.seen_at_us, now_us) if is_unsure else each.seen_at_us,
        "received_at_us": now_us,
        "site": each.site,
        "distance_km": seen.distance_km,
        "latitude_deg": None,
        "longitude_deg": None,
    }


def _word(each: Sighting, seen: LightningWatch) -> dict[str, object]:
    return {
        "site": each.site,
        "detector": _source(each, seen.sensor),
        "at_us": each.seen_at_us,
        "listening": seen.listening,
        "trouble": seen.trouble,
    }


def _weather(each: Sighting, seen: WeatherMeasured) -> dict[str, object]:
    speed_mps, gust_mps = seen.wind_speed_mps, seen.wind_gust_mps
    return {
        "source": _source(each, seen.sensor),
        "key": _key(each),
        "site": each.site,
        "at_us": each.seen_at_us,
        "wind_direction_deg": seen.wind_direction_deg,
        "wind_speed_kt": None if speed_mps is None else round(speed_mps * MPS_TO_KT, 2),
        "wind_gust_kt": None if gust_mps is None else round(gust_mps * MPS_TO_KT, 2),
        "temperature_c": seen.temperature_c,
        "humidity_percent": seen.humidity_percent,
        "pressure_hpa": seen.pressure_hpa,
        "rain_mm": seen.rain_mm,
        "rain_mm_per_h": seen.rain_mm_per_h,
    }


def _source(each: Sighting, sensor: str | None) -> str:
    """Say where it comes from: ``site/gateway/device/sensor``."""
    parts = [each.site, each.gateway, each.observation.device, sensor]
    return "/".join(part for part in parts if part)


def _key(each: Sighting) -> str:
    return f"{each.epoch}.{each.lane}.{each.sequence}"
