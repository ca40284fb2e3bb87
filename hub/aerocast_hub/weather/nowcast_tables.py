"""Tables of nowcasts: what stations reported over years, what was learned, what was foretold."""

from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class StationReportRow(Base):
    """What a report said that nowcasts are made from; kept long after the report itself."""

    __tablename__ = "station_reports"

    station: Mapped[str] = mapped_column(primary_key=True)
    observed_at_us: Mapped[int] = mapped_column(primary_key=True)
    temperature_c: Mapped[float | None]
    dew_point_c: Mapped[float | None]
    wind_direction_deg: Mapped[float | None]
    wind_speed_kt: Mapped[float | None]
    visibility_m: Mapped[float | None]
    pressure_hpa: Mapped[float | None]


class StationModelRow(Base):
    """What was learned of a station: `nowcast.StationModel` and `taf_blend.TafTrust` (msgpack)."""

    __tablename__ = "station_models"

    station: Mapped[str] = mapped_column(primary_key=True)
    learned_at_us: Mapped[int]
    model: Mapped[bytes]
    trust: Mapped[bytes]


class NowcastRow(Base):
    """A nowcast as it was issued: `nowcast_store.Nowcast` (msgpack)."""

    __tablename__ = "nowcasts"

    station: Mapped[str] = mapped_column(primary_key=True)
    issued_at_us: Mapped[int] = mapped_column(primary_key=True)
    nowcast: Mapped[bytes]
