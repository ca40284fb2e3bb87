"""Journeys in the database: folded again from the evidence whenever some is added."""

import hashlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.airports import airport_codes
from aerocast_hub.baggage.evidence import Announced, Evidence, Leg
from aerocast_hub.baggage.evidence_store import (
    Around,
    containers_within,
    read_around,
    read_plates,
)
from aerocast_hub.baggage.fold import journey_of
from aerocast_hub.baggage.identity import OneBag, share_out
from aerocast_hub.baggage.journey import Journey, leg_here, newly_passed
from aerocast_hub.baggage.tables import BagLegRow, BagPlateRow, BagRow, PassengerRow
from aerocast_hub.database.insert import insert_new, insert_or_replace
from aerocast_hub.events.bags import BagChanged, BagForgotten, BagPassed
from aerocast_hub.events.every import Event

PLATES_AT_ONCE = 500

_decoder = msgspec.msgpack.Decoder(Journey)


class _Changed(NamedTuple):
    """A bag whose row is to be written."""

    bag: OneBag
    journey: Journey
    columns: dict[str, object]


def encode_journey(journey: Journey) -> bytes:
    """Encode a journey as it is kept."""
    return msgspec.msgpack.encode(journey)


def decode_journey(encoded: bytes) -> Journey:
    """Decode a journey as it was kept."""
    return _decoder.decode(encoded)


async def refold_plates(session: AsyncSession, plates: Collection[str]) -> list[Event]:
    """Fold the journeys of every bag of some plates again; give what is new, earliest first."""
    events: list[Event] = []
    ordered = sorted(plates)
    for at in range(0, len(ordered), PLATES_AT_ONCE):
        events += await _refold(session, ordered[at : at + PLATES_AT_ONCE])
    return sorted(events, key=lambda event: event.at_us)


async def refold_container(session: AsyncSession, container: str) -> list[Event]:
    """Fold the bags that are in a container, or in one inside it, again."""
    inside = sorted(await containers_within(session, container))
    plates = await session.scalars(
        select(BagPlateRow.licence_plate)
        .join(BagRow, BagRow.id == BagPlateRow.bag_id)
        .where(BagRow.container.in_(inside))
    )
    return await refold_plates(session, set(plates))


async def refold_flight(session: AsyncSession, key: str, date: str) -> list[Event]:
    """Fold the bags that are to travel on a flight again, and those aboard it by mistake."""
    booked = select(BagLegRow.bag_id).where(
        BagLegRow.flight_key == key, BagLegRow.flight_date == date
    )
    plates = await session.scalars(
        select(BagPlateRow.licence_plate)
        .join(BagRow, BagRow.id == BagPlateRow.bag_id)
        .where(or_(BagRow.id.in_(booked), BagRow.stowed_for == f"{key} {date}"))
    )
    return await refold_plates(session, set(plates))


async def _refold(session: AsyncSession, plates: Sequence[str]) -> list[Event]:
    await _wait_for_others(session, plates)
    families = await read_plates(session, plates)
    around = await read_around(session, _every(families))
    before = await _bags(session, {plate for filed in families for plate in filed})
    changed: list[_Changed] = []
    kept: set[str] = set()
    events: list[Event] = []
    for filed in families:
        shared = share_out(filed, airport_codes)
        kept |= {bag.bag_id for bag in shared}
        told = _told_of(before, filed, {bag.bag_id for bag in shared})
        for bag in shared:
            journey = _fold(bag, around)
            row = before.get(bag.bag_id)
            columns = _columns(bag, journey)
            if row is not None and all(getattr(row, name) == columns[name] for name in columns):
                continue
            was = told if row is None else decode_journey(row.journey)
            columns["version"] = 1 if row is None else row.version + 1
            changed.append(_Changed(bag, journey, columns))
            events += _news(bag, was, journey, is_new=row is None)
    gone = sorted(before.keys() - kept)
    await _write(session, changed, gone)
    now_us = time.time_ns() // 1000
    events += [BagForgotten(at_us=now_us, bag_id=bag_id) for bag_id in gone]
    return events


async def _wait_for_others(session: AsyncSession, plates: Sequence[str]) -> None:
    """Wait until others who fold these plates have committed: each sees the others'."""
    if session.get_bind().dialect.name == "postgresql":
        numbers = (hashlib.blake2b(each.encode(), digest_size=8).digest() for each in plates)
        locks = sorted(int.from_bytes(number, signed=True) for number in numbers)
        await session.execute(_TAKE_LOCKS, {"locks": locks})


# In the order given, which is everybody's: row by row, as the rows come out of the array.
_TAKE_LOCKS = text(
    "SELECT count(pg_advisory_xact_lock(lock)) FROM unnest(CAST(:locks AS bigint[])) AS lock"
)


async def _write(session: AsyncSession, changed: Sequence[_Changed], gone: Sequence[str]) -> None:
    if gone:
        for column in (BagPlateRow.bag_id, BagLegRow.bag_id, BagRow.id):
            await session.execute(delete(column.class_).where(column.in_(gone)))
    if not changed:
        return
    await _leave_out_forgotten(session, changed)
    await insert_or_replace(session, BagRow, [each.columns for each in changed])
    ids = [each.bag.bag_id for each in changed]
    await session.execute(delete(BagLegRow).where(BagLegRow.bag_id.in_(ids)))
    plates = [
        {"licence_plate": plate, "bag_id": each.bag.bag_id}
        for each in changed
        for plate in each.bag.plates
    ]
    await insert_new(session, BagPlateRow, plates)
    legs = [
        {
            "bag_id": each.bag.bag_id,
            "flight_key": leg.key,
            "flight_date": leg.date,
            "position": i,
            "origin": leg.origin,
            "destination": leg.destination,
        }
        for each in changed
        for i, leg in enumerate(each.journey.legs)
    ]
    await insert_new(session, BagLegRow, legs)


async def _leave_out_forgotten(session: AsyncSession, changed: Sequence[_Changed]) -> None:
    """Name no passenger whose record is gone: evidence outlives names."""
    named = {each.columns["passenger_id"] for each in changed} - {None}
    if named:
        known = select(PassengerRow.id).where(PassengerRow.id.in_(sorted(map(str, named))))
        gone = named - set(await session.scalars(known))
        for each in changed:
            if each.columns["passenger_id"] in gone:
                each.columns["passenger_id"] = None


def _every(families: Iterable[Mapping[str, list[Evidence]]]) -> list[Evidence]:
    return [each for filed in families for evidence in filed.values() for each in evidence]


def _fold(bag: OneBag, around: Around) -> Journey:
    return journey_of(around.of(bag.evidence), contested=bag.is_contested)


def _told_of(before: Mapping[str, BagRow], filed: Collection[str], kept: set[str]) -> Journey:
    """Gather what was told of bags of these plates that are no bags of their own any more."""
    passed = [
        each
        for row in before.values()
        if row.id not in kept and row.licence_plate in filed
        for each in decode_journey(row.journey).passed
    ]
    return Journey(passed=tuple(passed))


def _news(bag: OneBag, before: Journey, after: Journey, *, is_new: bool) -> list[Event]:
    plate = bag.plates[0]
    passed: list[Event] = [
        BagPassed(
            at_us=each.first_at_us,
            bag_id=bag.bag_id,
            licence_plate=plate,
            site=each.site,
            point=each.point,
            belt=each.belt,
            ambiguous=each.ambiguous,
        )
        for each in newly_passed(before, after)
    ]
    if not is_new and what_matters(before) == what_matters(after):
        return passed
    changed = BagChanged(
        at_us=time.time_ns() // 1000,
        bag_id=bag.bag_id,
        licence_plate=plate,
        state=after.state,
        was=None if is_new else before.state,
    )
    return [*passed, changed]


def what_matters(journey: Journey) -> tuple[object, ...]:
    """Give what others want to know of a change: not one more sighting at the same place."""
    place = journey.place
    return (
        journey.state,
        journey.custody.keys(),
        place and (place.kind, place.name, place.site),
        journey.container,
        journey.stowed_for,
        journey.legs,
        journey.authority_to_load,
        journey.authority_to_transport,
        journey.passenger_status,
        journey.screening,
        journey.irregularity,
        journey.ambiguous,
        journey.duplicate,
        journey.is_held,
        journey.is_cancelled,
        [(each.state, each.rule) for each in journey.inferred],
    )


def _columns(bag: OneBag, journey: Journey) -> dict[str, object]:
    leg = leg_here(journey, airport_codes) if bag.is_announced else None
    passengers = [
        each.passenger_id
        for each in bag.evidence
        if isinstance(each, Announced) and each.passenger_id is not None
    ]
    return {
        "id": bag.bag_id,
        "licence_plate": bag.plates[0],
        "plates": " ".join(bag.plates),
        "flight": leg.flight if leg else None,
        "flight_key": leg.key if leg else None,
        "flight_date": leg.date if leg else None,
        "origin": (leg.origin or None) if leg else None,
        "destination": (leg.destination or None) if leg else None,
        "passenger_id": passengers[-1] if passengers else None,
        "state": journey.state,
        "container": journey.container,
        "stowed_for": stowed_key(journey.stowed_for),
        "site": journey.last_site,
        "last_seen_us": journey.last_seen_us,
        "journey": encode_journey(journey),
    }


def stowed_key(leg: Leg | None) -> str | None:
    """Name the flight a bag is stowed for as `BagRow.stowed_for` does."""
    return None if leg is None else f"{leg.key} {leg.date}"


async def _bags(session: AsyncSession, plates: Collection[str]) -> dict[str, BagRow]:
    rows = await session.scalars(
        select(BagRow)
        .join(BagPlateRow, BagRow.id == BagPlateRow.bag_id)
        .where(BagPlateRow.licence_plate.in_(sorted(plates)))
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}
