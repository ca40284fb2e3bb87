"""Roles and who has them, for programs."""

import time
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, delete, get, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, ValidationException
from litestar.params import FromPath, JSONBody

from aerocast_hub.auth.bindings import Binding, Given, bind, binding_of
from aerocast_hub.auth.permissions import PERMISSIONS, Role
from aerocast_hub.auth.roles import KnownRole, RoleError, list_roles, put_role, remove_role
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.auth.users import UserError
from aerocast_hub.database.engine import Database
from aerocast_hub.sight.designators import (
    MOST_NAMED,
    DesignatorError,
    read_airlines,
    read_stations,
)

Administrator = Request[Principal, Any, State]
Permission = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class NewRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role of the airport's own.

    Attributes
    ----------
    permissions
        ``<service>:<verb>``, or ``*`` for all.
    sees_own_only
        Its accounts see the rows of the airlines they are bound to, and none while bound to none.
    """

    about: Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00]*$")] = ""
    permissions: Annotated[list[Permission], msgspec.Meta(max_length=len(PERMISSIONS) + 1)]
    sees_own_only: bool = False


class NewBinding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an account is to have, in place of what it had.

    Attributes
    ----------
    airlines, stations
        Airline designators and airport codes; both empty: it sees every row, unless a role of it
        sees its own only.
    """

    roles: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=20)]
    airlines: Annotated[list[Name], msgspec.Meta(max_length=MOST_NAMED)] = []
    stations: Annotated[list[Name], msgspec.Meta(max_length=MOST_NAMED)] = []


class RoleController(Controller):
    """Roles: those the hub comes with, and the airport's own."""

    path = "/auth/roles"
    tags = ("Auth",)

    @get("/", operation_id="ListRoles", opt={"permission": "users:read"})
    async def every(self, database: NamedDependency[Database]) -> list[KnownRole]:
        """Give all roles and what they allow."""
        async with database.reading() as session:
            return await list_roles(session)

    @put("/{name:str}", operation_id="PutRole", opt={"permission": "users:write"})
    async def put(
        self,
        name: FromPath[str],
        data: JSONBody[NewRole],
        request: Administrator,
        database: NamedDependency[Database],
        standing: NamedDependency[Standing],
    ) -> KnownRole:
        """Add a role, or change one the airport added; it holds at once.

        Raises
        ------
        ValidationException
            The name is the hub's own, a permission does not exist, or is, or was, more than yours.
        """
        role = Role(data.about, frozenset(data.permissions), data.sees_own_only)
        try:
            async with database.writing() as session:
                known = await put_role(
                    session,
                    name,
                    role,
                    may=request.user.permissions,
                    now_us=time.time_ns() // 1000,
                    actor=request.user.name,
                )
        except RoleError as error:
            raise ValidationException(str(error)) from error
        await standing.look()
        return known

    @delete("/{name:str}", operation_id="RemoveRole", opt={"permission": "users:write"})
    async def remove(
        self,
        name: FromPath[str],
        request: Administrator,
        database: NamedDependency[Database],
    ) -> None:
        """Remove a role of the airport's own that nobody has.

        Raises
        ------
        ValidationException
            There is none of this name, it comes with the hub, gives more than you may, or somebody
            has it.
        """
        try:
            async with database.writing() as session:
                await remove_role(
                    session,
                    name,
                    may=request.user.permissions,
                    now_us=time.time_ns() // 1000,
                    actor=request.user.name,
                )
        except RoleError as error:
            raise ValidationException(str(error)) from error


class BindingController(Controller):
    """Who has which roles, and whose rows they see."""

    path = "/auth/bindings"
    tags = ("Auth",)

    @get("/{user:str}", operation_id="GetBinding", opt={"permission": "users:read"})
    async def one(self, user: FromPath[str], database: NamedDependency[Database]) -> Binding:
        """Say what an account may do, and whose rows it sees.

        Raises
        ------
        NotFoundException
            There is no such user.
        """
        try:
            async with database.reading() as session:
                return await binding_of(session, user)
        except UserError as error:
            raise NotFoundException(str(error)) from error

    @put("/{user:str}", operation_id="PutBinding", opt={"permission": "users:write"})
    async def put(
        self,
        user: FromPath[str],
        data: JSONBody[NewBinding],
        request: Administrator,
        database: NamedDependency[Database],
        standing: NamedDependency[Standing],
    ) -> Binding:
        """Give an account roles, airlines and airports in place of those it had: at once.

        Raises
        ------
        ValidationException
            No such user or role, a code is none, or it is more than you may yourself.
        """
        try:
            given = Given(
                frozenset(data.roles), read_airlines(data.airlines), read_stations(data.stations)
            )
            async with database.writing() as session:
                bound = await bind(
                    session,
                    user,
                    given,
                    may=request.user.permissions,
                    now_us=time.time_ns() // 1000,
                    actor=request.user.name,
                )
        except (UserError, DesignatorError) as error:
            raise ValidationException(str(error)) from error
        await standing.look()
        return bound
