"""Tables of the orientation: how much advice was given, and passengers' links."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class AdviceCountRow(Base):
    """How often advice was given on a day (UTC), by the way it was asked for."""

    __tablename__ = "advice_counts"

    day: Mapped[str] = mapped_column(primary_key=True)
    asked_by: Mapped[str] = mapped_column(primary_key=True)
    given: Mapped[int]


class PassengerLinkRow(Base):
    """A link that opens a passenger's page until it expires or is revoked.

    ``id`` stands in the link's address, signed there. ``made_by`` is an account's name, or None for
    a passenger who showed bag tag and surname. A link goes with its passenger's name.
    """

    __tablename__ = "passenger_links"
    __table_args__ = (Index(None, "passenger_id"), Index(None, "expires_at_us"))

    id: Mapped[str] = mapped_column(primary_key=True)
    passenger_id: Mapped[str] = mapped_column(ForeignKey("passengers.id", ondelete="CASCADE"))
    made_at_us: Mapped[int]
    made_by: Mapped[str | None]
    expires_at_us: Mapped[int]
    revoked_at_us: Mapped[int | None]
    revoked_by: Mapped[str | None]
