"""What the hub does with nowcasts beside requests: keeps the past, learns, issues, forgets."""

import asyncio
import logging
import time

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import Database
from aerocast_hub.weather.forecast_pairs import trust_in_taf
from aerocast_hub.weather.forecasts import timeline_at
from aerocast_hub.weather.nowcast import LEADS_H, StationModel, learn_lead, study
from aerocast_hub.weather.nowcast import learned as put_together
from aerocast_hub.weather.nowcast_issue import issue
from aerocast_hub.weather.nowcast_store import (
    Learned,
    Nowcast,
    followed_stations,
    issued_between,
    keep_learned,
    keep_nowcast,
    keep_past,
    last_issued_us,
    learned_of,
    past_of,
    place_of,
)
from aerocast_hub.weather.nowcast_tables import NowcastRow, StationReportRow
from aerocast_hub.weather.station_history import DAY_US, HOUR_US, MINUTE_US, History, history_of
from aerocast_hub.weather.taf_blend import TafTrust

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
ISSUE_EVERY_US = 10 * MINUTE_US
LEARN_EVERY_US = DAY_US
TRY_EVERY_US = HOUR_US  # while the past is too short: somebody may bring more of it
PAST_KEPT_US = 2 * 365 * DAY_US
NOWCASTS_KEPT_US = 60 * DAY_US
TRUST_FROM_US = 30 * DAY_US
START_FROM_US = 36 * HOUR_US  # a nowcast asks for what was a day ago
OVERLAP_US = HOUR_US  # reports are looked at again for so long: clocks of two hubs may differ


async def keep_nowcasts(database: Database) -> None:
    """Look every minute whether there is something to learn or to issue, until cancelled."""
    kept_us = 0
    while True:
        now_us = time.time_ns() // 1000
        try:
            kept_us = await keep_up(database, now_us, kept_us)
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("nowcasts wait", error)
        await asyncio.sleep(LOOK_EVERY_S)


async def keep_up(database: Database, now_us: int, kept_us: int) -> int:
    """Do what is due for every station followed; say up to when reports are kept."""
    async with database.reading() as session:
        stations = await followed_stations(session)
    async with database.writing() as session:
        for station in stations:
            is_new = await learned_of(session, station) is None
            await keep_past(session, station, 0 if is_new else kept_us - OVERLAP_US)
    for station in stations:
        learned = await _learned(database, station, now_us)
        await issue_at(database, station, learned, now_us)
    return now_us


async def issue_at(database: Database, station: str, learned: Learned, now_us: int) -> bool:
    """Issue a station's nowcast if the last is ten minutes old; say whether one was issued."""
    async with database.reading() as session:
        last_us = await last_issued_us(session, station)
        if last_us is not None and now_us - last_us < ISSUE_EVERY_US:
            return False
        past = await past_of(session, station, now_us - START_FROM_US, now_us)
        forecast = await timeline_at(session, station, now_us)
    periods = () if forecast is None else forecast.periods
    history = history_of(past)
    hours = await asyncio.to_thread(issue, learned.model, history, now_us, periods, learned.trust)
    if not hours:
        return False
    nowcast = Nowcast(
        station=station,
        issued_at_us=now_us,
        observed_at_us=int(history.at_us[-1]),
        hours_learned=0 if learned.model is None else learned.model.hours,
        hours=hours,
    )
    async with database.writing() as session:
        await keep_nowcast(session, nowcast)
    return True


async def learn_station(database: Database, station: str, now_us: int) -> Learned:
    """Learn a station's ways, and its TAFs', anew from all that is kept."""
    async with database.reading() as session:
        past = await past_of(session, station, now_us - PAST_KEPT_US, now_us)
        issued = await issued_between(session, station, now_us - TRUST_FROM_US, now_us)

    history = history_of(past)
    hours = [hour for each in issued for hour in each.hours]
    learned = Learned(
        learned_at_us=now_us,
        model=await _model(history, station),
        trust=trust_in_taf(hours, history) if hours else TafTrust(),
    )
    async with database.writing() as session:
        await keep_learned(session, station, learned)
    count = 0 if learned.model is None else learned.model.hours
    log.info("%s: learned from %d hours, %d of its TAF", station, count, learned.trust.cases)
    return learned


async def _model(history: History, station: str) -> StationModel | None:
    past = study(history, place_of(station))
    if past is None:
        return None
    # Hour by hour ahead: between them a hub that is told to stop can.
    leads = [await asyncio.to_thread(learn_lead, past, lead_h) for lead_h in LEADS_H]
    return put_together(past, leads)


async def forget(database: Database, station: str, now_us: int) -> None:
    """Delete what of a station is older than it is kept."""
    async with database.writing() as session:
        for table, column, kept_us in (
            (StationReportRow, StationReportRow.observed_at_us, PAST_KEPT_US),
            (NowcastRow, NowcastRow.issued_at_us, NOWCASTS_KEPT_US),
        ):
            await session.execute(
                delete(table).where(table.station == station, column < now_us - kept_us)
            )


async def _learned(database: Database, station: str, now_us: int) -> Learned:
    async with database.reading() as session:
        learned = await learned_of(session, station)
    if learned is not None:
        every_us = TRY_EVERY_US if learned.model is None else LEARN_EVERY_US
        if now_us - learned.learned_at_us < every_us:
            return learned
    await forget(database, station, now_us)
    return await learn_station(database, station, now_us)
