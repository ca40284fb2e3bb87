"""Tables of the baggage messages: as they came, and which bags they name."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import AutoId, Base
from aerocast_hub.database.sealed import SealedBytes


class BagMessageRow(Base):
    """A message as it came. Personal data: names and references stand in ``raw``, sealed.

    ``id`` is made of ``content``, a hash of what the message says, and of who sent it when: the
    same however often it comes. ``number`` counts messages as they came. ``refused`` says why
    nothing could be made of one; ``parts_key`` is that of a message's other parts.
    """

    __tablename__ = "bag_messages"
    __table_args__ = (
        Index(None, "content"),
        Index(None, "parts_key"),
        Index(None, "received_at_us"),
    )

    number: Mapped[AutoId]
    id: Mapped[str] = mapped_column(unique=True)
    content: Mapped[str]
    received_at_us: Mapped[int]
    sender: Mapped[str]
    type: Mapped[str | None]
    station: Mapped[str | None]
    problems: Mapped[int]
    refused: Mapped[str | None]
    parts_key: Mapped[str | None]
    raw: Mapped[bytes] = mapped_column(SealedBytes("bag_messages.raw"))


class BagMessagePlateRow(Base):
    """A licence plate a message names."""

    __tablename__ = "bag_message_plates"
    __table_args__ = (Index(None, "message_id"),)

    licence_plate: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(
        ForeignKey("bag_messages.id", ondelete="CASCADE"), primary_key=True
    )


class BagPartnerRow(Base):
    """How far a partner has got: the ``number`` of the last message it has acknowledged."""

    __tablename__ = "bag_partners"

    application: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
