"""The table tries are counted in."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class AttemptCountRow(Base):
    """How often something was tried in a window of time.

    Attributes
    ----------
    key
        Hashed: names nobody.
    ends_at_us
        UTC microseconds; the count means nothing from then on.
    """

    __tablename__ = "attempt_counts"
    __table_args__ = (Index("attempt_counts_end", "ends_at_us"),)

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    tries: Mapped[int]
    ends_at_us: Mapped[int]
