"""Tables of the places: maps in every version, what is closed, and how long people queue."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class PlaceMapRow(Base):
    """A version of an airport's map, whole; the highest number is the one in use.

    ``content`` is the map in MessagePack; ``digest`` its SHA-256.
    """

    __tablename__ = "place_maps"

    airport: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    format: Mapped[str]
    digest: Mapped[str]
    imported_at_us: Mapped[int]
    levels: Mapped[int]
    places: Mapped[int]
    ways: Mapped[int]
    content: Mapped[bytes]


class PlaceOutageRow(Base):
    """Something is closed: a lift, a way, a place. Kept after it opened again."""

    __tablename__ = "place_outages"
    __table_args__ = (Index(None, "airport", "from_us"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    airport: Mapped[str]
    subject: Mapped[str]
    from_us: Mapped[int]
    until_us: Mapped[int | None]
    reason: Mapped[str]
    told_by: Mapped[str]
    told_at_us: Mapped[int]
    lifted_at_us: Mapped[int | None]
    lifted_by: Mapped[str | None]


class PlaceQueueRow(Base):
    """How long people wait at something, as seen or expected at a moment."""

    __tablename__ = "place_queues"

    airport: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    at_us: Mapped[int] = mapped_column(primary_key=True)
    wait_s: Mapped[float]
