"""The stream of what happens, as server-sent events (WHATWG HTML §9.2) and over a WebSocket.

A stream begins with an event ``ready``: whoever listens asks for the present state then, after a
pause too, for nothing is sent twice. A listener that does not keep up is told ``behind`` and let
go; it comes back by itself and asks for the present state.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, get, websocket
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Stream
from litestar.response.sse import ServerSentEventMessage

from aerocast_hub.auth.permissions import RULED
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.database.sight import current_sight
from aerocast_hub.events import Event
from aerocast_hub.live.sockets import COME_BACK, TOKEN_ENDED, Listening, tell_until_left
from aerocast_hub.outbox.publish import Publisher, TooSlowError
from aerocast_hub.sight.happenings import may_hear

LONGEST_QUEUE = 256
MayHear = Callable[[Event], Awaitable[bool]]
# Proxies close what is silent for a minute; a browser waits this long before it comes back.
HEARTBEAT_S = 20.0
COME_BACK_MS = 2000
READY, STILL_HERE = '{"ready":true}', '{"still_here":true}'


@get(
    "/live",
    operation_id="FollowEvents",
    tags=["Live"],
    media_type="text/event-stream",
    opt={"permission": "baggage:read"} | RULED,
)
async def follow(
    request: Request[Principal, Any, State],
    database: NamedDependency[Database],
    publisher: NamedDependency[Publisher],
    standing: NamedDependency[Standing],
) -> Stream:
    """Stream committed events as they happen, each a JSON object with its ``kind``.

    The stream ends when the token does: come back with a fresh one.
    """
    return Stream(
        stream(publisher, request.user.expires_at_s, hears(standing, request.user, database)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@websocket("/live/ws", opt={"permission": "baggage:read"} | RULED)
async def follow_by_socket(
    socket: Listening,
    database: NamedDependency[Database],
    publisher: NamedDependency[Publisher],
    standing: NamedDependency[Standing],
) -> None:
    """Tell committed events as they happen, each ``{"id": ..., "event": {...}}``.

    The first message is ``{"ready": true}``, and in silence ``{"still_here": true}`` comes every
    20 seconds. Closed with 1013 who does not keep up, and with 4001 when the token ends.
    """
    await tell_until_left(socket, _tell(socket, publisher, hears(standing, socket.user, database)))


def hears(standing: Standing, who: Principal, database: Database) -> MayHear:
    """Give what decides which events somebody is told: none once their session was ended."""

    async def may(event: Event) -> bool:
        return not standing.is_ended(who.session_id) and await may_hear(database, event)

    return may


async def _tell(socket: Listening, publisher: Publisher, may_hear: MayHear) -> None:
    with publisher.subscribe(LONGEST_QUEUE) as subscription:
        await socket.send_data(READY, mode="text")
        while (left_s := socket.user.expires_at_s - time.time()) > 0:
            try:
                async with asyncio.timeout(min(HEARTBEAT_S, left_s)):
                    published = await subscription.next()
            except TimeoutError:
                if time.time() < socket.user.expires_at_s:
                    await socket.send_data(STILL_HERE, mode="text")
            except TooSlowError:
                await socket.close(code=COME_BACK, reason="behind: come back and ask")
                return
            else:
                if await may_hear(published.event):
                    await socket.send_data(published.as_told(), mode="text")
        await socket.close(code=TOKEN_ENDED, reason="the token is too old")


async def _who_sees_all(_event: Event) -> bool:
    return current_sight().is_whole


async def stream(
    publisher: Publisher, ends_at_s: float, may_hear: MayHear = _who_sees_all
) -> AsyncIterator[bytes]:
    """Give the stream's bytes until ``ends_at_s``, seconds since 1970-01-01, or until it lags."""
    with publisher.subscribe(LONGEST_QUEUE) as subscription:
        yield ServerSentEventMessage(event="ready", data="", retry=COME_BACK_MS).encode()
        while (left_s := ends_at_s - time.time()) > 0:
            try:
                async with asyncio.timeout(min(HEARTBEAT_S, left_s)):
                    published = await subscription.next()
            except TimeoutError:
                yield b": still here\r\n\r\n"
            except TooSlowError:
                yield ServerSentEventMessage(event="behind", data="").encode()
                return
            else:
                if not await may_hear(published.event):
                    continue
                told = msgspec.json.encode(published.event)
                yield ServerSentEventMessage(id=published.id, data=told).encode()
