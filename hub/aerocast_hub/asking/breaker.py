"""A circuit breaker: whom nobody reached a few times in a row is left alone for a while. Pure.

Times are monotonic seconds. After the rest one question goes through; its answer decides.
"""

TRIES = 5
REST_S = 5.0


class Breaker:
    """Remembers how asking went."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_until_s = 0.0

    def may_ask(self, now_s: float) -> bool:
        """Say whether a question may go out; after a rest the first one may, and no other."""
        if self._failures < TRIES:
            return True
        if now_s < self._open_until_s:
            return False
        self._open_until_s = now_s + REST_S  # the others wait for what comes of this one
        return True

    def succeeded(self) -> None:
        """Note an answer."""
        self._failures = 0

    def failed(self, now_s: float) -> None:
        """Note that nobody answered."""
        self._failures += 1
        if self._failures >= TRIES:
            self._open_until_s = now_s + REST_S
