"""Boards as they are now: made for each airport once in five seconds at most, whoever asks."""

import time

from aerocast_hub.airports import airport, airport_codes
from aerocast_hub.database.engine import Database
from aerocast_hub.flights.store import Flight
from aerocast_hub.orientation.arrival_times import MINUTE_US
from aerocast_hub.orientation.boards import Arrival, Board, belt_boards, gate_boards
from aerocast_hub.orientation.others import IN_PROCESS, Others
from aerocast_hub.orientation.surroundings import Around, flight_view
from aerocast_hub.recent import Recent
from aerocast_hub.schedule import flight_key

KEPT_S = 5.0
AROUND_US = 240 * MINUTE_US


class Boards:
    """Gives airports' boards; however many screens ask, the database is asked once."""

    def __init__(self, database: Database, around: Around, others: Others = IN_PROCESS) -> None:
        self._database = database
        self._others = others
        self._around = around
        self._flights = Recent(self._ask_flights, kept_s=KEPT_S)
        self._boards = Recent(self._make, kept_s=KEPT_S)

    async def of_airport(self, code: str) -> Board | None:
        """Give what an airport's boards show; None for one without a flight in these hours."""
        known = airport(code)
        served = await self._flights.get("")
        mine = airport_codes(code)
        if known is None or not any(_is_at(each, mine) for each in served):
            return None  # nothing is asked or kept for an airport that is not served
        return await self._boards.get(known.iata)

    async def _ask_flights(self, _all: str) -> list[Flight]:
        now_us = time.time_ns() // 1000
        async with self._database.reading() as session:
            return await self._others.baggage.flights_between(
                session, now_us - AROUND_US, now_us + AROUND_US
            )

    async def _make(self, code: str) -> Board:
        now_us, codes = time.time_ns() // 1000, airport_codes(code)
        flights = [each for each in await self._flights.get("") if _is_at(each, codes)]
        arrivals = [each for each in flights if each.destination.lower() in codes]
        weather, times = await self._around.weather(code), await self._around.times(code)
        called = [(flight_key(each.flight), each.date) for each in arrivals]
        async with self._database.reading() as session:
            bags = await self._others.baggage.bags_on_belts(session, called)
        coming = []
        for each, known in zip(arrivals, bags, strict=True):
            view = flight_view(each, known.bags)
            model = times.belt_model(view.kind)
            coming.append(Arrival(view, _city(each.origin), known.on_belt, known.bags, model))
        leaving = (
            (flight_view(each, None), _city(each.destination))
            for each in flights
            if each.origin.lower() in codes
        )
        place = airport(code)
        return Board(
            airport=code,
            time_zone=None if place is None else place.time_zone,
            ramp=weather.state,
            belts=belt_boards(coming, weather.closures, now_us),
            gates=gate_boards(leaving, is_closed=weather.state == "closed", now_us=now_us),
            at_us=now_us,
        )


def _is_at(flight: Flight, codes: frozenset[str]) -> bool:
    return flight.origin.lower() in codes or flight.destination.lower() in codes


def _city(code: str) -> str | None:
    found = airport(code)
    return None if found is None else found.city
