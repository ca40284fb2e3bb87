"""Importing the schedule and the stands. Importing the same file twice changes nothing."""

import asyncio
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.bulk import few_or_digest
from aerocast_hub.audit.trail import record
from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_or_replace
from aerocast_hub.events.flights import FlightScheduled
from aerocast_hub.flights.matching import plain_callsign, plain_registration
from aerocast_hub.flights.refold import refold_flights
from aerocast_hub.flights.stands import StandShape, read_stands
from aerocast_hub.flights.tables import FlightRow, StandRow
from aerocast_hub.importing import RefusedRow, WrongValueError, read_rows
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.schedule import in_range_us, instant_us, read_airport, read_date, read_flight

Text = str | int | None
LONGEST_NAME = 32


class ScheduleLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the schedule; the keys are the file's headings."""

    flight: str
    date: str
    origin: str = msgspec.field(name="from")
    destination: str = msgspec.field(name="to")
    callsign: str | None = None
    icao: str | None = None
    registration: str | None = None
    scheduled_off_block: str | int | float | None = None
    scheduled_on_block: str | int | float | None = None
    stand: Text = None
    reclaim: Text = None
    gate: Text = None
    aircraft_type: Text = None
    handler: Text = None
    departure_terminal: Text = None
    arrival_terminal: Text = None


class ScheduledFlight(msgspec.Struct, frozen=True, kw_only=True):
    """A flight of the schedule, as it is kept.

    Attributes
    ----------
    aircraft_type
        ICAO or IATA designator, such as ``A320``.
    handler
        Who unloads it where it arrives, as the airport calls them.
    """

    flight: str
    flight_key: str
    date: str
    origin: str
    destination: str
    callsign: str | None = None
    icao: str | None = None
    registration: str | None = None
    off_block_due_us: int | None = None
    on_block_due_us: int | None = None
    stand: str | None = None
    reclaim: str | None = None
    gate: str | None = None
    aircraft_type: str | None = None
    handler: str | None = None
    departure_terminal: str | None = None
    arrival_terminal: str | None = None


async def import_flights(database: Database, file: Path) -> list[ScheduledFlight | RefusedRow]:
    """Take in a schedule; what the gateways noticed before is told of these flights now.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    read = list(read_rows(file, ScheduleLine, _flight))
    flights = [each for each in read if isinstance(each, ScheduledFlight)]
    async with database.writing() as session:
        kept = await keep_flights(session, flights)
        now_us = time.time_ns() // 1000
        told = [FlightScheduled(at_us=now_us, flight_id=each) for each in kept.changed]
        await write_events(session, [*told, *await refold_flights(session, kept.ids)])
        refused = len(read) - len(flights)
        await record(
            session,
            "flights_imported",
            subject=f"flights {file.name}",
            before={"flights": few_or_digest(kept.were)},
            after={"flights": few_or_digest(kept.are), "read": len(flights), "refused": refused},
        )
    return read


class KeptFlights(NamedTuple):
    """The hub's ids of flights of a schedule, and of those that it tells something new of.

    Attributes
    ----------
    were, are
        What the schedule told of the latter before, where it knew them, and what it tells now.
    """

    ids: list[str]
    changed: list[str]
    were: list[ScheduledFlight]
    are: list[ScheduledFlight]


async def keep_flights(session: AsyncSession, flights: Sequence[ScheduledFlight]) -> KeptFlights:
    """Insert or update flights of the schedule."""
    known = await _known(session, {flight.date for flight in flights})
    rows: dict[Identity, dict[str, object]] = {}
    changed: list[str] = []
    were: list[ScheduledFlight] = []
    are: list[ScheduledFlight] = []
    for identity, flight in {_identity(flight): flight for flight in flights}.items():
        flight_id, before = known.get(identity, (str(uuid.uuid4()), None))
        rows[identity] = {"id": flight_id, **msgspec.structs.asdict(flight)}
        if before != flight:
            changed.append(flight_id)
            were += [] if before is None else [before]
            are.append(flight)
    await insert_or_replace(session, FlightRow, list(rows.values()))
    return KeptFlights([str(row["id"]) for row in rows.values()], changed, were, are)


async def import_stands(database: Database, file: Path) -> list[StandShape | RefusedRow]:
    """Take in stands from GeoJSON: polygons with a property ``stand``.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    read = read_stands(await asyncio.to_thread(file.read_bytes))
    shapes = _shapes(read)
    async with database.writing() as session:
        known = {row.stand: row for row in await session.scalars(select(StandRow))}
        were = [_told(known[each.stand]) for each in shapes if each.stand in known]
        rows = [_stand_row(each) for each in shapes]
        await insert_or_replace(session, StandRow, rows)
        after = {"stands": few_or_digest(rows), "refused": len(read) - len(shapes)}
        before = {"stands": few_or_digest(were)}
        subject = f"stands {file.name}"
        await record(session, "stands_imported", subject=subject, before=before, after=after)
    return read


def _told(row: StandRow) -> dict[str, object]:
    return {
        "stand": row.stand,
        "geometry": row.geometry,
        "latitude_deg": row.latitude_deg,
        "longitude_deg": row.longitude_deg,
    }


def _shapes(read: Iterable[StandShape | RefusedRow]) -> list[StandShape]:
    named = {each.stand: each for each in read if isinstance(each, StandShape)}
    return list(named.values())


def _stand_row(shape: StandShape) -> Mapping[str, object]:
    latitude_deg, longitude_deg = shape.centre
    return {
        "stand": shape.stand,
        "geometry": msgspec.json.encode(
            {"type": "MultiPolygon", "coordinates": [[each] for each in shape.outlines]}
        ),
        "latitude_deg": latitude_deg,
        "longitude_deg": longitude_deg,
    }


Identity = tuple[str, str, str, str]


def _identity(flight: ScheduledFlight) -> Identity:
    return flight.flight_key, flight.date, flight.origin, flight.destination


async def _known(
    session: AsyncSession, dates: set[str]
) -> dict[Identity, tuple[str, ScheduledFlight]]:
    """Give the flights of these dates by what they are known by: the hub's id, and the schedule."""
    columns = [getattr(FlightRow, each) for each in ScheduledFlight.__struct_fields__]
    rows = await session.execute(select(FlightRow.id, *columns).where(FlightRow.date.in_(dates)))
    known = ((row.id, msgspec.convert(row, ScheduledFlight, from_attributes=True)) for row in rows)
    return {_identity(flight): (flight_id, flight) for flight_id, flight in known}


def _flight(line: ScheduleLine) -> ScheduledFlight:
    flight, key = read_flight("flight", line.flight)
    return ScheduledFlight(
        flight=flight,
        flight_key=key,
        date=read_date("date", line.date),
        origin=read_airport("from", line.origin),
        destination=read_airport("to", line.destination),
        callsign=plain_callsign(line.callsign) or None if line.callsign else None,
        icao=_icao(line.icao),
        registration=plain_registration(line.registration) or None if line.registration else None,
        off_block_due_us=_instant("scheduled_off_block", line.scheduled_off_block),
        on_block_due_us=_instant("scheduled_on_block", line.scheduled_on_block),
        stand=_text(line.stand),
        reclaim=_text(line.reclaim),
        gate=_text(line.gate),
        aircraft_type=_aircraft_type(line.aircraft_type),
        handler=_named("handler", line.handler),
        departure_terminal=_named("departure_terminal", line.departure_terminal),
        arrival_terminal=_named("arrival_terminal", line.arrival_terminal),
    )


def _icao(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    plain = text.strip().lower()
    if re.fullmatch(r"~?[0-9a-f]{6}", plain) is None:
        raise WrongValueError("icao", text, "a 24-bit address such as 393322")
    return plain


def _aircraft_type(value: Text) -> str | None:
    text = _text(value)
    if text is None:
        return None
    plain = text.upper()
    if re.fullmatch(r"[A-Z0-9]{2,4}", plain) is None:
        raise WrongValueError("aircraft_type", text, "a designator such as A320 or 77W")
    return plain


def _named(key: str, value: Text) -> str | None:
    text = _text(value) or None
    if text is not None and len(text) > LONGEST_NAME:
        raise WrongValueError(key, text[:LONGEST_NAME], f"at most {LONGEST_NAME} characters")
    return text


def _instant(key: str, value: str | float | None) -> int | None:
    if value is None or value == "":
        return None
    try:
        return instant_us(value) if isinstance(value, str) else in_range_us(value)
    except (ValueError, OverflowError):
        raise WrongValueError(key, value, "a time such as 2024-07-06T06:40:00Z") from None


def _text(value: Text) -> str | None:
    return None if value is None or value == "" else str(value).strip()
