"""Weather in the database: airport reports, and what other features may ask of them."""

from collections.abc import Sequence

import msgspec
from aerocast_protocols.weather.metar_report import Metar
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.database.insert import insert_new
from aerocast_hub.weather.evidence import AHEAD_US
from aerocast_hub.weather.ramp import Ramp
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT
from aerocast_hub.weather.ramp_store import ramp_at
from aerocast_hub.weather.staleness import Freshness, freshness
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.tables import MetarRow, RefusedMetarRow

MINUTE_US = 60_000_000
KEPT_US = 8 * 24 * 60 * MINUTE_US

_decoder = msgspec.msgpack.Decoder(Metar)


class ReadReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report that was read.

    Attributes
    ----------
    digest
        Of its text: the same report from two files is one.
    """

    digest: bytes
    observed_at_us: int
    report: Metar


class RefusedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A text nobody could read as a report; ``station`` where it names one."""

    digest: bytes
    raw: str
    reason: str
    source: str
    station: str | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A refused report as the API tells it."""

    station: str | None
    raw: str
    reason: str
    source: str
    received_at_us: int


class AirportWeather(msgspec.Struct, frozen=True, kw_only=True):
    """An airport's weather.

    Attributes
    ----------
    report
        The newest one; None when there is none.
    age_s, freshness
        How old it is: fresh to 75 min, stale to 180, then expired. None without a report.
    refused
        Reports of this station that could not be read, the newest first.
    """

    station: str
    name: str | None
    report: Metar | None
    observed_at_us: int | None
    age_s: float | None
    freshness: Freshness | None
    ramp: Ramp
    refused: list[Refusal]
    notice: str = NOT_FOR_FLIGHT


async def keep_reports(
    session: AsyncSession, read: Sequence[ReadReport | RefusedReport], now_us: int
) -> int:
    """Keep reports, each once, and forget those of last week; say how many were readable."""
    reports = [each for each in read if isinstance(each, ReadReport)]
    await insert_new(session, MetarRow, [_report_row(each, now_us) for each in reports])
    refused = [each for each in read if isinstance(each, RefusedReport)]
    await insert_new(session, RefusedMetarRow, [_refused_row(each, now_us) for each in refused])
    for table in (MetarRow, RefusedMetarRow):
        await session.execute(delete(table).where(table.received_at_us < now_us - KEPT_US))
    return len(reports)


async def newest_report(session: AsyncSession, station: str, now_us: int) -> MetarRow | None:
    """Give the newest report of a station at an instant.

    Of two of one time the corrected one counts, then the one received last.
    """
    found: MetarRow | None = await session.scalar(
        select(MetarRow)
        .where(MetarRow.station == station, MetarRow.observed_at_us <= now_us + AHEAD_US)
        .order_by(
            MetarRow.observed_at_us.desc(),
            MetarRow.corrected.desc(),
            MetarRow.received_at_us.desc(),
            MetarRow.digest,
        )
        .limit(1)
    )
    return found


async def weather_at(session: AsyncSession, code: str, now_us: int) -> AirportWeather | None:
    """Give an airport's weather at an instant, by ICAO or IATA code; None when nothing is known."""
    station = station_of(code)
    row = await newest_report(session, station, now_us)
    refused = await _refused(session, station)
    if row is None and not refused:
        return None
    place = airport(station)
    return AirportWeather(
        station=station,
        name=None if place is None else place.name,
        report=None if row is None else _decoder.decode(row.report),
        observed_at_us=None if row is None else row.observed_at_us,
        age_s=None if row is None else (now_us - row.observed_at_us) / 1e6,
        freshness=None if row is None else freshness(row.observed_at_us, now_us),
        ramp=await ramp_at(session, station, now_us),
        refused=refused,
    )


async def list_weather(
    session: AsyncSession, codes: Sequence[str], now_us: int
) -> list[AirportWeather]:
    """Give the weather of some airports; those nothing is known of are left out."""
    found = [await weather_at(session, code, now_us) for code in codes]
    return [each for each in found if each is not None]


async def list_refused(session: AsyncSession, limit: int = 100) -> list[Refusal]:
    """Give the texts that could not be read, the last received first."""
    rows = await session.scalars(
        select(RefusedMetarRow)
        .order_by(RefusedMetarRow.received_at_us.desc(), RefusedMetarRow.digest)
        .limit(limit)
    )
    return [_refusal(row) for row in rows]


async def count_reports(session: AsyncSession) -> int:
    """Count the reports kept."""
    return await session.scalar(select(func.count()).select_from(MetarRow)) or 0


async def _refused(session: AsyncSession, station: str) -> list[Refusal]:
    rows = await session.scalars(
        select(RefusedMetarRow)
        .where(RefusedMetarRow.station == station)
        .order_by(RefusedMetarRow.received_at_us.desc(), RefusedMetarRow.digest)
        .limit(10)
    )
    return [_refusal(row) for row in rows]


def _report_row(each: ReadReport, now_us: int) -> dict[str, object]:
    return {
        "station": each.report.station,
        "observed_at_us": each.observed_at_us,
        "digest": each.digest,
        "corrected": each.report.corrected,
        "received_at_us": now_us,
        "raw": each.report.raw,
        "report": msgspec.msgpack.encode(each.report),
    }


def _refused_row(each: RefusedReport, now_us: int) -> dict[str, object]:
    return msgspec.structs.asdict(each) | {"received_at_us": now_us}


def _refusal(row: RefusedMetarRow) -> Refusal:
    return Refusal(
        station=row.station,
        raw=row.raw,
        reason=row.reason,
        source=row.source,
        received_at_us=row.received_at_us,
    )
