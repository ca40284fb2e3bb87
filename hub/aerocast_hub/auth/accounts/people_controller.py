"""Everybody's accounts, for administrators' programs."""

import time
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, delete, get, patch, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, ValidationException
from litestar.params import FromPath, FromQuery, JSONBody

from aerocast_hub.auth.accounts.administration import (
    By,
    NewPassword,
    add_person,
    disable,
    enable,
    end_of,
    find_user,
    make_key_for,
    remove_factors,
    reset_password,
    revoke_key_of,
    unlock_user,
)
from aerocast_hub.auth.accounts.own_controller import NewKey
from aerocast_hub.auth.api_keys.store import (
    ApiKey,
    KeyRefusedError,
    MadeKey,
    list_keys,
)
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.second_factors.store import Factors, factors_of
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.sessions.store import Session, sessions_of
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.auth.users import User, UserError, list_users
from aerocast_hub.database.engine import Database
from aerocast_hub.outbox.publish import Publisher

Administrator = Request[Principal, Any, State]
# Closed to who is bound to some airlines or airports: an account they made would not be.
READ = {"permission": "users:read"}
WRITE = {"permission": "users:write"}


class NewPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is to log in."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    role: Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"^[^\x00]*$")]


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do with an account."""

    state: Literal["enabled", "disabled", "unlocked"]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """An account and everything it comes in by."""

    user: User
    second_factors: Factors
    sessions: list[Session]
    keys: list[ApiKey]


class PeopleController(Controller):
    """Accounts: who there is, and what becomes of them."""

    path = "/auth/users"
    tags = ("People",)

    @get("/", operation_id="ListUsers", opt=READ)
    async def everybody(self, database: NamedDependency[Database]) -> list[User]:
        """Give all accounts by name."""
        async with database.reading() as session:
            return await list_users(session)

    @post("/", operation_id="AddUser", opt=WRITE)
    async def add(
        self,
        data: JSONBody[NewPerson],
        request: Administrator,
        database: NamedDependency[Database],
    ) -> NewPassword:
        """Add an account; its first password is shown this once, and good for three days.

        Raises
        ------
        ValidationException
            The name is taken, the role does not exist, or may more than you.
        """
        try:
            async with database.writing() as session:
                return await add_person(
                    session, Passwords(), data.name, data.role, by_request(request)
                )
        except UserError as error:
            raise ValidationException(str(error)) from error

    @get("/{user_id:uuid}", operation_id="GetUser", opt=READ)
    async def one(self, user_id: FromPath[UUID], database: NamedDependency[Database]) -> Person:
        """Give an account and everything it comes in by.

        Raises
        ------
        NotFoundException
            There is no such account.
        """
        now_us = time.time_ns() // 1000
        try:
            async with database.reading() as session:
                return Person(
                    user=await find_user(session, user_id),
                    second_factors=await factors_of(session, user_id),
                    sessions=await sessions_of(session, user_id, now_us),
                    keys=await list_keys(session, now_us, user_id),
                )
        except UserError as error:
            raise NotFoundException(str(error)) from error

    @patch("/{user_id:uuid}", operation_id="ChangeUser", opt=WRITE)
    async def change(
        self,
        user_id: FromPath[UUID],
        data: JSONBody[Change],
        request: Administrator,
        database: NamedDependency[Database],
        standing: NamedDependency[Standing],
        publisher: NamedDependency[Publisher],
    ) -> User:
        """Disable an account and end its sessions, enable it again, or unlock it.

        Raises
        ------
        ValidationException
            There is no such account, it may do more than you, is your own, or the last one that
            may do everything.
        """
        by = by_request(request)
        try:
            async with database.writing() as session:
                if data.state == "disabled":
                    await disable(session, user_id, by)
                elif data.state == "enabled":
                    await enable(session, user_id, by)
                else:
                    await unlock_user(session, user_id, by)
                user = await find_user(session, user_id)
        except UserError as error:
            raise ValidationException(str(error)) from error
        await standing.look()
        publisher.wake()
        return user

    @post("/{user_id:uuid}/password", operation_id="ResetPassword", status_code=200, opt=WRITE)
    async def reset_password(
        self,
        user_id: FromPath[UUID],
        request: Administrator,
        database: NamedDependency[Database],
        standing: NamedDependency[Standing],
    ) -> NewPassword:
        """Give an account a new first password, shown this once; its sessions end.

        Raises
        ------
        ValidationException
            There is no such account, it may do more than you, or is your own.
        """
        try:
            async with database.writing() as session:
                by = by_request(request)
                given = await reset_password(session, Passwords(), user_id, by)
        except UserError as error:
            raise ValidationException(str(error)) from error
        await standing.look()
        return given

    @delete("/{user_id:uuid}/second-factors", operation_id="RemoveSecondFactors", opt=WRITE)
    async def remove_factors(
        self,
        user_id: FromPath[UUID],
        request: Administrator,
        database: NamedDependency[Database],
        standing: NamedDependency[Standing],
    ) -> None:
        """Forget the second factors of somebody who lost them; their sessions end.

        Raises
        ------
        ValidationException
            There is no such account, it may do more than you, or is your own.
        """
        try:
            async with database.writing() as session:
                await remove_factors(session, user_id, by_request(request))
        except UserError as error:
            raise ValidationException(str(error)) from error
        await standing.look()

    @delete("/{user_id:uuid}/sessions", operation_id="EndSessions", opt=WRITE)
    async def end_sessions(
        self,
        user_id: FromPath[UUID],
        request: Administrator,
        database: NamedDependency[Database],
        standing: NamedDependency[Standing],
        session_id: FromQuery[UUID | None] = None,
    ) -> None:
        """End an account's sessions, all or one: everywhere within 2 seconds.

        Raises
        ------
        ValidationException
            There is no such account, or it may do more than you.
        """
        try:
            async with database.writing() as session:
                await end_of(session, user_id, by_request(request), session_id)
        except UserError as error:
            raise ValidationException(str(error)) from error
        await standing.look()

    @post("/{user_id:uuid}/keys", operation_id="MakeKey", opt=WRITE)
    async def make_key(
        self,
        user_id: FromPath[UUID],
        data: JSONBody[NewKey],
        request: Administrator,
        database: NamedDependency[Database],
    ) -> MadeKey:
        """Make an API key for an account: a service's, say. What it is is shown this once.

        Raises
        ------
        ValidationException
            There is no such account, it may do more than you or is your own; or a scope is none,
            or more than its own.
        """
        try:
            async with database.writing() as session:
                return await make_key_for(session, user_id, data.wanted(), by_request(request))
        except (UserError, KeyRefusedError) as error:
            raise ValidationException(str(error)) from error

    @delete("/{user_id:uuid}/keys/{prefix:str}", operation_id="RevokeKey", opt=WRITE)
    async def revoke_key(
        self,
        user_id: FromPath[UUID],
        prefix: FromPath[str],
        request: Administrator,
        database: NamedDependency[Database],
        standing: NamedDependency[Standing],
    ) -> None:
        """Take an account's API key out of use: everywhere within 2 seconds.

        Raises
        ------
        NotFoundException
            The account has none of this prefix.
        ValidationException
            There is no such account, or it may do more than you.
        """
        try:
            async with database.writing() as session:
                is_revoked = await revoke_key_of(session, user_id, prefix, by_request(request))
        except UserError as error:
            raise ValidationException(str(error)) from error
        await standing.look()
        if not is_revoked:
            raise NotFoundException(f"API key {prefix[:16]!r} is not known")


def by_request(request: Administrator) -> By:
    """Say who asks, when, and what they may do themselves."""
    return By(request.user.name, request.user.permissions, time.time_ns() // 1000)
