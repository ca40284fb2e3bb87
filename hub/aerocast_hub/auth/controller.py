"""Login, refresh, logout and who am I, for programs."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import CacheControlHeader, State
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException
from litestar.params import JSONBody

from aerocast_hub.auth.caller import LOG_IN_FIRST, AnyRequest, caller_of, party_of, too_many_tries
from aerocast_hub.auth.logins import Logins, Proof, SecondFactorAsked, TryLater
from aerocast_hub.auth.sessions.issuing import Sessions, Tokens
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.auth.tokens import Principal, jwk
from aerocast_hub.settings import Settings

WRONG = "name or password is wrong, or the account is locked"
WRONG_FACTOR = "the code is wrong, was used before, or comes too late: log in again"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A name and a password."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class SecondFactor(msgspec.Struct, frozen=True, kw_only=True):
    """What a login asked for besides the password: a code, or what a passkey signed.

    Attributes
    ----------
    challenge
        As the login gave it.
    code
        Of the authenticator app, or on paper.
    credential
        The browser's credential as JSON text.
    """

    challenge: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    code: Annotated[str, msgspec.Meta(max_length=64)] = ""
    credential: Annotated[str, msgspec.Meta(max_length=8192)] = ""


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


class PublicKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What tokens are checked against, the key that signs first (RFC 7517 §5)."""

    keys: list[dict[str, str]]


@get(
    "/.well-known/jwks.json",
    operation_id="GetPublicKeys",
    tags=["Auth"],
    opt={"public": True},
    cache_control=CacheControlHeader(max_age=60, public=True),
    sync_to_thread=False,
)
def public_keys(token_keys: NamedDependency[TokenKeys]) -> PublicKeys:
    """Give the public keys, for those who check our tokens elsewhere."""
    return PublicKeys(keys=[jwk(each) for each in token_keys.public_keys()])


class AuthController(Controller):
    """Tokens for people and programs."""

    path = "/auth"
    tags = ("Auth",)

    @post(
        "/login",
        operation_id="LogIn",
        status_code=200,
        opt={"public": True, "errors": {401: WRONG}},
    )
    async def log_in(
        self,
        data: JSONBody[Login],
        request: AnyRequest,
        logins: NamedDependency[Logins],
        settings: NamedDependency[Settings],
    ) -> Tokens | SecondFactorAsked:
        """Give tokens for a name and a password, or ask for the second factor.

        Raises
        ------
        NotAuthorizedException
            Name or password is wrong, or the account is locked; which of them is not said.
        TooManyRequestsException
            Too many tries; Retry-After says when to try again.
        """
        party = party_of(request, settings)
        answer = await logins.login(data.name, data.password, caller_of(request), party)
        if isinstance(answer, TryLater):
            raise too_many_tries(answer)
        if answer is None:
            raise NotAuthorizedException(WRONG)
        return answer

    @post(
        "/login/second",
        operation_id="ShowSecondFactor",
        status_code=200,
        opt={"public": True, "errors": {401: WRONG_FACTOR}},
    )
    async def second_factor(
        self,
        data: JSONBody[SecondFactor],
        request: AnyRequest,
        logins: NamedDependency[Logins],
        settings: NamedDependency[Settings],
    ) -> Tokens:
        """Give tokens for the second factor a login asked for.

        Raises
        ------
        NotAuthorizedException
            The code is wrong or used up, or the login was too long ago.
        TooManyRequestsException
            Too many tries; Retry-After says when to try again.
        """
        proof = Proof(data.code, data.credential)
        party = party_of(request, settings)
        tokens = await logins.second_factor(data.challenge, proof, caller_of(request), party)
        if isinstance(tokens, TryLater):
            raise too_many_tries(tokens)
        if tokens is None:
            raise NotAuthorizedException(WRONG_FACTOR)
        return tokens

    @post(
        "/refresh",
        operation_id="Refresh",
        status_code=200,
        opt={"public": True, "errors": {401: "The token is unknown, ended or was used before."}},
    )
    async def refresh(
        self,
        data: JSONBody[RefreshToken],
        request: AnyRequest,
        sessions: NamedDependency[Sessions],
    ) -> Tokens:
        """Give new tokens for a refresh token, which is then used up.

        Raises
        ------
        NotAuthorizedException
            It is unknown, past its time, or was used before; then its whole session is ended.
        """
        tokens = await sessions.renew(data.refresh_token, caller_of(request))
        if tokens is None:
            raise NotAuthorizedException("log in again")
        return tokens

    @post("/logout", operation_id="LogOut", status_code=204, opt={"public": True})
    async def log_out(
        self,
        data: JSONBody[RefreshToken],
        request: AnyRequest,
        sessions: NamedDependency[Sessions],
    ) -> None:
        """End the session a refresh token belongs to."""
        await sessions.logout(data.refresh_token, caller_of(request))

    @get("/me", operation_id="WhoAmI", opt={"public": True, "errors": {401: LOG_IN_FIRST}})
    async def me(self, request: Request[Principal | None, Any, State]) -> Me:
        """Say who the token speaks for.

        Raises
        ------
        NotAuthorizedException
            No good token came.
        """
        if request.user is None:
            raise NotAuthorizedException(LOG_IN_FIRST)
        return Me(
            name=request.user.name,
            permissions=sorted(request.user.permissions),
            expires_at_s=request.user.expires_at_s,
        )
