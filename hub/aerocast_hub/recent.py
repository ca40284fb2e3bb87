"""Answers kept for a moment: many who ask the same at once ask the database once.

They are values of this process, as they are; `aerocast_hub.cache` keeps bytes for several hubs.
"""

import asyncio
import contextvars
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

KEPT_S, FORMER_S = 1.0, 2.0
MOST_KEPT = 5000

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Together(Generic[Key, Value]):
    """Asks for one answer at a time, or for all that were asked for meanwhile at one go.

    Parameters
    ----------
    ask_all
        Finds the answers; one for every key.
    most
        How many at one go.
    """

    def __init__(
        self, ask_all: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]], most: int
    ) -> None:
        self.most = most
        self._ask_all = ask_all
        self._waiting: dict[Key, asyncio.Future[Value]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, key: Key) -> Value:
        """Find an answer, together with others."""
        found = self._waiting.get(key)
        if found is None:
            found = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_while_any_wait())
        return await asyncio.shield(found)

    async def _ask_while_any_wait(self) -> None:
        while self._waiting:
            keys = tuple(self._waiting)[: self.most]
            waiting = {key: self._waiting.pop(key) for key in keys}
            try:
                found = await self._ask_all(keys)
            except Exception as error:  # noqa: BLE001  whoever waits is told
                for each in waiting.values():
                    each.set_exception(error)
            else:
                for key, each in waiting.items():
                    each.set_result(found[key])
        self._asking = None


class Recent(Generic[Key, Value]):
    """Remembers the newest answers of one sort.

    Parameters
    ----------
    ask
        Finds an answer.
    kept_s
        How long an answer serves; a second when None.
    serves_former
        Whoever comes later gets the former answer while a new one is on its way, unless that one
        should have come `FORMER_S` ago; else they wait for the new one.
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
        # A burst of questions must not hold up the others.
        at_once = ask.most if isinstance(ask, Together) else 1
        self._in_turn = asyncio.Semaphore(at_once)

    async def get(self, key: Key) -> Value:
        """Give an answer, newly found or kept."""
        now_s = time.monotonic()
        kept = self._kept.get(key)
        kept_s = KEPT_S if self._kept_s is None else self._kept_s
        if kept is not None and now_s - kept[0] < kept_s:
            return kept[1]
        coming = self._coming.get(key) or self._ask_anew(key, now_s)
        if kept is not None and self._serves_former and now_s - kept[0] < kept_s + FORMER_S:
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
            async with self._in_turn:
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
