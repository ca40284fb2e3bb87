"""The guard before every handler: closed unless the handler says what it asks for.

A handler carries ``opt={"permission": "<service>:<verb>"}`` or ``opt={"public": True}``; with
neither it answers nobody. Whoever comes with a token is in ``request.user`` (a `Principal`), on
public handlers too; otherwise it is None. People come with an access token (in the header, or in
a cookie their browser sends), programs with one or with an API key in ``X-API-Key``.

Who is bound to some airlines or airports sees their rows alone: `database.sight` narrows every
session of the request. A handler says with ``"rows": "ruled"`` that all it tells comes from such
sessions, with ``"rows": "none"`` that it tells of no flight and no bag; one that says neither is
closed to them.

Each account, and each API key, has its measure of requests (`limiting.rates`); a handler that
paces those who call it by itself says so with ``"paced": True``, and is not counted.
"""

import logging
import math
import time

from litestar import WebSocket
from litestar.exceptions import (
    HTTPException,
    NotAuthorizedException,
    PermissionDeniedException,
    TooManyRequestsException,
    WebSocketException,
)
from litestar.handlers import BaseRouteHandler

from aerocast_hub.audit.acting import is_acting
from aerocast_hub.auth.api_keys.checking import ApiKeys
from aerocast_hub.auth.limiting.rates import WINDOW_S, Rates
from aerocast_hub.auth.permissions import grants
from aerocast_hub.auth.sessions.cookies import Connection, SessionCookies
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.token_keys import TokenKeys
from aerocast_hub.auth.tokens import Principal, TokenError
from aerocast_hub.database.sight import Sight, see_only
from aerocast_hub.telemetry.security_log import tell_refusal

ROWS = frozenset({"ruled", "none"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_log = logging.getLogger(__name__)


class PermissionGuard:
    """Lets a request through when its token allows what the handler asks for.

    Parameters
    ----------
    keys
        Verify tokens; no database is asked.
    standing
        Who was called back before their tokens end.
    api_keys
        Whose an API key is: the database is asked for each once in a while.
    cookies
        How a browser's session is read.
    rates
        Count what each account, or API key, asks.
    """

    def __init__(
        self,
        keys: TokenKeys,
        standing: Standing,
        api_keys: ApiKeys,
        cookies: SessionCookies,
        rates: Rates,
    ) -> None:
        self._keys = keys
        self._standing = standing
        self._api_keys = api_keys
        self._cookies = cookies
        self._rates = rates

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Let the request through, or refuse it.

        Were it no coroutine, every request would change threads for it.

        Raises
        ------
        NotAuthorizedException
            The handler asks for a permission and no good token came.
        PermissionDeniedException
            The token does not allow it, another site's page sent it, or the handler says nothing.
        TooManyRequestsException
            The account, or API key, asks too much.
        WebSocketException
            One of these, of a WebSocket: closed with 4401, 4403 or 4429.
        """
        try:
            await self._let_through(connection, handler)
        except HTTPException as refusal:
            if isinstance(refusal, PermissionDeniedException):
                _tell_of(connection, refusal)
            if not isinstance(connection, WebSocket):
                raise
            code = 4000 + refusal.status_code
            raise WebSocketException(detail=refusal.detail, code=code) from refusal

    async def _let_through(self, connection: Connection, handler: BaseRouteHandler) -> None:
        principal = await self._who_asks(connection)
        if handler.opt.get("public") is True:
            connection.scope["user"] = principal
            return
        wanted = handler.opt.get("permission")
        if not isinstance(wanted, str):
            _log.error("handler %s asks for no permission: closed", handler)
            raise PermissionDeniedException
        if principal is None:
            raise NotAuthorizedException("log in first, or send a fresh access token")
        connection.scope["user"] = principal
        if handler.opt.get("paced") is not True:
            self._hold_back(principal)
        if not grants(principal.permissions, wanted):
            raise PermissionDeniedException(f"permission {wanted} is needed")
        sight = _sight_of(principal)
        if not sight.is_whole and handler.opt.get("rows") not in ROWS:
            raise PermissionDeniedException(
                "your account is bound to some airlines or airports, and this tells of all of them"
            )
        see_only(sight)
        client = connection.client
        is_acting(principal.name, None if client is None else client.host)

    def lets_in(self, token: str, wanted: str) -> Principal | None:
        """Give whose bearer token allows something of everybody's; None: ask the guard why not."""
        try:
            principal = self._standing_of(token)
        except TokenError:
            return None
        if principal is None or not grants(principal.permissions, wanted):
            return None
        return principal if _sight_of(principal).is_whole else None

    def _hold_back(self, principal: Principal) -> None:
        wait_s = self._rates.wait_s(principal.key_prefix or principal.user_id)
        if wait_s > 0:
            whose = "API key" if principal.key_prefix else "account"
            raise TooManyRequestsException(
                f"more than {self._rates.most} requests of one {whose} in {WINDOW_S} s",
                headers={"Retry-After": str(math.ceil(wait_s))},
            )

    async def _who_asks(self, connection: Connection) -> Principal | None:
        bearer, api_key = _bearer(connection), connection.headers.get("x-api-key")
        if bearer is None and api_key is None and _is_from_elsewhere(connection):
            raise PermissionDeniedException("requests from other sites' pages are refused")
        if api_key is not None and bearer is None:
            return await self._api_keys.principal(api_key)
        return self._who(bearer or self._cookies.access_token(connection))

    def _who(self, token: str | None) -> Principal | None:
        if token is None:
            return None
        try:
            return self._standing_of(token)
        except TokenError as error:
            _log.info("token refused: %s", error)
            return None

    def _standing_of(self, token: str) -> Principal | None:
        principal = self._keys.verify(token, time.time())
        return None if self._standing.refuses(principal) else principal


def _tell_of(connection: Connection, refusal: PermissionDeniedException) -> None:
    """Tell the security log who was refused what: an address may hold a token, so no address."""
    principal = connection.scope.get("user")
    name = principal.name if isinstance(principal, Principal) else "nobody"
    client = None if connection.client is None else connection.client.host
    tell_refusal(name, client, refusal.detail)


def _bearer(connection: Connection) -> str | None:
    return bearer_of(connection.headers.get("authorization", ""))


def bearer_of(authorization: str) -> str | None:
    """Read the token in a header's value (RFC 6750 §2.1)."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


def _sight_of(principal: Principal) -> Sight:
    return Sight(principal.airlines, principal.stations)


def _is_from_elsewhere(connection: Connection) -> bool:
    """Say whether a request that may change something was sent by another site's page.

    A browser adds cookies by itself, so who sent the request matters. Browsers say so in
    Sec-Fetch-Site (W3C Fetch Metadata), on plain http at least in Origin; a program that sends
    neither holds no cookie of anybody.
    """
    if connection.scope.get("method", "GET") in _SAFE_METHODS:
        return False
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = connection.headers.get("origin")
    if origin is not None:
        return not is_origin_of(origin, connection.headers.get("host"))
    return "cookie" in connection.headers


def is_origin_of(origin: str, host: str | None) -> bool:
    """Say whether an ``Origin`` (RFC 6454 §6.2) is that of this host; "null" is nobody's."""
    return bool(host) and origin.partition("://")[2] == host
