"""Who is calling, as a request shows it, and what to tell them."""

import math
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, TooManyRequestsException

from aerocast_hub.auth.logins import TryLater
from aerocast_hub.auth.second_factors.passkeys import RelyingParty, relying_party
from aerocast_hub.auth.sessions.store import Client
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.settings import Settings

AnyRequest = Request[Any, Any, State]
LOG_IN_FIRST = "log in first, or send a fresh access token"


def client_of(request: AnyRequest) -> str:
    """Give the network address a request came from."""
    return request.client.host if request.client else "unknown"


def caller_of(request: AnyRequest) -> Client:
    """Give the network address a request came from, and what the browser calls itself."""
    said = request.headers.get("user-agent", "")
    return Client(client_of(request), "".join(each for each in said[:160] if each.isprintable()))


def own_id(request: Request[Principal, Any, State]) -> UUID:
    """Give the account that asks.

    Raises
    ------
    NotAuthorizedException
        The token is of no account.
    """
    try:
        return UUID(request.user.user_id)
    except ValueError as error:
        raise NotAuthorizedException(LOG_IN_FIRST) from error


def party_of(request: AnyRequest, settings: Settings) -> RelyingParty | None:
    """Say whom passkeys are for: the hub's address as set, or else as the browser has it."""
    return relying_party(settings.base_url or str(request.base_url))


def too_many_tries(later: TryLater) -> TooManyRequestsException:
    """Say when to try again."""
    wait_s = math.ceil(later.wait_s)
    return TooManyRequestsException(
        f"too many tries: wait {wait_s} s", headers={"Retry-After": str(wait_s)}
    )
