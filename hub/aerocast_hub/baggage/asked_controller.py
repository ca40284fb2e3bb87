"""Bags and flights for the hub's other services, where these run in processes of their own."""

from typing import Annotated

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.asking.answering import AnsweringController
from aerocast_hub.baggage.asked import (
    BELTS_AT_ONCE,
    FLIGHTS_AT_ONCE,
    PASSENGERS_AT_ONCE,
    Aboard,
    FlightFound,
    Owner,
    PassengerAnswer,
    aboard,
    bags_of_each,
    bags_on_belts,
    bags_with,
    flights_for,
    owner_of,
)
from aerocast_hub.baggage.bags import Bag, bags_of_passenger, find_passenger
from aerocast_hub.baggage.belt_bags import BagsOfFlight
from aerocast_hub.baggage.flight_bags import transfers
from aerocast_hub.baggage.reconciliation import Transfer
from aerocast_hub.flights.store import Booking, Flight, flights_on

Short = Annotated[str, msgspec.Meta(max_length=200)]
Instant = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


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


class PassengersAsked(msgspec.Struct, frozen=True):
    """Passengers by the hub's ids."""

    ids: Annotated[list[Short], msgspec.Meta(max_length=PASSENGERS_AT_ONCE)]


class BeltsAsked(msgspec.Struct, frozen=True):
    """Flights by their keys and dates."""

    flights: Annotated[list[tuple[Short, Short]], msgspec.Meta(max_length=BELTS_AT_ONCE)]


class Span(msgspec.Struct, frozen=True):
    """From when until when, UTC microseconds."""

    from_us: Instant
    until_us: Instant


class TransfersAsked(msgspec.Struct, frozen=True):
    """An airport, an instant, and how far ahead of it to look, microseconds."""

    airport: Short
    at_us: Instant
    ahead_us: Instant


class AskedBaggageController(AnsweringController):
    """Questions of services."""

    path = "/internal/baggage"

    @post("/flights", status_code=200)
    async def flights(
        self, data: JSONBody[FlightsAsked], session: NamedDependency[AsyncSession]
    ) -> list[FlightFound | None]:
        """Find flights as bags name them, in the order asked."""
        return await flights_for(session, data.bookings)

    @post("/bags-of-passenger", status_code=200)
    async def of_passenger(
        self, data: JSONBody[ById], session: NamedDependency[AsyncSession]
    ) -> list[Bag]:
        """Give a passenger's bags."""
        return await bags_of_passenger(session, data.id)

    @post("/bags-with", status_code=200)
    async def with_bag(
        self, data: JSONBody[ById], session: NamedDependency[AsyncSession]
    ) -> list[Bag]:
        """Give a bag and the others of its passenger."""
        return await bags_with(session, data.id)

    @post("/passenger", status_code=200)
    async def passenger(
        self, data: JSONBody[ByName], session: NamedDependency[AsyncSession]
    ) -> PassengerAnswer:
        """Find a passenger's id by bag tag and surname."""
        found = await find_passenger(session, data.licence_plate, data.surname)
        return PassengerAnswer(passenger_id=found)

    @post("/bags-of-passengers", status_code=200)
    async def of_passengers(
        self, data: JSONBody[PassengersAsked], session: NamedDependency[AsyncSession]
    ) -> list[list[Bag]]:
        """Give the bags of each of some passengers, in the order asked."""
        return await bags_of_each(session, data.ids)

    @post("/owner", status_code=200)
    async def owner_of_bag(
        self, data: JSONBody[ById], session: NamedDependency[AsyncSession]
    ) -> Owner:
        """Say whose a bag is."""
        return await owner_of(session, data.id)

    @post("/aboard", status_code=200)
    async def aboard(self, data: JSONBody[ById], session: NamedDependency[AsyncSession]) -> Aboard:
        """Give the passengers with bags on a flight."""
        return await aboard(session, data.id)

    @post("/flights-between", status_code=200)
    async def flights_between(
        self, data: JSONBody[Span], session: NamedDependency[AsyncSession]
    ) -> list[Flight]:
        """Give the flights due, landed or parked between two instants."""
        return await flights_on(session, data.from_us, data.until_us)

    @post("/bags-on-belts", status_code=200)
    async def on_belts(
        self, data: JSONBody[BeltsAsked], session: NamedDependency[AsyncSession]
    ) -> list[BagsOfFlight]:
        """Count the bags of flights, and those on their belts, in the order asked."""
        return await bags_on_belts(session, data.flights)

    @post("/transfers", status_code=200)
    async def transfers(
        self, data: JSONBody[TransfersAsked], session: NamedDependency[AsyncSession]
    ) -> list[Transfer]:
        """Give the bags that change aircraft at an airport soon."""
        return await transfers(session, data.airport, data.at_us, ahead_us=data.ahead_us)
