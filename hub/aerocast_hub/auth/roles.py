"""Roles in the database: the hub's and an airport's own. Callers own the transaction."""

import re
from collections.abc import Iterable

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit
from aerocast_hub.auth.permissions import (
    EVERYTHING,
    FIRST_ROLES,
    OWN_ACCOUNT,
    PERMISSIONS,
    Role,
    grants_all,
)
from aerocast_hub.auth.tables import RolePermissionRow, RoleRow, UserRoleRow, UserRow
from aerocast_hub.auth.users import call_tokens_back
from aerocast_hub.database.insert import insert_or_replace

MOST_ROLES = 200
_GIVEN = PERMISSIONS - {OWN_ACCOUNT}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class RoleError(Exception):
    """A role cannot be added, changed or removed; the text says why."""


class KnownRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role as it stands.

    Attributes
    ----------
    permissions
        ``<service>:<verb>``; ``*`` is all of them.
    sees_own_only
        Its accounts see the rows of the airlines they are bound to alone.
    is_own
        The airport added it: it can be changed and removed.
    """

    name: str
    about: str
    permissions: list[str]
    sees_own_only: bool
    is_own: bool


async def seed_roles(session: AsyncSession) -> None:
    """Put the hub's roles into the database as this version has them; others stay as they are."""
    known = {each.name: each for each in await list_roles(session)}
    for name, role in FIRST_ROLES.items():
        if known.get(name) != _known(name, role, is_own=False):
            await _write(session, name, role, is_own=False)


async def list_roles(session: AsyncSession) -> list[KnownRole]:
    """Give all roles by name."""
    permissions: dict[str, list[str]] = {}
    for row in await session.scalars(select(RolePermissionRow)):
        permissions.setdefault(row.role, []).append(row.permission)
    return [
        KnownRole(
            name=row.name,
            about=row.about,
            permissions=sorted(permissions.get(row.name, [])),
            sees_own_only=row.sees_own_only,
            is_own=row.is_own,
        )
        for row in await session.scalars(select(RoleRow).order_by(RoleRow.name))
    ]


async def put_role(
    session: AsyncSession,
    name: str,
    role: Role,
    *,
    may: frozenset[str],
    now_us: int,
    actor: str,
) -> KnownRole:
    """Add a role, or change one the airport added.

    Parameters
    ----------
    may
        What whoever asks may do: a role can give no more, nor have given more until now.

    Raises
    ------
    RoleError
        The name is none or the hub's own, a permission does not exist, or goes beyond ``may``.
    """
    if _NAME.fullmatch(name) is None:
        raise RoleError(f"{name[:40]!r} is no role's name: up to 32 of a-z, 0-9, _ and - are")
    if name in FIRST_ROLES:
        raise RoleError(f"role {name} comes with the hub and stays as it is: add one of your own")
    unknown = sorted(role.permissions - _GIVEN - {EVERYTHING})
    if unknown:
        there_are = ", ".join(sorted(_GIVEN))
        raise RoleError(f"there is no permission {unknown[0][:64]!r}; there are {there_are}")
    known = {each.name: each for each in await list_roles(session)}
    before = known.get(name)
    _refuse_beyond(may, role.permissions | frozenset(before.permissions if before else ()))
    if before is None and len(known) >= MOST_ROLES:
        raise RoleError(f"there are {MOST_ROLES} roles already: remove one first")
    after = _known(name, role, is_own=True)
    await _write(session, name, role, is_own=True)
    theirs = select(UserRoleRow.user_id).where(UserRoleRow.role == name)
    await call_tokens_back(session, now_us, UserRow.id.in_(theirs))
    await audit.record(
        session,
        "role_put",
        account=name,
        actor=actor,
        at_us=now_us,
        before=before,
        after=after,
    )
    return after


async def remove_role(
    session: AsyncSession, name: str, *, may: frozenset[str], now_us: int, actor: str
) -> None:
    """Remove a role the airport added.

    Raises
    ------
    RoleError
        There is none of this name, it comes with the hub, goes beyond ``may``, or somebody has it.
    """
    if name in FIRST_ROLES:
        raise RoleError(f"role {name} comes with the hub and stays")
    name = name.replace("\x00", "?")
    if await session.scalar(select(UserRoleRow.role).where(UserRoleRow.role == name).limit(1)):
        raise RoleError(f"somebody has role {name[:32]!r}: give them another one first")
    before = next((each for each in await list_roles(session) if each.name == name), None)
    _refuse_beyond(may, frozenset(before.permissions if before else ()))
    await session.execute(delete(RolePermissionRow).where(RolePermissionRow.role == name))
    removed = await session.scalar(
        delete(RoleRow).where(RoleRow.name == name).returning(RoleRow.name)
    )
    if removed is None:
        raise RoleError(f"there is no role {name[:32]!r}")
    await audit.record(
        session, "role_removed", account=name, actor=actor, at_us=now_us, before=before
    )


def _refuse_beyond(may: frozenset[str], permissions: frozenset[str]) -> None:
    if not grants_all(may, permissions):
        raise RoleError("nobody gives out or takes away more than they may do themselves")


async def _write(session: AsyncSession, name: str, role: Role, *, is_own: bool) -> None:
    row = {
        "name": name,
        "about": role.about,
        "sees_own_only": role.sees_own_only,
        "is_own": is_own,
    }
    await insert_or_replace(session, RoleRow, [row])
    await session.execute(delete(RolePermissionRow).where(RolePermissionRow.role == name))
    rows = _permission_rows(name, role.permissions)
    if rows:
        await session.execute(insert(RolePermissionRow), rows)


def _permission_rows(role: str, permissions: Iterable[str]) -> list[dict[str, str]]:
    return [{"role": role, "permission": each} for each in sorted(permissions)]


def _known(name: str, role: Role, *, is_own: bool) -> KnownRole:
    return KnownRole(
        name=name,
        about=role.about,
        permissions=sorted(role.permissions),
        sees_own_only=role.sees_own_only,
        is_own=is_own,
    )
