"""What accounts are given: roles, and the airlines and airports they are bound to.

Callers own the transaction. A change holds at once: tokens issued before it are called back.
"""

from collections.abc import Collection
from typing import NamedTuple

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.auth import audit
from aerocast_hub.auth.accounts.administration import LAST_ONE, is_last_administrator
from aerocast_hub.auth.permissions import EVERYTHING, grants_all
from aerocast_hub.auth.roles import list_roles
from aerocast_hub.auth.tables import UserAirlineRow, UserRoleRow, UserRow, UserStationRow
from aerocast_hub.auth.users import UserError, call_tokens_back, normal_name, permissions_of

_GivenTable = type[UserRoleRow] | type[UserAirlineRow] | type[UserStationRow]


class Given(NamedTuple):
    """What an account is to have.

    Attributes
    ----------
    airlines, stations
        Designators and airport codes in capitals; empty: bound to none.
    """

    roles: frozenset[str]
    airlines: frozenset[str]
    stations: frozenset[str]


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has.

    Attributes
    ----------
    permissions
        Of all its roles together.
    sees
        ``every`` row, those of its ``own`` airlines and airports, or ``none``.
    """

    name: str
    roles: list[str]
    airlines: list[str]
    stations: list[str]
    permissions: list[str]
    sees: str


async def binding_of(session: AsyncSession, name: str) -> Binding:
    """Say what an account has.

    Raises
    ------
    UserError
        There is no such account.
    """
    asked = UserRow.name == normal_name(name).replace("\x00", "?")
    user = await session.scalar(select(UserRow).where(asked))
    if user is None:
        raise UserError(f"there is no user {name[:64]!r}")

    owner = await permissions_of(session, user.id)
    roles = await session.scalars(select(UserRoleRow.role).where(UserRoleRow.user_id == user.id))
    airlines = None if owner is None else owner.airlines
    stations = None if owner is None else owner.stations
    sees = "every" if airlines is None and stations is None else "own"
    return Binding(
        name=user.name,
        roles=sorted(roles),
        airlines=sorted(airlines or ()),
        stations=sorted(stations or ()),
        permissions=sorted(owner.permissions) if owner is not None else [],
        sees="none" if owner is None or airlines == frozenset() else sees,
    )


async def bind(
    session: AsyncSession,
    name: str,
    given: Given,
    *,
    may: frozenset[str],
    now_us: int,
    actor: str,
) -> Binding:
    """Give an account roles, airlines and airports in place of those it had.

    Parameters
    ----------
    may
        What whoever asks may do: nobody gives out, or takes away, more.

    Raises
    ------
    UserError
        There is no such account or role, no role is given, it goes beyond ``may``, or nobody would
        be left who may do everything.
    """
    before = await binding_of(session, name)
    known = {each.name: frozenset(each.permissions) for each in await list_roles(session)}
    unknown = sorted(given.roles - known.keys())
    if unknown or not given.roles:
        wrong = f"there is no role {unknown[0][:32]!r}" if unknown else "name a role"
        raise UserError(f"{wrong}; there are {', '.join(sorted(known))}")
    handed = frozenset().union(*(known[each] for each in {*given.roles, *before.roles}))
    if not grants_all(may, handed):
        raise UserError("nobody gives out or takes away more than they may do themselves")
    user_id = await session.scalar(select(UserRow.id).where(UserRow.name == before.name))
    is_bound = bool(given.airlines or given.stations)
    given_all = not is_bound and any(EVERYTHING in known[each] for each in given.roles)
    if user_id and not given_all and await is_last_administrator(session, user_id):
        raise UserError(LAST_ONE)
    tables: tuple[tuple[_GivenTable, str, Collection[str]], ...] = (
        (UserRoleRow, "role", given.roles),
        (UserAirlineRow, "airline", given.airlines),
        (UserStationRow, "station", given.stations),
    )
    for table, column, values in tables:
        await session.execute(delete(table).where(table.user_id == user_id))
        rows = [{"user_id": user_id, column: each} for each in sorted(values)]
        if rows:
            await session.execute(insert(table), rows)
    await call_tokens_back(session, now_us, UserRow.id == user_id)
    after = await binding_of(session, name)
    await audit.record(
        session,
        "user_bound",
        account=after.name,
        actor=actor,
        at_us=now_us,
        before=before,
        after=after,
    )
    return after
