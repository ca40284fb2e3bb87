"""Weather for the hub's other services, where these run in processes of their own."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.asking.answering import AnsweringController
from aerocast_hub.weather.asked import (
    AirportTimes,
    RampAsked,
    RampSeen,
    TimesAsked,
    ramp_seen,
    times_of,
)


class AskedWeatherController(AnsweringController):
    """Questions of services."""

    path = "/internal/weather"

    @post("/ramp", status_code=200)
    async def ramp(
        self, data: JSONBody[RampAsked], session: NamedDependency[AsyncSession]
    ) -> RampSeen:
        """Tell how an airport's ramp was at an instant."""
        return await ramp_seen(session, data)

    @post("/times", status_code=200)
    async def times(
        self, data: JSONBody[TimesAsked], session: NamedDependency[AsyncSession]
    ) -> AirportTimes:
        """Tell how long things take at an airport, by its own file."""
        return await times_of(session, data)
