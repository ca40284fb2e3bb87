"""Watching ramps: judged every few seconds, for time alone opens one, or makes it unknown."""

import asyncio
import time
from collections.abc import Collection

from sqlalchemy import exists, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_or_replace
from aerocast_hub.gateways.registry import list_gateways
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.weather.clock_guard import CLOCK
from aerocast_hub.weather.limits import AirportSettings
from aerocast_hub.weather.local_weather import forget
from aerocast_hub.weather.ramp_judging import airports_of_sites, judge
from aerocast_hub.weather.ramp_store import DETECTOR_KNOWN_US, every_settings, settings_of
from aerocast_hub.weather.ramp_tables import ClockSetRow, ListeningRow, RampStateRow
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.tables import MetarRow

EVERY_S = 5.0
FORGET_EVERY_S = 3600.0


async def watched(session: AsyncSession, now_us: int) -> list[AirportSettings]:
    """Give the airports to watch: those with settings, with detectors, or told of before.

    An airport of a gateway's site without either is watched once a report of it came.
    """
    detecting = await session.scalars(
        select(ListeningRow.site).where(ListeningRow.at_us > now_us - DETECTOR_KNOWN_US).distinct()
    )
    found = {each.airport: each for each in await every_settings(session)}
    for each in await airports_of_sites(session, set(detecting)):
        found.setdefault(each.airport, each)
    told = await session.scalars(select(RampStateRow.airport))
    for code in told:
        if code not in found:
            found[code] = await settings_of(session, code)
    return [found[code] for code in sorted(found)]


async def has_reports(session: AsyncSession, code: str) -> bool:
    """Say whether any report of an airport is kept."""
    return bool(await session.scalar(select(exists().where(MetarRow.station == station_of(code)))))


async def judge_all(database: Database, publisher: Publisher, sites: Collection[str] = ()) -> None:
    """Judge every ramp that is watched, and those of sites where reports came."""
    now_us = time.time_ns() // 1000
    async with database.reading() as session:
        airports = {each.airport: each for each in await watched(session, now_us)}
        for each in await airports_of_sites(session, sites):
            if each.airport not in airports and await has_reports(session, each.airport):
                airports[each.airport] = each
    await _keep_clock_set(database)
    for settings in airports.values():
        async with database.writing() as session:
            told = await judge(session, settings, time.time_ns() // 1000)
            await write_events(session, told)
        if told:
            publisher.wake()


async def _keep_clock_set(database: Database) -> None:
    """Let every part of the hub know that the clock was set."""
    set_at_us = CLOCK.set_at_us()
    if set_at_us is None:
        return
    async with database.writing() as session:
        if await session.scalar(select(ClockSetRow.set_at_us)) != set_at_us:
            await insert_or_replace(session, ClockSetRow, [{"id": 1, "set_at_us": set_at_us}])


async def keep_judging(database: Database, publisher: Publisher) -> None:
    """Judge every few seconds until cancelled."""
    forgot_at_s = -FORGET_EVERY_S
    while True:
        try:
            async with database.reading() as session:
                sites = {each.site for each in await list_gateways(session)}
            await judge_all(database, publisher, sites)
            if time.monotonic() - forgot_at_s > FORGET_EVERY_S:
                forgot_at_s = time.monotonic()
                async with database.writing() as session:
                    await forget(session, time.time_ns() // 1000)
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("ramps wait", error)
        await asyncio.sleep(EVERY_S)
