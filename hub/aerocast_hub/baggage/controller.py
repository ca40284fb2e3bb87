"""Baggage endpoints for operators."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from aerocast_hub.baggage.bags import Bag, find_bag, list_in_motion
from aerocast_hub.database.engine import Database
from aerocast_hub.instants import AskedInstant, asked_us


class BaggageController(Controller):
    """Bags and their journeys."""

    path = "/api/bags"
    tags = ("Baggage",)

    @get("/", operation_id="ListBagsInMotion", opt={"permission": "baggage:read"})
    async def in_motion(
        self, database: NamedDependency[Database], at_us: AskedInstant = None
    ) -> list[Bag]:
        """Give the bags seen within six hours and not yet at reclaim, the last seen first."""
        now_us = asked_us(at_us)
        async with database.reading() as session:
            return await list_in_motion(session, now_us)

    @get("/{licence_plate:str}", operation_id="GetJourney", opt={"permission": "baggage:read"})
    async def journey(
        self,
        licence_plate: FromPath[str],
        database: NamedDependency[Database],
        flight_date: FromQuery[str | None] = None,
    ) -> Bag:
        """Give a bag's journey; plates repeat: ``flight_date`` chooses, else the latest bag.

        Raises
        ------
        NotFoundException
            No bag of this plate is expected or was seen.
        """
        async with database.reading() as session:
            bag = await find_bag(session, licence_plate, flight_date)
        if bag is None:
            raise NotFoundException(f"bag {licence_plate[:32]} is neither expected nor seen")
        return bag
