"""Keeps what was foretold of arrivals and what came, and learns from it, beside requests."""

import asyncio
import logging
import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport_codes
from aerocast_hub.baggage.belt_bags import (
    ON_BELT,
    count_bags_for_belts,
    last_flights_of,
    on_belt_us,
)
from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new
from aerocast_hub.events.bags import BagPassed
from aerocast_hub.events.every import Event
from aerocast_hub.events.flights import FlightOnBlock, FlightTimeWithdrawn
from aerocast_hub.flights.store import Flight, find_flight, flights_called
from aerocast_hub.orientation.arrival_learning import Kind, learn
from aerocast_hub.orientation.arrival_times import (
    BeltModel,
    Closure,
    Progress,
    belt_times,
    open_min,
)
from aerocast_hub.orientation.arrivals import (
    Forecast,
    airports_arrived_at,
    digest_of,
    finished_at,
    ground_times_of,
    keep_learned,
    learned_from,
)
from aerocast_hub.orientation.places.store import map_code
from aerocast_hub.orientation.tables import ArrivalRow
from aerocast_hub.schedule import flight_key
from aerocast_hub.weather.ramp_store import closures_at

log = logging.getLogger(__name__)

FOLLOWED = ("flight_on_block", "flight_time_withdrawn", "bag_passed")
LEARN_EVERY_S = 300.0


async def take_in(session: AsyncSession, events: Sequence[Event]) -> list[Event]:
    """Keep arrivals that came to their stand and bags that came to their belts."""
    flights: dict[str, Flight] = {}
    for event in events:
        if isinstance(event, FlightOnBlock | FlightTimeWithdrawn):
            found = await find_flight(session, event.flight_id)
            if found is not None:
                flights[found.id] = found
    passed = {
        event.bag_id for event in events if isinstance(event, BagPassed) and event.point in ON_BELT
    }
    for found in await flights_called(session, await last_flights_of(session, passed)):
        flights[found.id] = found
    for flight_id in sorted(flights):
        await keep_arrival(session, flights[flight_id])
    return []


async def keep_arrival(session: AsyncSession, flight: Flight) -> None:
    """Keep what is known of an arrival now, however often; its forecast stays the first."""
    on_block = flight.actual.on_block
    if on_block is None:
        await session.execute(delete(ArrivalRow).where(ArrivalRow.flight_id == flight.id))
        return
    key = flight_key(flight.flight)
    times = await on_belt_us(session, key, flight.date, airport_codes(flight.destination))
    times = [each for each in times if each > on_block.at_us]
    first_min = None
    if times:
        closures = await _closures(session, flight.destination, times[0])
        first_min = open_min(on_block.at_us, times[0], closures)
    known = {
        "on_block_us": on_block.at_us,
        "stand": flight.stand,
        "handler": flight.handler,
        "aircraft_type": flight.aircraft_type,
        "bags": len(times),
        "first_us": times[0] if times else None,
        "last_us": times[-1] if times else None,
        "first_min": first_min,
    }
    changed = await session.scalar(
        update(ArrivalRow)
        .where(ArrivalRow.flight_id == flight.id)
        .values(**known)
        .returning(ArrivalRow.flight_id)
    )
    if changed is not None:
        return
    forecast = await _forecast(session, flight, on_block.at_us)
    new = {"flight_id": flight.id, "airport": map_code(flight.destination)}
    row = {**new, **known, "forecast": msgspec.msgpack.encode(forecast)}
    await insert_new(session, ArrivalRow, [row])


async def keep_learning(database: Database) -> None:
    """Learn every few minutes from what is new, until cancelled."""
    while True:
        try:
            await learn_all(database, time.time_ns() // 1000)
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("nothing is learned of arrivals", error)
        await asyncio.sleep(LEARN_EVERY_S)


async def learn_all(database: Database, now_us: int) -> list[str]:
    """Learn anew how long arrivals take where more of them are over; give those airports."""
    async with database.reading() as session:
        airports = await airports_arrived_at(session)
    return [each for each in airports if await _learn(database, each, now_us)]


async def _learn(database: Database, airport: str, now_us: int) -> bool:
    async with database.reading() as session:
        finished = await finished_at(session, airport, now_us)
        handling = (await ground_times_of(session, airport)).handling
        known = await learned_from(session, airport)
    digest = digest_of(finished, handling)
    if digest == known or not finished:
        return False
    learned = await asyncio.to_thread(learn, finished, handling)
    async with database.writing() as session:
        await keep_learned(session, airport, digest, learned, now_us)
    log.info("%s: learned how long bags take from %d arrivals", airport, learned.cases)
    return True


async def _forecast(session: AsyncSession, flight: Flight, at_us: int) -> Forecast:
    """Foretell an arrival as of when it reached its stand, with what was known then."""
    times = await ground_times_of(session, flight.destination)
    model = times.belt_model(Kind(flight.stand, flight.handler, flight.aircraft_type))
    called = flight_key(flight.flight), flight.date
    bags = (await count_bags_for_belts(session, {called}))[called]
    closures = await _closures(session, flight.destination, at_us)
    on_block = Progress(on_block_us=at_us)
    told = belt_times(on_block, bags, closures, at_us, model)
    by_file = belt_times(on_block, bags, closures, at_us, BeltModel(handling=times.handling))
    if told is None or by_file is None:
        raise ValueError(f"flight {flight.id} is on its stand and nothing is foretold")
    return Forecast(at_us=at_us, told=told, by_file=by_file)


async def _closures(session: AsyncSession, airport: str, at_us: int) -> list[Closure]:
    return [
        Closure(each.from_us, each.until_us) for each in await closures_at(session, airport, at_us)
    ]
