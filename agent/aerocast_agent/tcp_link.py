"""What every TCP connection of a device needs: a limit to connecting, and a watch on silence."""

import asyncio
import socket

CONNECT_LIMIT_S = 10.0
# A peer that is gone without a word is noticed after this many seconds of silence, plus as many
# unanswered probes at such a distance: 25 s in all.
_IDLE_S, _BETWEEN_S, _PROBES = 10, 5, 3


async def connect(
    host: str, port: int, buffered: int = 65_536
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a device (``OSError``, ``TimeoutError``); the name is looked up each time."""
    async with asyncio.timeout(CONNECT_LIMIT_S):
        reader, writer = await asyncio.open_connection(host, port, limit=buffered)
    keep_alive(writer)
    return reader, writer


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """Let the system notice a peer that is gone without a word."""
    link: socket.socket = writer.get_extra_info("socket")
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_S)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _BETWEEN_S)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
