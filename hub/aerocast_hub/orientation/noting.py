"""What an advice was made of, so that whoever shows it knows which events concern it."""

from aerocast_hub.airports import airport_codes
from aerocast_hub.flights.store import Booking
from aerocast_hub.orientation.arrivals import GroundTimes
from aerocast_hub.orientation.guidance import WeatherView
from aerocast_hub.orientation.surroundings import (
    Around,
    Ground,
    KnownFlight,
)


class Noting:
    """Tells what surrounds a passenger, and notes what it was asked about."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self.subjects: set[str] = set()

    async def flight(self, booking: Booking) -> KnownFlight | None:
        """Find a flight as a bag names it."""
        found = await self._around.flight(booking)
        if found is not None:
            self.subjects.add(f"flight {found.id}")
        return found

    async def weather(self, airport: str) -> WeatherView:
        """Tell how an airport's ramp is, and when it was closed lately."""
        self.subjects |= {f"ramp {each}" for each in airport_codes(airport)}
        return await self._around.weather(airport)

    async def ground(self, airport: str) -> Ground | None:
        """Give an airport's map."""
        self.subjects |= {f"places {each}" for each in airport_codes(airport)}
        return await self._around.ground(airport)

    async def times(self, airport: str) -> GroundTimes:
        """Tell how long things take at an airport."""
        return await self._around.times(airport)
