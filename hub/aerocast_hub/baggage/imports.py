"""Importing the bags that are expected. Importing the same file twice changes nothing.

Passengers' names go to a table of their own; messages about refused lines never show them.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.journey import Journey
from aerocast_hub.baggage.journeys import encode_journey, refold_plates
from aerocast_hub.baggage.names import surname_key
from aerocast_hub.baggage.tables import BagPlateRow, BagRow, PassengerRow
from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.importing import Names, RefusedRow, WrongValueError, read_rows
from aerocast_hub.outbox.publish import write_events
from aerocast_hub.schedule import read_airport, read_date, read_flight

PERSONAL = Names("surname", "passenger")
PLATES_AT_ONCE = 500
FOLDED = ("state", "last_seen_us", "journey")
NO_PLATE = "0000000000"  # what scanners say when they can read none


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


class Announced(msgspec.Struct, frozen=True, kw_only=True):
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
    announced = [each for each in read if isinstance(each, Announced)]
    async with database.writing() as session:
        await keep_announced(session, announced)
        plates = {each.bag.licence_plate for each in announced}
        await write_events(session, await refold_plates(session, plates))
    return [each.bag if isinstance(each, Announced) else each for each in read]


async def keep_announced(session: AsyncSession, announced: Sequence[Announced]) -> None:
    """Write expected bags and their passengers; whose a bag is stays known where not said again."""
    known = await _known_bags(session, {each.bag.licence_plate for each in announced})
    passengers = await _passengers(session, announced)
    bags: dict[tuple[str, str, str], Mapping[str, object]] = {}
    for each in announced:
        identity = _identity(each.bag)
        bag_id = known.setdefault(identity, str(uuid.uuid4()))
        bags[identity] = {
            "id": bag_id,
            "flight": each.bag.flight,
            "flight_key": each.bag.flight_key,
            "flight_date": each.bag.flight_date,
            "origin": each.bag.origin,
            "destination": each.bag.destination,
            "passenger_id": passengers.get(_person(each)),
            "state": "expected",
            "last_seen_us": None,
            "journey": encode_journey(Journey()),
        }
    owned = [row for row in bags.values() if row["passenger_id"] is not None]
    await insert_or_replace(session, BagRow, owned, keep=FOLDED)
    others = [row for row in bags.values() if row["passenger_id"] is None]
    await insert_or_replace(session, BagRow, others, keep=(*FOLDED, "passenger_id"))
    plates = [{"licence_plate": key[0], "bag_id": row["id"]} for key, row in bags.items()]
    await insert_new(session, BagPlateRow, plates)


async def _known_bags(
    session: AsyncSession, plates: Iterable[str]
) -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    ordered = sorted(plates)
    for at in range(0, len(ordered), PLATES_AT_ONCE):
        rows = await session.execute(
            select(BagPlateRow.licence_plate, BagRow.flight_date, BagRow.origin, BagRow.id)
            .join(BagRow, BagRow.id == BagPlateRow.bag_id)
            .where(
                BagPlateRow.licence_plate.in_(ordered[at : at + PLATES_AT_ONCE]),
                BagRow.flight.is_not(None),
            )
        )
        found |= {(plate, day or "", origin or ""): bag for plate, day, origin, bag in rows}
    return found


async def _passengers(
    session: AsyncSession, announced: Sequence[Announced]
) -> dict[tuple[str, str, str, str], str]:
    """Find or add the passengers: one for all bags of a name on a flight."""
    dates = {each.bag.flight_date for each in announced}
    rows = await session.execute(
        select(
            BagRow.flight_key,
            BagRow.flight_date,
            PassengerRow.surname_key,
            PassengerRow.passenger,
            PassengerRow.id,
        )
        .join(PassengerRow, PassengerRow.id == BagRow.passenger_id)
        .where(BagRow.flight_date.in_(dates))
    )
    found = {
        (key or "", day or "", name, who or ""): person for key, day, name, who, person in rows
    }
    new: list[dict[str, object]] = []
    for each in announced:
        person = _person(each)
        if each.surname and person not in found:
            found[person] = str(uuid.uuid4())
            new.append(
                {
                    "id": found[person],
                    "surname": each.surname,
                    "surname_key": person[2],
                    "passenger": each.passenger,
                }
            )
    await insert_new(session, PassengerRow, new)
    return found


def _identity(bag: ExpectedBag) -> tuple[str, str, str]:
    return bag.licence_plate, bag.flight_date, bag.origin


def _person(each: Announced) -> tuple[str, str, str, str]:
    return (
        each.bag.flight_key,
        each.bag.flight_date,
        surname_key(each.surname or ""),
        each.passenger or "",
    )


def _announced(line: BagLine) -> Announced:
    plate = line.licence_plate.strip()
    if re.fullmatch(r"[0-9]{10}", plate) is None or plate == NO_PLATE:
        raise WrongValueError("licence_plate", line.licence_plate, "ten digits")
    flight, key = read_flight("flight", line.flight)
    surname = (line.surname or "").strip()
    if surname and not surname_key(surname):
        raise WrongValueError("surname", "...", "a name with letters")
    return Announced(
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
