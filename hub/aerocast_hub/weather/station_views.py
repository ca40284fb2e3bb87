"""What is shown of airports: wind along runways, altitudes, ice, history, whole areas."""

from collections.abc import Sequence

import msgspec
from aerocast_protocols.weather.metar_report import Metar
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import Airport, airport, airports_within
from aerocast_hub.weather.derived import (
    Ice,
    ReportedWind,
    RunwayWind,
    Surface,
    de_icing,
    density_altitude_ft,
    heat_index_c,
    pressure_altitude_ft,
    relative_humidity,
    runway_wind,
    sun_is_down,
    surface,
    wind_chill_c,
)
from aerocast_hub.weather.evidence import AHEAD_US, MINUTE_US
from aerocast_hub.weather.limits import AirportSettings, Runway
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT
from aerocast_hub.weather.ramp_store import ramp_reports, settings_of
from aerocast_hub.weather.ramp_tables import LocalWeatherRow
from aerocast_hub.weather.runways import runways_of
from aerocast_hub.weather.staleness import STALE_MIN, Freshness, freshness
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.store import newest_report
from aerocast_hub.weather.tables import MetarRow

MOST_REPORTS, MOST_STATIONS = 500, 500
LOCAL_FOR_US = 60 * MINUTE_US
QNH_APART_HPA, TEMPERATURE_APART_C = 2.0, 3.0
_decoder = msgspec.msgpack.Decoder(Metar)


class LocalSensor(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor of the airport's own gateways: local, not certified.

    Attributes
    ----------
    doubts
        Where it is far from what the airport reports.
    """

    source: str
    observed_at_us: int
    age_s: float
    wind_direction_deg: float | None
    wind_speed_kt: float | None
    wind_gust_kt: float | None
    temperature_c: float | None
    humidity_percent: float | None
    pressure_hpa: float | None
    rain_mm_per_h: float | None
    doubts: list[str]
    provenance: str = "local, not certified"


class FieldWeather(msgspec.Struct, frozen=True, kw_only=True):
    """What an airport's weather means there; null where the report does not say enough.

    Attributes
    ----------
    freshness
        Of the report all is made of; nothing is made of an expired one.
    de_icing
        An index of what speaks for it, no probability.
    """

    station: str
    observed_at_us: int | None = None
    age_s: float | None = None
    freshness: Freshness | None = None
    flight_category: str | None = None
    runways: list[RunwayWind] = []
    elevation_ft: float | None = None
    pressure_altitude_ft: float | None = None
    density_altitude_ft: float | None = None
    heat_index_c: float | None = None
    wind_chill_c: float | None = None
    de_icing: Ice | None = None
    surface: Surface | None = None
    local: list[LocalSensor] = []
    notice: str = NOT_FOR_FLIGHT


class PastReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it was received."""

    observed_at_us: int
    received_at_us: int
    report: Metar


class History(msgspec.Struct, frozen=True, kw_only=True):
    """An airport's reports, the newest first."""

    station: str
    reports: list[PastReport]
    notice: str = NOT_FOR_FLIGHT


class StationNow(msgspec.Struct, frozen=True, kw_only=True):
    """An airport's newest report, in short."""

    station: str
    name: str
    latitude_deg: float
    longitude_deg: float
    observed_at_us: int
    age_s: float
    freshness: Freshness
    flight_category: str | None
    raw: str


class AreaWeather(msgspec.Struct, frozen=True, kw_only=True):
    """The airports of a box."""

    stations: list[StationNow]
    notice: str = NOT_FOR_FLIGHT


async def field_at(session: AsyncSession, code: str, now_us: int) -> FieldWeather:
    """Give what an airport's weather means there at an instant."""
    settings = await settings_of(session, code)
    row = await newest_report(session, settings.airport, now_us)
    report = None if row is None else _decoder.decode(row.report)
    local = await _local(session, settings, report, now_us)
    if row is None or report is None:
        return FieldWeather(station=settings.airport, local=local)
    known = FieldWeather(
        station=settings.airport,
        observed_at_us=row.observed_at_us,
        age_s=(now_us - row.observed_at_us) / 1e6,
        freshness=freshness(row.observed_at_us, now_us),
        local=local,
    )
    if known.freshness == "expired":
        return known
    runways = settings.runways or await runways_of(session, settings.airport)
    earlier = await ramp_reports(session, settings.airport, now_us)
    rain = [each.rain_mm_per_h for each in local if each.rain_mm_per_h is not None]
    return _derived(
        known,
        report,
        settings,
        runways,
        was_wet=any(_is_wet(each.weather) for each in earlier),
        rain_mm_per_h=max(rain, default=None),
    )


def _derived(
    known: FieldWeather,
    report: Metar,
    settings: AirportSettings,
    runways: Sequence[Runway],
    *,
    was_wet: bool,
    rain_mm_per_h: float | None,
) -> FieldWeather:
    place = airport(settings.airport)
    elevation_ft = settings.elevation_ft
    if elevation_ft is None and place is not None:
        elevation_ft = place.elevation_ft
    warm_c, dew_c, qnh_hpa = report.temperature_c, report.dew_point_c, report.altimeter_hpa
    wind = _reported(report)
    pressure_ft = density_ft = None
    if elevation_ft is not None and qnh_hpa is not None:
        pressure_ft = round(pressure_altitude_ft(elevation_ft, qnh_hpa))
        if warm_c is not None:
            density_ft = round(density_altitude_ft(elevation_ft, qnh_hpa, warm_c, dew_c))
    heat_c = chill_c = None
    if warm_c is not None and dew_c is not None:
        heat_c = heat_index_c(warm_c, relative_humidity(warm_c, dew_c))
    if warm_c is not None and report.wind_speed_kt is not None:
        chill_c = wind_chill_c(warm_c, report.wind_speed_kt)
    return msgspec.structs.replace(
        known,
        flight_category=report.flight_category,
        runways=[runway_wind(each.name, each.true_bearing_deg, wind) for each in runways],
        elevation_ft=elevation_ft,
        pressure_altitude_ft=pressure_ft,
        density_altitude_ft=density_ft,
        heat_index_c=None if heat_c is None else round(heat_c, 1),
        wind_chill_c=None if chill_c is None else round(chill_c, 1),
        de_icing=de_icing(
            warm_c,
            dew_c,
            report.weather,
            report.wind_speed_kt,
            clear_night=_clear_night(report, place, known.observed_at_us),
        ),
        surface=surface(warm_c, report.weather, was_wet=was_wet, rain_mm_per_h=rain_mm_per_h),
    )


def _reported(report: Metar) -> ReportedWind:
    direction = report.wind_direction_deg
    return ReportedWind(
        direction_deg=None if direction is None or direction == "VRB" else float(direction),
        speed_kt=report.wind_speed_kt,
        gust_kt=report.wind_gust_kt,
        variable_deg=report.wind_variable_deg,
    )


def _clear_night(report: Metar, place: Airport | None, at_us: int | None) -> bool | None:
    if place is None or at_us is None:
        return None
    if not sun_is_down(place.latitude_deg, place.longitude_deg, at_us):
        return False
    return report.ceiling_ft is None if report.clouds else None


def _is_wet(weather: tuple[str, ...]) -> bool:
    return any(each in group for group in weather for each in ("RA", "DZ", "SN", "SG", "PL"))


async def history_of(session: AsyncSession, code: str, from_us: int, to_us: int) -> History:
    """Give an airport's reports between two instants, the newest first."""
    station = station_of(code)
    rows = await session.scalars(
        select(MetarRow)
        .where(MetarRow.station == station, MetarRow.observed_at_us.between(from_us, to_us))
        .order_by(MetarRow.observed_at_us.desc(), MetarRow.received_at_us.desc(), MetarRow.digest)
        .limit(MOST_REPORTS)
    )
    return History(
        station=station,
        reports=[
            PastReport(
                observed_at_us=row.observed_at_us,
                received_at_us=row.received_at_us,
                report=_decoder.decode(row.report),
            )
            for row in rows
        ],
    )


async def area_at(
    session: AsyncSession, box: tuple[float, float, float, float], now_us: int
) -> AreaWeather:
    """Give the newest report of each airport in a box: south, west, north, east."""
    places = {place.icao: place for place in airports_within(box) if place.icao is not None}
    codes = sorted(places)
    since_us = now_us - STALE_MIN * MINUTE_US
    ranked = (
        select(
            MetarRow.station,
            MetarRow.observed_at_us,
            MetarRow.raw,
            MetarRow.report,
            func.row_number()
            .over(
                partition_by=MetarRow.station,
                order_by=(
                    MetarRow.observed_at_us.desc(),
                    MetarRow.corrected.desc(),
                    MetarRow.received_at_us.desc(),
                    MetarRow.digest,
                ),
            )
            .label("place"),
        )
        .where(
            MetarRow.station.in_(codes[:5000]),
            MetarRow.observed_at_us.between(since_us, now_us + AHEAD_US),
        )
        .subquery()
    )
    rows = await session.execute(
        select(ranked.c.station, ranked.c.observed_at_us, ranked.c.raw, ranked.c.report)
        .where(ranked.c.place == 1)
        .order_by(ranked.c.station)
        .limit(MOST_STATIONS)
    )
    return AreaWeather(
        stations=[
            StationNow(
                station=station,
                name=places[station].name,
                latitude_deg=places[station].latitude_deg,
                longitude_deg=places[station].longitude_deg,
                observed_at_us=at_us,
                age_s=(now_us - at_us) / 1e6,
                freshness=freshness(at_us, now_us),
                flight_category=_decoder.decode(report).flight_category,
                raw=raw,
            )
            for station, at_us, raw, report in rows
        ]
    )


async def _local(
    session: AsyncSession, settings: AirportSettings, report: Metar | None, now_us: int
) -> list[LocalSensor]:
    """Give the newest measurement of each sensor of the last hour, and what to doubt of it."""
    rows = await session.scalars(
        select(LocalWeatherRow)
        .where(
            LocalWeatherRow.site.in_(settings.every_site),
            LocalWeatherRow.at_us.between(now_us - LOCAL_FOR_US, now_us + MINUTE_US),
        )
        .order_by(LocalWeatherRow.at_us)
    )
    newest = {row.source: row for row in rows}
    return [
        LocalSensor(
            source=source,
            observed_at_us=row.at_us,
            age_s=(now_us - row.at_us) / 1e6,
            wind_direction_deg=row.wind_direction_deg,
            wind_speed_kt=row.wind_speed_kt,
            wind_gust_kt=row.wind_gust_kt,
            temperature_c=row.temperature_c,
            humidity_percent=row.humidity_percent,
            pressure_hpa=row.pressure_hpa,
            rain_mm_per_h=row.rain_mm_per_h,
            doubts=_doubts(row, report, settings),
        )
        for source, row in sorted(newest.items())
    ]


def _doubts(row: LocalWeatherRow, report: Metar | None, settings: AirportSettings) -> list[str]:
    if report is None or freshness(report.observed_at_us or 0, row.at_us) != "fresh":
        return []
    found = []
    if row.temperature_c is not None and report.temperature_c is not None:
        apart_c = row.temperature_c - report.temperature_c
        if abs(apart_c) > TEMPERATURE_APART_C:
            found.append(f"temperature {apart_c:+.1f} °C from the report")
    elevation_ft = settings.elevation_ft
    if (
        row.pressure_hpa is not None
        and report.altimeter_hpa is not None
        and elevation_ft is not None
    ):
        expected_hpa = report.altimeter_hpa * (1 - elevation_ft / 145366.45) ** (1 / 0.190284)
        apart_hpa = row.pressure_hpa - expected_hpa
        if abs(apart_hpa) > QNH_APART_HPA:
            found.append(f"pressure {apart_hpa:+.1f} hPa from the report")
    return found
