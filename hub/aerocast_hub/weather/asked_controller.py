"""Weather for the hub's other services, where these run in processes of their own."""

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from aerocast_hub.asking.guard import FOR_SERVICES, only_services
from aerocast_hub.database.engine import Database
from aerocast_hub.weather.asked import (
    AirportTimes,
    RampAsked,
    RampSeen,
    TimesAsked,
    ramp_seen,
    times_of,
)


class AskedWeatherController(Controller):
    """Questions of services."""

    path = "/internal/weather"
    opt = FOR_SERVICES
    guards = (only_services,)
    include_in_schema = False

    @post("/ramp", status_code=200)
    async def ramp(
        self, data: JSONBody[RampAsked], database: NamedDependency[Database]
    ) -> RampSeen:
        """Tell how an airport's ramp was at an instant."""
        async with database.reading() as session:
            return await ramp_seen(session, data)

    @post("/times", status_code=200)
    async def times(
        self, data: JSONBody[TimesAsked], database: NamedDependency[Database]
    ) -> AirportTimes:
        """Tell how long things take at an airport, by its own file."""
        async with database.reading() as session:
            return await times_of(session, data)
