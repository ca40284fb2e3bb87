"""The ramp in the database: what was seen of an airport, judged now or at any instant."""

import math
import time
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from aerocast_protocols.weather.metar_report import Metar
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.weather.clock_guard import CLOCK
from aerocast_hub.weather.evidence import (
    AHEAD_US,
    MINUTE_US,
    Evidence,
    Listening,
    LocalWind,
    RampReport,
    Strike,
)
from aerocast_hub.weather.limits import AirportSettings
from aerocast_hub.weather.low_visibility import LowVisibilityState, low_visibility
from aerocast_hub.weather.ramp import Ramp, RampClosure, closures, ramp
from aerocast_hub.weather.ramp_tables import (
    AirportSettingsRow,
    ClockSetRow,
    ListeningRow,
    LocalWeatherRow,
    StrikeRow,
)
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.tables import MetarRow

LOOKS_BACK_US = 180 * MINUTE_US
DETECTOR_KNOWN_US = 30 * 24 * 60 * MINUTE_US
KM_PER_DEGREE = 111.2
FUTURE_US = 24 * 60 * MINUTE_US  # strikes of clocks that are ahead count as now

_report_decoder = msgspec.msgpack.Decoder(Metar)
_settings_decoder = msgspec.msgpack.Decoder(AirportSettings)


async def settings_of(session: AsyncSession, code: str) -> AirportSettings:
    """Give an airport's settings; the defaults where it has none."""
    station = station_of(code)
    row = await session.get(AirportSettingsRow, station)
    if row is None:
        try:
            return msgspec.convert({"airport": station}, AirportSettings)
        except msgspec.ValidationError:  # a site that is named like no airport
            return AirportSettings(airport=station)
    return _decoded(row.settings)


async def every_settings(session: AsyncSession) -> list[AirportSettings]:
    """Give the settings of every airport that has some."""
    rows = await session.scalars(
        select(AirportSettingsRow.settings).order_by(AirportSettingsRow.airport)
    )
    return [_decoded(each) for each in rows]


async def ramp_at(session: AsyncSession, code: str, now_us: int) -> Ramp:
    """Judge an airport's ramp at an instant."""
    return (await judged_at(session, await settings_of(session, code), now_us))[0]


async def judged_at(
    session: AsyncSession, settings: AirportSettings, now_us: int
) -> tuple[Ramp, LowVisibilityState]:
    """Judge an airport's ramp and its low-visibility procedures at an instant."""
    evidence = await evidence_at(session, settings, now_us)
    judged = await _judged(session, evidence, settings, now_us)
    return judged, low_visibility(evidence.reports, now_us, settings.visibility)


async def ramp_and_closures_at(
    session: AsyncSession, code: str, now_us: int
) -> tuple[Ramp, list[RampClosure]]:
    """Judge an airport's ramp at an instant, and tell when it was closed before."""
    settings = await settings_of(session, code)
    evidence = await evidence_at(session, settings, now_us)
    judged = await _judged(session, evidence, settings, now_us)
    return judged, closures(evidence, now_us, settings)


async def _judged(
    session: AsyncSession, evidence: Evidence, settings: AirportSettings, now_us: int
) -> Ramp:
    judged = ramp(evidence, now_us, settings)
    if judged.reason == "no_report":
        last_us = await _last_report_us(session, settings.airport, now_us)
        if last_us is not None:
            judged = msgspec.structs.replace(judged, reason="report_old", observed_at_us=last_us)
    return judged


async def closures_at(session: AsyncSession, code: str, now_us: int) -> list[RampClosure]:
    """Tell when an airport's ramp was closed in the last three hours, earliest first."""
    settings = await settings_of(session, code)
    return closures(await evidence_at(session, settings, now_us), now_us, settings)


async def evidence_at(session: AsyncSession, settings: AirportSettings, now_us: int) -> Evidence:
    """Gather what was seen of an airport in the hours before an instant."""
    sites, since_us = settings.every_site, now_us - LOOKS_BACK_US
    listening = await session.execute(
        select(ListeningRow).where(
            ListeningRow.site.in_(sites),
            ListeningRow.at_us.between(now_us - _listened_us(settings), now_us + AHEAD_US),
        )
    )
    detectors = await session.scalars(
        select(ListeningRow.detector)
        .where(
            ListeningRow.site.in_(sites),
            ListeningRow.at_us > now_us - DETECTOR_KNOWN_US,
        )
        .distinct()
    )
    winds = await session.scalars(
        select(LocalWeatherRow).where(
            LocalWeatherRow.site.in_(sites), LocalWeatherRow.at_us.between(since_us, now_us)
        )
    )
    return Evidence(
        reports=await ramp_reports(session, settings.airport, now_us),
        strikes=await _strikes(session, settings, since_us, now_us),
        listening=[
            Listening(
                at_us=row.at_us,
                detector=row.detector,
                listening=row.listening,
                trouble=row.trouble,
            )
            for row in listening.scalars()
        ],
        winds=[wind for row in winds for wind in _winds(row)],
        detectors=frozenset(detectors),
        clock_set_us=await _clock_set_us(session, now_us),
    )


async def ramp_reports(session: AsyncSession, code: str, now_us: int) -> list[RampReport]:
    """Give what an airport's reports of the last hours say; a correction counts."""
    rows = await session.execute(
        select(MetarRow.observed_at_us, MetarRow.raw, MetarRow.report)
        .where(
            MetarRow.station == station_of(code),
            MetarRow.observed_at_us.between(now_us - LOOKS_BACK_US, now_us + AHEAD_US),
        )
        .order_by(MetarRow.corrected, MetarRow.received_at_us)
    )
    # Later rows of one time take the place of earlier ones.
    return list({at_us: _ramp_report(at_us, raw, report) for at_us, raw, report in rows}.values())


async def _strikes(
    session: AsyncSession, settings: AirportSettings, since_us: int, now_us: int
) -> list[Strike]:
    place = airport(settings.airport)
    reach_km = max(ring.within_km for ring in settings.lightning.rings)
    here: ColumnElement[bool] = StrikeRow.site.in_(settings.every_site)
    if place is not None:
        high = reach_km / KM_PER_DEGREE
        wide = high / max(0.05, math.cos(math.radians(place.latitude_deg)))
        here = or_(
            here,
            StrikeRow.latitude_deg.between(place.latitude_deg - high, place.latitude_deg + high)
            & StrikeRow.longitude_deg.between(
                place.longitude_deg - wide, place.longitude_deg + wide
            ),
        )
    rows = await session.scalars(
        select(StrikeRow).where(StrikeRow.at_us.between(since_us, now_us + FUTURE_US), here)
    )
    told = []
    for row in rows:
        distance_km = row.distance_km
        if row.latitude_deg is not None and row.longitude_deg is not None and place is not None:
            north = (row.latitude_deg - place.latitude_deg) * KM_PER_DEGREE
            east = (row.longitude_deg - place.longitude_deg) * KM_PER_DEGREE
            distance_km = math.hypot(north, east * math.cos(math.radians(place.latitude_deg)))
        told.append(Strike(at_us=row.at_us, distance_km=distance_km, source=row.source))
    return told


async def _last_report_us(session: AsyncSession, station: str, now_us: int) -> int | None:
    return await session.scalar(
        select(MetarRow.observed_at_us)
        .where(MetarRow.station == station, MetarRow.observed_at_us <= now_us)
        .order_by(MetarRow.observed_at_us.desc())
        .limit(1)
    )


async def _clock_set_us(session: AsyncSession, now_us: int) -> int | None:
    """Say when the hub's clock was set last; of instants long past nobody asks that."""
    if abs(now_us - time.time_ns() // 1000) > MINUTE_US:
        return None
    kept_us = await session.scalar(select(ClockSetRow.set_at_us))
    known = [each for each in (kept_us, CLOCK.set_at_us()) if each is not None]
    return max(known, default=None)


def _listened_us(settings: AirportSettings) -> int:
    limits = settings.lightning
    return limits.all_clear_us + limits.silent_after_us


def _winds(row: LocalWeatherRow) -> Sequence[LocalWind]:
    known = [each for each in (row.wind_speed_kt, row.wind_gust_kt) if each is not None]
    return [LocalWind(at_us=row.at_us, wind_kt=max(known), source=row.source)] if known else []


def _ramp_report(observed_at_us: int, raw: str, encoded: bytes) -> RampReport:
    report = _report_decoder.decode(encoded)
    return RampReport(
        observed_at_us=observed_at_us,
        wind_speed_kt=report.wind_speed_kt,
        wind_gust_kt=report.wind_gust_kt,
        weather=report.weather,
        storm_clouds=any(cloud.type in ("CB", "TCU") for cloud in report.clouds),
        thunder_unseen="TSNO" in raw.split(),
        temperature_c=report.temperature_c,
        dew_point_c=report.dew_point_c,
        visibility_m=report.visibility_m,
        ceiling_ft=report.ceiling_ft,
        rvr_m=min((each.range_m for each in report.rvr), default=None),
        clear_sky=report.ceiling_ft is None if report.clouds else None,
    )


@lru_cache(maxsize=256)
def _decoded(encoded: bytes) -> AirportSettings:
    return _settings_decoder.decode(encoded)
