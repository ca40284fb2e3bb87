"""Importing the bags that are expected. Importing the same file twice changes nothing.

Passengers' names go to a table of their own; messages about refused lines never show them.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
from sqlalchemy import func, select

from aerocast_hub.audit.bulk import digest_of
from aerocast_hub.audit.trail import record
from aerocast_hub.baggage.evidence import Announced, Leg
from aerocast_hub.baggage.evidence_store import keep_evidence
from aerocast_hub.baggage.identity import NO_PLATE
from aerocast_hub.baggage.journeys import refold_plates
from aerocast_hub.baggage.names import surname_key
from aerocast_hub.baggage.passengers import Person, keep_passengers
from aerocast_hub.baggage.tables import BagRow
from aerocast_hub.database.engine import Database
from aerocast_hub.importing import Names, RefusedRow, WrongValueError, read_rows
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.schedule import read_airport, read_date, read_flight

PERSONAL = Names("surname", "passenger")


class BagLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file; the keys are its headings."""

    licence_plate: str
    flight: str
    flight_date: str
    origin: str = msgspec.field(name="from")
    destination: str = msgspec.field(name="to")
    surname: str | None = None
    passenger: str | int | None = None


class ExpectedBag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag that is expected, without a word of whose it is."""

    licence_plate: str
    flight: str
    flight_key: str
    flight_date: str
    origin: str
    destination: str


class _Announced(msgspec.Struct, frozen=True, kw_only=True):
    """An expected bag and its passenger."""

    bag: ExpectedBag
    surname: str | None
    passenger: str | None


async def import_bags(database: Database, file: Path) -> list[ExpectedBag | RefusedRow]:
    """Take in expected bags; sightings of their plates before now are theirs from now on.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    read = list(read_rows(file, BagLine, _announced, PERSONAL))
    announced = [each for each in read if isinstance(each, _Announced)]
    now_us = time.time_ns() // 1000
    there_are = select(func.count()).select_from(BagRow)
    async with database.writing() as session:
        known = await session.scalar(there_are)
        people = await keep_passengers(session, filter(None, map(_person, announced)))
        evidence = [(each.bag.licence_plate, _evidence(each, people, now_us)) for each in announced]
        await keep_evidence(session, evidence)
        plates = {each.bag.licence_plate for each in announced}
        await write_events(session, await refold_plates(session, plates))
        after = {
            "bags": await session.scalar(there_are),
            "read": digest_of([each.bag for each in announced]),
            "refused": len(read) - len(announced),
        }
        subject, before = f"bags {file.name}", {"bags": known}
        await record(session, "bags_imported", subject=subject, before=before, after=after)
    return [each.bag if isinstance(each, _Announced) else each for each in read]


def _evidence(each: _Announced, people: Mapping[Person, str], now_us: int) -> Announced:
    """Make of a line what is known of its bag; the same line again is the same evidence."""
    bag, person = each.bag, _person(each)
    passenger_id = None if person is None else people[person]
    said = f"{bag.licence_plate} {bag.flight_key} {bag.flight_date} {bag.origin} {bag.destination}"
    return Announced(
        id=f"import {said} {passenger_id or ''}",
        at_us=now_us,
        known_at_us=now_us,
        legs=(Leg(bag.flight, bag.flight_key, bag.flight_date, bag.origin, bag.destination),),
        station=bag.origin,
        passenger_id=passenger_id,
    )


def _person(each: _Announced) -> Person | None:
    if not each.surname:
        return None
    return Person(each.surname, each.passenger, each.bag.flight_key, each.bag.flight_date)


def _announced(line: BagLine) -> _Announced:
    plate = line.licence_plate.strip()
    if re.fullmatch(r"[0-9]{10}", plate) is None or plate == NO_PLATE:
        raise WrongValueError("licence_plate", line.licence_plate, "ten digits")
    flight, key = read_flight("flight", line.flight)
    surname = (line.surname or "").strip()
    if surname and not surname_key(surname):
        raise WrongValueError("surname", "...", "a name with letters")
    return _Announced(
        bag=ExpectedBag(
            licence_plate=plate,
            flight=flight,
            flight_key=key,
            flight_date=read_date("flight_date", line.flight_date),
            origin=read_airport("from", line.origin),
            destination=read_airport("to", line.destination),
        ),
        surname=surname or None,
        passenger=None if line.passenger in (None, "") else str(line.passenger).strip(),
    )
