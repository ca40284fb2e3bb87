"""How often a source may be asked, and when one that fails is tried again. Pure."""

import random
from typing import NamedTuple

FIRST_WAIT_S, LONGEST_WAIT_S = 60.0, 900.0
GONE_WAIT_S = 3600.0
FAILURES_TO_OPEN = 5


class TokenBucket:
    """Lets so many requests a minute through, and a few at once.

    Parameters
    ----------
    per_min
        Requests a minute in the long run.
    burst
        Requests at once.
    """

    def __init__(self, per_min: float, burst: int = 5) -> None:
        self._per_s, self._burst = per_min / 60, float(burst)
        self._left, self._at_s = float(burst), 0.0

    def wait_s(self, now_s: float) -> float:
        """Take a token, and say how long to wait until it counts."""
        passed_s = max(0.0, now_s - self._at_s)
        self._left = min(self._burst, self._left + passed_s * self._per_s)
        self._at_s = now_s
        self._left -= 1
        return 0.0 if self._left >= 0 else -self._left / self._per_s


class Failing(NamedTuple):
    """How a source fails.

    Attributes
    ----------
    failures
        In a row.
    is_open
        Failed so often that it only gets a try now and then.
    """

    failures: int = 0
    is_open: bool = False


def failed(before: Failing) -> Failing:
    """Count one more failure."""
    failures = before.failures + 1
    return Failing(failures, failures >= FAILURES_TO_OPEN)


def wait_after(
    failing: Failing, retry_after_s: float | None, *, gone: bool, dice: random.Random
) -> float:
    """Say how long to leave a source alone that failed, seconds.

    1, 2, 4 ... 15 minutes, spread by a quarter; longer where it says so itself, and an hour where
    it says that there is nothing there any more.
    """
    doubled_s = FIRST_WAIT_S * 2.0 ** min(max(0, failing.failures - 1), 10)
    wait_s = min(LONGEST_WAIT_S, doubled_s)
    wait_s *= 0.75 + 0.5 * dice.random()
    if gone:
        wait_s = max(wait_s, GONE_WAIT_S)
    return max(wait_s, min(retry_after_s or 0.0, 24 * 3600.0))
