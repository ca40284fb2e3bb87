"""Passengers: names in a table of their own, found again by what an airline says of them."""

import uuid
from collections.abc import Iterable

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.names import surname_key
from aerocast_hub.baggage.tables import PassengerRow
from aerocast_hub.database.insert import insert_new
from aerocast_hub.database.sealed import keys_of

REFERENCE = "passengers.passenger"
SURNAME_KEY = "passengers.surname_key"


class Person(msgspec.Struct, frozen=True):
    """Somebody who travels on a flight.

    Attributes
    ----------
    passenger
        Given name, or whatever tells people of one surname on a flight apart.
    flight_key, flight_date
        The first flight they were announced on.
    """

    surname: str
    passenger: str | None
    flight_key: str
    flight_date: str

    def __repr__(self) -> str:
        """Show no name: this may end in a log."""
        return f"Person(..., flight_key={self.flight_key!r}, flight_date={self.flight_date!r})"


async def keep_passengers(session: AsyncSession, people: Iterable[Person]) -> dict[Person, str]:
    """Find or add passengers, and give the hub's own ids: one for a name on a flight."""
    wanted = set(people)
    rows = await session.scalars(
        select(PassengerRow).where(
            PassengerRow.flight_date.in_(sorted({each.flight_date for each in wanted})),
            PassengerRow.flight_key.in_(sorted({each.flight_key for each in wanted})),
        )
    )
    known = {
        (row.flight_key, row.flight_date, row.surname_key, row.passenger or ""): row.id
        for row in rows
    }
    keys = keys_of(session)
    new: list[dict[str, object]] = []
    found: dict[Person, str] = {}
    for each in sorted(wanted, key=lambda each: (each.flight_key, each.surname)):
        key = (each.flight_key, each.flight_date, surname_key(each.surname), each.passenger or "")
        if key not in known:
            known[key] = str(uuid.uuid4())
            new.append(
                {
                    "id": known[key],
                    "surname": each.surname,
                    "surname_key": key[2],
                    "passenger": each.passenger,
                    "passenger_index": (
                        keys.index(each.passenger, REFERENCE) if each.passenger else None
                    ),
                    "flight_key": each.flight_key,
                    "flight_date": each.flight_date,
                }
            )
        found[each] = known[key]
    await insert_new(session, PassengerRow, new)
    return found
