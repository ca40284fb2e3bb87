"""A small reverse proxy: requests by the path they ask for, bytes both ways."""

import asyncio
import contextlib
import re


class Proxy:
    """Sends each connection's request to the first upstream whose pattern its path fits."""

    def __init__(self, routes):
        self._routes = [(re.compile(pattern), port) for pattern, port in routes]
        self.port = None

    @contextlib.asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    def upstream(self, path):
        return next(port for pattern, port in self._routes if pattern.match(path))

    async def _serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            there, out = await asyncio.open_connection("127.0.0.1", self.upstream(path))
            # One request a connection: the next one may be for another service.
            lines = head[:-4].split(b"\r\n")
            kept = [each for each in lines if not each.lower().startswith(b"connection:")]
            out.write(b"\r\n".join([*kept, b"Connection: close", b"", b""]))
            await asyncio.gather(_pipe(reader, out), _pipe(there, writer))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()


async def _pipe(reader, writer):
    with contextlib.suppress(OSError):
        while received := await reader.read(65_536):
            writer.write(received)
            await writer.drain()
    writer.close()
