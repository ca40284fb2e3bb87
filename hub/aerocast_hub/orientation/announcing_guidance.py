"""Telling airlines' apps that a passenger's advice changed: for links that somebody made for them.

Events say whose advice may have changed; the clock changes the others'. What was told last is kept
with the link, in the transaction in which the event is written, so that each change is told once.
"""

import asyncio
import time
from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport_codes
from aerocast_hub.baggage.bags import passengers_of, passengers_on
from aerocast_hub.database.engine import Database
from aerocast_hub.events.bags import BagChanged
from aerocast_hub.events.every import Event
from aerocast_hub.events.flights import (
    FlightAirborne,
    FlightLanded,
    FlightOffBlock,
    FlightOnBlock,
    FlightScheduled,
    FlightTimeWithdrawn,
)
from aerocast_hub.events.ramp import RampCautioned, RampClosed, RampReopened, RampUnknown
from aerocast_hub.flights.store import find_flight, flights_on
from aerocast_hub.orientation.advising import advise_each
from aerocast_hub.orientation.arrival_times import MINUTE_US
from aerocast_hub.orientation.guidance_news import FINAL, Told, news, told_of
from aerocast_hub.orientation.passenger_links import forget_links
from aerocast_hub.orientation.tables import PassengerLinkRow
from aerocast_hub.outbox.publish import Publisher, write_events
from aerocast_hub.schedule import flight_key

FOLLOWED = (
    *("bag_changed", "flight_airborne", "flight_landed", "flight_off_block", "flight_on_block"),
    *("flight_scheduled", "flight_time_withdrawn"),
    *("ramp_closed", "ramp_reopened", "ramp_cautioned", "ramp_unknown"),
)
_Flight = (
    FlightAirborne
    | FlightLanded
    | FlightOffBlock
    | FlightOnBlock
    | FlightScheduled
    | FlightTimeWithdrawn
)
_Ramp = RampClosed | RampReopened | RampCautioned | RampUnknown
EVERY_S = 60.0
FORGET_EVERY_S = 3600.0
AROUND_US = 120 * MINUTE_US  # of the ramp's closing: whose bags may wait for it
MOST_LOOKED_AT = 2000
IDS_AT_ONCE = 400

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Told)


async def take_in(session: AsyncSession, events: Sequence[Event]) -> list[Event]:
    """Look at the advice of those whom events concern; give what is news to them."""
    now_us = time.time_ns() // 1000
    links = await _links_of(session, await _concerned(session, events, now_us), now_us)
    return await _tell(session, links, now_us)


async def keep_looking(database: Database, publisher: Publisher) -> None:
    """Look each minute at what time alone changes, until cancelled; forget links long ended."""
    forgot_at_s = -FORGET_EVERY_S
    while True:
        try:
            if await look_and_tell(database, time.time_ns() // 1000):
                publisher.wake()
            if time.monotonic() - forgot_at_s > FORGET_EVERY_S:
                forgot_at_s = time.monotonic()
                async with database.writing() as session:
                    await forget_links(session, time.time_ns() // 1000)
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("apps wait", error)
        await asyncio.sleep(EVERY_S)


async def look_and_tell(database: Database, now_us: int) -> list[Event]:
    """Tell what time alone changed of advice that was told before."""
    async with database.reading() as session:
        rows = await session.scalars(
            select(PassengerLinkRow)
            .where(*_told_of(now_us), PassengerLinkRow.told.is_not(None))
            .order_by(PassengerLinkRow.made_at_us.desc())
            .limit(MOST_LOOKED_AT)
        )
        waiting = [row for row in rows if _decoder.decode(row.told or b"").phase not in FINAL]
        found = await _news(session, waiting, now_us)
    if not found:
        return []
    async with database.writing() as session:
        told = await _keep(session, found)
        await write_events(session, told)
    return told


async def _concerned(session: AsyncSession, events: Sequence[Event], now_us: int) -> set[str]:
    """Give the passengers whose advice events may have changed."""
    bags = {each.bag_id for each in events if isinstance(each, BagChanged)}
    flights: set[tuple[str, str]] = set()
    for flight_id in {each.flight_id for each in events if isinstance(each, _Flight)}:
        flight = await find_flight(session, flight_id)
        if flight is not None:
            flights.add((flight_key(flight.flight), flight.date))
    closed = {each.airport for each in events if isinstance(each, _Ramp)}
    ramps = {code for each in closed for code in airport_codes(each)}
    if ramps:
        for flight in await flights_on(session, now_us - AROUND_US, now_us + AROUND_US):
            if flight.origin.lower() in ramps or flight.destination.lower() in ramps:
                flights.add((flight_key(flight.flight), flight.date))
    return await passengers_of(session, bags) | await passengers_on(session, flights)


async def _links_of(
    session: AsyncSession, passengers: Collection[str], now_us: int
) -> list[PassengerLinkRow]:
    ordered, found = sorted(passengers), []
    for at in range(0, len(ordered), IDS_AT_ONCE):
        rows = await session.scalars(
            select(PassengerLinkRow).where(
                PassengerLinkRow.passenger_id.in_(ordered[at : at + IDS_AT_ONCE]),
                *_told_of(now_us),
            )
        )
        found += list(rows)
    return found


Found = tuple[PassengerLinkRow, Told, Event]


async def _news(
    session: AsyncSession, links: Sequence[PassengerLinkRow], now_us: int
) -> list[Found]:
    """Give the links whose passengers' advice is another than was told."""
    passengers = list(dict.fromkeys(link.passenger_id for link in links))
    advised = await advise_each(session, passengers, now_us)
    found: list[Found] = []
    for link in links:
        each = advised.get(link.passenger_id)
        told = None if each is None else told_of(each.advice)
        was = None if link.told is None else _decoder.decode(link.told)
        event = None if told is None else news(link.id, was, told, now_us)
        if told is not None and event is not None:
            found.append((link, told, event))
    return found


async def _tell(
    session: AsyncSession, links: Sequence[PassengerLinkRow], now_us: int
) -> list[Event]:
    return await _keep(session, await _news(session, links, now_us))


async def _keep(session: AsyncSession, found: Sequence[Found]) -> list[Event]:
    """Keep what is told now; give the events, but for those another hub told meanwhile."""
    events: list[Event] = []
    for link, told, event in found:
        kept = await session.scalar(
            update(PassengerLinkRow)
            .where(
                PassengerLinkRow.id == link.id,
                PassengerLinkRow.told.is_not_distinct_from(link.told),
            )
            .values(told=_encoder.encode(told))
            .returning(PassengerLinkRow.id)
            .execution_options(synchronize_session=False)
        )
        if kept is not None:
            events.append(event)
    return events


def _told_of(now_us: int) -> tuple[ColumnElement[bool], ...]:
    """Say which links are told of: open ones that somebody made for their passenger."""
    row = PassengerLinkRow
    return row.made_by.is_not(None), row.revoked_at_us.is_(None), row.expires_at_us > now_us
