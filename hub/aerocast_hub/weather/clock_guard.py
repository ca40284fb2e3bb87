"""Notices that the hub's clock was set: then nobody knows how old anything is."""

import time
from collections.abc import Callable

STEP_US = 20_000_000
"""A clock that is only steered does not run away from the monotonic one so far, so fast."""


class ClockGuard:
    """Compares the clock with one that nobody sets.

    Parameters
    ----------
    wall_ns, steady_ns
        The two clocks.
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall_ns, self._steady_ns = wall_ns, steady_ns
        self._apart_us = self._apart()
        self._set_at_us: int | None = None

    def set_at_us(self) -> int | None:
        """Look, and say when the clock was set last; None: not since the hub started."""
        apart_us = self._apart()
        if abs(apart_us - self._apart_us) > STEP_US:
            self._set_at_us = self._wall_ns() // 1000
        # Steering, and steps too small to matter one by one, are followed.
        self._apart_us = apart_us
        return self._set_at_us

    def _apart(self) -> int:
        return (self._wall_ns() - self._steady_ns()) // 1000


CLOCK = ClockGuard()
"""This process's."""
