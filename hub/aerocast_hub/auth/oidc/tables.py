"""Tables of logging in at a provider."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class IdentityRow(Base):
    """Who an account is at the provider: the issuer's subject, which never changes hands."""

    __tablename__ = "provider_identities"
    __table_args__ = (Index("provider_identities_user", "user_id"),)

    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    linked_at_us: Mapped[int]
    made_here: Mapped[bool]


class SignInRow(Base):
    """Somebody who was sent to the provider and has not come back.

    Attributes
    ----------
    state_hash
        SHA-256 of what the browser and the provider both bring back.
    verifier
        Proves to the provider that who asked is who redeems (RFC 7636).
    link_user_id
        The account to link to; None: to log in.
    """

    __tablename__ = "provider_sign_ins"
    __table_args__ = (Index("provider_sign_ins_end", "ends_at_us"),)

    state_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    next_page: Mapped[str] = mapped_column(String(2048))
    link_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    ends_at_us: Mapped[int]
