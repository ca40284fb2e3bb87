"""Tables of the webhooks."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import AutoId, Base
from aerocast_hub.database.sealed import SealedText


class WebhookRow(Base):
    """Somebody's server that wants to be told.

    ``kinds`` are kinds of events with spaces between; "" for one that another feature feeds, which
    is ``fed_by`` then. ``airlines``: it is told of their flights alone, designators with spaces
    between; "" of all. ``signature_header`` carries the signature. ``state`` is ``active`` or
    ``dead``: given up after too many failures, until somebody revives it.
    """

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    kinds: Mapped[str]
    airlines: Mapped[str]
    fed_by: Mapped[str]
    secret: Mapped[str] = mapped_column(SealedText("webhooks.secret"))
    signature_header: Mapped[str]
    state: Mapped[str]
    created_at_us: Mapped[int]
    created_by: Mapped[str]
    delivered_at_us: Mapped[int | None]
    failed_at_us: Mapped[int | None]
    failure: Mapped[str | None]


class DeliveryRow(Base):
    """Something to be sent. ``state``: ``waiting``, ``delivered`` or ``dead``.

    ``next_at_us`` is when it is tried next; a hub that takes one puts it off by a minute, so that
    no other sends it meanwhile.
    """

    __tablename__ = "webhook_deliveries"
    # A receiver tells messages apart by the number: it is never given twice.
    __table_args__ = (
        Index(None, "state", "next_at_us"),
        Index(None, "webhook_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[AutoId]
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    kind: Mapped[str]
    body: Mapped[bytes]
    media_type: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    created_at_us: Mapped[int]
    next_at_us: Mapped[int]
    done_at_us: Mapped[int | None]
    status: Mapped[int | None]
    failure: Mapped[str | None]
