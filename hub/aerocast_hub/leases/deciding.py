"""Whose turn it is to do what only one hub may do. Pure.

No two machines' clocks are compared. The holder of a lease raises its beat every ``RENEW_EVERY_S``;
a waiting hub measures on its own clock how long the beat has stood still, and takes over what lay
still for ``LIES_STILL_S``. The holder measures on its own clock too, from before it asked for its
last renewal, and stops working after ``HOLDS_S`` without one. The first instant is later than the
second by the difference, however wrong the clocks are, as long as they tick alike.
"""

from typing import Literal, NamedTuple

RENEW_EVERY_S = 2.0
HOLDS_S = 6.0
LIES_STILL_S = 8.0
LOOK_EVERY_S = 1.0

NOBODY = ""
"""As holder: it was laid down in good order, and anybody may take it at once."""


class Lease(NamedTuple):
    """A lease as the database has it."""

    holder: str
    beat: int


class Watched(NamedTuple):
    """A lease held by another, and since when it looks like this (monotonic seconds)."""

    lease: Lease
    since_s: float


Verdict = Literal["take", "wait"]


def look(
    before: Watched | None, lease: Lease | None, me: str, now_s: float
) -> tuple[Watched | None, Verdict]:
    """Say whether a lease may be taken; give what to remember until the next look.

    Parameters
    ----------
    before
        What the last look gave.
    lease
        None when there has never been one.
    """
    if lease is None or lease.holder in (NOBODY, me):
        return None, "take"
    if before is None or before.lease != lease:
        return Watched(lease, now_s), "wait"
    return before, "take" if now_s - before.since_s >= LIES_STILL_S else "wait"


def holds_until_s(renewed_at_s: float) -> float:
    """Give when the holder must have stopped; ``renewed_at_s`` is before it asked for renewal."""
    return renewed_at_s + HOLDS_S
