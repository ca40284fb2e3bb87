"""How much one account, or one API key, asks of the hub: bounded in number over some seconds.

A request costs a look into a table of this process; nothing is waited for. With Redis the hubs
tell each other through it, every ``TELL_EVERY_S``, what was asked of each of them (the library
``limits`` counts there), so that an account has its measure of all of them together; without one,
or while it is away, each process counts by itself.
"""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable

from limits import RateLimitItemPerSecond
from limits.aio.storage import Storage
from limits.errors import StorageError

from aerocast_hub.outage import Outage

WINDOW_S = 10
"""Counted over so many seconds: a page that opens asks ten things at once."""
TELL_EVERY_S = 0.5
SMALL_PART = 20
"""Who has asked less than a twentieth of their measure here is not worth telling of."""

_log = logging.getLogger(__name__)


class Rates:
    """Counts the requests of accounts and API keys.

    Parameters
    ----------
    per_s
        How many one may make a second, over ``WINDOW_S`` seconds.
    shared
        Where several hubs count together; None: this process counts alone.
    clock
        UTC seconds.
    """

    def __init__(
        self, per_s: int, shared: Storage | None, clock: Callable[[], float] = time.time
    ) -> None:
        self.most = per_s * WINDOW_S
        self._shared = shared
        self._clock = clock
        self._outage = Outage()
        self._item = RateLimitItemPerSecond(self.most, WINDOW_S, namespace="aerocast/requests")
        self._window = 0
        self._here: Counter[str] = Counter()
        self._told: dict[str, int] = {}
        self._elsewhere: dict[str, int] = {}

    def wait_s(self, who: str) -> float:
        """Count a request and say how long to wait before it may be made; 0: it may be made now."""
        now_s = self._clock()
        window = int(now_s // WINDOW_S)
        if window != self._window:
            self._window = window
            self._here, self._told, self._elsewhere = Counter(), {}, {}
        self._here[who] += 1
        if self._here[who] + self._elsewhere.get(who, 0) <= self.most:
            return 0.0
        return (window + 1) * WINDOW_S - now_s

    async def keep_telling(self) -> None:
        """Tell the other hubs what is asked here, and hear it of them, until cancelled."""
        if self._shared is None:
            return
        while True:
            try:
                await self.tell(self._shared)
            except StorageError as error:
                if self._outage.note_failure():
                    _log.info("requests are counted by this process alone: %s", error)
            await asyncio.sleep(TELL_EVERY_S)

    async def tell(self, shared: Storage) -> None:
        """Tell what was asked here since the last time, and hear what was asked elsewhere.

        Raises
        ------
        StorageError
            What counts does not answer.
        """
        window, told, elsewhere = self._window, self._told, self._elsewhere
        for who, here in list(self._here.items()):
            if here * SMALL_PART < self.most:
                continue
            new = here - told.get(who, 0)
            # Never told twice, though the answer may be lost: somebody would wait for nothing.
            told[who] = here
            key = self._item.key_for(_hidden(who), str(window))
            elsewhere[who] = await shared.incr(key, 2 * WINDOW_S, new) - here


def _hidden(who: str) -> str:
    return hashlib.sha256(who.encode()).hexdigest()[:32]
