"""The table of leases."""

from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class LeaseRow(Base):
    """Who does a piece of work; ``beat`` rises with every sign of life."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    beat: Mapped[int]
