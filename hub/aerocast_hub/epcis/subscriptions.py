"""Named queries, and whoever is sent what they find: as it comes, or by a schedule."""

import asyncio
import time
import uuid
from typing import NamedTuple

import msgspec
from aerocast_protocols.epcis.event_hash import time_text
from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.trail import record
from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new
from aerocast_hub.epcis.asking import Asked, asked_for
from aerocast_hub.epcis.schedule import Schedule
from aerocast_hub.epcis.store import Found, find_events, last_number
from aerocast_hub.epcis.tables import EpcisQueryRow, EpcisSubscriptionRow
from aerocast_hub.epcis.writing import document
from aerocast_hub.outbox.publish import POLL_S, Publisher, TooSlowError
from aerocast_hub.webhooks.store import Fed, add_webhook, queue, remove_webhook

SENT_AT_ONCE = 200
MEDIA_TYPE = "application/ld+json"
SIGNATURE = "GS1-Signature"
LOOK_EVERY_S = 1.0

Json = dict[str, object]


class NamedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A query somebody gave a name."""

    name: str
    query: Json


class Wanted(NamedTuple):
    """A subscription asked for.

    Attributes
    ----------
    schedule
        None: as it comes.
    initial_record_time_us
        Begin with what was recorded from then on; None: from now.
    """

    dest: str
    secret: str
    schedule: dict[str, str] | None
    report_if_empty: bool
    initial_record_time_us: int | None


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subscription, without its secret."""

    subscriptionID: str  # noqa: N815  the standard's name
    queryName: str  # noqa: N815  likewise
    dest: str
    createdAt: str  # noqa: N815  likewise
    reportIfEmpty: bool  # noqa: N815  likewise
    stream: bool = False
    schedule: dict[str, str] | None = None
    initialRecordTime: str | None = None  # noqa: N815  likewise
    lastNotifiedAt: str | None = None  # noqa: N815  likewise


async def add_query(session: AsyncSession, name: str, definition: Json) -> bool:
    """Give a query a name; False when another has it."""
    if await session.get(EpcisQueryRow, name) is not None:
        return False
    row = {
        "name": name,
        "created_at_us": _now_us(),
        "definition": msgspec.json.encode(definition),
    }
    await insert_new(session, EpcisQueryRow, [row])
    subject = f"EPCIS query {name}"
    await record(session, "epcis_query_added", subject=subject, after=definition)
    return True


async def list_queries(
    session: AsyncSession, limit: int, after: str | None = None
) -> list[NamedQuery]:
    """Give the named queries in the order of their names."""
    query = select(EpcisQueryRow).order_by(EpcisQueryRow.name).limit(limit)
    if after is not None:
        query = query.where(EpcisQueryRow.name > after)
    return [_query(row) for row in await session.scalars(query)]


async def find_query(session: AsyncSession, name: str) -> NamedQuery | None:
    """Find a named query."""
    row = await session.get(EpcisQueryRow, name.replace("\x00", "?"))
    return None if row is None else _query(row)


async def remove_query(session: AsyncSession, name: str) -> bool:
    """Remove a query and its subscriptions; False when there is none."""
    query = await find_query(session, name)
    for each in await list_subscriptions(session, name):
        await remove_subscription(session, name, each.subscriptionID)
    removed = delete(EpcisQueryRow).where(EpcisQueryRow.name == name)
    if query is None or await session.scalar(removed.returning(EpcisQueryRow.name)) is None:
        return False
    subject = f"EPCIS query {name}"
    await record(session, "epcis_query_removed", subject=subject, before=query.query)
    return True


async def add_subscription(
    session: AsyncSession, query: NamedQuery, wanted: Wanted, by: str
) -> Subscription:
    """Subscribe somebody to a named query."""
    now_us = _now_us()
    fed = Fed(f"epcis {query.name}", wanted.secret, SIGNATURE)
    webhook, _ = await add_webhook(session, wanted.dest, (), by, fed)
    schedule = Schedule(wanted.schedule) if wanted.schedule is not None else None
    start_us = wanted.initial_record_time_us
    row = EpcisSubscriptionRow(
        id=str(uuid.uuid4()),
        query_name=query.name,
        webhook_id=webhook.id,
        dest=wanted.dest,
        created_at_us=now_us,
        schedule="" if wanted.schedule is None else msgspec.json.encode(wanted.schedule).decode(),
        report_if_empty=wanted.report_if_empty,
        initial_record_time_us=start_us,
        reached=await last_number(session, start_us),
        next_at_us=0 if schedule is None else schedule.next_us(now_us),
        notified_at_us=None,
    )
    session.add(row)
    await session.flush()
    added = _subscription(row)
    subject = f"EPCIS subscription {row.id}"
    await record(session, "epcis_subscription_added", subject=subject, after=added)
    return added


async def list_subscriptions(session: AsyncSession, query_name: str) -> list[Subscription]:
    """Give the subscriptions of a named query, the oldest first."""
    rows = await session.scalars(
        select(EpcisSubscriptionRow)
        .where(EpcisSubscriptionRow.query_name == query_name)
        .order_by(EpcisSubscriptionRow.created_at_us, EpcisSubscriptionRow.id)
    )
    return [_subscription(row) for row in rows]


async def remove_subscription(session: AsyncSession, query_name: str, named: str) -> bool:
    """End a subscription, with what was still to be sent; False when there is none."""
    row = await session.scalar(
        select(EpcisSubscriptionRow).where(
            EpcisSubscriptionRow.id == named, EpcisSubscriptionRow.query_name == query_name
        )
    )
    if row is None:
        return False
    webhook_id, before = row.webhook_id, _subscription(row)
    await session.execute(delete(EpcisSubscriptionRow).where(EpcisSubscriptionRow.id == named))
    await remove_webhook(session, webhook_id)
    subject = f"EPCIS subscription {named}"
    await record(session, "epcis_subscription_removed", subject=subject, before=before)
    return True


async def new_events(session: AsyncSession, asked: Asked, since: int) -> tuple[list[Found], int]:
    """Find what a query asks for among events kept since a number; say how far it came."""
    reached = await last_number(session)
    if reached <= since:
        return [], since
    ordered = asked._replace(order_by="recordTime", is_ascending=True, limit=None, most=None)
    found: list[Found] = []
    after: str | None = None
    while True:
        page = await find_events(session, ordered, SENT_AT_ONCE, after, since)
        found += [each for each in page.events if each.number <= reached]
        if page.after is None:
            return found, reached
        after = page.after


class Teller:
    """Sends subscribers what is due until cancelled."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher

    async def run(self) -> None:
        """Tell subscribers; a database that does not answer is asked again."""
        with self._publisher.bell(["epcis_events_kept"]) as bell:
            while True:
                try:
                    await self.tell_all()
                    await bell.wait(LOOK_EVERY_S)
                except TooSlowError:
                    await asyncio.sleep(POLL_S)  # the hub stops
                except (SQLAlchemyError, OSError) as error:
                    self._database.tell_failure("EPCIS subscribers wait", error)
                    await asyncio.sleep(POLL_S)

    async def tell_all(self) -> None:
        """Queue what is due for every subscriber."""
        now_us = _now_us()
        async with self._database.reading() as session:
            reached = await last_number(session)
            ids = await session.scalars(
                select(EpcisSubscriptionRow.id).where(
                    (
                        (EpcisSubscriptionRow.schedule == "")
                        & (EpcisSubscriptionRow.reached < reached)
                    )
                    | (
                        (EpcisSubscriptionRow.schedule != "")
                        & (EpcisSubscriptionRow.next_at_us <= now_us)
                    )
                )
            )
            due = list(ids)
        for each in due:
            async with self._database.writing() as session:
                await _tell(session, each, now_us)


async def _tell(session: AsyncSession, named: str, now_us: int) -> None:
    row = await session.get(EpcisSubscriptionRow, named, with_for_update=True)
    query = None if row is None else await find_query(session, row.query_name)
    if row is None or query is None:
        return
    found, reached = await new_events(session, asked_for(query.query), row.reached)
    if found or (row.schedule and row.report_if_empty):
        bodies = [
            document(found[at : at + SENT_AT_ONCE], query.name, row.id)
            for at in range(0, max(len(found), 1), SENT_AT_ONCE)
        ]
        await queue(session, row.webhook_id, "epcis", bodies, MEDIA_TYPE)
    next_us = 0
    if row.schedule:
        told = msgspec.json.decode(row.schedule, type=dict[str, str])
        next_us = Schedule(told).next_us(now_us)
    await session.execute(
        update(EpcisSubscriptionRow)
        .where(EpcisSubscriptionRow.id == row.id)
        .values(
            reached=reached,
            next_at_us=next_us,
            notified_at_us=now_us if found else EpcisSubscriptionRow.notified_at_us,
        )
    )


def _query(row: EpcisQueryRow) -> NamedQuery:
    return NamedQuery(name=row.name, query=msgspec.json.decode(row.definition, type=Json))


def _subscription(row: EpcisSubscriptionRow) -> Subscription:
    return Subscription(
        subscriptionID=row.id,
        queryName=row.query_name,
        dest=row.dest,
        createdAt=time_text(row.created_at_us),
        reportIfEmpty=row.report_if_empty,
        stream=not row.schedule,
        schedule=msgspec.json.decode(row.schedule, type=dict[str, str]) if row.schedule else None,
        initialRecordTime=_time_or_none(row.initial_record_time_us),
        lastNotifiedAt=_time_or_none(row.notified_at_us),
    )


def _time_or_none(at_us: int | None) -> str | None:
    return None if at_us is None else time_text(at_us)


def _now_us() -> int:
    return time.time_ns() // 1000
