"""What could not be taken in, for an operator who wants to see what it was and why."""

from typing import Any

import msgspec
from litestar import Controller, Request, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.inbox.tables import QuarantineRow

MOST = 1000


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A message, an observation, or what a feature stumbled over.

    Attributes
    ----------
    at_us
        When it came (``absorb``: when it was seen), UTC microseconds.
    part
        ``message`` nobody could read; ``observation`` refused for good, which its gateway keeps
        aside too; ``absorb``: stored, but the feature named in ``reason`` could make nothing of it.
    payload_hex
        As it came; None without ``baggage:read``, for bags may stand in it.
    """

    at_us: int
    topic: str
    part: str
    reason: str
    epoch: int | None
    lane: int | None
    sequence: int | None
    payload_hex: str | None


async def list_set_aside(
    session: AsyncSession, limit: int = 100, *, may_see_bags: bool = True
) -> list[SetAside]:
    """Give what is in quarantine, newest first."""
    rows = await session.scalars(
        select(QuarantineRow).order_by(QuarantineRow.id.desc()).limit(max(1, min(limit, MOST)))
    )
    return [
        SetAside(
            at_us=row.at_us,
            topic=row.topic,
            part=row.part,
            reason=row.reason,
            epoch=row.epoch,
            lane=row.lane,
            sequence=row.sequence,
            payload_hex=row.payload.hex() if may_see_bags else None,
        )
        for row in rows
    ]


class QuarantineController(Controller):
    """What could not be taken in."""

    path = "/api/quarantine"
    tags = ("Gateways",)

    @get("/", operation_id="ListQuarantine", opt={"permission": "gateways:read"})
    async def latest(
        self,
        request: Request[Any, Any, State],
        database: NamedDependency[Database],
        limit: FromQuery[int] = 100,
    ) -> list[SetAside]:
        """Give what could not be taken in and why, newest first; the newest thousand are kept."""
        may_see = request.user.may("baggage:read")
        async with database.reading() as session:
            return await list_set_aside(session, limit, may_see_bags=may_see)
