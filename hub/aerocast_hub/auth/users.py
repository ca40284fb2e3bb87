"""Accounts and their roles, in the database. Callers own the transaction."""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.acting import COMMAND_LINE, is_no_account
from aerocast_hub.auth import audit
from aerocast_hub.auth.sessions.store import end_sessions
from aerocast_hub.auth.tables import (
    RolePermissionRow,
    RoleRow,
    UserAirlineRow,
    UserRoleRow,
    UserRow,
    UserStationRow,
)

LONGEST_NAME = 64


class UserError(Exception):
    """An account cannot be added, found or disabled; the text says why."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account, without its password.

    Attributes
    ----------
    created_at_us, disabled_at_us, logged_in_at_us
        UTC microseconds.
    locked_at_us
        Too many wrong passwords came; until somebody unlocks it nobody gets in with one.
    change_by_us
        Its owner must choose a password of their own by then.
    has_password
        False: it comes in by a provider or an API key alone.
    """

    id: UUID
    name: str
    roles: list[str]
    created_at_us: int
    disabled_at_us: int | None = None
    logged_in_at_us: int | None = None
    locked_at_us: int | None = None
    change_by_us: int | None = None
    has_password: bool = True


class PasswordHashing(Protocol):
    """What hashes a password; see `Passwords`."""

    async def hash(self, password: str, about: Sequence[str] = ()) -> str:
        """Hash a password, or raise ValueError when it is unfit."""


class NewUser(NamedTuple):
    """An account to be.

    Attributes
    ----------
    password
        None: it comes in by a provider or an API key alone.
    change_by_us
        Somebody else chose the password: its owner must choose one by then, UTC microseconds.
    """

    name: str
    password: str | None
    role: str
    change_by_us: int | None = None


async def add_user(
    session: AsyncSession,
    passwords: PasswordHashing,
    new: NewUser,
    *,
    now_us: int,
    actor: str = COMMAND_LINE,
) -> User:
    """Add an account.

    Raises
    ------
    UserError
        The name is taken or no name, the role does not exist, or the password is too short.
    """
    name, role = normal_name(new.name), new.role
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UserError(f"a user's name has 1 to {LONGEST_NAME} printable characters")
    if is_no_account(name) or unicodedata.normalize("NFKC", name) != name:
        raise UserError(f"{name!r} is or looks like somebody else in the trail: take another name")
    if await session.scalar(select(RoleRow.name).where(RoleRow.name == role)) is None:
        roles = sorted(await session.scalars(select(RoleRow.name)))
        raise UserError(f"there is no role {role!r}; there are {', '.join(roles)}")
    if await session.scalar(select(UserRow.id).where(UserRow.name == name)) is not None:
        raise UserError(f"there is a user {name!r} already")
    try:
        password_hash = (
            None if new.password is None else await passwords.hash(new.password, (name,))
        )
    except ValueError as error:
        raise UserError(str(error)) from error
    user = User(
        id=uuid4(),
        name=name,
        roles=[role],
        created_at_us=now_us,
        change_by_us=new.change_by_us,
        has_password=password_hash is not None,
    )
    await session.execute(
        insert(UserRow).values(
            id=user.id,
            name=name,
            password_hash=password_hash,
            created_at_us=now_us,
            failed_tries=0,
            change_by_us=new.change_by_us,
        )
    )
    await session.execute(insert(UserRoleRow).values(user_id=user.id, role=role))
    await audit.record(session, "user_added", account=name, actor=actor, at_us=now_us, after=user)
    return user


async def list_users(session: AsyncSession) -> list[User]:
    """Give all accounts by name."""
    roles: dict[UUID, list[str]] = {}
    for user_id, role in await session.execute(select(UserRoleRow.user_id, UserRoleRow.role)):
        roles.setdefault(user_id, []).append(role)
    rows = await session.scalars(select(UserRow).order_by(UserRow.name))
    return [
        User(
            id=row.id,
            name=row.name,
            roles=sorted(roles.get(row.id, [])),
            created_at_us=row.created_at_us,
            disabled_at_us=row.disabled_at_us,
            logged_in_at_us=row.logged_in_at_us,
            locked_at_us=row.locked_at_us,
            change_by_us=row.change_by_us,
            has_password=row.password_hash is not None,
        )
        for row in rows
    ]


async def disable_user(
    session: AsyncSession, *, name: str, now_us: int, actor: str = COMMAND_LINE
) -> User:
    """Lock an account out: no login and no refresh from now on, and its sessions end.

    Raises
    ------
    UserError
        There is no such account.
    """
    name = normal_name(name)
    disabled = await session.scalar(
        update(UserRow)
        .where(UserRow.name == name, UserRow.disabled_at_us.is_(None))
        .values(disabled_at_us=now_us)
        .returning(UserRow.id)
    )
    if disabled is not None:
        await end_sessions(session, disabled, now_us)
        await call_tokens_back(session, now_us, UserRow.id == disabled)
        await audit.record(session, "user_disabled", account=name, actor=actor, at_us=now_us)
    found = [user for user in await list_users(session) if user.name == name]
    if not found:
        raise UserError(f"there is no user {name!r}")
    return found[0]


class Credentials(NamedTuple):
    """What a login is checked against.

    Attributes
    ----------
    password_hash
        None: no password opens it (now).
    """

    user_id: UUID
    password_hash: str | None


async def credentials_of(session: AsyncSession, name: str, now_us: int) -> Credentials | None:
    """Give what an account's password is checked against; None when there is no such account.

    One that is disabled or locked, or whose first password was not changed in time, has nothing to
    check against.
    """
    row = await session.scalar(select(UserRow).where(UserRow.name == normal_name(name)))
    if row is None:
        return None
    is_shut = row.disabled_at_us is not None or row.locked_at_us is not None
    is_late = row.change_by_us is not None and row.change_by_us <= now_us
    return Credentials(row.id, None if is_shut or is_late else row.password_hash)


async def keep_hash(session: AsyncSession, user_id: UUID, password_hash: str) -> None:
    """Replace an account's password hash, made anew with today's parameters."""
    await session.execute(
        update(UserRow).where(UserRow.id == user_id).values(password_hash=password_hash)
    )


class Owner(NamedTuple):
    """Whom a token is for, and what it may say.

    Attributes
    ----------
    airlines, stations
        As `aerocast_hub.auth.tokens.Principal` has them.
    """

    name: str
    permissions: frozenset[str]
    airlines: frozenset[str] | None
    stations: frozenset[str] | None
    must_change_password: bool = False
    version: int = 0


async def permissions_of(session: AsyncSession, user_id: UUID) -> Owner | None:
    """Give an account's name, what its roles allow and whose rows; None: it is disabled or gone."""
    user = await session.scalar(
        select(UserRow).where(UserRow.id == user_id, UserRow.disabled_at_us.is_(None))
    )
    if user is None:
        return None
    granted = await session.scalars(
        select(RolePermissionRow.permission)
        .join(UserRoleRow, UserRoleRow.role == RolePermissionRow.role)
        .where(UserRoleRow.user_id == user_id)
    )
    permissions = frozenset(granted)
    airlines = frozenset(
        await session.scalars(
            select(UserAirlineRow.airline).where(UserAirlineRow.user_id == user_id)
        )
    )
    stations = frozenset(
        await session.scalars(
            select(UserStationRow.station).where(UserStationRow.user_id == user_id)
        )
    )
    own_only = await session.scalar(
        select(RoleRow.name)
        .join(UserRoleRow, UserRoleRow.role == RoleRow.name)
        .where(UserRoleRow.user_id == user_id, RoleRow.sees_own_only)
        .limit(1)
    )
    return Owner(
        user.name,
        permissions,
        airlines=airlines if airlines or own_only is not None else None,
        stations=stations or None,
        must_change_password=user.change_by_us is not None,
        version=user.version,
    )


async def call_tokens_back(session: AsyncSession, now_us: int, which: ColumnElement[bool]) -> None:
    """Have the tokens of some accounts refused: they may do something else from now on.

    Their sessions go on: a token that is renewed says what they may do now. Every process of the
    hub hears of it once it is committed (`Standing`).
    """
    await session.execute(
        update(UserRow).where(which).values(version=UserRow.version + 1, changed_at_us=now_us)
    )


def normal_name(name: str) -> str:
    """Write a user's name as it is kept."""
    return name.strip().casefold()
