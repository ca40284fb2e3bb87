"""Bags as everyone reads them: by plate, id, passenger, flight; those on their way."""

from collections.abc import Collection, Iterable
from typing import Annotated

import msgspec
from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    ScalarSelect,
    Select,
    func,
    literal,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.evidence_store import containers_within
from aerocast_hub.baggage.journey import AT_REST, Journey
from aerocast_hub.baggage.journeys import decode_journey
from aerocast_hub.baggage.names import is_same_surname
from aerocast_hub.baggage.passengers import REFERENCE, SURNAME_KEY
from aerocast_hub.baggage.tables import (
    BagLegRow,
    BagPlateRow,
    BagRow,
    EvidenceRow,
    PassengerRow,
    UnreadRow,
)
from aerocast_hub.database.sealed import keys_of
from aerocast_hub.database.sight import current_sight
from aerocast_hub.schedule import flight_key

HOUR_US = 3_600_000_000
MOST_BAGS = 500
IN_MOTION_US = 6 * HOUR_US


class Bag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag and its journey; whose it is stands elsewhere.

    Attributes
    ----------
    version
        Counts the changes of what is known.
    licence_plate
        The one it was announced or first seen with; ``plates`` are all it has carried.
    flight, flight_date, origin, destination
        Of the flight it waits for or travels on; None for a bag nobody announced.
    """

    id: str
    version: int
    licence_plate: str
    plates: tuple[str, ...]
    flight: str | None
    flight_date: str | None
    origin: str | None
    destination: str | None
    journey: Journey


Asked = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What bags are looked for by; None does not matter.

    Attributes
    ----------
    container
        With everything inside it.
    site
        Where they were last seen.
    reference
        What their passenger's airline tells people apart by: a booking reference.
    after
        The ``next`` of the page before.
    limit
        Bags on a page.
    """

    flight: Asked | None = None
    flight_date: Asked | None = None
    container: Asked | None = None
    site: Asked | None = None
    state: Asked | None = None
    reference: Asked | None = None
    after: Asked | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class BagPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some bags, and what to ask for the next: None on the last page."""

    bags: list[Bag]
    next: str | None = None


async def find_bag(
    session: AsyncSession, licence_plate: str, flight_date: str | None = None
) -> Bag | None:
    """Find a bag by its plate; of several the one of ``flight_date``, or the latest."""
    where = [BagPlateRow.licence_plate == _askable(licence_plate)]
    if flight_date is not None:
        where.append(BagRow.flight_date == _askable(flight_date))
    rows = await session.scalars(
        select(BagRow).join(BagPlateRow, BagPlateRow.bag_id == BagRow.id).where(*where)
    )
    latest = max(rows, key=_recency, default=None)
    return None if latest is None else bag_of(latest)


async def may_act_on(session: AsyncSession, licence_plate: str, new_plate: str = "") -> bool:
    """Say whether the work at hand sees every bag of a plate: an action may be about any of them.

    Who sees everything may act on a plate nobody has seen, too.

    Parameters
    ----------
    new_plate
        The one it is to carry from now on: nobody's yet, or of bags that are seen as well. With
        another's it would become one bag with theirs.
    """
    if current_sight().is_whole:
        return True
    plates = {_askable(licence_plate), _askable(new_plate)}
    rows = await session.execute(
        select(BagPlateRow.licence_plate, BagPlateRow.bag_id).where(
            BagPlateRow.licence_plate.in_(sorted(plates))
        )
    )
    named = [(plate, bag_id) for plate, bag_id in rows]
    bags = {bag_id for _, bag_id in named}
    seen = set(await session.scalars(select(BagRow.id).where(BagRow.id.in_(bags))))
    return bags == seen and any(plate == _askable(licence_plate) for plate, _ in named)


async def find_bag_by_id(session: AsyncSession, bag_id: str) -> Bag | None:
    """Find a bag by the hub's own id."""
    return (await find_bags_by_id(session, {bag_id})).get(bag_id)


async def find_bags_by_id(session: AsyncSession, bag_ids: Collection[str]) -> dict[str, Bag]:
    """Find bags by the hub's own ids; those nobody knows are left out."""
    asked = {_askable(each): each for each in bag_ids}
    ordered = sorted(asked)
    found: dict[str, Bag] = {}
    for at in range(0, len(ordered), MOST_BAGS):
        some = await _bags_where(session, BagRow.id.in_(ordered[at : at + MOST_BAGS]))
        found |= {asked[bag.id]: bag for bag in some}
    return found


async def list_in_motion(session: AsyncSession, now_us: int, limit: int = MOST_BAGS) -> list[Bag]:
    """Give the bags seen within six hours and not yet at reclaim, the last seen first."""
    rows = await session.scalars(
        select(BagRow)
        .where(
            BagRow.last_seen_us.between(now_us - IN_MOTION_US, now_us + HOUR_US),
            BagRow.state.not_in(sorted(AT_REST)),
        )
        .order_by(BagRow.last_seen_us.desc(), BagRow.id)
        .limit(limit)
    )
    return [bag_of(row) for row in rows]


async def search_bags(session: AsyncSession, wanted: Wanted) -> BagPage:
    """Give the bags that fit, ordered by the hub's id."""
    named = ((BagRow.state, wanted.state), (BagRow.site, wanted.site))
    where = [column == value for column, value in named if value is not None]
    if wanted.container is not None:
        inside = await containers_within(session, wanted.container)
        where.append(BagRow.container.in_(sorted(inside)))
    if wanted.flight is not None or wanted.flight_date is not None:
        where.append(BagRow.id.in_(_of_flight(wanted)))
    if wanted.reference is not None:
        indexes = keys_of(session).indexes(wanted.reference, REFERENCE)
        people = select(PassengerRow.id).where(PassengerRow.passenger_index.in_(indexes))
        where.append(BagRow.passenger_id.in_(people))
    if wanted.after is not None:
        where.append(BagRow.id > wanted.after)
    query = select(BagRow).where(*where).order_by(BagRow.id).limit(wanted.limit + 1)
    rows = (await session.scalars(query)).all()
    page = [bag_of(row) for row in rows[: wanted.limit]]
    return BagPage(bags=page, next=page[-1].id if len(rows) > wanted.limit else None)


def _of_flight(wanted: Wanted) -> Select[str]:
    legs = select(BagLegRow.bag_id)
    if wanted.flight is not None:
        legs = legs.where(BagLegRow.flight_key == flight_key(wanted.flight))
    if wanted.flight_date is not None:
        legs = legs.where(BagLegRow.flight_date == wanted.flight_date)
    return legs


async def passenger_of(session: AsyncSession, bag_id: str) -> str | None:
    """Give the id of the passenger a bag belongs to."""
    return await session.scalar(select(BagRow.passenger_id).where(BagRow.id == bag_id))


async def passengers_of(session: AsyncSession, bag_ids: Collection[str]) -> set[str]:
    """Give the ids of the passengers some bags belong to."""
    ordered, found = sorted(bag_ids), set()
    for at in range(0, len(ordered), MOST_BAGS):
        rows = await session.scalars(
            select(BagRow.passenger_id).where(BagRow.id.in_(ordered[at : at + MOST_BAGS]))
        )
        found |= {each for each in rows if each is not None}
    return found


async def passengers_on(session: AsyncSession, flights: Collection[tuple[str, str]]) -> set[str]:
    """Give the ids of the passengers with a bag on one of some flights, by key and date."""
    if not flights:
        return set()
    rows = await session.execute(
        select(BagLegRow.flight_key, BagLegRow.flight_date, BagRow.passenger_id)
        .join(BagRow, BagRow.id == BagLegRow.bag_id)
        .where(
            BagLegRow.flight_key.in_(sorted({key for key, _ in flights})),
            BagLegRow.flight_date.in_(sorted({date for _, date in flights})),
        )
    )
    return {person for key, date, person in rows if person and (key, date) in flights}


async def bags_of_passenger(
    session: AsyncSession, passenger_id: str | ScalarSelect[str]
) -> list[Bag]:
    """Give a passenger's bags, by their id or by a question for it."""
    return await _bags_where(session, BagRow.passenger_id == passenger_id)


async def bags_of_passengers(
    session: AsyncSession, passenger_ids: Collection[str]
) -> dict[str, list[Bag]]:
    """Give the bags of passengers by their ids; those without any are left out."""
    ordered = sorted(passenger_ids)
    found: dict[str, list[Bag]] = {}
    for at in range(0, len(ordered), MOST_BAGS):
        rows = await session.scalars(
            select(BagRow)
            .where(BagRow.passenger_id.in_(ordered[at : at + MOST_BAGS]))
            .order_by(BagRow.licence_plate)
        )
        for row in rows:
            found.setdefault(row.passenger_id or "", []).append(bag_of(row))
    return found


async def find_passenger(session: AsyncSession, licence_plate: str, surname: str) -> str | None:
    """Give the id of the passenger with this plate and surname, of the latest such bag.

    A wrong surname and an unknown plate take the same way through here, and the same work: one
    row comes back either way, and one name is opened for each.
    """
    keys = keys_of(session)
    bags = (
        select(
            BagRow.last_seen_us,
            BagRow.flight_date,
            PassengerRow.id,
            # As it is kept: opened below, whether or not there is one.
            type_coerce(PassengerRow.surname_key, LargeBinary).label("sealed"),
        )
        .join(BagPlateRow, BagPlateRow.bag_id == BagRow.id)
        .join(PassengerRow, PassengerRow.id == BagRow.passenger_id)
        .where(BagPlateRow.licence_plate == _askable(licence_plate))
        .subquery()
    )
    always = select(literal(1).label("one")).subquery()
    rows = await session.execute(select(bags).select_from(always.outerjoin(bags, true())))
    found: list[tuple[tuple[int, str], str]] = []
    for seen_us, flight_date, passenger_id, sealed in rows:
        given = sealed or keys.dummy(SURNAME_KEY)
        is_theirs = is_same_surname(keys.open(bytes(given), SURNAME_KEY).decode(), surname)
        if is_theirs and passenger_id is not None:
            found.append(((seen_us or 0, flight_date or ""), passenger_id))
    return max(found)[1] if found else None


async def count_bags(session: AsyncSession) -> int:
    """Count the bags, announced or not."""
    return await session.scalar(select(func.count()).select_from(BagRow)) or 0


async def count_bags_seen(session: AsyncSession) -> int:
    """Count the bags that were seen at least once."""
    seen = select(func.count()).where(BagRow.last_seen_us.is_not(None))
    return await session.scalar(seen) or 0


async def count_passages(session: AsyncSession) -> int:
    """Count the passages of tagged bags."""
    passages = select(func.count()).where(EvidenceRow.kind == "passage", EvidenceRow.form == 0)
    return await session.scalar(passages) or 0


async def plates_of(session: AsyncSession, subjects: Iterable[str]) -> dict[str, str]:
    """Give the licence plates of bags by the subjects of alerts, ``bag <id>``."""
    ids = sorted({each.removeprefix("bag ") for each in subjects if each.startswith("bag ")})
    rows = await session.execute(select(BagRow.id, BagRow.licence_plate).where(BagRow.id.in_(ids)))
    return {f"bag {bag_id}": plate for bag_id, plate in rows}


async def count_unread(session: AsyncSession, site: str, belt: str, since_us: int) -> int:
    """Count the bags that went past a belt unread since an instant."""
    unread = select(func.count()).where(
        UnreadRow.site == site,
        func.coalesce(UnreadRow.belt, "") == belt,
        UnreadRow.at_us >= since_us,
    )
    return await session.scalar(unread) or 0


async def _bags_where(session: AsyncSession, condition: ColumnElement[bool]) -> list[Bag]:
    rows = await session.scalars(select(BagRow).where(condition).order_by(BagRow.licence_plate))
    return [bag_of(row) for row in rows]


def _askable(text: str) -> str:
    """Give a text a database can be asked for: PostgreSQL refuses NUL characters."""
    return text.replace("\x00", "?")


def _recency(row: BagRow) -> tuple[int, str]:
    return row.last_seen_us or 0, row.flight_date or ""


def bag_of(row: BagRow) -> Bag:
    """Give a bag as it is read."""
    return Bag(
        id=row.id,
        version=row.version,
        licence_plate=row.licence_plate,
        plates=tuple(row.plates.split(" ")),
        flight=row.flight,
        flight_date=row.flight_date,
        origin=row.origin,
        destination=row.destination,
        journey=decode_journey(row.journey),
    )
