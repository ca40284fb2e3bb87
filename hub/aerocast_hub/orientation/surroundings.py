"""What surrounds a passenger and is the same for many: their flight, the ramp, the airport's map.

`Surroundings` tells how it was at an instant; `RecentSurroundings` how it is, from answers that
many passengers share, for most of an advice is made of these. Flights and ramps tell by events when
they change, so what is known of them serves longer.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport_codes
from aerocast_hub.asking.client import ServiceAwayError
from aerocast_hub.baggage.asked import FLIGHTS_AT_ONCE
from aerocast_hub.database.engine import Database
from aerocast_hub.events.every import Event
from aerocast_hub.events.flights import (
    FlightAirborne,
    FlightLanded,
    FlightOffBlock,
    FlightOnBlock,
    FlightScheduled,
    FlightTimeWithdrawn,
)
from aerocast_hub.events.places import PlacesChanged
from aerocast_hub.events.ramp import RampCautioned, RampClosed, RampReopened, RampUnknown
from aerocast_hub.flights.on_block import Moment
from aerocast_hub.flights.store import Booking, Flight
from aerocast_hub.orientation.arrival_times import Closure, Progress
from aerocast_hub.orientation.arrivals import GroundTimes, ground_times_of
from aerocast_hub.orientation.conditions import Conditions
from aerocast_hub.orientation.guidance import NOT_TOLD, FlightView, WeatherView
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.others import IN_PROCESS, Others
from aerocast_hub.orientation.places.store import conditions_at, map_code, network_of
from aerocast_hub.recent import Recent, Together
from aerocast_hub.weather.asked import RampAsked

log = logging.getLogger(__name__)


class KnownFlight(NamedTuple):
    """A flight by the hub's id, and what is known of it."""

    id: str
    view: FlightView


class Ground(NamedTuple):
    """An airport's map, and what is closed and where people queue on it."""

    network: Network
    conditions: Conditions


class Around(Protocol):
    """Tells what surrounds a passenger; None where nobody knows."""

    async def flight(self, booking: Booking) -> KnownFlight | None:
        """Find a flight as a bag names it."""

    async def weather(self, airport: str) -> WeatherView:
        """Tell how an airport's ramp is."""

    async def ground(self, airport: str) -> Ground | None:
        """Give an airport's map."""

    async def times(self, airport: str) -> GroundTimes:
        """Tell how long things take at an airport: by its own file, and by experience."""


class Surroundings:
    """As they were, or are, at an instant."""

    def __init__(self, session: AsyncSession, now_us: int, others: Others = IN_PROCESS) -> None:
        self._session = session
        self._now_us = now_us
        self._others = others

    async def flight(self, booking: Booking) -> KnownFlight | None:
        """Find a flight as a bag names it."""
        return (await self.flights([booking]))[booking]

    async def flights(self, bookings: Sequence[Booking]) -> dict[Booking, KnownFlight | None]:
        """Find flights as bags name them; `FLIGHTS_AT_ONCE` at most."""
        found = await self._others.baggage.flights(self._session, bookings)
        return {
            booking: None
            if each is None
            else KnownFlight(each.flight.id, flight_view(each.flight, each.bags))
            for booking, each in zip(bookings, found, strict=True)
        }

    async def weather(self, airport: str) -> WeatherView:
        """Tell how an airport's ramp is, and when it was closed lately.

        Without the weather service nobody knows; bags and flights are told all the same.
        """
        asked = RampAsked(airport=airport, at_us=self._now_us)
        try:
            ramp = await self._others.weather.ramp(self._session, asked)
        except ServiceAwayError as error:
            log.info("advice does without the ramp of %s: %s", airport, error)
            return WeatherView(state="unknown", reason=NOT_TOLD)
        return WeatherView(
            state=ramp.state,
            reason=ramp.reason,
            observed_at_us=ramp.observed_at_us,
            closures=tuple(Closure(*each) for each in ramp.closures),
            wind_kt=None if ramp.wind_kt is None else round(ramp.wind_kt),
        )

    async def ground(self, airport: str) -> Ground | None:
        """Give an airport's map for somebody who sets out at the instant."""
        code = map_code(airport)
        network = await network_of(self._session, code)
        if network is None:
            return None
        return Ground(network, await conditions_at(self._session, code, network, self._now_us))

    async def times(self, airport: str) -> GroundTimes:
        """Tell how long things take at an airport, as far as it is known today.

        Without the weather service, which reads the airports' files, it is what an airport without
        one has; what was learned is about the file's times, and says nothing without them.
        """
        try:
            return await ground_times_of(self._session, airport, self._others)
        except ServiceAwayError as error:
            log.info("advice does without the times of %s: %s", airport, error)
            return GroundTimes()


class RememberedSurroundings:
    """As they were at an instant, each asked for once: for many passengers at one go."""

    def __init__(self, session: AsyncSession, now_us: int, others: Others = IN_PROCESS) -> None:
        self._around = Surroundings(session, now_us, others)
        self._flights: dict[Booking, KnownFlight | None] = {}
        self._weather: dict[str, WeatherView] = {}
        self._grounds: dict[str, Ground | None] = {}
        self._times: dict[str, GroundTimes] = {}

    async def expect(self, bookings: Iterable[Booking]) -> None:
        """Find flights that will be asked for, many at one go."""
        wanted = [each for each in dict.fromkeys(bookings) if each not in self._flights]
        for at in range(0, len(wanted), FLIGHTS_AT_ONCE):
            self._flights |= await self._around.flights(wanted[at : at + FLIGHTS_AT_ONCE])

    async def flight(self, booking: Booking) -> KnownFlight | None:
        """Find a flight as a bag names it."""
        if booking not in self._flights:
            self._flights[booking] = await self._around.flight(booking)
        return self._flights[booking]

    async def weather(self, airport: str) -> WeatherView:
        """Tell how an airport's ramp is, and when it was closed lately."""
        if airport not in self._weather:
            self._weather[airport] = await self._around.weather(airport)
        return self._weather[airport]

    async def ground(self, airport: str) -> Ground | None:
        """Give an airport's map."""
        if airport not in self._grounds:
            self._grounds[airport] = await self._around.ground(airport)
        return self._grounds[airport]

    async def times(self, airport: str) -> GroundTimes:
        """Tell how long things take at an airport."""
        if airport not in self._times:
            self._times[airport] = await self._around.times(airport)
        return self._times[airport]


_FlightMoved = FlightOffBlock | FlightAirborne | FlightLanded | FlightOnBlock | FlightTimeWithdrawn
_RampMoved = RampClosed | RampReopened | RampCautioned | RampUnknown
FLIGHT_KEPT_S = 30.0  # the count of its bags may change without an event
RAMP_KEPT_S = 3.0  # a report that changes no state still changes what is said


class RecentSurroundings:
    """As they are now, or were a moment ago."""

    def __init__(self, database: Database, others: Others = IN_PROCESS) -> None:
        self._database = database
        self._others = others
        flights = Together(self._ask_flights, FLIGHTS_AT_ONCE)
        self._flights = Recent(flights, kept_s=FLIGHT_KEPT_S, serves_former=True)
        self._weather = Recent(self._ask_weather, kept_s=RAMP_KEPT_S, serves_former=True)
        self._grounds = Recent(self._ask_ground, serves_former=True)
        self._times = Recent(self._ask_times, serves_former=True)

    def take_in(self, event: Event) -> None:
        """Forget what an event says is no longer so."""
        if isinstance(event, FlightScheduled):
            self._flights.forget(lambda _booking, _known: True)
        elif isinstance(event, _FlightMoved):
            moved = event.flight_id
            self._flights.forget(lambda _, known: known is not None and known.id == moved)
        elif isinstance(event, _RampMoved):
            codes = airport_codes(event.airport)
            self._weather.forget(lambda code, _: code.lower() in codes)
        elif isinstance(event, PlacesChanged):
            codes = airport_codes(event.airport)
            self._grounds.forget(lambda code, _: code.lower() in codes)

    def forget_all(self) -> None:
        """Forget every flight, ramp and map: events went by unheard."""
        self._flights.forget(lambda _booking, _known: True)
        self._weather.forget(lambda _code, _weather: True)
        self._grounds.forget(lambda _code, _ground: True)

    async def flight(self, booking: Booking) -> KnownFlight | None:
        """Find a flight as a bag names it."""
        return await self._flights.get(booking)

    async def weather(self, airport: str) -> WeatherView:
        """Tell how an airport's ramp is, and when it was closed lately."""
        return await self._weather.get(airport)

    async def ground(self, airport: str) -> Ground | None:
        """Give an airport's map for somebody who sets out now."""
        return await self._grounds.get(airport)

    async def times(self, airport: str) -> GroundTimes:
        """Tell how long things take at an airport."""
        return await self._times.get(airport)

    async def _ask_flights(self, bookings: Sequence[Booking]) -> dict[Booking, KnownFlight | None]:
        async with self._database.reading() as session:
            return await Surroundings(session, _now_us(), self._others).flights(bookings)

    async def _ask_weather(self, airport: str) -> WeatherView:
        async with self._database.reading() as session:
            return await Surroundings(session, _now_us(), self._others).weather(airport)

    async def _ask_times(self, airport: str) -> GroundTimes:
        async with self._database.reading() as session:
            return await Surroundings(session, _now_us(), self._others).times(airport)

    async def _ask_ground(self, airport: str) -> Ground | None:
        async with self._database.reading() as session:
            return await Surroundings(session, _now_us()).ground(airport)


def flight_view(flight: Flight, bags: int | None) -> FlightView:
    """Give a flight as advice needs it."""
    actual = flight.actual
    return FlightView(
        designator=flight.flight,
        date=flight.date,
        origin=flight.origin,
        destination=flight.destination,
        progress=Progress(
            off_block_due_us=flight.off_block_due_us,
            on_block_due_us=flight.on_block_due_us,
            airborne_us=_at_us(actual.airborne),
            landed_us=_at_us(actual.landed),
            on_block_us=_at_us(actual.on_block),
            on_block_sigma_s=actual.on_block.sigma_s if actual.on_block else 0.0,
        ),
        off_block_us=_at_us(actual.off_block),
        stand=flight.stand,
        reclaim=flight.reclaim,
        gate=flight.gate,
        aircraft_type=flight.aircraft_type,
        handler=flight.handler,
        departure_terminal=flight.departure_terminal,
        arrival_terminal=flight.arrival_terminal,
        bags=bags,
    )


def _at_us(moment: Moment | None) -> int | None:
    return None if moment is None else moment.at_us


def _now_us() -> int:
    return time.time_ns() // 1000
