"""Tables of sessions. Refresh tokens are kept as hashes only."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class SessionRow(Base):
    """A login and all that came of it.

    Attributes
    ----------
    way
        How it began: ``password``, ``badge``, ``second_factor`` or ``provider``.
    client, browser
        Where it was last used from: a network address, and what the browser calls itself.
    ended_at_us
        UTC microseconds; its tokens are refused from then on.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_user", "user_id"), Index("sessions_ended", "ended_at_us"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    way: Mapped[str] = mapped_column(String(16))
    client: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(160))
    began_at_us: Mapped[int]
    used_at_us: Mapped[int]
    expires_at_us: Mapped[int]
    ended_at_us: Mapped[int | None]


class RefreshTokenRow(Base):
    """A refresh token, good for one use.

    Attributes
    ----------
    token_hash
        SHA-256 of the token.
    session_id
        All tokens that came from one login.
    expires_at_us
        UTC microseconds; those of a session end at one time.
    revoked_at_us
        When it was used or called back.
    """

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index("refresh_tokens_session", "session_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    expires_at_us: Mapped[int]
    revoked_at_us: Mapped[int | None]
