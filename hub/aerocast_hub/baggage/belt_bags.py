"""Bags on reclaim belts: which flights they came with, and when they were there."""

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from aerocast_hub.baggage.flight_bags import carried_on
from aerocast_hub.baggage.journeys import decode_journey
from aerocast_hub.baggage.tables import BagLegRow, BagRow

ON_BELT = frozenset({"arrival", "reclaim"})
REACHED_BELT = ("arrived", "delivered", "claimed")
IDS_AT_ONCE = 500  # databases bound the parameters of a statement


async def last_flights_of(session: AsyncSession, bag_ids: Collection[str]) -> set[tuple[str, str]]:
    """Give the flights some bags end with, by key and date."""
    ordered = sorted(bag_ids)
    found: set[tuple[str, str]] = set()
    for at in range(0, len(ordered), IDS_AT_ONCE):
        rows = await session.scalars(
            select(BagRow.journey).where(BagRow.id.in_(ordered[at : at + IDS_AT_ONCE]))
        )
        journeys = (decode_journey(each) for each in rows)
        found |= {(each.legs[-1].key, each.legs[-1].date) for each in journeys if each.legs}
    return found


async def on_belt_us(
    session: AsyncSession, key: str, date: str, codes: frozenset[str]
) -> list[int]:
    """Give when each bag that ends with a flight was first on a belt there, earliest first.

    Parameters
    ----------
    codes
        Every code of the airport it flies to, lower case.
    """
    times = []
    for carried in await carried_on(session, key, date):
        legs = carried.journey.legs
        if not legs or (legs[-1].key, legs[-1].date) != (key, date):
            continue
        passed = [
            each.first_at_us
            for each in carried.journey.passed
            if each.point in ON_BELT and each.site in codes
        ]
        if passed:
            times.append(min(passed))
    return sorted(times)


async def count_bags_for_belts(
    session: AsyncSession, flights: Collection[tuple[str, str]]
) -> Counter[tuple[str, str]]:
    """Count the bags announced for flights that fly on with no other, by their keys and dates."""
    later = aliased(BagLegRow)
    flies_on = exists().where(later.bag_id == BagLegRow.bag_id, later.position > BagLegRow.position)
    rows = await session.execute(
        select(BagLegRow.flight_key, BagLegRow.flight_date, func.count())
        .where(
            BagLegRow.flight_key.in_(sorted({key for key, _ in flights})),
            BagLegRow.flight_date.in_(sorted({date for _, date in flights})),
            ~flies_on,
        )
        .group_by(BagLegRow.flight_key, BagLegRow.flight_date)
    )
    return Counter({(key, date): bags for key, date, bags in rows if (key, date) in flights})


class BagsOfFlight(NamedTuple):
    """How many bags end with a flight, and how many of them reached the belt."""

    bags: int
    on_belt: int


async def count_bags_on_belts(
    session: AsyncSession, flights: Collection[tuple[str, str]]
) -> dict[tuple[str, str], BagsOfFlight]:
    """Count the bags of flights, by key and date: those that travel on no other now."""
    if not flights:
        return {}
    is_there = case((BagRow.state.in_(REACHED_BELT), 1), else_=0)
    rows = await session.execute(
        select(BagRow.flight_key, BagRow.flight_date, func.count(), func.sum(is_there))
        .where(
            BagRow.flight_key.in_(sorted({key for key, _ in flights})),
            BagRow.flight_date.in_(sorted({date for _, date in flights})),
        )
        .group_by(BagRow.flight_key, BagRow.flight_date)
    )
    return {
        (str(key), str(date)): BagsOfFlight(int(bags), int(on_belt))
        for key, date, bags, on_belt in rows
        if (key, date) in flights
    }
