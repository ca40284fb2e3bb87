"""What could not be taken in, kept for a person to look at: the newest, bounded."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.inbox.tables import QuarantineRow
from aerocast_hub.inbox.unpack import Message

MOST_ROWS = 1000
LARGEST_PAYLOAD = 64 * 1024 + 256
"""A whole batch fits; with `MOST_ROWS` the table stays under 66 MB."""

Part = Literal["message", "observation", "absorb"]


class Quarantined(NamedTuple):
    """Something set aside: what part of what, and why."""

    at_us: int
    topic: str
    part: Part
    reason: str
    payload: bytes
    epoch: int | None = None
    lane: int | None = None
    sequence: int | None = None


def of_message(message: Message, reason: str) -> Quarantined:
    """Set a whole message aside."""
    return Quarantined(message.received_at_us, message.topic, "message", reason, message.payload)


async def set_aside(session: AsyncSession, quarantined: Sequence[Quarantined]) -> None:
    """Keep these, and let go of the oldest beyond the bound."""
    if not quarantined:
        return
    # NUL is the one character PostgreSQL's text refuses.
    await session.execute(
        insert(QuarantineRow),
        [
            {
                **each._asdict(),
                "topic": each.topic.replace("\0", "?")[:300],
                "reason": each.reason.replace("\0", "?")[:1000],
                "payload": each.payload[:LARGEST_PAYLOAD],
            }
            for each in quarantined[-MOST_ROWS:]
        ],
    )
    newest = select(func.max(QuarantineRow.id)).scalar_subquery()
    await session.execute(delete(QuarantineRow).where(QuarantineRow.id <= newest - MOST_ROWS))
