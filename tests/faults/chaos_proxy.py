"""A TCP proxy that misbehaves when told: delays, throttles, cuts, resets, swallows. No root."""

import asyncio
import contextlib
import socket
import struct

CHUNK = 16 * 1024
LOOK_EVERY_S = 0.02


class ChaosProxy:
    """Stands before a server of this machine.

    Attributes
    ----------
    delay_s
        Every chunk waits so long, each way.
    bytes_per_s
        Most bytes a second, each way of each connection; None: as fast as they come.
    is_black_hole
        Connections stay open, new ones are taken, and nothing gets through: half-open, as behind a
        dead radio link. What was swallowed is lost; the connections are useless from then on.
    refuses
        New connections are reset at once.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.delay_s = 0.0
        self.bytes_per_s: float | None = None
        self.is_black_hole = False
        self.refuses = False
        self.connections = 0
        self.port = 0
        self._upstream = (host, port)
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.StreamWriter, asyncio.StreamWriter | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut everybody off."""
        if self._server is not None:
            self._server.close()
            self.cut()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def calm(self) -> None:
        """Behave again; connections a black hole has spoilt are cut, as a peer would in the end."""
        self.delay_s, self.bytes_per_s, self.refuses = 0.0, None, False
        if self.is_black_hole:
            self.is_black_hole = False
            self.cut()

    def cut(self) -> None:
        """Close every connection in an orderly way, in the middle of whatever it carried."""
        for writer in self._writers():
            writer.close()

    def reset(self) -> None:
        """Break every connection with RST: what is under way is thrown away."""
        for writer in self._writers():
            opened = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def _writers(self) -> list[asyncio.StreamWriter]:
        return [each for pair in self._open.items() for each in pair if each is not None]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self._open[writer] = None
        try:
            if self.refuses:
                self.reset()
                return
            there, upstream = await asyncio.open_connection(*self._upstream)
            self._open[writer] = upstream
            ways = [
                asyncio.ensure_future(self._carry(reader, upstream)),
                asyncio.ensure_future(self._carry(there, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # the server is down: the caller finds its connection closed
        finally:
            for each in (writer, self._open.pop(writer, None)):
                if each is not None:
                    each.transport.abort() if self.refuses else each.close()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while received := await reader.read(CHUNK):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if self.bytes_per_s is not None:
                await asyncio.sleep(len(received) / self.bytes_per_s)
            if not self.is_black_hole:
                writer.write(received)
                await writer.drain()
