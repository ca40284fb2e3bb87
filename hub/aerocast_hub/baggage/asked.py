"""What other services ask of bags and flights; in process they call these functions themselves."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.bags import Bag, bags_of_passenger, find_bag, find_bag_by_id, passenger_of
from aerocast_hub.baggage.belt_bags import count_bags_for_belt
from aerocast_hub.flights.store import Flight, flight_of
from aerocast_hub.schedule import flight_key


class FlightAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A flight as a bag names it."""

    designator: str
    date: str
    origin: str
    destination: str


class FlightFound(msgspec.Struct, frozen=True, kw_only=True):
    """A flight, and how many bags come to its belt."""

    flight: Flight
    bags: int | None


class FlightAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: None, no flight."""

    flight: FlightFound | None


class PassengerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who was found: None, nobody."""

    passenger_id: str | None


async def flight_for(session: AsyncSession, asked: FlightAsked) -> FlightFound | None:
    """Find a flight as a bag names it."""
    found = await flight_of(
        session, asked.designator, asked.date, origin=asked.origin, destination=asked.destination
    )
    if found is None:
        return None
    bags = await count_bags_for_belt(session, flight_key(found.flight), found.date)
    return FlightFound(flight=found, bags=bags)


async def bags_with(session: AsyncSession, bag: str) -> list[Bag]:
    """Give a bag, by the hub's id or its plate, and the others of its passenger."""
    found = await find_bag_by_id(session, bag) or await find_bag(session, bag)
    if found is None:
        return []
    passenger_id = await passenger_of(session, found.id)
    return [found] if passenger_id is None else await bags_of_passenger(session, passenger_id)
