"""Endpoints of nowcasts and of how good they were. Not for flight operations."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.weather.forecast_pairs import Scores, score
from aerocast_hub.weather.nowcast_store import (
    StationNowcast,
    issued_between,
    nowcast_at,
    past_of,
)
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT
from aerocast_hub.weather.station_history import DAY_US, HOUR_US, history_of
from aerocast_hub.weather.stations import station_of

AskedDays = Annotated[
    float, QueryParameter(gt=0.0, le=60.0, description="How many days back from at_us")
]


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """How good a station's forecasts were.

    Attributes
    ----------
    issues
        Nowcasts issued within the time.
    """

    station: str
    from_us: int
    to_us: int
    issues: int
    scores: Scores
    notice: str = NOT_FOR_FLIGHT


class NowcastController(Controller):
    """The next hours at airports, from their own past and their TAFs; and how good that is."""

    path = "/api/weather"
    tags = ("Weather",)

    @get("/{icao:str}/nowcast", operation_id="GetNowcast", opt={"permission": "weather:read"})
    async def nowcast(
        self,
        icao: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> StationNowcast:
        """Give temperature, wind and the chance of low visibility for the next six hours.

        Without one, it says why: the airport is not followed, its past is too short to learn from,
        or there is no fresh report.
        """
        async with database.reading() as session:
            return await nowcast_at(session, icao, asked_us(at_us))

    @get(
        "/{icao:str}/verification",
        operation_id="GetVerification",
        opt={"permission": "weather:read"},
    )
    async def verification(
        self,
        icao: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
        days: AskedDays = 14.0,
    ) -> Verification:
        """Give how good forecasts were: ours, the TAF's, persistence and climatology.

        Persistence is "it stays as it is". A skill above 0 beats it, on the same cases.
        """
        async with database.reading() as session:
            return await verify(session, icao, asked_us(at_us), days)


async def verify(session: AsyncSession, code: str, to_us: int, days: float) -> Verification:
    """Set the forecasts issued within some days beside the reports that came."""
    station, from_us = station_of(code), to_us - round(days * DAY_US)
    issued = await issued_between(session, station, from_us, to_us)
    past = await past_of(session, station, from_us, to_us)
    hours = [hour for each in issued for hour in each.hours if hour.valid_at_us <= to_us + HOUR_US]

    def work() -> Scores:
        return score(hours, history_of(past))

    return Verification(
        station=station,
        from_us=from_us,
        to_us=to_us,
        issues=len(issued),
        scores=await asyncio.to_thread(work),
    )
