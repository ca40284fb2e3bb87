"""Tables of the bags: what is known of them, their passengers (apart), and their journeys."""

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base
from aerocast_hub.database.sealed import SealedText


class PassengerRow(Base):
    """Who a bag belongs to. Personal data: in this table alone, sealed, and never in a log.

    ``surname_key`` is the surname as compared: upper case letters without accents. The flight is
    the first they were announced on: passengers of one name on one flight and of one ``passenger``
    (given name, or whatever the airline tells people apart by) are one; ``passenger_index`` is the
    keyed hash it is found by.
    """

    __tablename__ = "passengers"
    __table_args__ = (Index(None, "passenger_index"), Index(None, "flight_key", "flight_date"))

    id: Mapped[str] = mapped_column(primary_key=True)
    surname: Mapped[str] = mapped_column(SealedText("passengers.surname"))
    surname_key: Mapped[str] = mapped_column(SealedText("passengers.surname_key"))
    passenger: Mapped[str | None] = mapped_column(SealedText("passengers.passenger"))
    passenger_index: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    flight_key: Mapped[str]
    flight_date: Mapped[str]


class EvidenceRow(Base):
    """One thing known of a plate, a container or a flight. Rows are added, never changed.

    ``subject`` is the plate, or names the container or flight. ``form`` is 0 for what was heard
    first, and for a later form (a corrected clock) the instant it was known. ``kind`` is
    ``passage`` or ``scan`` for what gateways saw, else the evidence's own kind.
    """

    __tablename__ = "bag_evidence"
    __table_args__ = (Index(None, "subject", "at_us"), Index(None, "kind", "at_us"))

    id: Mapped[str] = mapped_column(primary_key=True)
    form: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    kind: Mapped[str]
    at_us: Mapped[int]
    known_at_us: Mapped[int]
    site: Mapped[str]
    point: Mapped[str]
    belt: Mapped[str]
    body: Mapped[bytes]


class UnreadRow(Base):
    """A bag that went past unread, or a scanner that read nothing."""

    __tablename__ = "unread_bags"
    __table_args__ = (Index(None, "site", "at_us"),)

    site: Mapped[str] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at_us: Mapped[int]
    point: Mapped[str | None]
    belt: Mapped[str | None]


class BagRow(Base):
    """A bag. Without ``flight`` nobody announced it.

    Every column is a fold of the evidence and may be made again; ``version`` counts the changes,
    ``journey`` is msgpack. ``flight`` is the one it waits for or travels on; ``stowed_for`` is the
    key and date of the one it was last stowed for, right or wrong; ``site`` where it was last seen;
    ``plates`` are all it has carried, with spaces between.
    """

    __tablename__ = "bags"
    __table_args__ = (
        Index(None, "flight_key", "flight_date"),
        Index(None, "last_seen_us"),
        Index(None, "passenger_id"),
        Index(None, "container"),
        Index(None, "stowed_for"),
        Index(None, "site"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    licence_plate: Mapped[str]
    plates: Mapped[str]
    flight: Mapped[str | None]
    flight_key: Mapped[str | None]
    flight_date: Mapped[str | None]
    origin: Mapped[str | None]
    destination: Mapped[str | None]
    passenger_id: Mapped[str | None] = mapped_column(ForeignKey("passengers.id"))
    state: Mapped[str]
    container: Mapped[str | None]
    stowed_for: Mapped[str | None]
    site: Mapped[str | None]
    last_seen_us: Mapped[int | None]
    journey: Mapped[bytes]


class BagPlateRow(Base):
    """A licence plate a bag carries or has carried."""

    __tablename__ = "bag_plates"
    __table_args__ = (Index(None, "bag_id"),)

    licence_plate: Mapped[str] = mapped_column(primary_key=True)
    bag_id: Mapped[str] = mapped_column(ForeignKey("bags.id", ondelete="CASCADE"), primary_key=True)


class BagLegRow(Base):
    """A flight a bag is to travel on."""

    __tablename__ = "bag_legs"
    __table_args__ = (Index(None, "flight_key", "flight_date"),)

    bag_id: Mapped[str] = mapped_column(ForeignKey("bags.id", ondelete="CASCADE"), primary_key=True)
    flight_key: Mapped[str] = mapped_column(primary_key=True)
    flight_date: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    origin: Mapped[str]
    destination: Mapped[str]
