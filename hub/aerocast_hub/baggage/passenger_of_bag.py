"""Whose a bag is: shown to who may see it, hidden but for an initial from everyone else."""

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.baggage.tables import BagPlateRow, BagRow, PassengerRow

HIDDEN = "\N{BULLET}" * 5


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a bag is.

    Attributes
    ----------
    reference
        What its airline tells people of one name apart by: given name or booking reference.
    is_hidden
        The asker may not see it: one letter of each is left.
    """

    surname: str
    reference: str | None
    is_hidden: bool

    def __repr__(self) -> str:
        """Show no name: this may end in a log."""
        return f"Whose(..., is_hidden={self.is_hidden})"


async def whose_bag(session: AsyncSession, licence_plate: str, *, may_see: bool) -> Whose | None:
    """Say whose a bag is; None when nobody told, or it is forgotten."""
    row = await session.scalar(
        select(PassengerRow)
        .join(BagRow, BagRow.passenger_id == PassengerRow.id)
        .join(BagPlateRow, BagPlateRow.bag_id == BagRow.id)
        .where(BagPlateRow.licence_plate == licence_plate.replace("\x00", "?"))
        .order_by(PassengerRow.flight_date.desc())
        .limit(1)
    )
    if row is None:
        return None
    if may_see:
        return Whose(surname=row.surname, reference=row.passenger, is_hidden=False)
    return Whose(
        surname=row.surname[:1] + HIDDEN,
        reference=None if row.passenger is None else row.passenger[:1] + HIDDEN,
        is_hidden=True,
    )
