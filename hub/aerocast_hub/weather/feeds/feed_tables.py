"""Tables of the feeds: how each one is, hazards, and what models expect."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class FeedRow(Base):
    """How a feed is: written after every round.

    ``disagreements`` counts reports its provider read otherwise than we did; ``disagreement`` tells
    of the last one.
    """

    __tablename__ = "weather_feeds"

    name: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str]
    rank: Mapped[int]
    state: Mapped[str]
    tried_at_us: Mapped[int | None]
    answered_at_us: Mapped[int | None]
    new_at_us: Mapped[int | None]
    newest_us: Mapped[int | None]
    next_at_us: Mapped[int | None]
    failures: Mapped[int]
    error: Mapped[str | None]
    note: Mapped[str | None]
    requests: Mapped[int]
    unchanged: Mapped[int]
    refused: Mapped[int]
    disagreements: Mapped[int]
    disagreement: Mapped[str | None]


class HazardRow(Base):
    """A SIGMET, AIRMET or pilot's report; ``points`` are its corners (msgpack)."""

    __tablename__ = "weather_hazards"
    __table_args__ = (Index(None, "until_us"),)

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    source: Mapped[str]
    from_us: Mapped[int]
    until_us: Mapped[int]
    west_deg: Mapped[float]
    south_deg: Mapped[float]
    east_deg: Mapped[float]
    north_deg: Mapped[float]
    hazard: Mapped[str | None]
    severity: Mapped[str | None]
    base_ft: Mapped[float | None]
    top_ft: Mapped[float | None]
    raw: Mapped[str]
    points: Mapped[bytes]


class ModelForecastRow(Base):
    """What a model expects at an airport, as it was received last (msgpack)."""

    __tablename__ = "model_forecasts"

    airport: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    received_at_us: Mapped[int]
    hours: Mapped[bytes]
