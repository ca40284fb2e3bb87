"""What orientation asks of other services: in this process where they run, else over HTTP.

Every answer to a request is made of these, and of orientation's own tables; what follows the outbox
reads in its own transaction (docs/decisions/0021).
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from msgspec import structs
from sqlalchemy import ScalarSelect, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.asking.client import ServiceClient
from aerocast_hub.baggage.asked import (
    PASSENGERS_AT_ONCE,
    Aboard,
    Called,
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
from aerocast_hub.weather.asked import (
    AirportTimes,
    RampAsked,
    RampSeen,
    TimesAsked,
    ramp_seen,
    times_of,
)

Passenger = str | ScalarSelect[str]
"""By the hub's id, or by a question for it."""
Answer = TypeVar("Answer")


class Baggage:
    """Asks for bags and flights; here in the asker's own session."""

    async def bags_of(self, session: AsyncSession, passenger: Passenger) -> list[Bag]:
        """Give a passenger's bags."""
        return await bags_of_passenger(session, passenger)

    async def bags_of_each(
        self, session: AsyncSession, passengers: Sequence[str]
    ) -> list[list[Bag]]:
        """Give the bags of each of some passengers, in the order asked."""
        return await bags_of_each(session, passengers)

    async def bags_with(self, session: AsyncSession, bag: str) -> list[Bag]:
        """Give a bag, by id or plate, and the others of its passenger."""
        return await bags_with(session, bag)

    async def owner(self, session: AsyncSession, bag: str) -> Owner:
        """Say whose a bag is, by id or plate."""
        return await owner_of(session, bag)

    async def passenger(self, session: AsyncSession, plate: str, surname: str) -> str | None:
        """Find a passenger by bag tag and surname."""
        return await find_passenger(session, plate, surname)

    async def aboard(self, session: AsyncSession, flight_id: str) -> tuple[str, ...] | None:
        """Give the passengers with bags on a flight; None when there is no such flight."""
        return (await aboard(session, flight_id)).passengers

    async def flights(
        self, session: AsyncSession, bookings: Sequence[Booking]
    ) -> list[FlightFound | None]:
        """Find flights as bags name them, in the order asked."""
        return await flights_for(session, bookings)

    async def flights_between(
        self, session: AsyncSession, from_us: int, until_us: int
    ) -> list[Flight]:
        """Give the flights due, landed or parked between two instants."""
        return await flights_on(session, from_us, until_us)

    async def bags_on_belts(
        self, session: AsyncSession, flights: Sequence[Called]
    ) -> list[BagsOfFlight]:
        """Count the bags of flights, and those on their belts, in the order asked."""
        return await bags_on_belts(session, flights)

    async def transfers(
        self, session: AsyncSession, airport: str, now_us: int, ahead_us: int
    ) -> list[Transfer]:
        """Give the bags that change aircraft at an airport soon."""
        return await transfers(session, airport, now_us, ahead_us=ahead_us)


class BaggageOverHttp(Baggage):
    """Asks the baggage service, which runs elsewhere.

    Raises `aerocast_hub.asking.client.ServiceAwayError` when it does not answer.
    """

    def __init__(self, baggage: ServiceClient) -> None:
        self._baggage = baggage

    async def bags_of(self, session: AsyncSession, passenger: Passenger) -> list[Bag]:
        """Give a passenger's bags."""
        if isinstance(passenger, ScalarSelect):
            passenger = await session.scalar(select(passenger)) or ""
        if not passenger:
            return []
        return await self._ask("bags-of-passenger", list[Bag], id=passenger)

    async def bags_of_each(
        self, _session: AsyncSession, passengers: Sequence[str]
    ) -> list[list[Bag]]:
        """Give the bags of each of some passengers, `PASSENGERS_AT_ONCE` with a question."""
        found: list[list[Bag]] = []
        for at in range(0, len(passengers), PASSENGERS_AT_ONCE):
            ids = list(passengers[at : at + PASSENGERS_AT_ONCE])
            found += await self._ask("bags-of-passengers", list[list[Bag]], ids=ids)
        return found

    async def bags_with(self, _session: AsyncSession, bag: str) -> list[Bag]:
        """Give a bag, by id or plate, and the others of its passenger."""
        return await self._ask("bags-with", list[Bag], id=bag)

    async def owner(self, _session: AsyncSession, bag: str) -> Owner:
        """Say whose a bag is, by id or plate."""
        return await self._ask("owner", Owner, id=bag)

    async def passenger(self, _session: AsyncSession, plate: str, surname: str) -> str | None:
        """Find a passenger by bag tag and surname."""
        question = {"licence_plate": plate, "surname": surname}
        return (await self._ask("passenger", PassengerAnswer, **question)).passenger_id

    async def aboard(self, _session: AsyncSession, flight_id: str) -> tuple[str, ...] | None:
        """Give the passengers with bags on a flight; None when there is no such flight."""
        return (await self._ask("aboard", Aboard, id=flight_id)).passengers

    async def flights(
        self, _session: AsyncSession, bookings: Sequence[Booking]
    ) -> list[FlightFound | None]:
        """Find flights as bags name them, in the order asked."""
        return await self._ask("flights", list[FlightFound | None], bookings=list(bookings))

    async def flights_between(
        self, _session: AsyncSession, from_us: int, until_us: int
    ) -> list[Flight]:
        """Give the flights due, landed or parked between two instants."""
        return await self._ask("flights-between", list[Flight], from_us=from_us, until_us=until_us)

    async def bags_on_belts(
        self, _session: AsyncSession, flights: Sequence[Called]
    ) -> list[BagsOfFlight]:
        """Count the bags of flights, and those on their belts, in the order asked."""
        if not flights:
            return []
        return await self._ask("bags-on-belts", list[BagsOfFlight], flights=list(flights))

    async def transfers(
        self, _session: AsyncSession, airport: str, now_us: int, ahead_us: int
    ) -> list[Transfer]:
        """Give the bags that change aircraft at an airport soon."""
        question = {"airport": airport, "at_us": now_us, "ahead_us": ahead_us}
        return await self._ask("transfers", list[Transfer], **question)

    async def _ask(self, path: str, answer: type[Answer], **question: object) -> Answer:
        return await self._baggage.ask(f"/internal/baggage/{path}", question, answer)


class Weather:
    """Asks for ramps and airports' own times; here in the asker's own session."""

    async def ramp(self, session: AsyncSession, asked: RampAsked) -> RampSeen:
        """Tell how an airport's ramp was."""
        return await ramp_seen(session, asked)

    async def times(self, session: AsyncSession, airport: str) -> AirportTimes:
        """Tell how long things take at an airport, by its own file."""
        return await times_of(session, TimesAsked(airport=airport))


class WeatherOverHttp(Weather):
    """Asks the weather service, which runs elsewhere.

    Raises `aerocast_hub.asking.client.ServiceAwayError` when it does not answer.
    """

    def __init__(self, weather: ServiceClient) -> None:
        self._weather = weather

    async def ramp(self, _session: AsyncSession, asked: RampAsked) -> RampSeen:
        """Tell how an airport's ramp was."""
        question = structs.asdict(asked)
        return await self._weather.ask("/internal/weather/ramp", question, RampSeen)

    async def times(self, _session: AsyncSession, airport: str) -> AirportTimes:
        """Tell how long things take at an airport, by its own file."""
        question = {"airport": airport}
        return await self._weather.ask("/internal/weather/times", question, AirportTimes)


class Others(NamedTuple):
    """The services that orientation asks."""

    baggage: Baggage = Baggage()
    weather: Weather = Weather()


IN_PROCESS = Others()


def asked_over_http(baggage: ServiceClient | None, weather: ServiceClient | None) -> Others:
    """Ask the services that run elsewhere over HTTP; None: that one is read in process."""
    return Others(
        Baggage() if baggage is None else BaggageOverHttp(baggage),
        Weather() if weather is None else WeatherOverHttp(weather),
    )
