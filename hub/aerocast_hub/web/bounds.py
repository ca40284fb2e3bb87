"""What one client may take of the hub: requests at once, time to send a body, words on a socket.

Headers are granian's to bound (`aerocast_hub.serve`), sizes of bodies each route's own
(``request_max_body_size``). Granian has no time limit for a body, none for the number of requests
of one client, and takes socket messages of up to 64 MiB: the first two are here; of the third only
what reaches Python.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from litestar.enums import ScopeType
from litestar.exceptions import ClientException, HTTPException, TooManyRequestsException
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.types.asgi_types import ReceiveMessage, WebSocketCloseEvent, WebSocketDisconnectEvent

from aerocast_hub.client_address import UNKNOWN, limited_as

# The largest body where a route says nothing else: no form and no JSON of ours comes near it.
LARGEST_BODY = 65_536
# A body has a second more for every so many bytes that have come: 80 kbit/s will do.
SLOWEST_BYTES_PER_S = 10_000
# Who listens on a socket says nothing, or a word to keep it open.
LONGEST_SAID = 4096
TOO_LONG = 1009  # RFC 6455 §7.4.1
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?\Z")


class Crowd:
    """How many requests and streams each client has open in this process."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self._open: Counter[str] = Counter()

    def is_full(self, client: str) -> bool:
        """Say whether a client has as many open as it may."""
        return self._open[client] >= self.at_once

    @contextmanager
    def within(self, client: str) -> Iterator[None]:
        """Count one more of a client's while it runs.

        Raises
        ------
        TooManyRequestsException
            The client has as many as it may.
        """
        if self.is_full(client):
            raise TooManyRequestsException(
                f"more than {self.at_once} requests of one client at once",
                headers={"Retry-After": "1"},
            )
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


class Bounded:
    """Refuses what a client wants too much of, and lets go who is too slow."""

    def __init__(self, app: ASGIApp, crowd: Crowd, body_s: float) -> None:
        self._app = app
        self._crowd = crowd
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Raises
        ------
        ClientException
            The host it names can be none, or there are two: addresses are made of it.
        TooManyRequestsException
            The client has as many requests open as it may.
        """
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or not all(map(is_host, hosts)):
            raise ClientException("Host names no host: a name or an address, and perhaps a port")
        with self._crowd.within(counted_as(scope)):
            if scope["type"] == ScopeType.WEBSOCKET:
                await self._app(scope, short_words(receive, send), send)
            elif has_body(scope):
                await self._app(scope, in_time(receive, self._body_s), send)
            else:
                await self._app(scope, receive, send)


@lru_cache(256)  # it is the same one every time
def is_host(said: bytes) -> bool:
    """Say whether a ``Host`` (RFC 9110 §7.2) is a name or an address, and perhaps a port."""
    found = _HOST.match(said)
    return found is not None and int(found[1] or 0) <= 65_535


def counted_as(scope: Scope) -> str:
    """Give what a request's client is counted as."""
    peer = scope.get("client")
    return UNKNOWN if peer is None else limited_as(peer[0])


def has_body(scope: Scope) -> bool:
    """Say whether a request announces a body (RFC 9112 §6.3)."""
    return any(
        name in (b"content-length", b"transfer-encoding") and value != b"0"
        for name, value in scope["headers"]
    )


def in_time(receive: Receive, body_s: float) -> Receive:
    """Give the parts of a body as long as they come fast enough.

    Raises
    ------
    HTTPException
        (When received from.) 408: the body is not there in time.
    ClientException
        (When received from.) The client left in the middle.
    """
    loop = asyncio.get_running_loop()
    until_s = loop.time() + body_s
    is_whole = False

    async def next_part() -> ReceiveMessage:
        nonlocal until_s, is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(until_s):
                message = await receive()
        except TimeoutError:
            raise HTTPException(
                status_code=408,
                detail="the body did not come in time",
                headers={"Connection": "close"},
            ) from None
        if message["type"] == "http.request":
            until_s += len(message["body"]) / SLOWEST_BYTES_PER_S
            is_whole = not message["more_body"]
            return message
        # Nobody is left to answer; but it is no fault of ours, and nothing for the log of errors.
        raise ClientException("the client left before its body was whole")

    return next_part


def short_words(receive: Receive, send: Send) -> Receive:
    """Give what is said on a socket; who says too much at once has left."""

    async def next_word() -> ReceiveMessage:
        message = await receive()
        if message["type"] == "websocket.receive":
            said = message.get("text") or message.get("bytes") or b""
            if len(said) > LONGEST_SAID:
                reason = f"a message of more than {LONGEST_SAID} bytes"
                close: WebSocketCloseEvent = {
                    "type": "websocket.close",
                    "code": TOO_LONG,
                    "reason": reason,
                }
                await send(close)
                left: WebSocketDisconnectEvent = {
                    "type": "websocket.disconnect",
                    "code": TOO_LONG,
                }
                return left
        return message

    return next_word
