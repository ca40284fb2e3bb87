"""Nowcasts in the database: the stations' past, what was learned, what was issued."""

import asyncio
from collections.abc import Sequence

import msgspec
from aerocast_protocols.weather.metar_report import Metar
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.gateways.registry import our_sites
from aerocast_hub.weather.forecast_pairs import Scores, score
from aerocast_hub.weather.nowcast import LEAST_HOURS, StationModel
from aerocast_hub.weather.nowcast_issue import NowcastHour
from aerocast_hub.weather.nowcast_tables import NowcastRow, StationModelRow, StationReportRow
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT
from aerocast_hub.weather.staleness import Freshness, freshness
from aerocast_hub.weather.station_history import DAY_US, HOUR_US, Observed, Place, history_of
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.tables import MetarRow
from aerocast_hub.weather.taf_blend import TafTrust

_metars = msgspec.msgpack.Decoder(Metar)
_models = msgspec.msgpack.Decoder(StationModel)
_trusts = msgspec.msgpack.Decoder(TafTrust)


class Nowcast(msgspec.Struct, frozen=True, kw_only=True):
    """A nowcast of a station.

    Attributes
    ----------
    observed_at_us
        Of the report it starts from.
    hours_learned
        Hours of the station's past it was learned from; 0 when that is too short, and the TAF
        alone speaks.
    """

    station: str
    issued_at_us: int
    observed_at_us: int
    hours_learned: int
    hours: list[NowcastHour]


class StationNowcast(msgspec.Struct, frozen=True, kw_only=True):
    """The newest nowcast of a station.

    Attributes
    ----------
    nowcast
        None when none was issued: ``missing`` says why.
    age_s, freshness
        Of the report it starts from.
    hours_known, hours_needed
        Hours of the station's past there are, and those needed to learn from it.
    """

    station: str
    nowcast: Nowcast | None
    age_s: float | None
    freshness: Freshness | None
    missing: str | None
    hours_known: int
    hours_needed: int = LEAST_HOURS
    notice: str = NOT_FOR_FLIGHT


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """How good a station's forecasts were.

    Attributes
    ----------
    issues
        Hours of the time in which a nowcast was issued; the last of each is measured.
    """

    station: str
    from_us: int
    to_us: int
    issues: int
    scores: Scores
    notice: str = NOT_FOR_FLIGHT


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned of a station, and when; ``model`` None before its past was long enough."""

    learned_at_us: int
    model: StationModel | None
    trust: TafTrust


_nowcasts = msgspec.msgpack.Decoder(Nowcast)


async def followed_stations(session: AsyncSession) -> list[str]:
    """Name the stations nowcasts are made of: our airports, and those learned of before."""
    ours = {station_of(site) for site in await our_sites(session) if airport(site) is not None}
    return sorted(ours | set(await session.scalars(select(StationModelRow.station))))


async def keep_past(session: AsyncSession, station: str, since_us: int) -> int:
    """Keep for years what a station's reports received since then say; give how many there were."""
    rows = await session.scalars(
        select(MetarRow)
        .where(MetarRow.station == station, MetarRow.received_at_us >= since_us)
        .order_by(MetarRow.corrected, MetarRow.received_at_us)
    )
    # Later rows of one time take the place of earlier ones: a correction counts.
    found = {row.observed_at_us: observed_of(row.observed_at_us, row.report) for row in rows}
    await keep_observed(session, [(station, each) for each in found.values()])
    return len(found)


async def keep_observed(session: AsyncSession, observed: Sequence[tuple[str, Observed]]) -> None:
    """Keep what stations observed; of one time the newest word counts."""
    values = [{"station": station, **msgspec.structs.asdict(each)} for station, each in observed]
    await insert_or_replace(session, StationReportRow, values)


async def past_of(session: AsyncSession, station: str, from_us: int, to_us: int) -> list[Observed]:
    """Give what a station reported, oldest first."""
    columns = [StationReportRow.__table__.c[name] for name in Observed.__struct_fields__]
    rows = await session.execute(
        select(*columns)
        .where(
            StationReportRow.station == station,
            StationReportRow.observed_at_us.between(from_us, to_us),
        )
        .order_by(StationReportRow.observed_at_us)
    )
    return [Observed(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


async def count_hours(session: AsyncSession, station: str) -> int:
    """Count the hours of a station's past in which it reported."""
    hours = select(StationReportRow.observed_at_us / HOUR_US).where(
        StationReportRow.station == station
    )
    return await session.scalar(select(func.count()).select_from(hours.distinct().subquery())) or 0


async def learned_of(session: AsyncSession, station: str) -> Learned | None:
    """Give what was learned of a station last."""
    row = await session.get(StationModelRow, station)
    if row is None:
        return None
    return Learned(
        learned_at_us=row.learned_at_us,
        model=_models.decode(row.model) if row.model else None,
        trust=_trusts.decode(row.trust),
    )


async def keep_learned(session: AsyncSession, station: str, learned: Learned) -> None:
    """Keep what was learned of a station."""
    model = b"" if learned.model is None else msgspec.msgpack.encode(learned.model)
    row = {
        "station": station,
        "learned_at_us": learned.learned_at_us,
        "model": model,
        "trust": msgspec.msgpack.encode(learned.trust),
    }
    await insert_or_replace(session, StationModelRow, [row])


async def keep_nowcast(session: AsyncSession, nowcast: Nowcast) -> None:
    """Keep a nowcast: it is measured when its hours have come."""
    row = {
        "station": nowcast.station,
        "issued_at_us": nowcast.issued_at_us,
        "nowcast": msgspec.msgpack.encode(nowcast),
    }
    await insert_new(session, NowcastRow, [row])


async def issued_between(
    session: AsyncSession, station: str, from_us: int, to_us: int
) -> list[Nowcast]:
    """Give the nowcasts issued within a time, oldest first, one an hour.

    Those ten minutes apart say nearly the same: they are no cases of their own.
    """
    rows = await session.execute(
        select(NowcastRow.issued_at_us, NowcastRow.nowcast)
        .where(NowcastRow.station == station, NowcastRow.issued_at_us.between(from_us, to_us))
        .order_by(NowcastRow.issued_at_us)
    )
    hourly = {issued_at_us // HOUR_US: packed for issued_at_us, packed in rows}
    return [_nowcasts.decode(packed) for packed in hourly.values()]


async def nowcast_at(session: AsyncSession, code: str, now_us: int) -> StationNowcast:
    """Give the newest nowcast of an airport, by ICAO or IATA code, and how old it is."""
    station = station_of(code)
    newest = await session.scalar(
        select(NowcastRow.nowcast)
        .where(NowcastRow.station == station, NowcastRow.issued_at_us <= now_us)
        .order_by(NowcastRow.issued_at_us.desc())
        .limit(1)
    )
    nowcast = None if newest is None else _nowcasts.decode(newest)
    learned_h = 0 if nowcast is None else nowcast.hours_learned
    hours = learned_h or await count_hours(session, station)
    return StationNowcast(
        station=station,
        nowcast=nowcast,
        age_s=None if nowcast is None else (now_us - nowcast.observed_at_us) / 1e6,
        freshness=None if nowcast is None else freshness(nowcast.observed_at_us, now_us),
        missing=_missing(hours) if nowcast is None else None,
        hours_known=hours,
    )


async def verify(session: AsyncSession, code: str, to_us: int, days: float) -> Verification:
    """Set the forecasts issued within some days beside the reports that came."""
    station, from_us = station_of(code), to_us - round(days * DAY_US)
    issued = await issued_between(session, station, from_us, to_us)
    past = await past_of(session, station, from_us, to_us)
    hours = [hour for each in issued for hour in each.hours]

    def work() -> Scores:
        return score(hours, history_of(past))

    return Verification(
        station=station,
        from_us=from_us,
        to_us=to_us,
        issues=len(issued),
        scores=await asyncio.to_thread(work),
    )


async def last_issued_us(session: AsyncSession, station: str) -> int | None:
    """Tell when a station's newest nowcast was issued."""
    return await session.scalar(
        select(func.max(NowcastRow.issued_at_us)).where(NowcastRow.station == station)
    )


def place_of(station: str) -> Place | None:
    """Tell where a station stands."""
    found = airport(station)
    return None if found is None else Place(found.latitude_deg, found.longitude_deg)


def observed_of(observed_at_us: int, report: bytes) -> Observed:
    """Read what a nowcast needs from a report as it is kept (msgpack)."""
    metar = _metars.decode(report)
    direction = metar.wind_direction_deg
    return Observed(
        observed_at_us=observed_at_us,
        temperature_c=metar.temperature_c,
        dew_point_c=metar.dew_point_c,
        wind_direction_deg=None if direction in {None, "VRB"} else float(direction),
        wind_speed_kt=metar.wind_speed_kt,
        visibility_m=metar.visibility_m,
        pressure_hpa=metar.altimeter_hpa,
    )


def _missing(hours: int) -> str:
    if not hours:
        return "not_followed"
    return "past_too_short" if hours < LEAST_HOURS else "no_fresh_report"
