"""The stream of what happens, as server-sent events and over a WebSocket.

A stream begins with an event ``ready``: whoever listens asks for the present state then, after a
pause too, for nothing is sent twice.
"""

import asyncio
from functools import partial
from typing import Any

from litestar import Request, get, websocket
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Stream

from aerocast_hub.auth.permissions import RULED
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.database.engine import Database
from aerocast_hub.events.every import Event, kind_of
from aerocast_hub.live.answering import EVENT_STREAM, HEADERS
from aerocast_hub.live.server_sent import HEARTBEAT_S, LONGEST_QUEUE, MayHear, stream
from aerocast_hub.live.sockets import COME_BACK, Listening, tell_until_left
from aerocast_hub.outbox.publish import Publisher, TooSlowError
from aerocast_hub.sight.happenings import may_hear

READY, STILL_HERE = '{"ready":true}', '{"still_here":true}'


@get(
    "/live",
    operation_id="FollowEvents",
    tags=["Live"],
    media_type=EVENT_STREAM,
    opt={"permission": "baggage:read"} | RULED,
)
async def follow(
    request: Request[Principal, Any, State],
    database: NamedDependency[Database],
    publisher: NamedDependency[Publisher],
    standing: NamedDependency[Standing],
) -> Stream:
    """Stream committed events as they happen, each a JSON object with its ``kind``.

    The stream ends when the token does, or its owner was called back: come back with a fresh one.
    """
    told = stream(publisher, standing, request.user, partial(may_hear, database))
    return Stream(told, media_type=EVENT_STREAM, headers=HEADERS)


@get(
    "/live/gateways",
    operation_id="FollowGateways",
    tags=["Live"],
    media_type=EVENT_STREAM,
    opt={"permission": "gateways:read"},
)
async def follow_gateways(
    request: Request[Principal, Any, State],
    publisher: NamedDependency[Publisher],
    standing: NamedDependency[Standing],
) -> Stream:
    """Stream what happens to gateways, as ``/live`` does, for who may see them and no bag."""
    told = stream(publisher, standing, request.user, is_of_a_gateway)
    return Stream(told, media_type=EVENT_STREAM, headers=HEADERS)


@websocket("/live/ws", opt={"permission": "baggage:read"} | RULED)
async def follow_by_socket(
    socket: Listening,
    database: NamedDependency[Database],
    publisher: NamedDependency[Publisher],
    standing: NamedDependency[Standing],
) -> None:
    """Tell committed events as they happen, each ``{"id": ..., "event": {...}}``.

    The first message is ``{"ready": true}``, and in silence ``{"still_here": true}`` comes every
    20 seconds. Closed with 1013 who does not keep up, and with 4001 when the token ends,
    or its owner was called back.
    """
    telling = _tell(socket, publisher, hears(standing, socket.user, database))
    await tell_until_left(socket, telling, standing)


def hears(standing: Standing, who: Principal, database: Database) -> MayHear:
    """Give what decides which events somebody is told: none once they were called back."""

    async def may(event: Event) -> bool:
        return not standing.is_over(who) and await may_hear(database, event)

    return may


async def is_of_a_gateway(event: Event) -> bool:
    """Say whether an event tells of a gateway, and so of no bag."""
    return kind_of(event).startswith("gateway_")


async def _tell(socket: Listening, publisher: Publisher, may_hear: MayHear) -> None:
    with publisher.subscribe(LONGEST_QUEUE) as subscription:
        await socket.send_data(READY, mode="text")
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    published = await subscription.next()
            except TimeoutError:
                await socket.send_data(STILL_HERE, mode="text")
            except TooSlowError:
                await socket.close(code=COME_BACK, reason="behind: come back and ask")
                return
            else:
                if await may_hear(published.event):
                    await socket.send_data(published.as_told(), mode="text")
