"""Forgetting what is old, an hour's worth at a time, in small transactions.

Marks and accounts of the gateways stay: they say what was received, not what it was.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, delete, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from aerocast_hub.audit.trail import let_go
from aerocast_hub.database import Base
from aerocast_hub.database.engine import Database
from aerocast_hub.database.every_table import (
    alerts,
    bag_messages,
    baggage,
    flights,
    gateways,
    orientation,
    weather,
)
from aerocast_hub.gateways.orders import KEPT_DAYS as ORDER_DAYS
from aerocast_hub.retention.old_months import BeforeDrop, forget_months, prepare_months

log = logging.getLogger(__name__)

EVERY_S = 3600.0
ROWS_AT_ONCE = 5000
PEOPLE_AT_ONCE = 500
"""Each is named in a statement: SQLite takes 32,766 values in one, older ones 999."""
DAY_US = 86_400_000_000


class Kept(NamedTuple):
    """What of a table is old."""

    table: type[Base]
    since: InstrumentedAttribute[Any]


RECORDS = (
    Kept(baggage.EvidenceRow, baggage.EvidenceRow.at_us),
    Kept(baggage.UnreadRow, baggage.UnreadRow.at_us),
    Kept(baggage.BagRow, baggage.BagRow.last_seen_us),
    Kept(bag_messages.BagMessageRow, bag_messages.BagMessageRow.received_at_us),
    Kept(flights.GroundEventRow, flights.GroundEventRow.at_us),
    Kept(weather.MetarRow, weather.MetarRow.received_at_us),
    Kept(weather.RefusedMetarRow, weather.RefusedMetarRow.received_at_us),
    Kept(orientation.ArrivalRow, orientation.ArrivalRow.on_block_us),
    Kept(alerts.AlertRow, alerts.AlertRow.cleared_at_us),
)
"""Tables of what happened, and the time that makes a row old; rows without one stay.

Observations go by whole months (`old_months`). Winds aloft and nowcasts are forgotten where they
are made: they are of use for days, not years.
"""


async def keep_forgetting(
    database: Database,
    record_days: int,
    personal_days: int,
    audit_days: int,
    before_drop: BeforeDrop | None = None,
) -> None:
    """Forget every hour until cancelled; 0 days keeps for ever."""
    while True:
        try:
            await prepare_months(database, time.time_ns() // 1000)
            forgotten = await forget(
                database,
                time.time_ns() // 1000,
                record_days=record_days,
                personal_days=personal_days,
                audit_days=audit_days,
                before_drop=before_drop,
            )
            if forgotten:
                log.info("forgotten, for their time is over: %s", forgotten)
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("nothing is forgotten for now", error)
        await asyncio.sleep(EVERY_S)


async def forget(
    database: Database,
    now_us: int,
    *,
    record_days: int,
    personal_days: int,
    audit_days: int = 0,
    before_drop: BeforeDrop | None = None,
) -> Mapping[str, int]:
    """Forget what is older than so many days; say how many rows of which table.

    Parameters
    ----------
    record_days
        For what happened: observations, evidence, journeys, messages, reports, alerts. Orders to
        gateways go after 30 days in any case.
    personal_days
        For whose bags they were, from the day of the flight: names, booking references, and the
        text of messages, which holds both.
    audit_days
        For the trail of changes, from its beginning on.
    """
    counts: dict[str, int] = {}
    if personal_days:
        before_us = now_us - personal_days * DAY_US
        counts["passengers"] = await _forget_people(database, before_us)
        counts["message texts"] = await _forget_texts(database, before_us)
    if record_days:
        before_us = now_us - record_days * DAY_US
        for kept in RECORDS:
            old = kept.since < before_us
            counts[kept.table.__tablename__] = await _delete(database, kept.table, old)
        never_seen = baggage.BagRow.last_seen_us.is_(None)
        long_ago = baggage.BagRow.flight_date < _day(before_us)
        counts["observations"] = await forget_months(database, before_us, before_drop)
        counts["bags"] += await _delete(database, baggage.BagRow, never_seen & long_ago)
    ordered, days = gateways.GatewayOrderRow, min(record_days or ORDER_DAYS, ORDER_DAYS)
    old_orders = ordered.asked_at_us < now_us - days * DAY_US
    counts["gateway_orders"] = await _delete(database, ordered, old_orders)
    if audit_days:
        counts["audit"] = await let_go(database, now_us - audit_days * DAY_US, now_us)
    return {name: count for name, count in counts.items() if count}


async def _forget_people(database: Database, before_us: int) -> int:
    row, bag = baggage.PassengerRow, baggage.BagRow
    # Locked: a message of an old flight that just comes in must not give one of them a bag.
    old = select(row.id).where(row.flight_date < _day(before_us)).limit(PEOPLE_AT_ONCE)
    count = 0
    while True:
        async with database.writing() as session:
            gone = list(await session.scalars(old.with_for_update()))
            theirs = bag.passenger_id.in_(gone)
            await session.execute(update(bag).where(theirs).values(passenger_id=None))
            await session.execute(delete(row).where(row.id.in_(gone)))
        count += len(gone)
        if len(gone) < PEOPLE_AT_ONCE:
            return count


async def _forget_texts(database: Database, before_us: int) -> int:
    row = bag_messages.BagMessageRow
    async with database.writing() as session:
        done = await session.execute(
            update(row).where(row.received_at_us < before_us, row.raw != b"").values(raw=b"")
        )
    return int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


async def _delete(database: Database, table: type[Base], old: ColumnElement[bool]) -> int:
    keys = list(table.__table__.primary_key)
    some: Select[Any] = select(*keys).where(old).limit(ROWS_AT_ONCE)
    whole = keys[0].in_(some) if len(keys) == 1 else tuple_(*keys).in_(some)
    count = 0
    while True:
        async with database.writing() as session:
            done = await session.execute(delete(table).where(whole))
        gone = int(done.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it
        count += gone
        if gone < ROWS_AT_ONCE:
            return count


def _day(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).date().isoformat()
