"""Telling somebody things over a WebSocket (RFC 6455) who says nothing: both ways of leaving."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

from litestar import WebSocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketDisconnect

from aerocast_hub.auth.tokens import Principal

Listening = WebSocket[Principal, Any, State]

TOKEN_ENDED = 4001
FROM_ELSEWHERE = 4403
COME_BACK = 1013


async def tell_until_left(socket: Listening, telling: Coroutine[object, object, None]) -> None:
    """Open the socket and run ``telling`` until it ends, or whoever listens has left.

    A page of another site may not open it: browsers send cookies along with anybody's request.
    """
    if _is_from_elsewhere(socket):
        telling.close()
        await socket.close(code=FROM_ELSEWHERE, reason="opened by another site's page")
        return
    await socket.accept()
    told, left = asyncio.create_task(telling), asyncio.create_task(_until_left(socket))
    try:
        # Either ends it: one whose network is gone would never answer that we have closed.
        await asyncio.wait({told, left}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        left.cancel()
        await asyncio.gather(told, left, return_exceptions=True)


async def _until_left(socket: Listening) -> None:
    """Wait until they leave; whoever listens says nothing."""
    try:
        while True:
            await socket.receive_data(mode="text")
    except WebSocketDisconnect:
        return


def _is_from_elsewhere(socket: Listening) -> bool:
    origin = socket.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != socket.headers.get("host")
