"""Tables of winds aloft: what was learned of headings, and the profiles over airports."""

from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class WindBlockRow(Base):
    """A quarter of an hour whose winds have changed since they were last thinned to cells."""

    __tablename__ = "wind_blocks"

    block_us: Mapped[int] = mapped_column(primary_key=True)


class HeadingCellRow(Base):
    """What one aircraft met in one layer within a quarter of an hour; see `heading_bias.Cell`."""

    __tablename__ = "heading_cells"

    block_us: Mapped[int] = mapped_column(primary_key=True)
    layer: Mapped[int] = mapped_column(primary_key=True)
    icao: Mapped[str] = mapped_column(primary_key=True)
    sector: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    east_kt: Mapped[float]
    north_kt: Mapped[float]
    turning_east_kt: Mapped[float]
    turning_north_kt: Mapped[float]


class HeadingBiasRow(Base):
    """How far off an aircraft's heading is, as learned last."""

    __tablename__ = "heading_biases"

    icao: Mapped[str] = mapped_column(primary_key=True)
    bias_deg: Mapped[float]
    sigma_deg: Mapped[float]
    cells: Mapped[int]
    learned_at_us: Mapped[int]


class WindProfileRow(Base):
    """The wind over a site at a minute; ``profile`` is what was found (msgpack)."""

    __tablename__ = "wind_profiles"

    site: Mapped[str] = mapped_column(primary_key=True)
    at_us: Mapped[int] = mapped_column(primary_key=True)
    profile: Mapped[bytes]
