"""Staff badges for programs: log in with one, give one out, take them back."""

import time
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, NotFoundException, ValidationException
from litestar.params import FromPath, JSONBody

from aerocast_hub.auth.badges import Badge, Place, assign_badge, list_badges, revoke_badges
from aerocast_hub.auth.caller import caller_of, too_many_tries
from aerocast_hub.auth.logins import Logins, TryLater
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.sessions.issuing import Tokens
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.auth.users import UserError
from aerocast_hub.database.engine import Database

WRONG = "show your badge again, then type its PIN within a minute"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Pin = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class BadgeLogin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a badge was just shown, and the PIN that goes with it."""

    site: Name
    gateway: Name
    pin: Pin


class NewBadge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom the badge that was just shown at a gateway is for, and the PIN to go with it."""

    user: Name
    site: Name
    gateway: Name
    pin: Pin


class BadgeController(Controller):
    """Badges of people who work beside the belts."""

    path = "/auth/badges"
    tags = ("Auth",)

    @post(
        "/login",
        operation_id="LogInByBadge",
        status_code=200,
        opt={"public": True, "errors": {401: WRONG}},
    )
    async def log_in(
        self,
        data: JSONBody[BadgeLogin],
        request: Request[Any, Any, State],
        logins: NamedDependency[Logins],
    ) -> Tokens:
        """Give tokens to whoever showed a badge at a gateway in the last minute and knows its PIN.

        Each showing serves for one try.

        Raises
        ------
        NotAuthorizedException
            No badge was shown, it is nobody's, or the PIN is wrong; which of them is not said.
        TooManyRequestsException
            Too many tries; Retry-After says when to try again.
        """
        place = Place(data.site, data.gateway)
        tokens = await logins.login_by_badge(place, data.pin, caller_of(request))
        if isinstance(tokens, TryLater):
            raise too_many_tries(tokens)
        if tokens is None:
            raise NotAuthorizedException(WRONG)
        return tokens

    @get("/", operation_id="ListBadges", opt={"permission": "users:write"})
    async def everyone(self, database: NamedDependency[Database]) -> list[Badge]:
        """Give all badges by their holders' names."""
        async with database.reading() as session:
            return await list_badges(session)

    @post("/", operation_id="AssignBadge", opt={"permission": "users:write"})
    async def assign(
        self,
        data: JSONBody[NewBadge],
        request: Request[Principal, Any, State],
        database: NamedDependency[Database],
    ) -> Badge:
        """Give the badge that was just shown at a gateway to somebody.

        Raises
        ------
        ValidationException
            No such user, one who may do more than you, no badge shown, somebody else's badge, or
            an unfit PIN.
        """
        try:
            pin_hash = await Passwords().hash_pin(data.pin)
            async with database.writing() as session:
                return await assign_badge(
                    session,
                    data.user,
                    Place(data.site, data.gateway),
                    pin_hash,
                    now_us=time.time_ns() // 1000,
                    actor=request.user.name,
                    may=request.user.permissions,
                )
        except (UserError, ValueError) as error:
            raise ValidationException(str(error)) from error

    @delete("/{user:str}", operation_id="RevokeBadges", opt={"permission": "users:write"})
    async def revoke(
        self,
        user: FromPath[str],
        request: Request[Principal, Any, State],
        database: NamedDependency[Database],
    ) -> None:
        """Take all badges of somebody out of use.

        Raises
        ------
        NotFoundException
            There is no such user, or they may do more than you.
        """
        who = request.user
        try:
            async with database.writing() as session:
                now_us = time.time_ns() // 1000
                await revoke_badges(
                    session, user, now_us=now_us, actor=who.name, may=who.permissions
                )
        except UserError as error:
            raise NotFoundException(str(error)) from error
