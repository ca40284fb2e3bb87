"""Tables of the auth service. Passwords and refresh tokens are kept as hashes only."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from aerocast_hub.database import Base


class UserRow(Base):
    """An account.

    Attributes
    ----------
    name
        What its owner types at login, in lower case.
    password_hash
        None: it has no password, and comes in by a provider or an API key alone.
    created_at_us, disabled_at_us
        UTC microseconds; an account is disabled, never deleted: the audit trail names it.
    logged_in_at_us
        When its owner last got in.
    failed_tries, locked_at_us
        Wrong passwords and codes since the last right one, and since when that is too many.
    change_by_us
        Its password was chosen by somebody else: a new one is due by then, and until it is chosen
        the account can do nothing else.
    version, changed_at_us
        One more each time it may do something else, and when that was last: tokens of a version
        before are refused.
    """

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(256))
    created_at_us: Mapped[int] = mapped_column(BigInteger)
    disabled_at_us: Mapped[int | None] = mapped_column(BigInteger)
    logged_in_at_us: Mapped[int | None] = mapped_column(BigInteger)
    failed_tries: Mapped[int] = mapped_column(default=0)
    locked_at_us: Mapped[int | None] = mapped_column(BigInteger)
    change_by_us: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=0)
    changed_at_us: Mapped[int | None] = mapped_column(BigInteger, index=True)


class RoleRow(Base):
    """A set of permissions with a name; ``is_own`` when an airport added it itself.

    Accounts of a role that ``sees_own_only`` see the rows of their airlines alone.
    """

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    about: Mapped[str] = mapped_column(String(200))
    sees_own_only: Mapped[bool]
    is_own: Mapped[bool]


class RolePermissionRow(Base):
    """One permission of a role; ``*`` is all of them."""

    __tablename__ = "role_permissions"

    role: Mapped[str] = mapped_column(ForeignKey("roles.name"), primary_key=True)
    permission: Mapped[str] = mapped_column(String(64), primary_key=True)


class UserRoleRow(Base):
    """One role of an account."""

    __tablename__ = "user_roles"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str] = mapped_column(ForeignKey("roles.name"), primary_key=True)


class UserAirlineRow(Base):
    """An airline whose rows an account sees; without any, every airline's."""

    __tablename__ = "user_airlines"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    airline: Mapped[str] = mapped_column(String(3), primary_key=True)


class UserStationRow(Base):
    """An airport whose rows an account sees; without any, every airport's."""

    __tablename__ = "user_stations"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    station: Mapped[str] = mapped_column(String(4), primary_key=True)


class BadgeRow(Base):
    """A staff badge that lets its holder in, together with a PIN.

    Attributes
    ----------
    badge_hash
        SHA-256 of the identity that gateways give the badge: see `BadgeShown`.
    assigned_by
        An account's name, or ``command line``.
    """

    __tablename__ = "badges"

    badge_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    pin_hash: Mapped[str] = mapped_column(String(256))
    assigned_at_us: Mapped[int] = mapped_column(BigInteger)
    assigned_by: Mapped[str] = mapped_column(String(64))


class BadgeShowingRow(Base):
    """The badge that was last shown to a reader, and whether that showing was used up."""

    __tablename__ = "badge_showings"

    site: Mapped[str] = mapped_column(String(32), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(32), primary_key=True)
    device: Mapped[str] = mapped_column(String(64), primary_key=True)
    badge_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    shown_at_us: Mapped[int] = mapped_column(BigInteger)
    used_at_us: Mapped[int | None] = mapped_column(BigInteger)
