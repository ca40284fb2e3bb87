"""Turns at something only one may have at a time: who asks first has it first.

SQLite lets one connection write. Whoever else wants to tries again after pauses that grow to a
tenth of a second (its busy handler), and comes in if nobody writes just then: amid steady writers
there is no end to that. Those of one process queue here instead, and each comes in when it is next.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class NestedTurnError(RuntimeError):
    """A task asks for a turn within its own: it would wait for itself."""


class NoTurnError(TimeoutError):
    """No turn came in time: those before it take too long. Nothing was done."""


class Turns:
    """Gives turns in the order in which they are asked for.

    Who gives up waiting leaves the queue, and a turn ends however its block ends. For tasks of one
    event loop.

    Parameters
    ----------
    within_s
        How long a turn is waited for, seconds.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        # First come, first served, also when some of them are cancelled.
        self._lock = asyncio.Lock()
        self._whose: asyncio.Task[object] | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it until the block ends.

        Raises
        ------
        NestedTurnError
            This task has it already.
        NoTurnError
            None came in time.
        """
        me = asyncio.current_task()
        if self._whose is me:
            raise NestedTurnError("one task writes twice at once: it would wait for itself")
        try:
            async with asyncio.timeout(self._within_s):
                await self._lock.acquire()
        except TimeoutError:
            raise NoTurnError(f"nobody let this write within {self._within_s:g} s") from None
        self._whose = me
        try:
            yield
        finally:
            self._whose = None
            self._lock.release()
