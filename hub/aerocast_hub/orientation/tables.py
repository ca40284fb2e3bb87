"""Tables of the orientation: how much advice was given."""

from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class AdviceCountRow(Base):
    """How often advice was given on a day (UTC), by the way it was asked for."""

    __tablename__ = "advice_counts"

    day: Mapped[str] = mapped_column(primary_key=True)
    asked_by: Mapped[str] = mapped_column(primary_key=True)
    given: Mapped[int]
