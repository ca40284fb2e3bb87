"""Endpoints of airports' forecasts. Not for flight operations."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from aerocast_hub.auth.permissions import NO_ROWS
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.weather.forecasts import ForecastTimeline, timeline_at


class ForecastController(Controller):
    """What is forecast for airports."""

    path = "/api/weather"
    tags = ("Weather",)
    opt = NO_ROWS

    @get("/{icao:str}/timeline", operation_id="GetForecast", opt={"permission": "weather:read"})
    async def timeline(
        self,
        icao: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> ForecastTimeline:
        """Give what an airport's TAF comes to over time: what prevails, what may come instead.

        Raises
        ------
        NotFoundException
            No forecast of this airport holds at that time or later.
        """
        async with database.reading() as session:
            found = await timeline_at(session, icao, asked_us(at_us))
        if found is None:
            raise NotFoundException(f"no forecast of {icao[:8].upper()!r} was received")
        return found
