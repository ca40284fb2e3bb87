"""What other services ask of bags and flights; in process they call these functions themselves."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.bags import Bag, bags_of_passenger, find_bag, find_bag_by_id, passenger_of
from aerocast_hub.baggage.belt_bags import count_bags_for_belts
from aerocast_hub.flights.store import Booking, Flight, flights_of
from aerocast_hub.schedule import flight_key

FLIGHTS_AT_ONCE = 100


class FlightFound(msgspec.Struct, frozen=True, kw_only=True):
    """A flight, and how many bags come to its belt."""

    flight: Flight
    bags: int | None


class PassengerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who was found: None, nobody."""

    passenger_id: str | None


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
