"""Endpoints of nowcasts and of how good they were. Not for flight operations."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.weather.nowcast_store import StationNowcast, Verification, nowcast_at, verify

AskedDays = Annotated[
    float, QueryParameter(gt=0.0, le=60.0, description="How many days back from at_us")
]


class NowcastController(Controller):
    """The next hours at airports, from their own past and their TAFs; and how good that is."""

    path = "/api/weather"
    tags = ("Weather",)
    opt = NO_ROWS

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
