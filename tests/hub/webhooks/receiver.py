"""A partner's server: answers as told, and keeps what it got."""

import asyncio
from contextlib import asynccontextmanager
from typing import NamedTuple


class Got(NamedTuple):
    path: str
    headers: dict
    body: bytes


class Receiver:
    def __init__(self):
        self.got = asyncio.Queue()
        self.answers = []  # statuses; 200 when there is none left
        self.port = 0
        self.talking = {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    async def next(self):
        async with asyncio.timeout(60):
            return await self.got.get()

    async def answer(self, reader, writer):
        self.talking[asyncio.current_task()] = writer
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.strip().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines)
                originals = dict(line.split(": ", 1) for line in lines)
                headers |= {name.lower(): value for name, value in originals.items()}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status = self.answers.pop(0) if self.answers else 200
                self.got.put_nowait(Got(first.split(" ")[1], headers, body))
                if status == "hang up":
                    return
                location = "location: http://127.0.0.1:1/\r\n" if status == 302 else ""
                writer.write(
                    f"HTTP/1.1 {status} So\r\n{location}content-length: 0\r\n\r\n".encode()
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def receiving():
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for writer in receiver.talking.values():
            writer.close()
        await asyncio.gather(*receiver.talking)
        await server.wait_closed()
