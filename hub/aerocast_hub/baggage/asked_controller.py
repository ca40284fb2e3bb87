"""Bags and flights for the hub's other services, where these run in processes of their own."""

from typing import Annotated

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from aerocast_hub.asking.guard import FOR_SERVICES, only_services
from aerocast_hub.baggage.asked import (
    FLIGHTS_AT_ONCE,
    FlightFound,
    PassengerAnswer,
    bags_with,
    flights_for,
)
from aerocast_hub.baggage.bags import Bag, bags_of_passenger, find_passenger
from aerocast_hub.database.engine import Database
from aerocast_hub.flights.store import Booking

Short = Annotated[str, msgspec.Meta(max_length=200)]


class ById(msgspec.Struct, frozen=True):
    """Something by the hub's id, or by its plate."""

    id: Short


class FlightsAsked(msgspec.Struct, frozen=True):
    """Flights as bags name them."""

    bookings: Annotated[list[Booking], msgspec.Meta(max_length=FLIGHTS_AT_ONCE)]


class ByName(msgspec.Struct, frozen=True):
    """A passenger by bag tag and surname."""

    licence_plate: Short
    surname: Short


class AskedBaggageController(Controller):
    """Questions of services."""

    path = "/internal/baggage"
    opt = FOR_SERVICES
    guards = (only_services,)
    include_in_schema = False

    @post("/flights", status_code=200)
    async def flights(
        self, data: JSONBody[FlightsAsked], database: NamedDependency[Database]
    ) -> list[FlightFound | None]:
        """Find flights as bags name them, in the order asked."""
        async with database.reading() as session:
            return await flights_for(session, data.bookings)

    @post("/bags-of-passenger", status_code=200)
    async def of_passenger(
        self, data: JSONBody[ById], database: NamedDependency[Database]
    ) -> list[Bag]:
        """Give a passenger's bags."""
        async with database.reading() as session:
            return await bags_of_passenger(session, data.id)

    @post("/bags-with", status_code=200)
    async def with_bag(
        self, data: JSONBody[ById], database: NamedDependency[Database]
    ) -> list[Bag]:
        """Give a bag and the others of its passenger."""
        async with database.reading() as session:
            return await bags_with(session, data.id)

    @post("/passenger", status_code=200)
    async def passenger(
        self, data: JSONBody[ByName], database: NamedDependency[Database]
    ) -> PassengerAnswer:
        """Find a passenger's id by bag tag and surname."""
        async with database.reading() as session:
            found = await find_passenger(session, data.licence_plate, data.surname)
        return PassengerAnswer(passenger_id=found)
