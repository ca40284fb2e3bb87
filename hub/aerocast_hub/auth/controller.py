"""Login, refresh, logout and who am I, for programs."""

import math
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, TooManyRequestsException
from litestar.params import JSONBody

from aerocast_hub.auth.logins import Logins, Tokens, TryLater
from aerocast_hub.auth.tokens import Principal

WRONG = "name or password is wrong"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A name and a password."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token."""

    refresh_token: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who a token speaks for.

    Attributes
    ----------
    expires_at_s
        When the token ends, seconds since 1970-01-01.
    """

    name: str
    permissions: list[str]
    expires_at_s: int


class AuthController(Controller):
    """Tokens for people and programs."""

    path = "/auth"
    tags = ("Auth",)

    @post("/login", operation_id="LogIn", status_code=200, opt={"public": True}, security=[{}])
    async def log_in(
        self,
        data: JSONBody[Login],
        request: Request[Any, Any, State],
        logins: NamedDependency[Logins],
    ) -> Tokens:
        """Give tokens for a name and a password.

        Raises
        ------
        NotAuthorizedException
            Name or password is wrong; which of them is not said.
        TooManyRequestsException
            Too many tries; Retry-After says when to try again.
        """
        tokens = await logins.login(data.name, data.password, client_of(request))
        if isinstance(tokens, TryLater):
            raise too_many_tries(tokens)
        if tokens is None:
            raise NotAuthorizedException(WRONG)
        return tokens

    @post("/refresh", operation_id="Refresh", status_code=200, opt={"public": True}, security=[{}])
    async def refresh(
        self,
        data: JSONBody[RefreshToken],
        request: Request[Any, Any, State],
        logins: NamedDependency[Logins],
    ) -> Tokens:
        """Give new tokens for a refresh token, which is then used up.

        Raises
        ------
        NotAuthorizedException
            It is unknown, past its time, or was used before; then its whole login is ended.
        """
        tokens = await logins.renew(data.refresh_token, client_of(request))
        if tokens is None:
            raise NotAuthorizedException("log in again")
        return tokens

    @post("/logout", operation_id="LogOut", status_code=204, opt={"public": True}, security=[{}])
    async def log_out(
        self,
        data: JSONBody[RefreshToken],
        request: Request[Any, Any, State],
        logins: NamedDependency[Logins],
    ) -> None:
        """End the login a refresh token belongs to."""
        await logins.logout(data.refresh_token, client_of(request))

    @get("/me", operation_id="WhoAmI", opt={"public": True})
    async def me(self, request: Request[Principal | None, Any, State]) -> Me:
        """Say who the token speaks for.

        Raises
        ------
        NotAuthorizedException
            No good token came.
        """
        if request.user is None:
            raise NotAuthorizedException("log in first, or send a fresh access token")
        return Me(
            name=request.user.name,
            permissions=sorted(request.user.permissions),
            expires_at_s=request.user.expires_at_s,
        )


def client_of(request: Request[Any, Any, State]) -> str:
    """Give the network address a request came from."""
    return request.client.host if request.client else "unknown"


def too_many_tries(later: TryLater) -> TooManyRequestsException:
    """Say when to try again."""
    wait_s = math.ceil(later.wait_s)
    return TooManyRequestsException(
        f"too many tries: wait {wait_s} s", headers={"Retry-After": str(wait_s)}
    )
