"""Tables of the trail. The database itself refuses to change or remove a line: `append_only`."""

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class AuditRow(Base):
    """One line of the trail.

    Attributes
    ----------
    number
        1, 2, 3 ... without a gap, in the order of commits.
    at_us
        UTC microseconds.
    action, outcome
        ``gateway_revoked``, ``login`` ...; ``success`` or ``failure``.
    subject
        What it was done to: an account's name, ``webhook <id>`` ... Never a passenger's name.
    actor
        Who did it: an account's name, ``command line``, or ``hub`` for the hub itself.
    client
        Network address it came from; None on the command line.
    before, after
        What it was and became, JSON; None where there is nothing to tell.
    previous, hash
        Seal of the line before, and of this one: SHA-256, see `aerocast_hub.audit.chain`.
    """

    __tablename__ = "audit"
    __table_args__ = (Index(None, "at_us"), Index(None, "subject"), Index(None, "actor"))

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at_us: Mapped[int]
    action: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(String(128))
    actor: Mapped[str] = mapped_column(String(64))
    client: Mapped[str | None] = mapped_column(String(64))
    before: Mapped[str | None]
    after: Mapped[str | None]
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditAnchorRow(Base):
    """Where the trail begins now: lines up to ``number``, sealed by ``hash``, were let go of."""

    __tablename__ = "audit_anchors"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    at_us: Mapped[int]
