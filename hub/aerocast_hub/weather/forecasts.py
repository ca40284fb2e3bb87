"""Airports' forecasts (TAF) in the database, and what they come to over time."""

from collections.abc import Iterable, Sequence

import msgspec
from aerocast_protocols.weather.day_time import EARLY_US
from aerocast_protocols.weather.taf_report import Taf, TafPeriod
from aerocast_protocols.weather.taf_timeline import period_at, timeline
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.database.insert import insert_new
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.store import KEPT_US
from aerocast_hub.weather.taf_tables import TafRow

_decoder = msgspec.msgpack.Decoder(Taf)


class ReadForecast(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast that was read; ``digest`` is of its text: the same from two files is one."""

    digest: bytes
    taf: Taf


class ForecastTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """An airport's weather as forecast, from an instant on.

    Attributes
    ----------
    issued_at_us, age_s
        Of the newest forecast. None without one.
    is_cancelled
        The newest forecast says that nothing is forecast any more.
    now
        What it says of the instant asked for; None where nothing is forecast.
    periods
        From the instant asked for on, in order. Until the newest forecast begins, those of the one
        before it.
    forecasts
        Those the periods are of, the newest first.
    """

    station: str
    name: str | None
    issued_at_us: int | None
    age_s: float | None
    is_cancelled: bool
    now: TafPeriod | None
    periods: tuple[TafPeriod, ...]
    forecasts: tuple[Taf, ...]
    notice: str = NOT_FOR_FLIGHT


async def keep_forecasts(session: AsyncSession, read: Sequence[ReadForecast], now_us: int) -> int:
    """Keep forecasts, each once, and forget those of last week; say how many there were."""
    await insert_new(session, TafRow, [_row(each, now_us) for each in read])
    await session.execute(delete(TafRow).where(TafRow.received_at_us < now_us - KEPT_US))
    return len(read)


async def taf_at(session: AsyncSession, code: str, now_us: int) -> Taf | None:
    """Give the forecast in force at an airport at an instant; None without one.

    It may be one that was cancelled.
    """
    newest = await _newest_first(session, code, now_us)
    return next((taf for taf in newest if (taf.valid_from_us or 0) <= now_us), None)


async def timeline_at(session: AsyncSession, code: str, now_us: int) -> ForecastTimeline | None:
    """Tell what is forecast for an airport from an instant on; None where no forecast is known."""
    tafs = await _newest_first(session, code, now_us)
    if not tafs:
        return None
    used, periods = _pieced(tafs, now_us)
    station = station_of(code)
    place = airport(station)
    newest = tafs[0]
    return ForecastTimeline(
        station=station,
        name=None if place is None else place.name,
        issued_at_us=newest.issued_at_us,
        age_s=None if newest.issued_at_us is None else (now_us - newest.issued_at_us) / 1e6,
        is_cancelled=newest.cancelled,
        now=period_at(periods, now_us),
        periods=tuple(periods),
        forecasts=tuple(used),
    )


def _pieced(tafs: Iterable[Taf], now_us: int) -> tuple[list[Taf], list[TafPeriod]]:
    """Take of the newest forecast all that is to come, of older ones what lies before it."""
    used: list[Taf] = []
    periods: list[TafPeriod] = []
    for taf in tafs:
        if taf.cancelled:
            break
        until_us = periods[0].from_us if periods else None
        earlier = [
            each
            for each in timeline(taf)
            if each.to_us > now_us and (until_us is None or each.from_us < until_us)
        ]
        if earlier:
            used.append(taf)
            if until_us is not None and earlier[-1].to_us > until_us:
                earlier[-1] = msgspec.structs.replace(earlier[-1], to_us=until_us)
            periods = earlier + periods
            if periods[0].from_us <= now_us:
                break
    return used, periods


async def _newest_first(session: AsyncSession, code: str, now_us: int) -> list[Taf]:
    """Give the forecasts that hold at an instant or later; of one issue time revised ones first."""
    rows = await session.scalars(
        select(TafRow.taf)
        .where(
            TafRow.station == station_of(code),
            TafRow.issued_at_us <= now_us + EARLY_US,
            TafRow.valid_to_us > now_us,
        )
        .order_by(
            TafRow.issued_at_us.desc(),
            TafRow.is_revised.desc(),
            TafRow.received_at_us.desc(),
            TafRow.digest,
        )
        .limit(20)
    )
    return [_decoder.decode(row) for row in rows]


def _row(each: ReadForecast, now_us: int) -> dict[str, object]:
    taf = each.taf
    return {
        "station": taf.station,
        "issued_at_us": now_us if taf.issued_at_us is None else taf.issued_at_us,
        "digest": each.digest,
        "is_revised": taf.amended or taf.corrected or taf.cancelled,
        "valid_from_us": taf.valid_from_us or 0,
        "valid_to_us": taf.valid_to_us or 0,
        "received_at_us": now_us,
        "raw": taf.raw,
        "taf": msgspec.msgpack.encode(taf),
    }
