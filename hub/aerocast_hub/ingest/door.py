"""The short way in for partners' events: what is wholly good does not go the long way round.

Only what would be answered with 200 is answered here, by the same guard, decoder, inbox and bounds.
Everything else, and whatever looks the least bit odd, goes to the application with what was
received of it so far: refusals, errors and the description stay in one place.
"""

import re
from functools import partial
from typing import NamedTuple

import msgspec
from aerocast_protocols.topics import is_name
from litestar.enums import HttpMethod, ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send
from litestar.types.asgi_types import ReceiveMessage

from aerocast_hub.auth.guard import PermissionGuard, bearer_of
from aerocast_hub.auth.limiting.behind_proxies import tell_who_called
from aerocast_hub.client_address import Network
from aerocast_hub.ingest.controller import LARGEST_BODY, PATH, PERMISSION, TOLD, Kept, kept_of
from aerocast_hub.ingest.decoding import decode_report
from aerocast_hub.ingest.reported import Report
from aerocast_hub.ingest.taking import PartnerInbox
from aerocast_hub.telemetry.requests import WatchRequests
from aerocast_hub.web.bounds import Crowd, counted_as, in_time
from aerocast_hub.web.headers import with_security_headers

ROUTE = f"{PATH}/{{site}}"  # as Litestar writes it
_BEFORE_SITE = f"{PATH}/"
_PLAIN_HOST = re.compile(rb"[0-9A-Za-z.:\[\]-]{1,255}")
_JSON = frozenset({b"application/json", b"application/json; charset=utf-8"})
_LOOKED_AT = frozenset(
    {b"authorization", b"content-length", b"content-type", b"host", b"transfer-encoding"}
)


class Head(NamedTuple):
    """What a plain request says before its body.

    Attributes
    ----------
    length
        Of the body, bytes.
    """

    site: str
    token: str
    length: int


class Door:
    """Stands before the application.

    Parameters
    ----------
    app
        What answers everything that is not wholly good.
    trusted
        Networks our own proxies are in.
    body_s
        How long a body may take, seconds.
    """

    def __init__(  # noqa: PLR0913  the application's own parts, each of them shared
        self,
        app: ASGIApp,
        *,
        guard: PermissionGuard,
        inbox: PartnerInbox,
        watch: WatchRequests,
        crowd: Crowd,
        trusted: tuple[Network, ...],
        body_s: float,
    ) -> None:
        self._app = app
        self._guard = guard
        self._inbox = inbox
        self._watch = watch
        self._crowd = crowd
        self._trusted = trusted
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == ScopeType.HTTP and (head := plain_head(scope)) is not None:
            answer = partial(self._answer, head)
            await self._watch.watch(ROUTE, scope, receive, send, answer)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        received = _Received(receive)
        tell_who_called(scope, self._trusted)
        kept = await self._kept(head, scope, received)
        if kept is None:
            await self._app(scope, received.again, send)
            return
        body = msgspec.json.encode(kept)
        headers = [_TYPE, (b"content-length", b"%d" % len(body))]
        headers += _ALWAYS[scope.get("scheme") == "https"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _kept(self, head: Head, scope: Scope, received: "_Received") -> Kept | None:
        """Take a report in; None when there is anything to say against it."""
        principal = self._guard.lets_in(head.token, PERMISSION)
        client = counted_as(scope)
        if principal is None or not is_name(principal.name) or self._crowd.is_full(client):
            return None
        with self._crowd.within(client):
            body = await received.whole(self._body_s, head.length)
            report = None if body is None else decode_report(body)
            if not isinstance(report, Report):
                return None
            told = await self._inbox.take(head.site, principal.name, report)
        kept = kept_of(report, told)
        if kept is None:
            scope["state"][TOLD] = told
        return kept


class _Received:
    """What was received of a request, to be received again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[ReceiveMessage] = []
        self._trouble: HTTPException | None = None

    async def whole(self, body_s: float, length: int) -> bytes | None:
        """Give the body; None when it does not come, or not as long as was said."""
        next_part = in_time(self._receive, body_s)
        parts: list[bytes] = []
        is_whole, so_far = False, 0
        while not is_whole:
            try:
                message = await next_part()
            except HTTPException as error:
                self._trouble = error
                return None
            self._messages.append(message)
            if message["type"] != "http.request":
                return None
            parts.append(message["body"])
            so_far += len(message["body"])
            if so_far > length:
                return None
            is_whole = not message["more_body"]
        return b"".join(parts) if so_far == length else None

    async def again(self) -> ReceiveMessage:
        """Receive the same once more, and then what follows."""
        if self._messages:
            return self._messages.pop(0)
        if self._trouble is not None:
            raise self._trouble
        return await self._receive()


def plain_head(scope: HTTPScope) -> Head | None:
    """Read what a partner's program says before its body; None for anything less plain."""
    path = scope["path"]
    if (
        not path.startswith(_BEFORE_SITE)
        or scope["method"] != HttpMethod.POST
        or scope.get("root_path")
    ):
        return None
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _LOOKED_AT:
            if name in found:
                return None
            found[name] = value
    token = bearer_of(found.get(b"authorization", b"").decode("latin-1"))
    length = found.get(b"content-length", b"")
    site = path.removeprefix(_BEFORE_SITE)
    if (
        token is None
        or b"transfer-encoding" in found
        or not is_name(site)
        or not 1 <= len(length) <= 7
        or not length.isdigit()
        or not 0 < int(length) <= LARGEST_BODY
        or found.get(b"content-type", b"").lower() not in _JSON
        or not _PLAIN_HOST.fullmatch(found.get(b"host", b"-"))
    ):
        return None
    return Head(site, token, int(length))


_TYPE = (b"content-type", b"application/json")
_ALWAYS = {is_https: with_security_headers([], is_https=is_https) for is_https in (False, True)}
