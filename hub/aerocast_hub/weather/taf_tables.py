"""The table of airports' forecasts."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class TafRow(Base):
    """A forecast of an airport; ``taf`` is what was read from it (msgpack).

    ``issued_at_us`` is when it was received where it does not say. One that is not there (NIL)
    holds for no time at all.
    """

    __tablename__ = "tafs"
    __table_args__ = (Index(None, "received_at_us"),)

    station: Mapped[str] = mapped_column(primary_key=True)
    issued_at_us: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    is_revised: Mapped[bool]
    valid_from_us: Mapped[int]
    valid_to_us: Mapped[int]
    received_at_us: Mapped[int]
    raw: Mapped[str]
    taf: Mapped[bytes]
