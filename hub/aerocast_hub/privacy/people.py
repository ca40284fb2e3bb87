"""One passenger's data: handed out whole, or erased, when they ask (GDPR articles 15, 17, 20)."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple, TypeVar

import msgspec
from aerocast_protocols.baggage import parse_message
from aerocast_protocols.errors import ProtocolError
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.trail import record
from aerocast_hub.baggage.bags import bag_of, find_passenger
from aerocast_hub.baggage.journey import Journey
from aerocast_hub.baggage.names import is_same_surname, surname_key
from aerocast_hub.database.every_table import bag_messages, baggage

ROWS_AT_ONCE = 500
_Value = TypeVar("_Value")


class KeptBag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag of theirs and where it has been."""

    licence_plates: tuple[str, ...]
    flight: str | None
    flight_date: str | None
    origin: str | None
    destination: str | None
    journey: Journey


class KeptMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A baggage message that names a bag of theirs.

    Attributes
    ----------
    text
        As it came; None where it speaks of somebody else too, or of another bag: of one whose tag
        had the same number some weeks before, or of a whole flight's.
    """

    received_at_us: int
    sender: str
    text: str | None


class KeptOfPassenger(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is kept of a passenger."""

    passenger_id: str
    surname: str
    reference: str | None
    flight: str
    flight_date: str
    bags: tuple[KeptBag, ...]
    messages: tuple[KeptMessage, ...]

    def __repr__(self) -> str:
        """Show no name: this may end in a log."""
        return f"KeptOfPassenger(passenger_id={self.passenger_id!r}, ...)"


class Erased(NamedTuple):
    """What is kept no more: how many bags are nobody's now, how many texts of messages are gone."""

    bags: int
    messages: int


async def passenger_with(session: AsyncSession, licence_plate: str, surname: str) -> str | None:
    """Give the id of the passenger with this bag tag and surname."""
    return await find_passenger(session, licence_plate, surname)


async def kept_of(session: AsyncSession, passenger_id: str) -> KeptOfPassenger | None:
    """Give everything that is kept of a passenger, and note in the trail that it was handed out."""
    person = await session.get(baggage.PassengerRow, passenger_id.replace("\x00", "?"))
    if person is None:
        return None
    bags = await _bags(session, person.id)
    plates = _plates(bags)
    found = KeptOfPassenger(
        passenger_id=person.id,
        surname=person.surname,
        reference=person.passenger,
        flight=person.flight_key,
        flight_date=person.flight_date,
        bags=tuple(_kept(row) for row in bags),
        messages=tuple(
            KeptMessage(
                received_at_us=row.received_at_us,
                sender=row.sender,
                text=_text_for(person, plates, row.raw),
            )
            for row in await _messages(session, plates)
        ),
    )
    await record(session, "passenger_exported", subject=f"passenger {person.id}")
    return found


async def erase(session: AsyncSession, passenger_id: str) -> Erased | None:
    """Erase a passenger: their name and reference, and the messages that name them or their bags.

    Messages that came in parts are erased whole, and so is what could not be read as a message and
    has the name or a bag's number in it. The bags and their journeys stay, as bags nobody is known
    to own.
    """
    row = baggage.PassengerRow
    # Locked: a message that just comes in must not give them another bag.
    person = await session.get(row, passenger_id.replace("\x00", "?"), with_for_update=True)
    if person is None:
        return None
    bags = await _bags(session, person.id)
    plates = _plates(bags)
    naming = await _messages(session, plates)
    numbers = {each.number for each in naming}
    numbers |= await _other_parts(session, {each.parts_key for each in naming} - {None})
    numbers |= await _unread(session, person.surname, plates)
    message = bag_messages.BagMessageRow
    for some in _some(sorted(numbers)):
        await session.execute(update(message).where(message.number.in_(some)).values(raw=b""))
    bag = baggage.BagRow
    await session.execute(
        update(bag).where(bag.passenger_id == person.id).values(passenger_id=None)
    )
    await session.execute(delete(row).where(row.id == person.id))
    erased = Erased(len(bags), len(numbers))
    told = erased._asdict()
    await record(session, "passenger_erased", subject=f"passenger {person.id}", after=told)
    return erased


async def _bags(session: AsyncSession, passenger_id: str) -> list[baggage.BagRow]:
    row = baggage.BagRow
    asked = select(row).where(row.passenger_id == passenger_id).order_by(row.licence_plate)
    return list(await session.scalars(asked))


def _plates(bags: list[baggage.BagRow]) -> frozenset[str]:
    return frozenset(plate for each in bags for plate in each.plates.split(" "))


async def _messages(
    session: AsyncSession, plates: Collection[str]
) -> list[bag_messages.BagMessageRow]:
    row, named = bag_messages.BagMessageRow, bag_messages.BagMessagePlateRow
    naming = select(named.message_id).where(named.licence_plate.in_(sorted(plates)))
    return list(await session.scalars(select(row).where(row.id.in_(naming)).order_by(row.number)))


def _text_for(person: baggage.PassengerRow, plates: Collection[str], raw: bytes) -> str | None:
    """Give a message's text where it speaks of this passenger and of nobody else."""
    try:
        message = parse_message(raw)
    except ProtocolError:
        return None if raw else ""
    named = [each.surname for bags in message.bags for each in bags.passengers]
    is_theirs = set(message.plates) <= set(plates) and all(
        is_same_surname(person.surname_key, each) for each in named
    )
    return raw.decode("latin-1") if is_theirs else None


async def _other_parts(session: AsyncSession, keys: Collection[str | None]) -> set[int]:
    """Find the other parts of messages: a name may stand in one, its bag in the next."""
    row = bag_messages.BagMessageRow
    found: set[int] = set()
    for some in _some(sorted(each for each in keys if each is not None)):
        found |= set(await session.scalars(select(row.number).where(row.parts_key.in_(some))))
    return found


async def _unread(session: AsyncSession, surname: str, plates: Collection[str]) -> set[int]:
    """Find texts nobody knows the bags of in which the name, or one of these plates, stands.

    They are few: what could not be read, of which the newest are kept, and parts of messages.
    """
    row, named = bag_messages.BagMessageRow, bag_messages.BagMessagePlateRow
    unread: ColumnElement[bool] = row.id.not_in(select(named.message_id))
    spelled = {surname.upper(), surname_key(surname)} | set(plates)
    words = re.compile(
        rf"(?<![^\W\d_])(?:{'|'.join(map(re.escape, sorted(spelled)))})(?![^\W\d_])", re.IGNORECASE
    )
    found: set[int] = set()
    after = 0
    while True:
        asked = select(row.number, row.raw).where(unread, row.raw != b"", row.number > after)
        rows = (await session.execute(asked.order_by(row.number).limit(ROWS_AT_ONCE))).all()
        if not rows:
            return found
        found |= {number for number, raw in rows if words.search(raw.decode("latin-1"))}
        after = rows[-1].number


def _some(values: list[_Value]) -> Iterator[list[_Value]]:
    for at in range(0, len(values), ROWS_AT_ONCE):
        yield values[at : at + ROWS_AT_ONCE]


def _kept(row: baggage.BagRow) -> KeptBag:
    bag = bag_of(row)
    return KeptBag(
        licence_plates=bag.plates,
        flight=bag.flight,
        flight_date=bag.flight_date,
        origin=bag.origin,
        destination=bag.destination,
        journey=bag.journey,
    )
