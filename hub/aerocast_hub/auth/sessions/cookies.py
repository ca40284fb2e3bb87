"""The browser's session: the access token in a cookie no script can read.

Over https the cookies are Secure and carry the prefix browsers hold them to (``__Host-``: set by
this very host, for the whole site, Secure). Without it any other host of the same domain could put
a session of its own into the browser: its owner would go on working in somebody else's account.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from aerocast_hub.auth.sessions.issuing import Tokens
from aerocast_hub.auth.sessions.store import SESSION_S
from aerocast_hub.auth.tokens import ACCESS_TOKEN_S

# On plain http, without that promise, the refresh token travels only to where it is used.
RENEWAL_PATH = "/session"
_ACCESS, _RENEWAL = "aerocast_session", "aerocast_renewal"
# Tells the page's script, which cannot see the others, that trying to renew is worth it.
_MARKER = "aerocast_renewable"

Connection = ASGIConnection[Any, Any, Any, Any]


class SessionCookies:
    """Names, sets and reads the session's cookies.

    Parameters
    ----------
    is_https
        The hub is reached by https, by itself or through a proxy.
    """

    def __init__(self, *, is_https: bool) -> None:
        self._secure = is_https
        self._access = f"__Host-{_ACCESS}" if is_https else _ACCESS
        self._sign_in = "__Host-aerocast_sign_in" if is_https else "aerocast_sign_in"
        self._renewal = f"__Host-{_RENEWAL}" if is_https else _RENEWAL
        self._renewal_path = "/" if is_https else RENEWAL_PATH

    def access_token(self, connection: Connection) -> str | None:
        """Read the access token a browser sent."""
        return connection.cookies.get(self._access)

    def refresh_token(self, connection: Connection) -> str | None:
        """Read the refresh token a browser sent."""
        return connection.cookies.get(self._renewal)

    def of(self, tokens: Tokens) -> list[Cookie]:
        """Give the cookies of a session that begins or goes on."""
        return [
            self._cookie(self._access, tokens.access_token, "/", ACCESS_TOKEN_S),
            self._cookie(self._renewal, tokens.refresh_token, self._renewal_path, SESSION_S),
            self._cookie(_MARKER, "1", "/", SESSION_S, is_hidden=False),
        ]

    def renewed(self, access_token: str) -> list[Cookie]:
        """Give the cookie of a session whose owner may do something else from now on."""
        return [self._cookie(self._access, access_token, "/", ACCESS_TOKEN_S)]

    def sign_in(self, state: str, max_age_s: int) -> Cookie:
        """Give the cookie of somebody who is sent to the identity provider; 0 s: they are back."""
        return self._cookie(self._sign_in, state, "/", max_age_s)

    def sign_in_state(self, connection: Connection) -> str | None:
        """Read what somebody who comes back was sent away with."""
        return connection.cookies.get(self._sign_in)

    def ended(self) -> list[Cookie]:
        """Give the cookies that end a session."""
        return [
            self._cookie(self._access, "", "/", 0),
            self._cookie(self._renewal, "", self._renewal_path, 0),
            self._cookie(_MARKER, "", "/", 0, is_hidden=False),
        ]

    def _cookie(
        self, name: str, value: str, path: str, max_age_s: int, *, is_hidden: bool = True
    ) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            path=path,
            max_age=max_age_s,
            secure=self._secure,
            httponly=is_hidden,
            samesite="lax",
        )
