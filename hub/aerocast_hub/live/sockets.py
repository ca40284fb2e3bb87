"""Telling somebody things over a WebSocket (RFC 6455) who says nothing: both ways of leaving."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from litestar import WebSocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketDisconnect

from aerocast_hub.auth.guard import is_origin_of
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import Principal
from aerocast_hub.running import end

Listening = WebSocket[Principal, Any, State]

TOKEN_ENDED = 4001
FROM_ELSEWHERE = 4403
COME_BACK = 1013


async def tell_until_left(
    socket: Listening, telling: Coroutine[object, object, None], standing: Standing
) -> None:
    """Open the socket and run ``telling`` until it ends, or whoever listens has left.

    Closed with 4001 once they may be told nothing more: their token's time is up, or they were
    called back. A page of another site may not open it: browsers send cookies along with
    anybody's request.
    """
    if _is_from_elsewhere(socket):
        telling.close()
        await socket.close(code=FROM_ELSEWHERE, reason="opened by another site's page")
        return
    await socket.accept()
    over = asyncio.Event()
    tasks = [asyncio.create_task(each) for each in (telling, _until_left(socket), over.wait())]
    with standing.watching(socket.user, over.set):
        try:
            # Any ends it: one whose network is gone would never answer that we have closed.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            is_told, has_left, _ = (each.done() for each in tasks)
            await end(*tasks)
    if not (is_told or has_left):
        await socket.close(code=TOKEN_ENDED, reason="the token is good no more")


async def _until_left(socket: Listening) -> None:
    """Wait until they leave; whoever listens says nothing."""
    try:
        while True:
            await socket.receive_data(mode="text")
    except WebSocketDisconnect:
        return


def _is_from_elsewhere(socket: Listening) -> bool:
    origin = socket.headers.get("origin")
    return origin is not None and not is_origin_of(origin, socket.headers.get("host"))
