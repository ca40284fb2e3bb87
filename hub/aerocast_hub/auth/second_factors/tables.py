"""Tables of second factors. Codes are kept as hashes, secrets sealed by the hub's secret key."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class TotpRow(Base):
    """An authenticator app's secret.

    Attributes
    ----------
    sealed_secret
        See `aerocast_hub.auth.second_factors.sealing`.
    confirmed_at_us
        When its owner typed a code of it; None: it is not in use yet.
    last_step
        Time step of the last code that was used: none of it or before is taken again.
    """

    __tablename__ = "totp_secrets"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    confirmed_at_us: Mapped[int | None]
    last_step: Mapped[int]


class RecoveryCodeRow(Base):
    """A code on paper, good once; SHA-256 of its 80 random bits."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index("recovery_codes_user", "user_id"),)

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    used_at_us: Mapped[int | None]


class PasskeyRow(Base):
    """A passkey or security key (WebAuthn credential).

    Attributes
    ----------
    public_key
        As the authenticator gave it (COSE, RFC 9053).
    sign_count
        Uses the authenticator had counted last; 0 of one that does not count.
    transports
        How the browser may reach it, comma-separated.
    """

    __tablename__ = "passkeys"
    __table_args__ = (Index("passkeys_user", "user_id"),)

    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(64))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    transports: Mapped[str] = mapped_column(String(100))
    added_at_us: Mapped[int]
    used_at_us: Mapped[int | None]


class ChallengeRow(Base):
    """A login that waits for its second factor, or a passkey that is being added.

    Attributes
    ----------
    token_hash
        SHA-256 of what the browser or program holds.
    passkey_challenge
        What a passkey must sign.
    """

    __tablename__ = "login_challenges"
    __table_args__ = (Index("login_challenges_end", "ends_at_us"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    passkey_challenge: Mapped[bytes] = mapped_column(LargeBinary(64))
    tries: Mapped[int]
    ends_at_us: Mapped[int]
