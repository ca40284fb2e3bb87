"""Journeys in the database: written by a fold over the sightings, read by everyone."""

import hashlib
import uuid
from collections.abc import Collection
from datetime import UTC, date, datetime

import msgspec
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport
from aerocast_hub.baggage.identity import KnownBag, Shared, share_out
from aerocast_hub.baggage.journey import Journey, Seen, journey_of, newly_passed
from aerocast_hub.baggage.names import is_same_surname
from aerocast_hub.baggage.tables import BagPlateRow, BagRow, BagSightingRow, PassengerRow
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.events import BagPassed, Event

HOUR_US = 3_600_000_000
PLATES_AT_ONCE = 500
MOST_BAGS = 500
IN_MOTION_US = 6 * HOUR_US
UNKNOWN_BAGS = uuid.UUID("7c2d9c53-5f5d-4a86-9a5b-2f7d2a1f8f10")  # namespace of their ids

_decoder = msgspec.msgpack.Decoder(Journey)


class Bag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag and its journey; whose it is stands elsewhere.

    Attributes
    ----------
    flight, flight_date, origin, destination
        As announced; None for a bag nobody announced.
    """

    id: str
    licence_plate: str
    flight: str | None
    flight_date: str | None
    origin: str | None
    destination: str | None
    journey: Journey


def encode_journey(journey: Journey) -> bytes:
    """Encode a journey as it is kept."""
    return msgspec.msgpack.encode(journey)


async def refold_plates(session: AsyncSession, plates: Collection[str]) -> list[Event]:
    """Fold the journeys of every bag of some plates again; give what is new, earliest first."""
    events: list[Event] = []
    ordered = sorted(plates)
    for at in range(0, len(ordered), PLATES_AT_ONCE):
        some = ordered[at : at + PLATES_AT_ONCE]
        bags = await _bags(session, some)
        sightings = await _sightings(session, some)
        changed: list[dict[str, object]] = []
        for plate in some:
            known, seen = bags.get(plate, []), sightings.get(plate, [])
            events += await _refold(session, plate, known, seen, changed)
        if changed:
            await session.execute(update(BagRow), changed)
    return sorted(events, key=lambda event: event.at_us)


async def find_bag(
    session: AsyncSession, licence_plate: str, flight_date: str | None = None
) -> Bag | None:
    """Find a bag by its plate; of several the one of ``flight_date``, or the latest."""
    where = [BagPlateRow.licence_plate == _askable(licence_plate)]
    if flight_date is not None:
        where.append(BagRow.flight_date == _askable(flight_date))
    rows = await session.execute(
        select(BagRow).join(BagPlateRow, BagPlateRow.bag_id == BagRow.id).where(*where)
    )
    latest = max(rows.scalars(), key=_recency, default=None)
    return None if latest is None else _bag(latest, licence_plate)


async def find_bag_by_id(session: AsyncSession, bag_id: str) -> Bag | None:
    """Find a bag by the hub's own id."""
    found = await _bags_where(session, BagRow.id == _askable(bag_id))
    return found[0] if found else None


async def list_in_motion(session: AsyncSession, now_us: int, limit: int = MOST_BAGS) -> list[Bag]:
    """Give the bags seen within six hours and not yet at reclaim, the last seen first."""
    rows = await session.execute(
        select(BagRow, BagPlateRow.licence_plate)
        .join(BagPlateRow, BagPlateRow.bag_id == BagRow.id)
        .where(
            BagRow.last_seen_us.between(now_us - IN_MOTION_US, now_us + HOUR_US),
            BagRow.state != "delivered",
        )
        .order_by(BagRow.last_seen_us.desc(), BagRow.id)
        .limit(limit)
    )
    return [_bag(row, plate) for row, plate in rows]


async def passenger_of(session: AsyncSession, bag_id: str) -> str | None:
    """Give the id of the passenger a bag belongs to."""
    return await session.scalar(select(BagRow.passenger_id).where(BagRow.id == bag_id))


async def bags_of_passenger(session: AsyncSession, passenger_id: str) -> list[Bag]:
    """Give a passenger's bags."""
    return await _bags_where(session, BagRow.passenger_id == passenger_id)


async def find_passenger(session: AsyncSession, licence_plate: str, surname: str) -> str | None:
    """Give the id of the passenger with this plate and surname, of the latest such bag.

    A wrong surname and an unknown plate take the same way through here.
    """
    rows = await session.execute(
        select(BagRow, PassengerRow)
        .join(BagPlateRow, BagPlateRow.bag_id == BagRow.id)
        .join(PassengerRow, PassengerRow.id == BagRow.passenger_id)
        .where(BagPlateRow.licence_plate == _askable(licence_plate))
    )
    nobody = hashlib.sha256(licence_plate.encode()).hexdigest()
    found: list[tuple[tuple[int, str], str]] = []
    for bag, person in [*rows, (None, None)]:
        key = nobody if person is None else person.surname_key
        if is_same_surname(key, surname) and bag is not None and person is not None:
            found.append((_recency(bag), person.id))
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
    passages = select(func.count()).where(BagSightingRow.kind == "passage")
    return await session.scalar(passages) or 0


async def count_bags_of_flight(session: AsyncSession, key: str, flight_date: str) -> int:
    """Count the bags announced for a flight, by its key and date."""
    of_flight = select(func.count()).where(
        BagRow.flight_key == key, BagRow.flight_date == flight_date
    )
    return await session.scalar(of_flight) or 0


async def _refold(
    session: AsyncSession,
    plate: str,
    rows: list[BagRow],
    sightings: list[Seen],
    changed: list[dict[str, object]],
) -> list[Event]:
    """Fold the bags of one plate; what is to be written of announced ones goes to ``changed``."""
    announced = [row for row in rows if row.flight is not None]
    shared = share_out(sightings, [_known(row) for row in announced])
    events: list[Event] = []
    for row in announced:
        journey = journey_of(shared.known.get(row.id, ()), contested=row.id in shared.contested)
        before = _decoder.decode(row.journey)
        if journey != before:
            changed.append({"id": row.id, **_columns(journey)})
            events += _passed(row.id, plate, before, journey)
    return events + await _refold_unknown(session, plate, rows, shared)


async def _refold_unknown(
    session: AsyncSession, plate: str, rows: list[BagRow], shared: Shared
) -> list[Event]:
    """Make the bags nobody announced anew: they are their sightings and nothing else."""
    before = {row.id: _decoder.decode(row.journey) for row in rows if row.flight is None}
    after = {_unknown_id(plate, seen): journey_of(seen) for seen in shared.unknown}
    gone = sorted(before.keys() - after.keys())
    if gone:
        await session.execute(delete(BagPlateRow).where(BagPlateRow.bag_id.in_(gone)))
        await session.execute(delete(BagRow).where(BagRow.id.in_(gone)))
    events: list[Event] = []
    changed = {bag: journey for bag, journey in after.items() if before.get(bag) != journey}
    told = Journey(passed=tuple(each for journey in before.values() for each in journey.passed))
    for bag_id, journey in changed.items():
        nothing = dict.fromkeys(
            ("flight", "flight_key", "flight_date", "origin", "destination", "passenger_id")
        )
        await insert_or_replace(session, BagRow, [{"id": bag_id, **nothing, **_columns(journey)}])
        await insert_new(session, BagPlateRow, [{"licence_plate": plate, "bag_id": bag_id}])
        events += _passed(bag_id, plate, before.get(bag_id, told), journey)
    return events


def _unknown_id(plate: str, seen: tuple[Seen, ...]) -> str:
    day = datetime.fromtimestamp(seen[0].at_us / 1e6, UTC).date()
    return str(uuid.uuid5(UNKNOWN_BAGS, f"{plate} {day.isoformat()}"))


def _known(row: BagRow) -> KnownBag:
    return KnownBag(
        bag_id=row.id,
        flight_date=date.fromisoformat(row.flight_date or ""),
        airports=frozenset(_codes(row.origin) | _codes(row.destination)),
    )


def _codes(code: str | None) -> set[str]:
    """Give every code of an airport in lower case: sites are named after either."""
    if code is None:
        return set()
    found = airport(code)
    codes = {code} if found is None else {code, found.iata, found.icao or code}
    return {each.lower() for each in codes}


def _columns(journey: Journey) -> dict[str, object]:
    return {
        "state": journey.state,
        "last_seen_us": journey.last_seen_us,
        "journey": encode_journey(journey),
    }


def _passed(bag_id: str, plate: str, before: Journey, after: Journey) -> list[Event]:
    return [
        BagPassed(
            at_us=each.first_at_us,
            bag_id=bag_id,
            licence_plate=plate,
            site=each.site,
            point=each.point,
            belt=each.belt,
            ambiguous=each.ambiguous,
        )
        for each in newly_passed(before, after)
    ]


async def _bags(session: AsyncSession, plates: list[str]) -> dict[str, list[BagRow]]:
    rows = await session.execute(
        select(BagPlateRow.licence_plate, BagRow)
        .join(BagRow, BagRow.id == BagPlateRow.bag_id)
        .where(BagPlateRow.licence_plate.in_(plates))
        .execution_options(populate_existing=True)
    )
    found: dict[str, list[BagRow]] = {}
    for plate, row in rows:
        found.setdefault(plate, []).append(row)
    return found


async def _sightings(session: AsyncSession, plates: list[str]) -> dict[str, list[Seen]]:
    rows = await session.scalars(
        select(BagSightingRow).where(BagSightingRow.licence_plate.in_(plates))
    )
    found: dict[str, list[Seen]] = {}
    for row in rows:
        found.setdefault(row.licence_plate or "", []).append(_seen(row))
    return found


def _seen(row: BagSightingRow) -> Seen:
    return Seen(
        at_us=row.at_us,
        site=row.site,
        point=row.point or "",
        belt=row.belt or "",
        evidence="passage" if row.kind == "passage" else "scan",
        gateway=row.gateway,
        sigma_ms=row.sigma_ms,
        confidence=row.confidence,
        ambiguous=row.ambiguous,
        candidates=tuple(row.candidates.split("\n")) if row.candidates else (),
        day_of_year=row.day_of_year,
    )


async def _bags_where(session: AsyncSession, condition: ColumnElement[bool]) -> list[Bag]:
    rows = await session.execute(
        select(BagRow, BagPlateRow.licence_plate)
        .join(BagPlateRow, BagPlateRow.bag_id == BagRow.id)
        .where(condition)
        .order_by(BagPlateRow.licence_plate)
    )
    return [_bag(row, plate) for row, plate in rows]


def _askable(text: str) -> str:
    """Give a text a database can be asked for: PostgreSQL refuses NUL characters."""
    return text.replace("\x00", "?")


def _recency(row: BagRow) -> tuple[int, str]:
    return row.last_seen_us or 0, row.flight_date or ""


def _bag(row: BagRow, licence_plate: str) -> Bag:
    return Bag(
        id=row.id,
        licence_plate=licence_plate,
        flight=row.flight,
        flight_date=row.flight_date,
        origin=row.origin,
        destination=row.destination,
        journey=_decoder.decode(row.journey),
    )
