"""When an engine stopped answering, and when that is worth a word: once for all who wait for it.

A hub has a dozen works that ask the database again and again. While it is away each of them fails
each time, for one reason: the log tells the reason once, then once a minute, and the end. The same
goes for a broker, and for Redis.
"""

import time
from collections.abc import Callable

TOLD_EVERY_S = 60.0
SURE_AFTER_S = 10.0
"""One answer to a question is no end: a database that cannot write still reads."""


class Outage:
    """Remembers since when an engine fails, if it does."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_at_s: float | None = None
        self._failed_at_s = self._told_at_s = 0.0

    @property
    def goes_on(self) -> bool:
        """Say whether the last that is known is a failure."""
        return self._began_at_s is not None

    def failed_within(self, seconds: float) -> bool:
        """Say whether it failed somebody in the last few seconds, and has done nothing since."""
        return self.goes_on and self._clock() - self._failed_at_s < seconds

    def note_failure(self) -> bool:
        """Note that it failed somebody; say whether that is to be told."""
        now_s = self._failed_at_s = self._clock()
        if self._began_at_s is None:
            self._began_at_s = now_s
        elif now_s - self._told_at_s < TOLD_EVERY_S:
            return False
        self._told_at_s = now_s
        return True

    def note_answer(self, *, is_written: bool = True) -> float | None:
        """Note that it did what it was asked; give how long it had failed when that is over."""
        now_s = self._clock()
        if self._began_at_s is None:
            return None
        if not is_written and now_s - self._failed_at_s < SURE_AFTER_S:
            return None
        lasted_s, self._began_at_s = now_s - self._began_at_s, None
        return lasted_s
