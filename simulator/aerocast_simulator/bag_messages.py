"""A host of a BagMessage network: who logs in gets the messages queued here, in order."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping
from typing import Self

from aerocast_protocols.baggage.link_session import (
    HEARTBEAT_S,
    RESEND_S,
    Delivered,
    LinkSession,
    LoggedIn,
    PeerLeft,
    Received,
    passwords_of,
)
from aerocast_protocols.errors import ProtocolError

_PIECE = 65_536


class BagMessageHost:
    """Serves any number of clients; they share one queue, as the two hosts of a network may.

    Attributes
    ----------
    port
        Where it listens.
    queue
        Messages not yet acknowledged. Hosts given the same queue send each message once.
    delivered
        How many messages were acknowledged.
    received
        What clients sent; acknowledged at once.
    logins, departures
        How many times clients have logged in, and logged off.
    """

    def __init__(
        self,
        passwords: Mapping[str, bytes],
        queue: deque[bytes] | None = None,
        *,
        application: str = "NETWORK",
        heartbeat_s: float = HEARTBEAT_S,
        resend_s: float = RESEND_S,
    ) -> None:
        self.port = 0
        self.queue: deque[bytes] = deque() if queue is None else queue
        self.delivered = 0
        self.received: list[bytes] = []
        self.logins = 0
        self.departures = 0
        self._check = passwords_of(passwords)
        self._application = application
        self._heartbeat_s = heartbeat_s
        self._resend_s = resend_s
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()
        self._offered: dict[LinkSession, bytes] = {}

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Listen; port 0 takes a free one."""
        self._server = await asyncio.start_server(self._accept, host, port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening and cut everybody off."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def send(self, *messages: bytes) -> None:
        """Queue messages."""
        self.queue.extend(messages)
        await self._tell()

    async def sent(self) -> None:
        """Wait until every message queued is acknowledged."""
        async with self._news:
            await self._news.wait_for(lambda: not self.queue)

    async def heard(self, count: int) -> None:
        """Wait until clients have sent so many messages."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.received) >= count)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve in a task of our own: asyncio's would complain of being cancelled."""
        task = asyncio.create_task(self._attend(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (OSError, ProtocolError):
            pass  # it comes back, and gets what it has not acknowledged
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = LinkSession(
            self._application,
            time.monotonic(),
            check=self._check,
            heartbeat_s=self._heartbeat_s,
            resend_s=self._resend_s,
        )
        reading = asyncio.create_task(reader.read(_PIECE))
        queued = asyncio.create_task(self._queued())
        try:
            while True:
                if session.can_send and self.queue:
                    self._offered[session] = self.queue[0]
                    session.offer(self.queue[0], time.monotonic())
                writer.write(session.outgoing())
                await writer.drain()
                await asyncio.wait(
                    {reading, queued} if session.can_send else {reading},
                    timeout=session.due_in_s(time.monotonic()),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if queued.done():
                    queued = asyncio.create_task(self._queued())
                if reading.done():
                    if not await self._hear(session, reading.result()):
                        return
                    reading = asyncio.create_task(reader.read(_PIECE))
                session.tick(time.monotonic())
        finally:
            self._offered.pop(session, None)
            for task in (reading, queued):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await task

    async def _queued(self) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self.queue)

    async def _hear(self, session: LinkSession, received: bytes) -> bool:
        """Act on what a client sent; False when it is gone."""
        for news in session.receive(received, time.monotonic()):
            if isinstance(news, LoggedIn):
                self.logins += 1
            elif isinstance(news, Delivered):
                offered = self._offered.pop(session)
                if self.queue and self.queue[0] is offered:  # else another host delivered it
                    self.queue.popleft()
                    self.delivered += 1
            elif isinstance(news, Received):
                self.received.append(news.data)
                if news.message_id is not None:
                    session.acknowledge(news.message_id, time.monotonic())
            elif isinstance(news, PeerLeft):
                self.departures += 1
                return False
        await self._tell()
        return bool(received)
