"""One's own account, for programs: password, sessions, API keys."""

import time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, NotFoundException, ValidationException
from litestar.params import FromPath, JSONBody

from aerocast_hub.auth.accounts.own_password import OwnPassword
from aerocast_hub.auth.api_keys.store import (
    LONGEST_DAYS,
    ApiKey,
    KeyRefusedError,
    MadeKey,
    Wanted,
    list_keys,
    make_key,
    revoke_key,
)
from aerocast_hub.auth.caller import caller_of, own_id, too_many_tries
from aerocast_hub.auth.logins import TryLater
from aerocast_hub.auth.permissions import OWN_ACCOUNT, PERMISSIONS
from aerocast_hub.auth.sessions.issuing import Tokens
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.sessions.store import (
    LOG_IN_AGAIN,
    Session,
    began_lately,
    end_sessions,
    record_ended,
    sessions_of,
)
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.auth.users import UserError
from aerocast_hub.database.engine import Database

Mine = Request[Principal, Any, State]
OWN = {"permission": OWN_ACCOUNT, "rows": "none"}
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
WRONG_PRESENT = "the present password is wrong"


class NewPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password in force, and the one to be."""

    present: Password
    new: Password


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An API key to be.

    Attributes
    ----------
    scopes
        Permissions ``<service>:<verb>``, of those its owner has.
    days
        How long it is good.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    scopes: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=64)]],
        msgspec.Meta(min_length=1, max_length=len(PERMISSIONS)),
    ]
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)] = 90

    def wanted(self) -> Wanted:
        """Give it as the store wants it."""
        return Wanted(self.name, frozenset(self.scopes), self.days)


class OwnAccountController(Controller):
    """What everybody may do with their own account, and no API key may."""

    path = "/auth/me"
    tags = ("Own account",)
    opt = OWN

    @post("/password", operation_id="ChangeOwnPassword", status_code=200)
    async def change_password(
        self,
        data: JSONBody[NewPassword],
        request: Mine,
        own_password: NamedDependency[OwnPassword],
    ) -> Tokens:
        """Choose a new password: every session ends, and a new one begins with these tokens.

        Raises
        ------
        NotAuthorizedException
            The present password is wrong.
        ValidationException
            The new one is too short, or known to be bad; or the account has a second factor, and
            the login is too long ago.
        TooManyRequestsException
            Too many tries; Retry-After says when to try again.
        """
        try:
            tokens = await own_password.change(
                request.user, data.present, data.new, caller_of(request)
            )
        except UserError as error:
            raise ValidationException(str(error)) from error
        if isinstance(tokens, TryLater):
            raise too_many_tries(tokens)
        if tokens is None:
            raise NotAuthorizedException(WRONG_PRESENT)
        return tokens

    @get("/sessions", operation_id="ListOwnSessions")
    async def sessions(self, request: Mine, database: NamedDependency[Database]) -> list[Session]:
        """Give one's own sessions that go on, the last used first."""
        async with database.reading() as session:
            return await sessions_of(
                session, own_id(request), time.time_ns() // 1000, request.user.session_id
            )

    @delete("/sessions/{session_id:uuid}", operation_id="EndOwnSession")
    async def end_session(
        self,
        session_id: FromPath[UUID],
        request: Mine,
        database: NamedDependency[Database],
        standing: NamedDependency[Standing],
    ) -> None:
        """End one of one's own sessions.

        Raises
        ------
        NotFoundException
            It is none that goes on.
        """
        who, now_us = request.user.name, time.time_ns() // 1000
        async with database.writing() as session:
            ended = await end_sessions(session, own_id(request), now_us, only=session_id)
            if ended:
                await record_ended(session, who, who, ended, now_us)
        standing.end(ended)
        if not ended:
            raise NotFoundException(f"session {session_id} does not go on")

    @get("/keys", operation_id="ListOwnKeys")
    async def keys(self, request: Mine, database: NamedDependency[Database]) -> list[ApiKey]:
        """Give one's own API keys that are good, the newest first."""
        async with database.reading() as session:
            return await list_keys(session, time.time_ns() // 1000, own_id(request))

    @post("/keys", operation_id="MakeOwnKey")
    async def make_key(
        self, data: JSONBody[NewKey], request: Mine, database: NamedDependency[Database]
    ) -> MadeKey:
        """Make an API key for the header X-API-Key; what it is is shown this once.

        Raises
        ------
        ValidationException
            A scope is none, or is more than one's own; or the login is too long ago.
        """
        try:
            return await make_own_key(database, request.user, data)
        except KeyRefusedError as error:
            raise ValidationException(str(error)) from error

    @delete("/keys/{prefix:str}", operation_id="RevokeOwnKey")
    async def revoke_key(
        self,
        prefix: FromPath[str],
        request: Mine,
        database: NamedDependency[Database],
        standing: NamedDependency[Standing],
    ) -> None:
        """Take one of one's own API keys out of use: everywhere within 2 seconds.

        Raises
        ------
        NotFoundException
            There is none of this prefix.
        """
        now_us = time.time_ns() // 1000
        async with database.writing() as session:
            is_revoked = await revoke_key(
                session, own_id(request), prefix, now_us=now_us, actor=request.user.name
            )
        await standing.look()
        if not is_revoked:
            raise NotFoundException(f"API key {prefix[:16]!r} is not known")


async def make_own_key(database: Database, who: Principal, new: NewKey) -> MadeKey:
    """Make an API key for whoever asks.

    Raises
    ------
    KeyRefusedError
        A scope is none, or is more than their own; or the login is too long ago.
    """
    now_us = time.time_ns() // 1000
    async with database.writing() as session:
        if not await began_lately(session, who.session_id, now_us):
            raise KeyRefusedError(LOG_IN_AGAIN)
        return await make_key(
            session,
            UUID(who.user_id),
            new.wanted(),
            may=who.permissions,
            now_us=now_us,
            actor=who.name,
        )
