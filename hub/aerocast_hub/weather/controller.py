"""Weather endpoints. Not for flight operations."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us
from aerocast_hub.weather.store import AirportWeather, Refusal, list_refused, weather_at


class WeatherController(Controller):
    """Airport reports, the ramp, and winds from aircraft."""

    path = "/api/weather"
    tags = ("Weather",)

    @get("/refused", operation_id="ListRefusedReports", opt={"permission": "weather:read"})
    async def refused(self, database: NamedDependency[Database]) -> list[Refusal]:
        """Give the reports and files nobody could read, and why, the last received first."""
        async with database.reading() as session:
            return await list_refused(session)

    @get("/{icao:str}", operation_id="GetWeather", opt={"permission": "weather:read"})
    async def weather(
        self,
        icao: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> AirportWeather:
        """Give an airport's newest report, its age, and what it means for the ramp.

        Raises
        ------
        NotFoundException
            No report of this airport was received.
        """
        async with database.reading() as session:
            found = await weather_at(session, icao, asked_us(at_us))
        if found is None:
            raise NotFoundException(f"no weather report of {icao[:8].upper()!r} was received")
        return found
