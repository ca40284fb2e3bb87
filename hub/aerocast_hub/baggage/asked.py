"""What other services ask of bags and flights; in process they call these functions themselves."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.bags import (
    Bag,
    bags_of_passenger,
    bags_of_passengers,
    find_bag,
    find_bag_by_id,
    passenger_of,
    passengers_on,
)
from aerocast_hub.baggage.belt_bags import BagsOfFlight, count_bags_for_belts, count_bags_on_belts
from aerocast_hub.flights.store import MOST_FLIGHTS, Booking, Flight, find_flight, flights_of
from aerocast_hub.schedule import flight_key

FLIGHTS_AT_ONCE = 100
PASSENGERS_AT_ONCE = 100
BELTS_AT_ONCE = MOST_FLIGHTS
MOST_PASSENGERS = 400

Called = tuple[str, str]
"""A flight by its key and its date."""


class FlightFound(msgspec.Struct, frozen=True, kw_only=True):
    """A flight, and how many bags come to its belt."""

    flight: Flight
    bags: int | None


class PassengerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who was found: None, nobody."""

    passenger_id: str | None


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a bag is: None where there is no such bag, or nobody said whose."""

    bag_id: str | None
    passenger_id: str | None


class Aboard(msgspec.Struct, frozen=True, kw_only=True):
    """The passengers with bags on a flight, `MOST_PASSENGERS` at most; None: no such flight."""

    passengers: tuple[str, ...] | None


async def flights_for(
    session: AsyncSession, bookings: Sequence[Booking]
) -> list[FlightFound | None]:
    """Find flights as bags name them, in the order asked; None where nobody knows one."""
    found = await flights_of(session, bookings)
    called = {each: (flight_key(flight.flight), flight.date) for each, flight in found.items()}
    bags = await count_bags_for_belts(session, set(called.values()))
    return [
        FlightFound(flight=found[each], bags=bags[called[each]]) if each in found else None
        for each in bookings
    ]


async def bags_with(session: AsyncSession, bag: str) -> list[Bag]:
    """Give a bag, by the hub's id or its plate, and the others of its passenger."""
    found = await find_bag_by_id(session, bag) or await find_bag(session, bag)
    if found is None:
        return []
    passenger_id = await passenger_of(session, found.id)
    return [found] if passenger_id is None else await bags_of_passenger(session, passenger_id)


async def bags_of_each(session: AsyncSession, passengers: Sequence[str]) -> list[list[Bag]]:
    """Give the bags of each of some passengers, in the order asked."""
    found = await bags_of_passengers(session, passengers)
    return [found.get(each, []) for each in passengers]


async def owner_of(session: AsyncSession, bag: str) -> Owner:
    """Say whose a bag is, by the hub's id or its plate."""
    found = await find_bag_by_id(session, bag) or await find_bag(session, bag)
    if found is None:
        return Owner(bag_id=None, passenger_id=None)
    return Owner(bag_id=found.id, passenger_id=await passenger_of(session, found.id))


async def aboard(session: AsyncSession, flight_id: str) -> Aboard:
    """Give the passengers with bags on a flight, by the hub's ids."""
    flight = await find_flight(session, flight_id)
    if flight is None:
        return Aboard(passengers=None)
    people = await passengers_on(session, {(flight_key(flight.flight), flight.date)})
    return Aboard(passengers=tuple(sorted(people)[:MOST_PASSENGERS]))


async def bags_on_belts(session: AsyncSession, flights: Sequence[Called]) -> list[BagsOfFlight]:
    """Count the bags of flights, and those on their belts, in the order asked."""
    found = await count_bags_on_belts(session, set(flights))
    return [found.get(each, BagsOfFlight(0, 0)) for each in flights]
