"""Tables of the ramp: airports' settings, lightning, local sensors, and what was told last."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class AirportSettingsRow(Base):
    """An airport's settings as its file had them when the hub started (msgpack)."""

    __tablename__ = "airport_settings"

    airport: Mapped[str] = mapped_column(primary_key=True)
    settings: Mapped[bytes]


class StrikeRow(Base):
    """A lightning strike; ``key`` names it among those of its source.

    With a position it counts for every airport near by, without one for those of its site.
    """

    __tablename__ = "lightning_strikes"
    __table_args__ = (Index(None, "at_us"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    at_us: Mapped[int]
    received_at_us: Mapped[int]
    site: Mapped[str | None]
    distance_km: Mapped[float | None]
    latitude_deg: Mapped[float | None]
    longitude_deg: Mapped[float | None]


class ListeningRow(Base):
    """A lightning detector's word that it listened, or could not."""

    __tablename__ = "lightning_listening"
    __table_args__ = (Index(None, "site", "at_us"),)

    site: Mapped[str] = mapped_column(primary_key=True)
    detector: Mapped[str] = mapped_column(primary_key=True)
    at_us: Mapped[int] = mapped_column(primary_key=True)
    listening: Mapped[bool]
    trouble: Mapped[str | None]


class LocalWeatherRow(Base):
    """A local sensor's measurement: local, not certified."""

    __tablename__ = "local_weather"
    __table_args__ = (Index(None, "site", "at_us"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    at_us: Mapped[int]
    wind_direction_deg: Mapped[float | None]
    wind_speed_kt: Mapped[float | None]
    wind_gust_kt: Mapped[float | None]
    temperature_c: Mapped[float | None]
    humidity_percent: Mapped[float | None]
    pressure_hpa: Mapped[float | None]
    rain_mm: Mapped[float | None]
    rain_mm_per_h: Mapped[float | None]


class RampStateRow(Base):
    """What was told last of an airport's ramp and of its low-visibility procedures."""

    __tablename__ = "ramp_states"

    airport: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    reason: Mapped[str]
    since_us: Mapped[int]
    procedures: Mapped[str]


class ClockSetRow(Base):
    """When the hub's clock was set, as far as it noticed; one row."""

    __tablename__ = "clock_sets"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    set_at_us: Mapped[int]
