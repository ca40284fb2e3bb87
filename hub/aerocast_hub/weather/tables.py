"""Tables of the weather: airport reports, those nobody could read, and winds from aircraft."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class MetarRow(Base):
    """An airport report; ``report`` is what was read from it (msgpack)."""

    __tablename__ = "metars"

    station: Mapped[str] = mapped_column(primary_key=True)
    observed_at_us: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    corrected: Mapped[bool]
    received_at_us: Mapped[int]
    raw: Mapped[str]
    report: Mapped[bytes]


class RunwayRow(Base):
    """One direction of a runway, as somebody imported it; ``airport`` is an ICAO code."""

    __tablename__ = "runways"

    airport: Mapped[str] = mapped_column(primary_key=True)
    runway: Mapped[str] = mapped_column(primary_key=True)
    true_bearing_deg: Mapped[float]


class RefusedMetarRow(Base):
    """A text that nobody could read as a report, and why."""

    __tablename__ = "refused_metars"
    __table_args__ = (Index(None, "station"), Index(None, "received_at_us"))

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    station: Mapped[str | None]
    raw: Mapped[str]
    reason: Mapped[str]
    source: Mapped[str]
    received_at_us: Mapped[int]


class AircraftWindRow(Base):
    """A wind one aircraft met."""

    __tablename__ = "aircraft_winds"
    __table_args__ = (Index(None, "seen_at_us"),)

    site: Mapped[str] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    seen_at_us: Mapped[int]
    icao: Mapped[str]
    latitude_deg: Mapped[float]
    longitude_deg: Mapped[float]
    altitude_ft: Mapped[float]
    wind_direction_deg: Mapped[float]
    wind_speed_kt: Mapped[float]
    source: Mapped[str]
    temperature_c: Mapped[float | None]
    true_heading_deg: Mapped[float | None]
    true_airspeed_kt: Mapped[float | None]
    roll_deg: Mapped[float | None]
    readings: Mapped[int | None]
