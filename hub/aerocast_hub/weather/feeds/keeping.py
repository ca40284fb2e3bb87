"""What an answer holds, into the database: all of it or, where it cannot be read, nothing."""

import asyncio
import time
from typing import NamedTuple

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.report_files import read_awc_cache, read_noaa_text
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.weather.feeds.feed_file import Feed
from aerocast_hub.weather.feeds.feed_tables import HazardRow, ModelForecastRow
from aerocast_hub.weather.feeds.hazards import HazardKind, bounds, decode_hazards
from aerocast_hub.weather.feeds.models import decode_metno, decode_open_meteo
from aerocast_hub.weather.feeds.provider import decode_awc_metars, differences
from aerocast_hub.weather.feeds.strikes import decode_strikes
from aerocast_hub.weather.metar_files import Read, keep_read, read_texts
from aerocast_hub.weather.ramp_judging import judge
from aerocast_hub.weather.ramp_store import settings_of
from aerocast_hub.weather.ramp_tables import ListeningRow, StrikeRow
from aerocast_hub.weather.store import ReadReport, RefusedReport

HAZARDS_KEPT_US = 24 * 3_600_000_000


class Kept(NamedTuple):
    """What an answer held.

    Attributes
    ----------
    newest_us
        When the newest of it was observed or made.
    disagreement
        A report that the provider read otherwise than we did, and which fields.
    """

    items: int = 0
    refused: int = 0
    newest_us: int | None = None
    disagreements: int = 0
    disagreement: str | None = None


async def keep(database: Database, feed: Feed, body: bytes, about: str | None) -> Kept:
    """Read an answer and keep it.

    Raises
    ------
    ProtocolError
        It cannot be read; nothing was kept.
    """
    now_us = time.time_ns() // 1000
    if feed.product in ("metar", "taf"):
        read, kept = await asyncio.to_thread(_reports, feed, body, now_us)
        async with database.writing() as session:
            await keep_read(session, read, now_us)
        return kept
    if feed.product == "forecast":
        return await _keep_forecast(database, feed, body, about or "", now_us)
    if feed.product == "lightning":
        return await _keep_strikes(database, feed, body, now_us)
    return await _keep_hazards(database, feed, body, now_us)


def _reports(feed: Feed, body: bytes, now_us: int) -> tuple[list[Read], Kept]:
    said = {}
    refused = 0
    if feed.written == "awc_json":
        items = decode_awc_metars(body)
        texts = [each.raw for each in items.reports]
        said = {" ".join(each.raw.raw.split()): each.said for each in items.reports}
        refused = items.refused
    elif feed.written == "iwxxm":
        from aerocast_hub.weather.feeds.iwxxm import decode_iwxxm  # noqa: PLC0415  an extra

        read_there = decode_iwxxm(body, now_us)
        newest = max((each.observed_at_us for each in read_there), default=None)
        return list(read_there), Kept(items=len(read_there), newest_us=newest)
    else:
        text = body.decode(errors="replace")
        texts = list(read_awc_cache(text) if feed.written == "awc_cache" else read_noaa_text(text))
    if not texts and body.strip():
        raise ProtocolError("no report in it")
    read = list(read_texts(texts, feed.name, now_us))
    refused += sum(isinstance(each, RefusedReport) for each in read)
    if texts and refused >= len(texts):
        raise ProtocolError("nothing in it can be read as a report")
    known = [each for each in read if isinstance(each, ReadReport)]
    apart = [
        f"{each.report.station}: {', '.join(names)}"
        for each in known
        if (names := differences(each.report, said.get(each.report.raw, {})))
    ]
    return read, Kept(
        items=len(read) - refused,
        refused=refused,
        newest_us=max((each.observed_at_us for each in known), default=None),
        disagreements=len(apart),
        disagreement=apart[-1][:200] if apart else None,
    )


async def _keep_forecast(
    database: Database, feed: Feed, body: bytes, station: str, now_us: int
) -> Kept:
    decode = decode_metno if feed.written == "metno" else decode_open_meteo
    hours = decode(body)
    if not hours:
        raise ProtocolError("no hour in it")
    row = {
        "airport": station,
        "source": feed.name,
        "received_at_us": now_us,
        "hours": msgspec.msgpack.encode(hours),
    }
    async with database.writing() as session:
        await insert_or_replace(session, ModelForecastRow, [row])
    return Kept(items=len(hours), newest_us=now_us)


async def _keep_hazards(database: Database, feed: Feed, body: bytes, now_us: int) -> Kept:
    kind: HazardKind = "pirep" if feed.product == "pirep" else "sigmet"
    found, refused = await asyncio.to_thread(decode_hazards, body, kind)
    rows = []
    for each in found:
        west, south, east, north = bounds(each.points)
        told = msgspec.structs.asdict(each)
        told |= {"points": msgspec.msgpack.encode(each.points), "source": feed.name}
        told |= {"west_deg": west, "south_deg": south, "east_deg": east, "north_deg": north}
        rows.append(told)
    async with database.writing() as session:
        await insert_new(session, HazardRow, rows)
        await session.execute(
            delete(HazardRow).where(HazardRow.until_us < now_us - HAZARDS_KEPT_US)
        )
    newest = max((each.from_us for each in found), default=None)
    return Kept(items=len(found), refused=refused, newest_us=newest)


async def _keep_strikes(database: Database, feed: Feed, body: bytes, now_us: int) -> Kept:
    """Keep strikes, and that the service listened up to when it says; judge the ramps at once."""
    document = decode_strikes(body)
    source = f"feed/{feed.name}"
    strikes = [
        {
            "source": source,
            "key": each.key,
            "at_us": each.at_us,
            "received_at_us": now_us,
            "site": None,
            "distance_km": None,
            "latitude_deg": each.latitude_deg,
            "longitude_deg": each.longitude_deg,
        }
        for each in document.strikes
    ]
    async with database.writing() as session:
        await insert_new(session, StrikeRow, strikes)
        if document.listened_until_us is not None:
            await _listened(session, feed, source, document.listened_until_us)
        told = []
        for code in feed.stations:
            told += await judge(session, await settings_of(session, code), now_us)
        await write_events(session, told)
    return Kept(items=len(strikes), refused=document.refused, newest_us=document.listened_until_us)


async def _listened(session: AsyncSession, feed: Feed, source: str, at_us: int) -> None:
    rows = []
    for code in feed.stations:
        settings = await settings_of(session, code)
        rows.append(
            {
                "site": settings.every_site[0],
                "detector": source,
                "at_us": at_us,
                "listening": True,
                "trouble": None,
            }
        )
    await insert_new(session, ListeningRow, rows)
