"""One passenger's data: handed out whole, or erased, when they ask (GDPR articles 15, 17, 20)."""

from typing import NamedTuple

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.trail import record
from aerocast_hub.baggage.bags import bag_of, find_passenger
from aerocast_hub.baggage.journey import Journey
from aerocast_hub.database.every_table import bag_messages, baggage


class KeptBag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag of theirs and where it has been."""

    licence_plates: tuple[str, ...]
    flight: str | None
    flight_date: str | None
    origin: str | None
    destination: str | None
    journey: Journey


class KeptMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A baggage message that names a bag of theirs, as it came."""

    received_at_us: int
    sender: str
    text: str


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
                text=row.raw.decode("latin-1"),
            )
            for row in await _messages(session, bags)
        ),
    )
    await record(session, "passenger_exported", subject=f"passenger {person.id}")
    return found


async def erase(session: AsyncSession, passenger_id: str) -> Erased | None:
    """Erase a passenger: their name and reference, and the messages that name their bags.

    The bags and their journeys stay, as bags nobody is known to own.
    """
    row = baggage.PassengerRow
    person = await session.get(row, passenger_id.replace("\x00", "?"))
    if person is None:
        return None
    bags = await _bags(session, person.id)
    numbers = [each.number for each in await _messages(session, bags)]
    message = bag_messages.BagMessageRow
    await session.execute(update(message).where(message.number.in_(numbers)).values(raw=b""))
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


async def _messages(
    session: AsyncSession, bags: list[baggage.BagRow]
) -> list[bag_messages.BagMessageRow]:
    row, named = bag_messages.BagMessageRow, bag_messages.BagMessagePlateRow
    plates = sorted({plate for each in bags for plate in each.plates.split(" ")})
    naming = select(named.message_id).where(named.licence_plate.in_(plates))
    return list(await session.scalars(select(row).where(row.id.in_(naming)).order_by(row.number)))


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
