"""Flight endpoints for operators."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from aerocast_hub.auth.permissions import RULED
from aerocast_hub.database.engine import Database
from aerocast_hub.flights.store import Flight, find_flight, list_flights, list_parked
from aerocast_hub.instants import AskedInstant, asked_us


class FlightController(Controller):
    """Flights: the schedule, and what the gateways heard."""

    path = "/api/flights"
    tags = ("Flights",)
    opt = RULED

    @get("/", operation_id="ListFlights", opt={"permission": "flights:read"})
    async def all(
        self, database: NamedDependency[Database], at_us: AskedInstant = None
    ) -> list[Flight]:
        """Give the flights within 12 hours of now, or of ``at_us`` (UTC microseconds)."""
        around_us = asked_us(at_us)
        async with database.reading() as session:
            return await list_flights(session, around_us)

    @get("/parked", operation_id="ListParkedFlights", opt={"permission": "flights:read"})
    async def parked(self, database: NamedDependency[Database]) -> list[Flight]:
        """Give the flights last come to their stand, newest first."""
        async with database.reading() as session:
            return await list_parked(session)

    @get("/{flight_id:str}", operation_id="GetFlight", opt={"permission": "flights:read"})
    async def one(self, flight_id: FromPath[str], database: NamedDependency[Database]) -> Flight:
        """Give one flight.

        Raises
        ------
        NotFoundException
            There is none with this id.
        """
        async with database.reading() as session:
            flight = await find_flight(session, flight_id)
        if flight is None:
            raise NotFoundException(f"flight {flight_id[:64]!r} is not known")
        return flight
