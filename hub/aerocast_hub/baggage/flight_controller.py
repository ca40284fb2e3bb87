"""The bags of flights and connections, for those who load and chase them."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter

from aerocast_hub.auth.permissions import RULED
from aerocast_hub.baggage.flight_bags import BagsOfFlight, bags_of_flight, transfers
from aerocast_hub.baggage.reconciliation import Transfer
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us

HOUR_US = 3_600_000_000


class FlightBagsController(Controller):
    """Reconciliation: who may fly, who does, and who is in a hurry."""

    path = "/api"
    tags = ("Baggage",)
    opt = RULED

    @get(
        "/flights/{flight_id:str}/bags",
        operation_id="GetFlightBags",
        opt={"permission": "baggage:read"},
    )
    async def of_flight(
        self,
        flight_id: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
    ) -> BagsOfFlight:
        """Give a flight's bags reconciled: authority to load, offload list, left behind.

        After departure this is the inventory at departure that Resolution 753 asks for.

        Raises
        ------
        NotFoundException
            There is no such flight.
        """
        async with database.reading() as session:
            found = await bags_of_flight(session, flight_id, asked_us(at_us))
        if found is None:
            raise NotFoundException(f"flight {flight_id[:64]!r} is not known")
        return found

    @get(
        "/airports/{airport:str}/transfers",
        operation_id="ListTransfers",
        opt={"permission": "baggage:read"},
    )
    async def transfers(
        self,
        airport: FromPath[str],
        database: NamedDependency[Database],
        at_us: AskedInstant = None,
        hours: Annotated[int, QueryParameter(ge=1, le=24)] = 6,
    ) -> list[Transfer]:
        """Give the bags that change aircraft here soon, with the time left, most pressing first."""
        async with database.reading() as session:
            return await transfers(
                session, airport.upper(), asked_us(at_us), ahead_us=hours * HOUR_US
            )
