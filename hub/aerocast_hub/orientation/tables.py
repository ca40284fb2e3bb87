"""Tables of the orientation: advice counted, passengers' links, arrivals and what they taught."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class AdviceCountRow(Base):
    """How often advice was given on a day (UTC), by the way it was asked for."""

    __tablename__ = "advice_counts"

    day: Mapped[str] = mapped_column(primary_key=True)
    asked_by: Mapped[str] = mapped_column(primary_key=True)
    given: Mapped[int]


class PassengerLinkRow(Base):
    """A link that opens a passenger's page until it expires or is revoked.

    ``id`` stands in the link's address, signed there. ``made_by`` is an account's name, or None for
    a passenger who showed bag tag and surname. ``told`` is what airlines' apps were told last of
    its passenger's advice (msgpack). A link goes with its passenger's name.
    """

    __tablename__ = "passenger_links"
    __table_args__ = (Index(None, "passenger_id"), Index(None, "expires_at_us"))

    id: Mapped[str] = mapped_column(primary_key=True)
    passenger_id: Mapped[str] = mapped_column(ForeignKey("passengers.id", ondelete="CASCADE"))
    made_at_us: Mapped[int]
    made_by: Mapped[str | None]
    expires_at_us: Mapped[int]
    revoked_at_us: Mapped[int | None]
    revoked_by: Mapped[str | None]
    told: Mapped[bytes | None]


class ArrivalRow(Base):
    """How an arrival's bags came to the belt, and what was foretold when its aircraft stopped.

    ``airport`` is its IATA code where there is one. ``first_us`` and ``last_us`` are of the bags
    seen so far, ``bags`` how many; ``first_min`` leaves out the time the ramp was closed.
    ``forecast`` is msgpack, and stays as it was made first.
    """

    __tablename__ = "arrivals"
    __table_args__ = (Index(None, "airport", "on_block_us"), Index(None, "on_block_us"))

    flight_id: Mapped[str] = mapped_column(primary_key=True)
    airport: Mapped[str]
    on_block_us: Mapped[int]
    stand: Mapped[str | None]
    handler: Mapped[str | None]
    aircraft_type: Mapped[str | None]
    bags: Mapped[int]
    first_us: Mapped[int | None]
    last_us: Mapped[int | None]
    first_min: Mapped[float | None]
    forecast: Mapped[bytes]


class ArrivalsLearnedRow(Base):
    """What was learned of an airport's arrivals (msgpack), a fold of them that may be made again.

    ``digest`` is of what it was learned from.
    """

    __tablename__ = "arrivals_learned"

    airport: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    learned_at_us: Mapped[int]
    learned: Mapped[bytes]
