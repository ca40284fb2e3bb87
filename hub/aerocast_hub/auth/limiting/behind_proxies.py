"""The client and the scheme of a request, as the outermost trusted proxy saw them."""

from collections.abc import Sequence
from typing import NamedTuple

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from aerocast_hub.client_address import Network, client_address, is_trusted


class Forwarded(NamedTuple):
    """What proxies said of a request: header values as they came, first to last."""

    forwarded_for: Sequence[str] = ()
    forwarded_proto: Sequence[str] = ()


class BehindProxies:
    """Tells the rest of the hub who really called, by what trusted proxies say.

    Everything that asks for the client after it (limits, the trail, who may read /metrics) and for
    the scheme (https or not) gets the answer of the outermost trusted proxy.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        tell_who_called(scope, self._trusted)
        await self._app(scope, receive, send)


def tell_who_called(scope: Scope, trusted: Sequence[Network]) -> None:
    """Put the client and the scheme that trusted proxies tell of into a request; twice is once."""
    peer = scope.get("client") if trusted else None
    if peer is None or not is_trusted(peer[0], trusted):
        return
    said = _said(scope)
    scope["client"] = (client_address(peer[0], said.forwarded_for, trusted), 0)
    scheme = said.forwarded_proto[-1].strip().lower() if said.forwarded_proto else ""
    if scope["type"] == ScopeType.HTTP and scheme in ("http", "https"):
        scope["scheme"] = scheme


def _said(scope: Scope) -> Forwarded:
    found: dict[bytes, list[str]] = {b"x-forwarded-for": [], b"x-forwarded-proto": []}
    for name, value in scope["headers"]:
        if name in found:
            found[name].append(value.decode("latin-1"))
    return Forwarded(found[b"x-forwarded-for"], found[b"x-forwarded-proto"])
