"""Tables of the flights: schedule and actual times, ground events, stands."""

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class FlightRow(Base):
    """A flight: what the schedule says, and what the aircraft did.

    ``flight_key`` is ``flight`` without blanks and leading zeros, by which flights are found. The
    columns from ``heard_icao`` on are a fold of the ground events and may be made again.
    """

    __tablename__ = "flights"
    __table_args__ = (
        UniqueConstraint("flight_key", "date", "origin", "destination"),
        Index(None, "icao", "on_block_due_us"),
        Index(None, "callsign", "on_block_due_us"),
        Index(None, "registration", "on_block_due_us"),
        Index(None, "off_block_due_us"),
        Index(None, "on_block_due_us"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    flight: Mapped[str]
    flight_key: Mapped[str]
    date: Mapped[str]
    origin: Mapped[str]
    destination: Mapped[str]
    callsign: Mapped[str | None]
    icao: Mapped[str | None]
    registration: Mapped[str | None]
    off_block_due_us: Mapped[int | None]
    on_block_due_us: Mapped[int | None]
    stand: Mapped[str | None]
    reclaim: Mapped[str | None]
    gate: Mapped[str | None]
    aircraft_type: Mapped[str | None]
    handler: Mapped[str | None]
    departure_terminal: Mapped[str | None]
    arrival_terminal: Mapped[str | None]
    heard_icao: Mapped[str | None]
    off_block_us: Mapped[int | None]
    off_block_sigma_s: Mapped[float | None]
    off_block_stand: Mapped[str | None]
    airborne_us: Mapped[int | None]
    airborne_sigma_s: Mapped[float | None]
    landed_us: Mapped[int | None]
    landed_sigma_s: Mapped[float | None]
    on_block_us: Mapped[int | None]
    on_block_sigma_s: Mapped[float | None]
    on_block_stand: Mapped[str | None]


class GroundEventRow(Base):
    """A ground event of an aircraft as one gateway reported it."""

    __tablename__ = "ground_events"
    __table_args__ = (Index(None, "icao", "at_us"), Index(None, "callsign", "at_us"))

    site: Mapped[str] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    icao: Mapped[str]
    event: Mapped[str]
    at_us: Mapped[int]
    sigma_s: Mapped[float]
    stand: Mapped[str | None]
    callsign: Mapped[str | None]
    latitude_deg: Mapped[float | None]
    longitude_deg: Mapped[float | None]


class StandRow(Base):
    """A stand; ``geometry`` is its GeoJSON polygon."""

    __tablename__ = "stands"

    stand: Mapped[str] = mapped_column(primary_key=True)
    geometry: Mapped[bytes]
    latitude_deg: Mapped[float]
    longitude_deg: Mapped[float]
