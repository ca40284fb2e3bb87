"""Committed events from the outbox, from any number on."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.events.every import Event, decode_event
from aerocast_hub.outbox.tables import OutboxRow

log = logging.getLogger(__name__)


class Committed(NamedTuple):
    """An event, its number in the outbox, and the trace that made it where one was kept."""

    number: int
    event: Event
    traceparent: str | None


class Stretch(NamedTuple):
    """Some events in order, and how far they go.

    Attributes
    ----------
    reached
        The number of the last row looked at; None when there was none.
    """

    events: list[Committed]
    reached: int | None


async def events_after(
    session: AsyncSession, after: int, most: int, kinds: Sequence[str] = ()
) -> Stretch:
    """Give events with greater numbers, oldest first; of some kinds, or all."""
    wanted = select(OutboxRow.id, OutboxRow.body, OutboxRow.traceparent).where(OutboxRow.id > after)
    if kinds:
        wanted = wanted.where(OutboxRow.kind.in_(kinds))
    rows = (await session.execute(wanted.order_by(OutboxRow.id).limit(most))).all()
    found = [
        Committed(number, event, traceparent)
        for number, body, traceparent in rows
        if (event := _decoded(body)) is not None
    ]
    return Stretch(found, rows[-1][0] if rows else None)


async def oldest_kept(session: AsyncSession) -> int | None:
    """Give the number of the oldest event that is still there; None without any."""
    return await session.scalar(select(func.min(OutboxRow.id)))


def _decoded(body: bytes) -> Event | None:
    try:
        return decode_event(body)
    except msgspec.MsgspecError:
        log.exception("an event is of no kind this version knows")
        return None
