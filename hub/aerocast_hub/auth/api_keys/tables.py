"""The table of API keys. What a key is is kept as a hash only."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class ApiKeyRow(Base):
    """An API key.

    Attributes
    ----------
    prefix
        The part of the key that names it, in lists and logs.
    key_hash
        SHA-256 of the whole key: its 256 random bits need no slow hash.
    scopes
        Permissions it was given, separated by blanks; it has those of them its owner has.
    used_at_us
        When it was last used, to the minute.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        Index("api_keys_user", "user_id"),
        Index("api_keys_revoked", "revoked_at_us"),
    )

    prefix: Mapped[str] = mapped_column(String(16), primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(String(2000))
    made_at_us: Mapped[int]
    made_by: Mapped[str] = mapped_column(String(64))
    expires_at_us: Mapped[int]
    used_at_us: Mapped[int | None]
    revoked_at_us: Mapped[int | None]
