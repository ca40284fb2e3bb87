"""What the hub sends each partner: every message that came in and is for it, once, in order.

How far a partner has got is kept in the database: after a pause it gets what it missed. A partner
that logs in for the first time begins with what comes from then on.
"""

import asyncio

from aerocast_protocols.baggage import parse_message
from aerocast_protocols.errors import ProtocolError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.message_tables import BagMessageRow, BagPartnerRow
from aerocast_hub.baggage.partners import Partner
from aerocast_hub.database.engine import Database
from aerocast_hub.database.insert import insert_new, insert_or_replace

LOOK_AT_ONCE = 100


def sender_of(partner: Partner) -> str:
    """Name a partner as the sender of messages."""
    return f"partner:{partner.application}"


class PartnerFeed:
    """The messages for one partner.

    Attributes
    ----------
    woken
        Set when messages came in.
    """

    def __init__(self, database: Database, partner: Partner) -> None:
        self.woken = asyncio.Event()
        self._database = database
        self._partner = partner
        self._looked_at = 0
        self._under_way: int | None = None

    async def begin(self) -> None:
        """Find how far the partner has got; a new one has it all."""
        async with self._database.writing() as session:
            newest = await session.scalar(select(func.max(BagMessageRow.number))) or 0
            row = {"application": self._partner.application, "number": newest}
            await insert_new(session, BagPartnerRow, [row])
            known = select(BagPartnerRow.number).where(
                BagPartnerRow.application == self._partner.application
            )
            self._looked_at = await session.scalar(known) or 0

    async def next(self) -> bytes | None:
        """Give the next message; None when there is none now."""
        async with self._database.reading() as session:
            while rows := await self._after(session):
                for row in rows:
                    if self._is_for_partner(row.raw):
                        self._under_way = row.number
                        return row.raw
                    self._looked_at = row.number
        return None

    def _is_for_partner(self, raw: bytes) -> bool:
        try:
            return self._partner.gets(parse_message(raw))
        except ProtocolError:  # a version before this one could read it
            return False

    async def delivered(self) -> None:
        """Remember how far the partner has got."""
        if self._under_way is None:
            return
        self._looked_at, self._under_way = self._under_way, None
        async with self._database.writing() as session:
            row = {"application": self._partner.application, "number": self._looked_at}
            await insert_or_replace(session, BagPartnerRow, [row])

    async def _after(self, session: AsyncSession) -> list[BagMessageRow]:
        rows = await session.scalars(
            select(BagMessageRow)
            .where(
                BagMessageRow.number > self._looked_at,
                BagMessageRow.refused.is_(None),
                BagMessageRow.sender != sender_of(self._partner),
            )
            .order_by(BagMessageRow.number)
            .limit(LOOK_AT_ONCE)
        )
        return list(rows)
