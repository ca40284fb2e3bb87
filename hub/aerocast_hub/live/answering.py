"""Answering a request for a stream: with one, or with when to ask instead."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import TooManyRequestsException
from litestar.response import Stream

from aerocast_hub.auth.caller import client_of
from aerocast_hub.live.audience import Audience, FullError, Listener, Shown, stream
from aerocast_hub.live.server_sent import HEARTBEAT_S

EVENT_STREAM = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
ASK_AFTER_S = 30


def answer_stream(
    request: Request[Any, Any, State],
    audience: Audience,
    name: str,
    look: Callable[[Listener], Awaitable[Shown | None]],
    every_s: float = HEARTBEAT_S,
) -> Stream:
    """Answer with a stream of what `look` gives, whenever that changes.

    The query's ``seen``, or the header a browser sends when it comes back, is the mark of what it
    shows already.

    Raises
    ------
    TooManyRequestsException
        There are too many streams.
    """
    client = client_of(request)
    try:
        audience.check_room(client)
    except FullError:
        raise TooManyRequestsException(
            "too many pages are open: ask now and then instead",
            headers={"Retry-After": str(ASK_AFTER_S)},
        ) from None
    seen = request.headers.get("last-event-id") or request.query_params.get("seen") or ""

    async def going_on() -> AsyncIterator[bytes]:
        with audience.listening(name, client) as listener:
            async for chunk in stream(audience, listener, look, seen[:64], every_s):
                yield chunk

    return Stream(going_on(), media_type=EVENT_STREAM, headers=HEADERS)
