"""A program on loopback that says its piece to whoever connects, for tests."""

import asyncio
from contextlib import asynccontextmanager


@asynccontextmanager
async def saying(*pieces, hold_open=False):
    """Give the port of a program that hangs up after the last piece, unless ``hold_open``."""
    release = asyncio.Event()

    async def serve(_, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if hold_open:
            await release.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        release.set()
