"""Answers kept for a moment: many who ask the same at once ask the database once.

They are values of this process, as they are; `aerocast_hub.cache` keeps bytes for several hubs.
"""

import asyncio
import contextvars
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

KEPT_S, LONGEST_S = 1.0, 3.0
MOST_KEPT = 5000

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Remembers the newest answers of one sort.

    Parameters
    ----------
    ask
        Finds an answer.
    kept_s
        How long an answer serves; a second when None.
    serves_former
        Whoever comes later gets the former answer while a new one is on its way, unless it is
        over three seconds old; else they wait for the new one.
    """

    def __init__(
        self,
        ask: Callable[[Key], Awaitable[Value]],
        *,
        kept_s: float | None = None,
        serves_former: bool = False,
    ) -> None:
        self._ask = ask
        self._kept_s = kept_s
        self._serves_former = serves_former
        self._kept: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._coming: dict[Key, asyncio.Task[Value]] = {}
        self._one_at_a_time = asyncio.Lock()  # a burst of questions must not hold up the others

    async def get(self, key: Key) -> Value:
        """Give an answer, newly found or kept."""
        now_s = time.monotonic()
        kept = self._kept.get(key)
        kept_s = KEPT_S if self._kept_s is None else self._kept_s
        if kept is not None and now_s - kept[0] < kept_s:
            return kept[1]
        coming = self._coming.get(key) or self._ask_anew(key, now_s)
        if kept is not None and self._serves_former and now_s - kept[0] < LONGEST_S:
            return kept[1]
        return await asyncio.shield(coming)

    def forget(self, is_outdated: Callable[[Key, Value], bool]) -> None:
        """Forget the answers that are no longer true; those on their way are not kept either."""
        for key, (_, value) in tuple(self._kept.items()):
            if is_outdated(key, value):
                del self._kept[key]
        self._coming.clear()

    def _ask_anew(self, key: Key, now_s: float) -> "asyncio.Task[Value]":
        async def asking() -> Value:
            async with self._one_at_a_time:
                return await self._ask(key)

        # In a context of its own: an answer that others get too is asked for nobody in particular.
        coming = asyncio.create_task(asking(), context=contextvars.Context())
        self._coming[key] = coming

        def keep(done: "asyncio.Task[Value]") -> None:
            has_failed = done.cancelled() or done.exception() is not None
            if self._coming.get(key) is not done:
                return  # forgotten while it was on its way
            del self._coming[key]
            if has_failed:
                self._kept.pop(key, None)
                return
            self._kept[key] = (now_s, done.result())
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

        coming.add_done_callback(keep)
        return coming
