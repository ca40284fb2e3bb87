"""Tables of the bags: who they are, their passengers (apart), sightings, and journeys."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class PassengerRow(Base):
    """Who a bag belongs to. Personal data: in this table alone, and never in a log.

    ``surname_key`` is the surname as compared: upper case letters without accents.
    """

    __tablename__ = "passengers"
    __table_args__ = (Index(None, "surname_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    surname: Mapped[str]
    surname_key: Mapped[str]
    passenger: Mapped[str | None]


class BagRow(Base):
    """A bag. Without ``flight`` nobody announced it.

    The columns from ``state`` on, and ``journey`` (msgpack), are a fold of its sightings and may
    be made again.
    """

    __tablename__ = "bags"
    __table_args__ = (
        Index(None, "flight_key", "flight_date"),
        Index(None, "last_seen_us"),
        Index(None, "passenger_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    flight: Mapped[str | None]
    flight_key: Mapped[str | None]
    flight_date: Mapped[str | None]
    origin: Mapped[str | None]
    destination: Mapped[str | None]
    passenger_id: Mapped[str | None] = mapped_column(ForeignKey("passengers.id"))
    state: Mapped[str]
    last_seen_us: Mapped[int | None]
    journey: Mapped[bytes]


class BagPlateRow(Base):
    """A licence plate a bag carries or has carried."""

    __tablename__ = "bag_plates"
    __table_args__ = (Index(None, "bag_id"),)

    licence_plate: Mapped[str] = mapped_column(primary_key=True)
    bag_id: Mapped[str] = mapped_column(ForeignKey("bags.id", ondelete="CASCADE"), primary_key=True)


class BagSightingRow(Base):
    """A passage, a scan, or a bag that went past unread (then without a plate)."""

    __tablename__ = "bag_sightings"
    __table_args__ = (Index(None, "licence_plate", "at_us"), Index(None, "kind", "at_us"))

    site: Mapped[str] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at_us: Mapped[int]
    licence_plate: Mapped[str | None]
    point: Mapped[str | None]
    belt: Mapped[str | None]
    sigma_ms: Mapped[float]
    confidence: Mapped[float]
    ambiguous: Mapped[bool]
    candidates: Mapped[str]
    day_of_year: Mapped[int | None]
