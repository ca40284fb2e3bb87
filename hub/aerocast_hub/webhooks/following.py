"""Events become deliveries: each event is queued once for every webhook that wants it."""

from collections.abc import Sequence
from typing import get_args

import msgspec
from aerocast_protocols.epcis.event_hash import time_text
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.events.every import Event, kind_of
from aerocast_hub.schedule import flight_key
from aerocast_hub.sight.designators import airline_of
from aerocast_hub.webhooks.store import queue, webhooks_for

NOT_TOLD = frozenset({"gateway_health_reported"})  # four a minute from every gateway
KINDS = tuple(
    sorted({str(each.__struct_config__.tag) for each in get_args(Event)} - NOT_TOLD)
)  # fmt: skip
"""Kinds of events a webhook may ask for."""
USUAL = ("alert_acknowledged", "alert_cleared", "alert_raised")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook gets.

    Attributes
    ----------
    type
        Kind of event: ``alert_raised`` ...
    timestamp
        When it happened, ISO 8601.
    data
        The event, as the live stream tells it too.
    """

    type: str
    timestamp: str
    data: Event


async def take_in(session: AsyncSession, events: Sequence[Event]) -> list[Event]:
    """Queue events for the webhooks that want them."""
    wanted = await webhooks_for(session)
    for webhook_id, wish in wanted.items():
        for event in events:
            kind = kind_of(event)
            if kind in wish.kinds and _is_of(event, wish.airlines):
                await queue(session, webhook_id, kind, [message(event)])
    return []


def _is_of(event: Event, airlines: frozenset[str]) -> bool:
    """Say whether an event names a flight of these airlines; with none named, any event does."""
    if not airlines:
        return True
    named = (getattr(event, "flight", None), getattr(event, "onward", None))
    return any(airline_of(flight_key(each)) in airlines for each in named if each is not None)


def message(event: Event) -> bytes:
    """Write an event as a webhook gets it."""
    told = Message(type=kind_of(event), timestamp=time_text(event.at_us), data=event)
    return msgspec.json.encode(told)
