"""Tables of the alerts."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import AutoId, Base


class AlertRow(Base):
    """Something that is, or was, wrong. One row from its raising to its clearing.

    ``scope`` is what is looked at as a whole when conditions are settled; ``key`` names the
    condition within everything.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(None, "scope", "cleared_at_us"),
        Index(None, "cleared_at_us", "raised_at_us"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str]
    key: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    raised_at_us: Mapped[int]
    acknowledged_at_us: Mapped[int | None]
    acknowledged_by: Mapped[str | None]
    cleared_at_us: Mapped[int | None]


class AlertChangeRow(Base):
    """What became of an alert, line by line: never changed, never deleted before the alert is."""

    __tablename__ = "alert_changes"
    __table_args__ = (Index(None, "alert_id"),)

    id: Mapped[AutoId]
    alert_id: Mapped[str] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    at_us: Mapped[int]
    what: Mapped[str]
    by: Mapped[str | None]
    note: Mapped[str]
