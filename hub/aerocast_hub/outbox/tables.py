"""Tables of the outbox."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import AutoId, Base


class OutboxRow(Base):
    """An event, written in the transaction that made it; ids are in commit order.

    Attributes
    ----------
    traceparent
        What made it, in W3C's words, when traces are kept.
    """

    __tablename__ = "outbox"
    # A number is never given twice, even when the sweep has emptied the table.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[AutoId]
    written_at_us: Mapped[int]
    kind: Mapped[str]
    body: Mapped[bytes]
    traceparent: Mapped[str | None] = mapped_column(String(55))


class FollowerRow(Base):
    """How far a feature has taken in the events of others."""

    __tablename__ = "followers"

    name: Mapped[str] = mapped_column(primary_key=True)
    last_id: Mapped[int]
