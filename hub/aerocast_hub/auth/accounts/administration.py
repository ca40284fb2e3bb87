"""Accounts as administrators look after them. Callers own the transaction.

Whoever may change accounts may not thereby become more than they are: nobody touches an account
that may do what they may not, nor gets around here what their own account page asks of them.
"""

import secrets
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit
from aerocast_hub.auth.accounts.locking import unlock
from aerocast_hub.auth.api_keys.store import MadeKey, Wanted, make_key, revoke_key
from aerocast_hub.auth.permissions import EVERYTHING, grants_all
from aerocast_hub.auth.second_factors.store import remove_all
from aerocast_hub.auth.sessions.store import end_sessions, record_ended
from aerocast_hub.auth.tables import RolePermissionRow, UserRoleRow, UserRow
from aerocast_hub.auth.users import (
    NewUser,
    PasswordHashing,
    User,
    UserError,
    add_user,
    call_tokens_back,
    list_users,
)

LAST_ONE = "this is the last account that may do everything: add another one first"
ON_ONES_PAGE = "this is your own account: on its page, after a fresh login"
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
    _refuse_beyond(by.may, await _allowed_by(session, role))
    password = _first_password()
    new = NewUser(name, password, role, by.now_us + FIRST_PASSWORD_S * 1_000_000)
    user = await add_user(session, passwords, new, now_us=by.now_us, actor=by.actor)
    return NewPassword(user=user, password=password)


async def reset_password(
    session: AsyncSession, passwords: PasswordHashing, user_id: UUID, by: By
) -> NewPassword:
    """Give an account a new first password and end its sessions.

    Raises
    ------
    UserError
        There is no such account, it may do more than whoever asks, or is their own.
    """
    user = await _touch_others(session, user_id, by)
    password = _first_password()
    await session.execute(
        update(UserRow)
        .where(UserRow.id == user_id)
        .values(
            password_hash=await passwords.hash(password),
            change_by_us=by.now_us + FIRST_PASSWORD_S * 1_000_000,
        )
    )
    await end_sessions(session, user_id, by.now_us)
    await _record(session, "password_reset", user, by)
    return NewPassword(user=await find_user(session, user_id), password=password)


async def disable(session: AsyncSession, user_id: UUID, by: By) -> None:
    """Shut an account and end its sessions.

    Raises
    ------
    UserError
        There is no such account, it may do more than whoever asks, or nobody could undo it.
    """
    user = await _touch(session, user_id, by)
    if user.name == by.actor:
        raise UserError("nobody disables their own account")
    if await is_last_administrator(session, user_id):
        raise UserError(LAST_ONE)
    await session.execute(
        update(UserRow)
        .where(UserRow.id == user_id, UserRow.disabled_at_us.is_(None))
        .values(disabled_at_us=by.now_us)
    )
    await call_tokens_back(session, by.now_us, UserRow.id == user_id)  # its API keys' streams too
    await end_sessions(session, user_id, by.now_us)
    await _record(session, "user_disabled", user, by)


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


async def remove_factors(session: AsyncSession, user_id: UUID, by: By) -> None:
    """Forget the second factors of somebody who lost them, and end their sessions.

    Raises
    ------
    UserError
        There is no such account, it may do more than whoever asks, or is their own.
    """
    user = await _touch_others(session, user_id, by)
    await remove_all(session, user_id)
    await end_sessions(session, user_id, by.now_us)
    await _record(session, "second_factors_removed", user, by)


async def end_of(session: AsyncSession, user_id: UUID, by: By, only: UUID | None = None) -> None:
    """End sessions of an account, all or one.

    Raises
    ------
    UserError
        There is no such account, or it may do more than whoever asks.
    """
    user = await _touch(session, user_id, by)
    ended = await end_sessions(session, user_id, by.now_us, only=only)
    if ended:
        await record_ended(session, user.name, by.actor, ended, by.now_us)


async def make_key_for(session: AsyncSession, user_id: UUID, wanted: Wanted, by: By) -> MadeKey:
    """Make an API key for an account: a service's, say.

    Raises
    ------
    UserError
        There is no such account, it may do more than whoever asks, or is their own.
    KeyRefusedError
        A scope is none, or is more than the account's own.
    """
    await _touch_others(session, user_id, by)
    return await make_key(session, user_id, wanted, may=by.may, now_us=by.now_us, actor=by.actor)


async def revoke_key_of(session: AsyncSession, user_id: UUID, prefix: str, by: By) -> bool:
    """Take an account's API key out of use; False when it has none of this prefix.

    Raises
    ------
    UserError
        There is no such account, or it may do more than whoever asks.
    """
    await _touch(session, user_id, by)
    return await revoke_key(session, user_id, prefix, now_us=by.now_us, actor=by.actor)


async def refuse_beyond(session: AsyncSession, user_id: UUID, may: frozenset[str]) -> None:
    """Refuse whoever may do less than an account.

    Raises
    ------
    UserError
        The account may do more.
    """
    _refuse_beyond(may, await allowed_of(session, user_id))


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
    await refuse_beyond(session, user_id, by.may)
    return user


async def _touch_others(session: AsyncSession, user_id: UUID, by: By) -> User:
    """Touch an account by what its owner does after a fresh login alone, or with their password."""
    user = await _touch(session, user_id, by)
    if user.name == by.actor:
        raise UserError(ON_ONES_PAGE)
    return user


def _refuse_beyond(may: frozenset[str], allowed: frozenset[str]) -> None:
    if not grants_all(may, allowed):
        raise UserError("nobody looks after accounts that may do more than they may themselves")


async def _allowed_by(session: AsyncSession, role: str) -> frozenset[str]:
    return frozenset(
        await session.scalars(
            select(RolePermissionRow.permission).where(RolePermissionRow.role == role)
        )
    )


async def is_last_administrator(session: AsyncSession, user_id: UUID) -> bool:
    """Say whether nobody else who may log in may do everything."""
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
    """Add a line that says what the account was, and what it is now."""
    await audit.record(
        session,
        action,
        account=user.name,
        actor=by.actor,
        at_us=by.now_us,
        before=user,
        after=await find_user(session, user.id),
    )


def _first_password() -> str:
    return secrets.token_urlsafe(15)
