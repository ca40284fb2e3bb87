"""Runways people bring, by airport; importing the same file twice changes nothing."""

import math
import re
from pathlib import Path

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.bulk import few_or_digest
from aerocast_hub.audit.trail import record
from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_or_replace
from aerocast_hub.importing import RefusedRow, WrongValueError, read_rows
from aerocast_hub.schedule import read_airport
from aerocast_hub.weather.limits import RUNWAY_NAME, Runway
from aerocast_hub.weather.stations import station_of
from aerocast_hub.weather.tables import RunwayRow


class RunwayLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file: one direction of a runway; its bearing is true, in degrees."""

    airport: str
    runway: str
    true_bearing_deg: float


async def import_runways(database: Database, file: Path) -> list[RunwayLine | RefusedRow]:
    """Take in runways; they are all there are of their airports, unless a line was refused.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    read = list(read_rows(file, RunwayLine, _checked))
    lines = {(each.airport, each.runway): each for each in read if isinstance(each, RunwayLine)}
    refused = sum(isinstance(each, RefusedRow) for each in read)
    of_airports = RunwayRow.airport.in_({airport for airport, _ in lines})
    rows = [msgspec.structs.asdict(lines[each]) for each in sorted(lines)]
    async with database.writing() as session:
        known = await session.scalars(
            select(RunwayRow).where(of_airports).order_by(RunwayRow.airport, RunwayRow.runway)
        )
        were = [msgspec.convert(row, RunwayLine, from_attributes=True) for row in known]
        if not refused:
            await session.execute(delete(RunwayRow).where(of_airports))
        await insert_or_replace(session, RunwayRow, rows)
        await record(
            session,
            "runways_imported",
            subject=f"runways {file.name}",
            before={"runways": few_or_digest(were)},
            after={"runways": few_or_digest(rows), "refused": refused},
        )
    return read


async def runways_of(session: AsyncSession, station: str) -> list[Runway]:
    """Give an airport's runways that were imported."""
    rows = await session.scalars(
        select(RunwayRow).where(RunwayRow.airport == station).order_by(RunwayRow.runway)
    )
    return [Runway(name=row.runway, true_bearing_deg=row.true_bearing_deg) for row in rows]


def _checked(line: RunwayLine) -> RunwayLine:
    name = line.runway.strip().upper()
    if re.fullmatch(RUNWAY_NAME, name) is None:
        raise WrongValueError("runway", line.runway, "one direction, such as 14L")
    if not math.isfinite(line.true_bearing_deg) or not 0.0 <= line.true_bearing_deg <= 360.0:
        raise WrongValueError("true_bearing_deg", line.true_bearing_deg, "0 to 360 degrees")
    return RunwayLine(
        airport=station_of(read_airport("airport", line.airport)),
        runway=name,
        true_bearing_deg=line.true_bearing_deg % 360.0,
    )
