"""Reading flights: what other features and the pages may ask."""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.flights.on_block import ActualTimes
from aerocast_hub.flights.refold import times_of
from aerocast_hub.flights.tables import FlightRow
from aerocast_hub.schedule import flight_key

HOUR_US = 3_600_000_000
MOST_FLIGHTS = 1000


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """A flight: its schedule, and what it did.

    Attributes
    ----------
    off_block_due_us, on_block_due_us
        Scheduled times, UTC microseconds.
    stand
        Where it stands, else where the schedule says it will.
    aircraft_type
        ICAO or IATA designator.
    handler
        Who unloads it where it arrives.
    actual
        Times heard; None where not yet.
    """

    id: str
    flight: str
    date: str
    origin: str
    destination: str
    callsign: str | None
    icao: str | None
    registration: str | None
    off_block_due_us: int | None
    on_block_due_us: int | None
    stand: str | None
    reclaim: str | None
    gate: str | None
    aircraft_type: str | None
    handler: str | None
    departure_terminal: str | None
    arrival_terminal: str | None
    actual: ActualTimes


class Booking(msgspec.Struct, frozen=True):
    """A flight as a bag names it: number, local date, from where to where."""

    designator: str
    date: str
    origin: str
    destination: str


async def list_flights(session: AsyncSession, around_us: int) -> list[Flight]:
    """Give the flights due, landed or parked within 12 hours of an instant, by scheduled time."""
    return await flights_on(session, around_us - 12 * HOUR_US, around_us + 12 * HOUR_US)


async def flights_on(session: AsyncSession, from_us: int, until_us: int) -> list[Flight]:
    """Give the flights due, landed or parked between two instants, by scheduled time."""
    span = (from_us, until_us)
    rows = await session.scalars(
        select(FlightRow)
        .where(
            or_(
                FlightRow.off_block_due_us.between(*span),
                FlightRow.on_block_due_us.between(*span),
                FlightRow.on_block_us.between(*span),
            )
        )
        .order_by(FlightRow.on_block_due_us, FlightRow.off_block_due_us, FlightRow.id)
        .limit(MOST_FLIGHTS)
    )
    return [_flight(row) for row in rows]


async def flights_of_day(session: AsyncSession, date: str) -> list[Flight]:
    """Give every flight of a date (``2026-06-14``, as schedules say it), by time of departure."""
    rows = await session.scalars(
        select(FlightRow)
        .where(FlightRow.date == date)
        .order_by(FlightRow.off_block_due_us, FlightRow.id)
    )
    return [_flight(row) for row in rows]


async def list_parked(session: AsyncSession, limit: int = 100) -> list[Flight]:
    """Give the flights last come to their stand, newest first."""
    rows = await session.scalars(
        select(FlightRow)
        .where(FlightRow.on_block_us.is_not(None))
        .order_by(FlightRow.on_block_us.desc(), FlightRow.id)
        .limit(limit)
    )
    return [_flight(row) for row in rows]


async def flights_called(
    session: AsyncSession, flights: Collection[tuple[str, str]]
) -> list[Flight]:
    """Give flights by their keys and dates, every leg of each; a few hundred at most."""
    if not flights:
        return []
    rows = await session.scalars(
        select(FlightRow)
        .where(
            FlightRow.flight_key.in_(sorted({key for key, _ in flights})),
            FlightRow.date.in_(sorted({date for _, date in flights})),
        )
        .order_by(FlightRow.id)
    )
    return [_flight(row) for row in rows if (row.flight_key, row.date) in flights]


async def find_flight(session: AsyncSession, flight_id: str) -> Flight | None:
    """Give a flight by the hub's own id."""
    row = await session.get(FlightRow, flight_id.replace("\x00", "?"))
    return None if row is None else _flight(row)


async def flight_of(session: AsyncSession, booking: Booking) -> Flight | None:
    """Find the flight a bag or passenger is booked on."""
    return (await flights_of(session, {booking})).get(booking)


async def flights_of(session: AsyncSession, bookings: Collection[Booking]) -> dict[Booking, Flight]:
    """Find the flights bags or passengers are booked on, by number and date; a few hundred at most.

    Among several legs of one number the one between the given airports wins, then the one from
    the first, then the one to the second. Bookings nobody knows a flight for are left out.
    """
    named = {booking: (flight_key(booking.designator), booking.date) for booking in bookings}
    rows = await session.scalars(
        select(FlightRow)
        .where(
            FlightRow.flight_key.in_(sorted({key for key, _ in named.values()})),
            FlightRow.date.in_(sorted({date for _, date in named.values()})),
        )
        .order_by(FlightRow.off_block_due_us, FlightRow.id)
    )
    legs: dict[tuple[str, str], list[FlightRow]] = {}
    for row in rows:
        legs.setdefault((row.flight_key, row.date), []).append(row)
    return {
        booking: _flight(_nearest(legs[name], booking.origin, booking.destination))
        for booking, name in named.items()
        if name in legs
    }


async def count_parked(session: AsyncSession) -> int:
    """Count the flights that have reached their stand."""
    found = await session.scalar(select(func.count()).where(FlightRow.on_block_us.is_not(None)))
    return found or 0


def _nearest(rows: Iterable[FlightRow], origin: str, destination: str) -> FlightRow:
    def strangeness(row: FlightRow) -> tuple[int, bool]:
        other_origin = not _same_airport(row.origin, origin)
        other_destination = not _same_airport(row.destination, destination)
        return other_origin + other_destination, other_origin

    return min(rows, key=strangeness)


def _same_airport(one: str, other: str) -> bool:
    if one.upper() == other.upper():
        return True
    found = airport(one)
    return found is not None and found == airport(other)


def _flight(row: FlightRow) -> Flight:
    return Flight(
        id=row.id,
        flight=row.flight,
        date=row.date,
        origin=row.origin,
        destination=row.destination,
        callsign=row.callsign,
        icao=row.icao or row.heard_icao,
        registration=row.registration,
        off_block_due_us=row.off_block_due_us,
        on_block_due_us=row.on_block_due_us,
        stand=row.on_block_stand or row.stand,
        reclaim=row.reclaim,
        gate=row.gate,
        aircraft_type=row.aircraft_type,
        handler=row.handler,
        departure_terminal=row.departure_terminal,
        arrival_terminal=row.arrival_terminal,
        actual=times_of(row),
    )
