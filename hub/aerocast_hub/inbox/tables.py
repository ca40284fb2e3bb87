"""Tables of the inbox: observations, what has arrived, lives, boots' clocks, and the quarantine."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import AutoId, Base


class ObservationRow(Base):
    """One observation, as it came (msgpack) with what is needed to find it.

    Unique by the first four columns: the marks see to it. On PostgreSQL the table is kept month
    by month of receipt (`aerocast_hub.database.partitions`), and so the receipt is in its key. It
    names no gateway by foreign key, for gateways are never deleted and the check is paid by row.
    """

    __tablename__ = "observations"
    __table_args__ = (
        Index(None, "kind", "seen_at_us"),
        Index(None, "gateway_id", "kind", "seen_at_us"),
        {"sqlite_with_rowid": False, "postgresql_partition_by": "RANGE (received_at_us)"},
    )

    gateway_id: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    device: Mapped[str]
    boot_ns: Mapped[int]
    seen_at_us: Mapped[int]
    clock_quality: Mapped[int]
    received_at_us: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes]


class MarkRow(Base):
    """What has arrived, and what never will, of one (gateway, epoch, lane).

    ``received``, ``given_up`` and ``refused`` are ranges of sequences (msgpack ``[[first, last],
    ...]``); everything under ``oldest_sequence`` has left the gateway.
    """

    __tablename__ = "marks"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True)
    received: Mapped[bytes]
    given_up: Mapped[bytes]
    oldest_sequence: Mapped[int]
    first_received_at_us: Mapped[int]
    refused: Mapped[bytes]


class EvictionRow(Base):
    """A range of observations a gateway gave up, and why."""

    __tablename__ = "evictions"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True)
    first_sequence: Mapped[int] = mapped_column(primary_key=True)
    last_sequence: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]


class BootClockRow(Base):
    """The best known clock of one boot of a gateway: UTC = CLOCK_BOOTTIME + ``offset_ns``.

    ``corrected_offset_ns`` and ``corrected_quality`` are the clock that everything stored of the
    boot has been put on: where it differs from the best one, there is something to correct.
    """

    __tablename__ = "boot_clocks"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    boot_id: Mapped[bytes] = mapped_column(primary_key=True)
    offset_ns: Mapped[int]
    quality: Mapped[int]
    receipt_ns: Mapped[int | None]
    was_live: Mapped[bool]
    corrected_offset_ns: Mapped[int]
    corrected_quality: Mapped[int]


class LifeRow(Base):
    """One life of a gateway (a start of its agent), in which boot, and what times it spans."""

    __tablename__ = "lives"

    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateways.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    boot_id: Mapped[bytes] = mapped_column(primary_key=True)
    first_received_at_us: Mapped[int]
    first_boot_ns: Mapped[int]
    last_boot_ns: Mapped[int]


class QuarantineRow(Base):
    """Something that could not be taken in, kept for a person to look at; bounded."""

    __tablename__ = "quarantine"

    id: Mapped[AutoId]
    at_us: Mapped[int]
    topic: Mapped[str]
    part: Mapped[str]
    reason: Mapped[str]
    epoch: Mapped[int | None]
    lane: Mapped[int | None]
    sequence: Mapped[int | None]
    payload: Mapped[bytes]
