"""When to try again, and when to give up. Pure."""

from typing import Literal

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 4 * 3600.0
MOST_ATTEMPTS = 15  # the last one nine to fourteen hours after the first

GONE = 410

Verdict = Literal["delivered", "again", "dead"]


def judge(status: int | None, attempts: int) -> Verdict:
    """Decide what becomes of a delivery.

    Parameters
    ----------
    status
        What the receiver answered; None when it did not.
    attempts
        How many there were, this one included.
    """
    if status is not None and 200 <= status < 300:
        return "delivered"
    if status == GONE or attempts >= MOST_ATTEMPTS:
        return "dead"
    return "again"


def wait_s(attempts: int, chance: float) -> float:
    """Say how long to wait after so many attempts, seconds.

    Twice as long each time, a third of it left to chance: receivers that come back are not asked
    by everyone at once.

    Parameters
    ----------
    chance
        0 to 1.
    """
    longest = min(FIRST_WAIT_S * 2.0 ** min(attempts - 1, 32), LONGEST_WAIT_S)
    return longest * (1.0 - chance / 3.0)
