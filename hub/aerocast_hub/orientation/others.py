"""What advice asks of other services: in this process where they run, else over HTTP."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from sqlalchemy import ScalarSelect, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.asking.client import ServiceClient
from aerocast_hub.baggage.asked import (
    FlightFound,
    PassengerAnswer,
    bags_with,
    flights_for,
)
from aerocast_hub.baggage.bags import Bag, bags_of_passenger, find_passenger
from aerocast_hub.flights.store import Booking
from aerocast_hub.weather.asked import RampAsked, RampSeen, ramp_seen

Passenger = str | ScalarSelect[str]
"""By the hub's id, or by a question for it."""


class Others(Protocol):
    """Answers what other services know; the session is the asker's own."""

    async def bags_of(self, session: AsyncSession, passenger: Passenger) -> list[Bag]:
        """Give a passenger's bags."""

    async def bags_with(self, session: AsyncSession, bag: str) -> list[Bag]:
        """Give a bag, by id or plate, and the others of its passenger."""

    async def passenger(self, session: AsyncSession, plate: str, surname: str) -> str | None:
        """Find a passenger by bag tag and surname."""

    async def flights(
        self, session: AsyncSession, bookings: Sequence[Booking]
    ) -> list[FlightFound | None]:
        """Find flights as bags name them, in the order asked; `FLIGHTS_AT_ONCE` at most."""

    async def ramp(self, session: AsyncSession, asked: RampAsked) -> RampSeen:
        """Tell how an airport's ramp was."""


class InProcess:
    """Reads in the asker's own session."""

    async def bags_of(self, session: AsyncSession, passenger: Passenger) -> list[Bag]:
        """Give a passenger's bags."""
        return await bags_of_passenger(session, passenger)

    async def bags_with(self, session: AsyncSession, bag: str) -> list[Bag]:
        """Give a bag, by id or plate, and the others of its passenger."""
        return await bags_with(session, bag)

    async def passenger(self, session: AsyncSession, plate: str, surname: str) -> str | None:
        """Find a passenger by bag tag and surname."""
        return await find_passenger(session, plate, surname)

    async def flights(
        self, session: AsyncSession, bookings: Sequence[Booking]
    ) -> list[FlightFound | None]:
        """Find flights as bags name them, in the order asked."""
        return await flights_for(session, bookings)

    async def ramp(self, session: AsyncSession, asked: RampAsked) -> RampSeen:
        """Tell how an airport's ramp was."""
        return await ramp_seen(session, asked)


IN_PROCESS = InProcess()


class OverHttp(InProcess):
    """Asks the services that are elsewhere; None: that one is read in process.

    Raises `aerocast_hub.asking.client.ServiceAwayError` when one does not answer.
    """

    def __init__(self, baggage: ServiceClient | None, weather: ServiceClient | None) -> None:
        self._baggage = baggage
        self._weather = weather

    async def bags_of(self, session: AsyncSession, passenger: Passenger) -> list[Bag]:
        """Give a passenger's bags."""
        if self._baggage is None:
            return await super().bags_of(session, passenger)
        if isinstance(passenger, ScalarSelect):
            passenger = await session.scalar(select(passenger)) or ""
        path = "/internal/baggage/bags-of-passenger"
        return await self._baggage.ask(path, {"id": passenger}, list[Bag]) if passenger else []

    async def bags_with(self, session: AsyncSession, bag: str) -> list[Bag]:
        """Give a bag, by id or plate, and the others of its passenger."""
        if self._baggage is None:
            return await super().bags_with(session, bag)
        return await self._baggage.ask("/internal/baggage/bags-with", {"id": bag}, list[Bag])

    async def passenger(self, session: AsyncSession, plate: str, surname: str) -> str | None:
        """Find a passenger by bag tag and surname."""
        if self._baggage is None:
            return await super().passenger(session, plate, surname)
        question = {"licence_plate": plate, "surname": surname}
        path = "/internal/baggage/passenger"
        return (await self._baggage.ask(path, question, PassengerAnswer)).passenger_id

    async def flights(
        self, session: AsyncSession, bookings: Sequence[Booking]
    ) -> list[FlightFound | None]:
        """Find flights as bags name them, in the order asked."""
        if self._baggage is None:
            return await super().flights(session, bookings)
        question = {"bookings": list(bookings)}
        return await self._baggage.ask(
            "/internal/baggage/flights", question, list[FlightFound | None]
        )

    async def ramp(self, session: AsyncSession, asked: RampAsked) -> RampSeen:
        """Tell how an airport's ramp was."""
        if self._weather is None:
            return await super().ramp(session, asked)
        question = msgspec.structs.asdict(asked)
        return await self._weather.ask("/internal/weather/ramp", question, RampSeen)
