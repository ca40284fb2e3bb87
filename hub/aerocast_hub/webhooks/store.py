"""Webhooks and deliveries in the database."""

import time
import uuid
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.trail import record
from aerocast_hub.events.every import Event
from aerocast_hub.events.partners import WebhookDied, WebhookRevived
from aerocast_hub.webhooks.retrying import judge, wait_s
from aerocast_hub.webhooks.signing import new_secret
from aerocast_hub.webhooks.tables import DeliveryRow, WebhookRow

LEASE_US = 60_000_000  # longer than an attempt may take
TAKEN_AT_ONCE = 50
MOST_SHOWN = 50
KEPT_US = 7 * 86_400_000_000
SIGNATURE = "webhook-signature"


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook, without its secret.

    Attributes
    ----------
    kinds
        Kinds of events it is told of.
    airlines
        It is told of events that name one of their flights alone; empty: of all events.
    state
        ``dead``: given up after too many failures; revive it when its server is back.
    delivered_at_us, failed_at_us
        The last time, UTC microseconds.
    failure
        What went wrong last.
    """

    id: str
    url: str
    kinds: tuple[str, ...]
    airlines: tuple[str, ...]
    state: str
    created_at_us: int
    created_by: str
    delivered_at_us: int | None
    failed_at_us: int | None
    failure: str | None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was sent, or is to be."""

    id: int
    kind: str
    state: str
    attempts: int
    created_at_us: int
    next_at_us: int | None
    done_at_us: int | None
    status: int | None
    failure: str | None


class Due(NamedTuple):
    """A delivery to be tried now."""

    id: int
    webhook_id: str
    url: str
    secret: str
    signature_header: str
    body: bytes
    media_type: str
    attempts: int
    created_at_us: int


class Fed(NamedTuple):
    """What is different of a webhook whose deliveries another feature queues.

    Attributes
    ----------
    by
        The feature, and what of it.
    secret
        What the receiver made up.
    signature_header
        The header its signatures are in.
    """

    by: str
    secret: str
    signature_header: str


class Outcome(NamedTuple):
    """What came of an attempt: the status answered, or why there was none."""

    status: int | None
    failure: str | None


async def add_webhook(
    session: AsyncSession,
    url: str,
    kinds: Sequence[str],
    by: str,
    fed: Fed | None = None,
    airlines: Collection[str] = (),
) -> tuple[Webhook, str]:
    """Add a webhook; give it with its secret, which is told this once.

    Parameters
    ----------
    fed
        When it does not follow events.
    """
    secret = new_secret() if fed is None else fed.secret
    row = WebhookRow(
        id=str(uuid.uuid4()),
        url=url,
        kinds=" ".join(sorted(set(kinds))),
        airlines=" ".join(sorted(airlines)),
        fed_by="" if fed is None else fed.by,
        secret=secret,
        signature_header=SIGNATURE if fed is None else fed.signature_header,
        state="active",
        created_at_us=_now_us(),
        created_by=by,
        delivered_at_us=None,
        failed_at_us=None,
        failure=None,
    )
    session.add(row)
    await session.flush()
    added = _webhook(row)
    await record(session, "webhook_added", subject=f"webhook {row.id}", after=added)
    return added, secret


async def list_webhooks(session: AsyncSession) -> list[Webhook]:
    """Give the webhooks that follow events, the oldest first."""
    rows = await session.scalars(
        select(WebhookRow).where(WebhookRow.fed_by == "").order_by(WebhookRow.created_at_us)
    )
    return [_webhook(row) for row in rows]


async def find_webhook(session: AsyncSession, webhook_id: str) -> Webhook | None:
    """Find a webhook."""
    row = await session.get(WebhookRow, webhook_id.replace("\x00", "?"))
    return None if row is None else _webhook(row)


async def deliveries_of(session: AsyncSession, webhook_id: str) -> list[Delivery]:
    """Give a webhook's last deliveries, the newest first."""
    rows = await session.scalars(
        select(DeliveryRow)
        .where(DeliveryRow.webhook_id == webhook_id)
        .order_by(DeliveryRow.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        Delivery(
            id=row.id,
            kind=row.kind,
            state=row.state,
            attempts=row.attempts,
            created_at_us=row.created_at_us,
            next_at_us=row.next_at_us if row.state == "waiting" else None,
            done_at_us=row.done_at_us,
            status=row.status,
            failure=row.failure,
        )
        for row in rows
    ]


async def remove_webhook(session: AsyncSession, webhook_id: str) -> list[Event]:
    """Remove a webhook and everything that was to be sent to it; give what follows."""
    before = await find_webhook(session, webhook_id)
    removed = delete(WebhookRow).where(WebhookRow.id == webhook_id).returning(WebhookRow.id)
    if await session.scalar(removed) is None:
        return []
    await record(session, "webhook_removed", subject=f"webhook {webhook_id}", before=before)
    return [_revived(webhook_id)]


async def revive_webhook(session: AsyncSession, webhook_id: str) -> list[Event]:
    """Try a webhook again that was given up, with everything it has not got."""
    revived = await session.scalar(
        update(WebhookRow)
        .where(WebhookRow.id == webhook_id, WebhookRow.state == "dead")
        .values(state="active")
        .returning(WebhookRow.id)
    )
    if revived is None:
        return []
    await session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.webhook_id == webhook_id, DeliveryRow.state.in_(["dead", "waiting"]))
        .values(state="waiting", attempts=0, next_at_us=_now_us(), done_at_us=None)
    )
    subject, before, after = f"webhook {webhook_id}", {"state": "dead"}, {"state": "active"}
    await record(session, "webhook_revived", subject=subject, before=before, after=after)
    return [_revived(webhook_id)]


async def queue(
    session: AsyncSession,
    webhook_id: str,
    kind: str,
    bodies: Sequence[bytes],
    media_type: str = "application/json",
) -> None:
    """Have something sent to a webhook once this transaction is committed."""
    if bodies:
        now_us = _now_us()
        same = {
            "webhook_id": webhook_id,
            "kind": kind,
            "media_type": media_type,
            "state": "waiting",
            "attempts": 0,
            "created_at_us": now_us,
            "next_at_us": now_us,
        }
        await session.execute(insert(DeliveryRow), [{**same, "body": body} for body in bodies])


class Wish(NamedTuple):
    """What a webhook is told of: kinds of events, of which airlines' flights; none named: all."""

    kinds: frozenset[str]
    airlines: frozenset[str]


async def webhooks_for(session: AsyncSession) -> dict[str, Wish]:
    """Give what each active webhook wants, by its id."""
    rows = await session.execute(
        select(WebhookRow.id, WebhookRow.kinds, WebhookRow.airlines).where(
            WebhookRow.state == "active", WebhookRow.kinds != ""
        )
    )
    return {
        webhook_id: Wish(frozenset(kinds.split()), frozenset(airlines.split()))
        for webhook_id, kinds, airlines in rows
    }


async def is_anything_due(session: AsyncSession, now_us: int) -> bool:
    """Say whether there is something to send; asks without taking."""
    return await session.scalar(_due(now_us).limit(1)) is not None


async def take_due(session: AsyncSession, now_us: int) -> list[Due]:
    """Take deliveries whose time has come; nobody else gets them for a minute."""
    ids = (await session.scalars(_due(now_us).limit(TAKEN_AT_ONCE))).all()
    taken = await session.scalars(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(ids), DeliveryRow.next_at_us <= now_us)
        .values(next_at_us=now_us + LEASE_US)
        .returning(DeliveryRow.id)
    )
    rows = await session.execute(
        select(DeliveryRow, WebhookRow)
        .join(WebhookRow, WebhookRow.id == DeliveryRow.webhook_id)
        .where(DeliveryRow.id.in_(taken.all()))
        .order_by(DeliveryRow.id)
    )
    return [
        Due(
            id=delivery.id,
            webhook_id=webhook.id,
            url=webhook.url,
            secret=webhook.secret,
            signature_header=webhook.signature_header,
            body=delivery.body,
            media_type=delivery.media_type,
            attempts=delivery.attempts,
            created_at_us=delivery.created_at_us,
        )
        for delivery, webhook in rows
    ]


async def note_outcome(
    session: AsyncSession, due: Due, outcome: Outcome, now_us: int, chance: float
) -> list[Event]:
    """Write down what came of an attempt; give what follows.

    A webhook is given up when a delivery is and nothing reached it since that was queued.
    """
    attempts = due.attempts + 1
    verdict = judge(outcome.status, attempts)
    next_us = now_us + round(wait_s(attempts, chance) * 1_000_000)
    await session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == due.id)
        .values(
            state="waiting" if verdict == "again" else verdict,
            attempts=attempts,
            next_at_us=next_us,
            done_at_us=None if verdict == "again" else now_us,
            status=outcome.status,
            failure=outcome.failure,
        )
    )
    of_webhook = update(WebhookRow).where(WebhookRow.id == due.webhook_id)
    if verdict == "delivered":
        await session.execute(of_webhook.values(delivered_at_us=now_us, failure=None))
        return []
    await session.execute(of_webhook.values(failed_at_us=now_us, failure=outcome.failure))
    if verdict == "again":
        return []
    died = await session.scalar(
        of_webhook.where(
            WebhookRow.state == "active",
            (WebhookRow.delivered_at_us.is_(None))
            | (WebhookRow.delivered_at_us < due.created_at_us),
        )
        .values(state="dead")
        .returning(WebhookRow.url)
    )
    if died is None:
        return []
    why = outcome.failure or f"answers {outcome.status}"
    return [WebhookDied(at_us=now_us, webhook_id=due.webhook_id, url=died, reason=why)]


async def sweep(session: AsyncSession, now_us: int) -> None:
    """Forget deliveries that were done with a week ago."""
    await session.execute(delete(DeliveryRow).where(DeliveryRow.done_at_us < now_us - KEPT_US))


def _due(now_us: int) -> Select[int]:
    return (
        select(DeliveryRow.id)
        .join(WebhookRow, WebhookRow.id == DeliveryRow.webhook_id)
        .where(
            DeliveryRow.state == "waiting",
            DeliveryRow.next_at_us <= now_us,
            WebhookRow.state == "active",
        )
        .order_by(DeliveryRow.next_at_us)
    )


def _webhook(row: WebhookRow) -> Webhook:
    return Webhook(
        id=row.id,
        url=row.url,
        kinds=tuple(row.kinds.split()),
        airlines=tuple(row.airlines.split()),
        state=row.state,
        created_at_us=row.created_at_us,
        created_by=row.created_by,
        delivered_at_us=row.delivered_at_us,
        failed_at_us=row.failed_at_us,
        failure=row.failure,
    )


def _revived(webhook_id: str) -> WebhookRevived:
    return WebhookRevived(at_us=_now_us(), webhook_id=webhook_id)


def _now_us() -> int:
    return time.time_ns() // 1000
