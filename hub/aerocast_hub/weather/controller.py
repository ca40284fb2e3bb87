"""Weather endpoints. Not for flight operations."""

from typing import Any, cast

from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.weather.recent_weather import RecentWeather
from aerocast_hub.weather.store import AirportWeather, Refusal, list_refused, weather_at
from aerocast_hub.web.description.unchanged import UNCHANGED


class WeatherController(Controller):
    """Airport reports, the ramp, and winds from aircraft."""

    path = "/api/weather"
    tags = ("Weather",)
    opt = NO_ROWS

    @get("/refused", operation_id="ListRefusedReports", opt={"permission": "weather:read"})
    async def refused(self, database: NamedDependency[Database]) -> list[Refusal]:
        """Give the reports and files nobody could read, and why, the last received first."""
        async with database.reading() as session:
            return await list_refused(session)

    @get(
        "/{icao:str}",
        operation_id="GetWeather",
        responses=UNCHANGED,
        opt={"permission": "weather:read"},
    )
    async def weather(
        self,
        icao: FromPath[str],
        request: Request[Principal, Any, State],
        database: NamedDependency[Database],
        recent_weather: NamedDependency[RecentWeather],
        at_us: AskedInstant = None,
    ) -> Response[AirportWeather]:
        """Give an airport's newest report, its age, and what it means for the ramp.

        Of now it carries an ETag, and whoever has that already gets 304: only the age, which
        counts from ``observed_at_us``, has changed then.

        Raises
        ------
        NotFoundException
            No report of this airport was received.
        """
        headers = {"Cache-Control": "no-cache"}
        if at_us is None:
            found, headers["ETag"] = await recent_weather.weather(icao)
        else:
            async with database.reading() as session:
                found = await weather_at(session, icao, asked_us(at_us))
        if found is None:
            raise NotFoundException(f"no weather report of {icao[:8].upper()!r} was received")
        if "ETag" in headers and headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(cast("AirportWeather", None), status_code=304, headers=headers)
        return Response(found, headers=headers)
