"""Judging ramps, and telling when what was told of them changes."""

from collections.abc import Collection

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new
from aerocast_hub.events.every import Event
from aerocast_hub.events.ramp import (
    LowVisibility,
    RampCautioned,
    RampClosed,
    RampReopened,
    RampUnknown,
)
from aerocast_hub.weather.limits import AirportSettings
from aerocast_hub.weather.ramp import Ramp
from aerocast_hub.weather.ramp_rule import ToldRamp
from aerocast_hub.weather.ramp_store import every_settings, judged_at, settings_of
from aerocast_hub.weather.ramp_tables import AirportSettingsRow, RampStateRow
from aerocast_hub.weather.stations import station_of

_NOTHING_TOLD = "untold"


async def judge(session: AsyncSession, settings: AirportSettings, now_us: int) -> list[Event]:
    """Judge an airport's ramp and procedures now, in the caller's transaction; tell what changed.

    Clear is told only when it is known: from closed or unknown to nothing known, nothing reopens.
    """
    first = {
        "airport": settings.airport,
        "state": _NOTHING_TOLD,
        "reason": "",
        "since_us": now_us,
        "procedures": _NOTHING_TOLD,
    }
    await insert_new(session, RampStateRow, [first])
    row = await session.scalar(
        select(RampStateRow).where(RampStateRow.airport == settings.airport).with_for_update()
    )
    if row is None:
        raise LookupError(f"the row of {settings.airport} was deleted meanwhile")
    judged, seen = await judged_at(session, settings, now_us)
    procedures = seen.procedures
    told: list[Event] = []
    if judged.state != row.state:
        told += _told(settings.airport, row.state, judged, now_us)
        row.state, row.since_us = judged.state, now_us
    row.reason = judged.reason
    if procedures != row.procedures:
        if not (row.procedures == _NOTHING_TOLD and procedures in ("normal", "unknown")):
            told.append(
                LowVisibility(at_us=now_us, airport=settings.airport, procedures=procedures)
            )
        row.procedures = procedures
    await session.flush()
    return told


def _told(code: str, was: str, judged: Ramp, now_us: int) -> list[Event]:
    if judged.state == "closed":
        since_us = now_us if judged.since_us is None else judged.since_us
        return [RampClosed(at_us=now_us, airport=code, reason=judged.reason, since_us=since_us)]
    if judged.state == "unknown":
        return [RampUnknown(at_us=now_us, airport=code, reason=judged.reason)]
    if was in ("closed", "unknown"):
        return [RampReopened(at_us=now_us, airport=code, state=judged.state, reason=judged.reason)]
    if judged.state == "caution":
        return [RampCautioned(at_us=now_us, airport=code, reason=judged.reason)]
    # Nothing to say of a ramp that is open from the start; one that needed care is open again.
    return (
        []
        if was == _NOTHING_TOLD
        else [RampReopened(at_us=now_us, airport=code, state="open", reason=judged.reason)]
    )


async def told_ramp(session: AsyncSession, code: str) -> ToldRamp | None:
    """Give what was told last of an airport's ramp."""
    row = await session.get(RampStateRow, station_of(code))
    return None if row is None else _told_ramp(row)


async def told_ramps(session: AsyncSession) -> list[ToldRamp]:
    """Give what was told last of every ramp that is watched."""
    rows = await session.scalars(select(RampStateRow).order_by(RampStateRow.airport))
    return [_told_ramp(row) for row in rows]


def _told_ramp(row: RampStateRow) -> ToldRamp:
    return ToldRamp(
        airport=row.airport,
        state=row.state,
        reason=row.reason,
        since_us=row.since_us,
        procedures=row.procedures,
    )


async def airports_of_sites(session: AsyncSession, sites: Collection[str]) -> list[AirportSettings]:
    """Give the settings of the airports where sites are."""
    if not sites:
        return []
    known = await every_settings(session)
    found = [each for each in known if set(each.every_site) & set(sites)]
    claimed = {site for each in known for site in each.every_site}
    for site in sorted(set(sites) - claimed):
        place = airport(site)
        if place is not None and place.icao is not None:
            found.append(await settings_of(session, place.icao))
    return found


async def write_settings(database: Database, airports: Collection[AirportSettings]) -> None:
    """Keep the airports' settings for every part of the hub; those of before are gone."""
    rows = [
        {"airport": each.airport, "settings": msgspec.msgpack.encode(each)} for each in airports
    ]
    async with database.writing() as session:
        await session.execute(delete(AirportSettingsRow))
        await insert_new(session, AirportSettingsRow, rows)
