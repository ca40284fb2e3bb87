"""The bags of flights, and of connections, read for those who load and chase them."""

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport_codes
from aerocast_hub.baggage.evidence import Leg
from aerocast_hub.baggage.journeys import decode_journey
from aerocast_hub.baggage.reconciliation import (
    Carried,
    Due,
    FlightBags,
    Transfer,
    reconcile,
    transfer_at,
)
from aerocast_hub.baggage.tables import BagLegRow, BagRow
from aerocast_hub.flights.store import Flight, find_flight, flights_on
from aerocast_hub.schedule import flight_key

HOUR_US = 3_600_000_000
MOST_BAGS = 2000  # of one flight, or one transfer board


class BagsOfFlight(msgspec.Struct, frozen=True, kw_only=True):
    """A flight and its bags, reconciled."""

    flight: Flight
    bags: FlightBags


async def bags_of_flight(session: AsyncSession, flight_id: str, now_us: int) -> BagsOfFlight | None:
    """Reconcile the bags of a flight; None when there is no such flight."""
    flight = await find_flight(session, flight_id)
    if flight is None:
        return None
    carried = await carried_on(session, flight_key(flight.flight), flight.date)
    return BagsOfFlight(flight=flight, bags=reconcile(due_of(flight), carried, now_us))


async def carried_on(session: AsyncSession, key: str, date: str) -> list[Carried]:
    """Give the bags booked on a flight and those stowed for it, rightly or not."""
    booked = select(BagLegRow.bag_id).where(
        BagLegRow.flight_key == key, BagLegRow.flight_date == date
    )
    rows = await session.execute(
        select(BagRow.id, BagRow.licence_plate, BagRow.journey)
        .where(or_(BagRow.id.in_(booked), BagRow.stowed_for == f"{key} {date}"))
        .limit(MOST_BAGS)
    )
    return [_carried(*row) for row in rows]


async def transfers(
    session: AsyncSession, airport: str, now_us: int, *, ahead_us: int = 6 * HOUR_US
) -> list[Transfer]:
    """Give the bags that change aircraft at an airport soon, the most pressing first."""
    codes = airport_codes(airport)
    flights = await flights_on(session, now_us - 2 * HOUR_US, now_us + ahead_us)
    leaving = {
        (flight_key(each.flight), each.date): each
        for each in flights
        if each.origin.lower() in codes and departs_us(each) is not None
    }
    if not leaving:
        return []
    rows = await session.execute(
        select(BagRow.id, BagRow.licence_plate, BagRow.journey)
        .join(BagLegRow, BagLegRow.bag_id == BagRow.id)
        .where(
            BagLegRow.position > 0,
            BagLegRow.flight_key.in_(sorted({key for key, _ in leaving})),
            BagLegRow.flight_date.in_(sorted({date for _, date in leaving})),
        )
        .limit(MOST_BAGS)
    )
    times = {
        (flight_key(each.flight), each.date): (departs_us(each), arrives_us(each))
        for each in flights
    }
    found = [
        transfer
        for row in rows
        if (transfer := transfer_at(_carried(*row), codes, times, now_us)) is not None
    ]
    return sorted(found, key=lambda each: (each.departs_us or 0, each.licence_plate))


def due_of(flight: Flight) -> Due:
    """Give a flight as reconciliation needs it."""
    actual = flight.actual.off_block or flight.actual.airborne
    left_us = None if actual is None else actual.at_us
    there = flight.actual.landed or flight.actual.on_block
    if left_us is None and there is not None:  # nobody heard it leave, and it is here
        left_us = min(flight.off_block_due_us or there.at_us, there.at_us)
    return Due(
        leg=Leg(
            flight.flight,
            flight_key(flight.flight),
            flight.date,
            flight.origin,
            flight.destination,
        ),
        origin_codes=airport_codes(flight.origin),
        off_block_us=left_us,
        off_block_due_us=flight.off_block_due_us,
    )


def departs_us(flight: Flight) -> int | None:
    """Say when a flight left its stand, or is to leave it."""
    return due_of(flight).departs_us


def arrives_us(flight: Flight) -> int | None:
    """Say when a flight reached its stand, or is due there."""
    on_block = flight.actual.on_block
    return flight.on_block_due_us if on_block is None else on_block.at_us


def _carried(bag_id: str, licence_plate: str, journey: bytes) -> Carried:
    return Carried(bag_id=bag_id, licence_plate=licence_plate, journey=decode_journey(journey))
