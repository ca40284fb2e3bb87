"""Orders to gateways: asked, delivered, answered. Callers own the transaction."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple, get_args

import msgspec
from aerocast_protocols.commands import OF_A_DEVICE, Command, CommandResult, Verb
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.trail import record
from aerocast_hub.events.every import Event
from aerocast_hub.events.gateways import GatewayOrderAnswered, GatewayOrdered
from aerocast_hub.gateways.ordering import GOOD_FOR_S, SECOND_US, OrderState, state_of, why_not
from aerocast_hub.gateways.tables import GatewayOrderRow, GatewayRow
from aerocast_hub.gateways.views import GatewayView, view_gateway
from aerocast_hub.outbox.publish import write_events

KEPT_DAYS = 30
"""The trail says for longer who ordered what."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order to a gateway, and what has become of it.

    Attributes
    ----------
    state
        ``waiting`` for the answer, ``done``, ``failed`` (``error`` says why), ``no_answer``: it
        expired without one. An answer that comes later still counts.
    asked_by
        Account name.
    asked_at_us, expires_at_us, answered_at_us
        UTC microseconds; the gateway does not begin after ``expires_at_us``.
    output
        What the gateway told, at most 16,384 characters.
    """

    id: str
    verb: str
    device: str | None
    state: OrderState
    asked_by: str
    asked_at_us: int
    expires_at_us: int
    answered_at_us: int | None = None
    output: str | None = None
    error: str | None = None


class Wish(NamedTuple):
    """What is ordered: a verb, and of which device where the verb needs one."""

    verb: Verb
    device: str | None


class Waiting(NamedTuple):
    """An order that is to reach its gateway."""

    site: str
    gateway: str
    command: Command


class UnknownGatewayError(ValueError):
    """No such gateway is registered; the message names it."""


class NoOrderError(ValueError):
    """The order makes no sense; the message says why."""


class GatewayCannotError(ValueError):
    """The gateway can be given no order now; the message says why."""


async def give_order(
    session: AsyncSession, name: tuple[str, str], wish: Wish, asked_by: str, now_us: int
) -> Order:
    """Put down an order for a gateway that is there.

    Raises
    ------
    UnknownGatewayError
        The gateway is not registered.
    NoOrderError
        The verb needs a device and none is named, or the other way about.
    GatewayCannotError
        The gateway is revoked or silent, or does not answer as it is.
    """
    site, gateway = name
    verb, device = wish
    if (verb in OF_A_DEVICE) != bool(device):
        needs = "needs a device: name one" if verb in OF_A_DEVICE else "is of no device: name none"
        raise NoOrderError(f"{verb} {needs}")
    # Two who order at once are counted one after the other.
    gateway_id = await session.scalar(
        select(GatewayRow.id)
        .where(GatewayRow.site == site, GatewayRow.name == gateway)
        .with_for_update(key_share=True)
    )
    found = await view_gateway(session, site, gateway, now_us)
    if found is None or gateway_id is None:
        raise UnknownGatewayError(f"gateway {site}/{gateway} is not registered")
    refusal = await why_no_order(session, found, now_us)
    if refusal is not None:
        raise GatewayCannotError(refusal)
    row = GatewayOrderRow(
        id=str(uuid.uuid4()),
        gateway_id=gateway_id,
        verb=verb,
        device=device or None,
        asked_by=asked_by,
        asked_at_us=now_us,
        expires_at_us=now_us + GOOD_FOR_S[verb] * SECOND_US,
    )
    session.add(row)
    await session.flush()
    ordered = GatewayOrdered(
        at_us=now_us, site=site, gateway=gateway, order_id=row.id, verb=verb, device=row.device
    )
    await write_events(session, [ordered])
    after = {"order": row.id, "verb": verb, "device": row.device}
    await record(session, "gateway_ordered", subject=f"gateway {site}/{gateway}", after=after)
    return _order(row, now_us)


async def why_no_order(session: AsyncSession, gateway: GatewayView, now_us: int) -> str | None:
    """Say why a gateway is given no order now; None: it is."""
    waiting = await session.scalar(
        select(func.count())
        .select_from(GatewayOrderRow)
        .join(GatewayRow, GatewayRow.id == GatewayOrderRow.gateway_id)
        .where(
            GatewayRow.site == gateway.site,
            GatewayRow.name == gateway.name,
            GatewayOrderRow.answered_at_us.is_(None),
            GatewayOrderRow.expires_at_us > now_us,
        )
    )
    name = f"{gateway.site}/{gateway.name}"
    return why_not(name, gateway.state, gateway.last_seen_at_us, waiting or 0)


async def newest_orders(
    session: AsyncSession, name: tuple[str, str], limit: int, now_us: int
) -> list[Order]:
    """Give the newest orders of a gateway, the last first, as they are at ``now_us``."""
    site, gateway = name
    rows = await session.scalars(
        select(GatewayOrderRow)
        .join(GatewayRow, GatewayRow.id == GatewayOrderRow.gateway_id)
        .where(GatewayRow.site == site, GatewayRow.name == gateway)
        .order_by(GatewayOrderRow.asked_at_us.desc(), GatewayOrderRow.id)
        .limit(limit)
    )
    return [_order(row, now_us) for row in rows]


async def waiting_orders(session: AsyncSession, now_us: int) -> Sequence[Waiting]:
    """Give every order that a gateway may still carry out, the oldest first."""
    rows = await session.execute(
        select(GatewayRow.site, GatewayRow.name, GatewayOrderRow)
        .join(GatewayRow, GatewayRow.id == GatewayOrderRow.gateway_id)
        .where(
            GatewayOrderRow.expires_at_us > now_us,
            GatewayOrderRow.answered_at_us.is_(None),
            GatewayOrderRow.verb.in_(get_args(Verb)),  # a newer hub may know others
            GatewayRow.revoked_at_us.is_(None),
        )
        .order_by(GatewayOrderRow.asked_at_us)
    )
    return [
        Waiting(
            site,
            gateway,
            Command(
                id=row.id,
                verb=msgspec.convert(row.verb, Verb),
                expires_at_us=row.expires_at_us,
                device=row.device,
            ),
        )
        for site, gateway, row in rows
    ]


async def take_result(
    session: AsyncSession,
    name: tuple[str, str],
    gateway_id: int,
    result: CommandResult,
    received_at_us: int,
) -> list[Event]:
    """Keep what a gateway answers to an order of its own; the first answer stands.

    An answer to no order, to another gateway's or to one answered already changes nothing.
    """
    row = GatewayOrderRow
    # NUL is the one character PostgreSQL's text refuses.
    error = None if result.error is None else result.error.replace("\0", "?")
    taken = await session.scalar(
        update(row)
        .where(row.id == result.id, row.gateway_id == gateway_id, row.answered_at_us.is_(None))
        .values(
            answered_at_us=received_at_us,
            error=error,
            output=result.output.replace("\0", "?"),
        )
        .returning(row.id)
    )
    if taken is None:
        return []
    site, gateway = name
    return [
        GatewayOrderAnswered(
            at_us=received_at_us, site=site, gateway=gateway, order_id=taken, worked=error is None
        )
    ]


def _order(row: GatewayOrderRow, now_us: int) -> Order:
    return Order(
        id=row.id,
        verb=row.verb,
        device=row.device,
        state=state_of(row.expires_at_us, row.answered_at_us, row.error, now_us),
        asked_by=row.asked_by,
        asked_at_us=row.asked_at_us,
        expires_at_us=row.expires_at_us,
        answered_at_us=row.answered_at_us,
        output=row.output,
        error=row.error,
    )
