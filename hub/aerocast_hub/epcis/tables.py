"""Tables of EPCIS: events, captures, named queries and their subscriptions."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import AutoId, Base


class EpcisEventRow(Base):
    """An event, for ever: what was wrong is declared so by another one with the same ``event_id``.

    ``declared`` is 1 for such a declaration. ``subject`` is the bag whose journey it tells, when it
    is the hub's own, and "" for captured ones. ``hash`` names its contents. Words are web
    addresses, places in canonical form. ``body`` is JSON without ``context``; numbers are in the
    order of commits.
    """

    __tablename__ = "epcis_events"
    __table_args__ = (
        Index(None, "event_id", "declared", unique=True),
        Index(None, "event_time_us", "number"),
        Index(None, "record_time_us", "number"),
        Index(None, "subject"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[AutoId]
    event_id: Mapped[str]
    declared: Mapped[int]
    hash: Mapped[str]
    subject: Mapped[str]
    capture_id: Mapped[str]
    type: Mapped[str]
    event_time_us: Mapped[int]
    record_time_us: Mapped[int]
    action: Mapped[str | None]
    biz_step: Mapped[str | None]
    disposition: Mapped[str | None]
    read_point: Mapped[str | None]
    biz_location: Mapped[str | None]
    body: Mapped[bytes]
    context: Mapped[bytes]


class EpcisEpcRow(Base):
    """A thing or class of things an event names; ``role`` is the field it stands in."""

    __tablename__ = "epcis_epcs"
    __table_args__ = (Index(None, "epc", "event_number"),)

    event_number: Mapped[int] = mapped_column(
        ForeignKey("epcis_events.number", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(primary_key=True)
    epc: Mapped[str] = mapped_column(primary_key=True)


class EpcisCaptureRow(Base):
    """What became of a document somebody sent. ``errors`` is JSON."""

    __tablename__ = "epcis_captures"
    __table_args__ = (Index(None, "created_at_us", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at_us: Mapped[int]
    created_by: Mapped[str]
    behaviour: Mapped[str]
    is_success: Mapped[bool]
    errors: Mapped[bytes]


class EpcisQueryRow(Base):
    """A named query. ``definition`` is JSON."""

    __tablename__ = "epcis_queries"

    name: Mapped[str] = mapped_column(primary_key=True)
    created_at_us: Mapped[int]
    definition: Mapped[bytes]


class EpcisSubscriptionRow(Base):
    """Somebody who is sent what a named query finds, as it comes or by a schedule.

    ``webhook_id`` is whom it is sent by; ``reached`` the number of the last event looked at;
    ``schedule`` JSON, "" for a stream; ``next_at_us`` when the schedule is due.
    """

    __tablename__ = "epcis_subscriptions"
    __table_args__ = (Index(None, "query_name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    query_name: Mapped[str] = mapped_column(ForeignKey("epcis_queries.name", ondelete="CASCADE"))
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    dest: Mapped[str]
    created_at_us: Mapped[int]
    schedule: Mapped[str]
    report_if_empty: Mapped[bool]
    initial_record_time_us: Mapped[int | None]
    reached: Mapped[int]
    next_at_us: Mapped[int]
    notified_at_us: Mapped[int | None]
