"""Accounts as administrators look after them. Callers own the transaction.

Whoever may change accounts may not thereby become more than they are: nobody touches an account
that may do what they may not.
"""

import secrets
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit
from aerocast_hub.auth.accounts.locking import unlock
from aerocast_hub.auth.permissions import EVERYTHING, grants_all
from aerocast_hub.auth.second_factors.store import remove_all
from aerocast_hub.auth.sessions.store import end_sessions
from aerocast_hub.auth.tables import RolePermissionRow, UserRoleRow, UserRow
from aerocast_hub.auth.users import (
    NewUser,
    PasswordHashing,
    User,
    UserError,
    add_user,
    list_users,
)

FIRST_PASSWORD_S = 3 * 24 * 3600
"""How long a password somebody else chose is good for."""


class By(NamedTuple):
    """Who does it, when, and what they may do themselves."""

    actor: str
    may: frozenset[str]
    now_us: int


class NewPassword(msgspec.Struct, frozen=True, kw_only=True):
    """An account, and the password its owner begins with: shown this once.

    Attributes
    ----------
    password
        None where none was made: the account has its password from elsewhere, or needs none.
    """

    user: User
    password: str | None = None


async def find_user(session: AsyncSession, user_id: UUID) -> User:
    """Give an account.

    Raises
    ------
    UserError
        There is none.
    """
    for user in await list_users(session):
        if user.id == user_id:
            return user
    raise UserError(f"there is no user {user_id}")


async def add_person(
    session: AsyncSession, passwords: PasswordHashing, name: str, role: str, by: By
) -> NewPassword:
    """Add an account with a password that is good for ``FIRST_PASSWORD_S``.

    Raises
    ------
    UserError
        The name is taken or none, the role does not exist, or may more than whoever adds it.
    """
    await _refuse_beyond(by, await _allowed_by(session, role))
    password = _first_password()
    new = NewUser(name, password, role, by.now_us + FIRST_PASSWORD_S * 1_000_000)
    user = await add_user(session, passwords, new, now_us=by.now_us, actor=by.actor)
    return NewPassword(user=user, password=password)


async def reset_password(
    session: AsyncSession, passwords: PasswordHashing, user_id: UUID, by: By
) -> tuple[NewPassword, set[str]]:
    """Give an account a new first password and end its sessions; gives their ids too.

    Raises
    ------
    UserError
        There is no such account, or it may do more than whoever asks.
    """
    user = await _touch(session, user_id, by)
    password = _first_password()
    await session.execute(
        update(UserRow)
        .where(UserRow.id == user_id)
        .values(
            password_hash=await passwords.hash(password),
            change_by_us=by.now_us + FIRST_PASSWORD_S * 1_000_000,
        )
    )
    await _record(session, "password_reset", user, by)
    given = NewPassword(user=await find_user(session, user_id), password=password)
    return given, await end_sessions(session, user_id, by.now_us)


async def disable(session: AsyncSession, user_id: UUID, by: By) -> set[str]:
    """Shut an account and end its sessions; gives their ids.

    Raises
    ------
    UserError
        There is no such account, it may do more than whoever asks, or nobody could undo it.
    """
    user = await _touch(session, user_id, by)
    if user.name == by.actor:
        raise UserError("nobody disables their own account")
    if await _is_last_administrator(session, user_id):
        raise UserError("this is the last account that may do everything: add another one first")
    await session.execute(
        update(UserRow)
        .where(UserRow.id == user_id, UserRow.disabled_at_us.is_(None))
        .values(disabled_at_us=by.now_us)
    )
    await _record(session, "user_disabled", user, by)
    return await end_sessions(session, user_id, by.now_us)


async def enable(session: AsyncSession, user_id: UUID, by: By) -> None:
    """Open a disabled account again.

    Raises
    ------
    UserError
        There is no such account, or it may do more than whoever asks.
    """
    user = await _touch(session, user_id, by)
    await session.execute(update(UserRow).where(UserRow.id == user_id).values(disabled_at_us=None))
    await _record(session, "user_enabled", user, by)


async def unlock_user(session: AsyncSession, user_id: UUID, by: By) -> None:
    """Open an account that too many wrong passwords locked.

    Raises
    ------
    UserError
        There is no such account, or it may do more than whoever asks.
    """
    user = await _touch(session, user_id, by)
    if await unlock(session, user_id, by.now_us):
        await _record(session, "account_unlocked", user, by)


async def remove_factors(session: AsyncSession, user_id: UUID, by: By) -> set[str]:
    """Forget the second factors of somebody who lost them, and end their sessions.

    Raises
    ------
    UserError
        There is no such account, or it may do more than whoever asks.
    """
    user = await _touch(session, user_id, by)
    await remove_all(session, user_id)
    await _record(session, "second_factors_removed", user, by)
    return await end_sessions(session, user_id, by.now_us)


async def end_of(
    session: AsyncSession, user_id: UUID, by: By, only: UUID | None = None
) -> set[str]:
    """End sessions of an account, all or one; gives their ids.

    Raises
    ------
    UserError
        There is no such account, or it may do more than whoever asks.
    """
    user = await _touch(session, user_id, by)
    ended = await end_sessions(session, user_id, by.now_us, only=only)
    if ended:
        await _record(session, "sessions_ended", user, by)
    return ended


async def allowed_of(session: AsyncSession, user_id: UUID) -> frozenset[str]:
    """Give what an account's roles allow, disabled or not."""
    granted = await session.scalars(
        select(RolePermissionRow.permission)
        .join(UserRoleRow, UserRoleRow.role == RolePermissionRow.role)
        .where(UserRoleRow.user_id == user_id)
    )
    return frozenset(granted)


async def _touch(session: AsyncSession, user_id: UUID, by: By) -> User:
    user = await find_user(session, user_id)
    await _refuse_beyond(by, await allowed_of(session, user_id))
    return user


async def _refuse_beyond(by: By, allowed: frozenset[str]) -> None:
    if not grants_all(by.may, allowed):
        raise UserError("nobody looks after accounts that may do more than they may themselves")


async def _allowed_by(session: AsyncSession, role: str) -> frozenset[str]:
    return frozenset(
        await session.scalars(
            select(RolePermissionRow.permission).where(RolePermissionRow.role == role)
        )
    )


async def _is_last_administrator(session: AsyncSession, user_id: UUID) -> bool:
    others = await session.scalar(
        select(func.count(UserRow.id.distinct()))
        .join(UserRoleRow, UserRoleRow.user_id == UserRow.id)
        .join(RolePermissionRow, RolePermissionRow.role == UserRoleRow.role)
        .where(
            RolePermissionRow.permission == EVERYTHING,
            UserRow.disabled_at_us.is_(None),
            UserRow.id != user_id,
        )
    )
    return not others and EVERYTHING in await allowed_of(session, user_id)


async def _record(session: AsyncSession, action: audit.Action, user: User, by: By) -> None:
    await audit.record(session, action, account=user.name, actor=by.actor, at_us=by.now_us)


def _first_password() -> str:
    return secrets.token_urlsafe(15)
