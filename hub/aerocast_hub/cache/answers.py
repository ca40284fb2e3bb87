"""Answers that cost something, made once for all who ask at the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aerocast_hub.cache.keeping import Keeping
from aerocast_hub.database.sight import current_sight

LOOK_EVERY_S = 0.02
LONGEST_MAKING_S = 10.0


class Answers:
    """Remembers answers for their lifetime; many who ask for one let it be made once.

    In this process they wait for one task; of several hubs one makes it, as long as the others see
    it come within ``LONGEST_MAKING_S``. Then they make their own: a hub that died with the lock in
    hand holds nobody up for longer.
    """

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._coming: dict[str, asyncio.Task[bytes]] = {}

    async def remembered(
        self, key: str, lifetime_s: float, make: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        """Give the answer kept under a key, or make it and keep it for ``lifetime_s`` seconds.

        Who sees some rows only shares with those who see the same. Whatever ``make`` raises is
        raised here, for everybody who waits; it is not kept.
        """
        key = f"{current_sight().name}{key}"
        coming = self._coming.get(key)
        if coming is None:
            coming = asyncio.create_task(self._found_or_made(key, lifetime_s, make))
            self._coming[key] = coming
            coming.add_done_callback(lambda _: self._coming.pop(key, None))
        return await asyncio.shield(coming)

    async def _found_or_made(
        self, key: str, lifetime_s: float, make: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        give_up_at_s = time.monotonic() + LONGEST_MAKING_S
        while True:
            if (kept := await self._keeping.get(key)) is not None:
                return kept
            mine = await self._keeping.begin(key, LONGEST_MAKING_S)
            if mine is not None or time.monotonic() > give_up_at_s:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        try:
            # It may have been made between looking and beginning.
            if (kept := await self._keeping.get(key)) is not None:
                return kept
            answer = await make()
            await self._keeping.put(key, answer, lifetime_s)
            return answer
        finally:
            if mine is not None:
                await self._keeping.end(key, mine)
