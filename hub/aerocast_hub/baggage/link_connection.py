"""A BagMessage session over a TCP connection: stores what comes, sends what there is to send.

What came is acknowledged after its commit. While the database does not answer, nothing is, the
peer is asked to pause, and the session stays alive.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aerocast_protocols.baggage.link_session import (
    Delivered,
    LinkSession,
    LoggedIn,
    LoginRefused,
    News,
    PeerLeft,
    Received,
)
from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.database.engine import is_unable_now
from aerocast_hub.running import end

log = logging.getLogger(__name__)

MOST_WAITING_BYTES = 1_048_576
"""Received and not yet stored; with more of it the peer is not read."""
STORE_AGAIN_S = 1.0
FLUSH_S = 30.0
_PIECE = 65_536

Store = Callable[[Sequence[bytes]], Awaitable[None]]
"""Commits messages; raises ``SQLAlchemyError`` or ``OSError`` when it cannot now."""


class LoginRefusedError(ConnectionError):
    """The peer does not take our password, or we do not take its."""


class Feed(Protocol):
    """What is to be sent to a peer, in order.

    Attributes
    ----------
    woken
        Set when there may be more to send.
    """

    woken: asyncio.Event

    async def next(self) -> bytes | None:
        """Give the next message; the same one until it is delivered. None: nothing now."""

    async def delivered(self) -> None:
        """Remember that the peer has it."""


class LinkConnection:
    """Runs one session, until the connection is lost.

    Parameters
    ----------
    session
        As the side we are.
    store
        Commits what came.
    logged_in
        Called with the peer's application id; gives what to send it.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session: LinkSession,
        store: Store,
        logged_in: Callable[[str], Awaitable[Feed | None]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._session = session
        self._store = store
        self._logged_in = logged_in
        self._feed: Feed | None = None
        self._waiting: deque[Received] = deque()
        self._waiting_bytes = 0
        self._has_more_to_send = True
        self._is_paused = False
        self._has_left = False

    def close(self) -> None:
        """Let the peer go: `run` ends."""
        self._writer.close()

    async def run(self) -> None:
        """Talk until the peer leaves.

        Cancelling it logs off first.

        Raises
        ------
        OSError, ProtocolError
            The connection is lost, or the peer does not follow the protocol.
        """
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while not self._has_left or self._waiting:
                await self._send_next()
                await self._flush()
                self._start(tasks)
                await asyncio.wait(
                    tasks.values(),
                    timeout=self._session.due_in_s(time.monotonic()),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for name in [name for name, task in tasks.items() if task.done()]:
                    await tasks.pop(name)
                self._session.tick(time.monotonic())
        except asyncio.CancelledError:
            self._session.log_off(time.monotonic())
            self._writer.write(self._session.outgoing())  # as far as the peer still listens
            raise
        finally:
            await end(*tasks.values())
            self._writer.close()

    def _start(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        if "read" not in tasks and self._waiting_bytes <= MOST_WAITING_BYTES and not self._has_left:
            tasks["read"] = asyncio.create_task(self._read())
        if "store" not in tasks and self._waiting:
            tasks["store"] = asyncio.create_task(self._store_waiting())
        if "wake" not in tasks and self._feed is not None and not self._has_more_to_send:
            tasks["wake"] = asyncio.create_task(self._wait_for_more(self._feed))

    async def _read(self) -> None:
        received = await self._reader.read(_PIECE)
        if not received:
            raise ConnectionResetError("the peer closed the connection")
        for news in self._session.receive(received, time.monotonic()):
            await self._hear(news)

    async def _hear(self, news: News) -> None:
        if isinstance(news, Received):
            self._waiting.append(news)
            self._waiting_bytes += len(news.data)
        elif isinstance(news, Delivered):
            if self._feed is not None:
                await self._feed.delivered()
            self._has_more_to_send = True
        elif isinstance(news, LoggedIn):
            self._feed = await self._logged_in(news.application)
        elif isinstance(news, LoginRefused):
            await self._flush()
            raise LoginRefusedError(f"login of {news.application!r} refused")
        elif isinstance(news, PeerLeft):
            self._has_left = True

    async def _store_waiting(self) -> None:
        """Store all that waits, in one transaction; again and again until it is stored."""
        some = list(self._waiting)
        is_told = False
        while True:
            try:
                await self._store([each.data for each in some])
                break
            except (SQLAlchemyError, OSError) as error:
                if not is_unable_now(error):
                    log.exception("%d baggage messages wait: they cannot be stored now", len(some))
                elif not is_told:
                    log.warning("%d baggage messages wait: the database does not answer", len(some))
                is_told = True
                self._pause(is_paused=True)
                await self._flush()
                await asyncio.sleep(STORE_AGAIN_S)
        for each in some:
            self._waiting.popleft()
            self._waiting_bytes -= len(each.data)
            if each.message_id is not None:
                self._session.acknowledge(each.message_id, time.monotonic())
        self._pause(is_paused=False)

    def _pause(self, *, is_paused: bool) -> None:
        if is_paused != self._is_paused:
            self._is_paused = is_paused
            self._session.pause(time.monotonic(), is_paused=is_paused)

    async def _send_next(self) -> None:
        if self._feed is None or not self._has_more_to_send or not self._session.can_send:
            return
        self._feed.woken.clear()
        data = await self._feed.next()
        if data is None:
            self._has_more_to_send = False
        else:
            self._session.offer(data, time.monotonic())

    async def _wait_for_more(self, feed: Feed) -> None:
        await feed.woken.wait()
        self._has_more_to_send = True

    async def _flush(self) -> None:
        outgoing = self._session.outgoing()
        if outgoing:
            self._writer.write(outgoing)
            async with asyncio.timeout(FLUSH_S):
                await self._writer.drain()
