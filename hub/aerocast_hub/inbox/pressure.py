"""When the inbox asks the gateways to slow down, and for how long. Pure: times are seconds.

Lag is how long the oldest message has waited when its turn comes. Asking starts at one bound and
ends at a lower one, so that a hub near its limit does not change its mind with every transaction.
"""

SLOW_FROM_S, FAST_FROM_S = 2.0, 0.5
SLOW_FROM_BYTES, FAST_FROM_BYTES = 8 * 1024 * 1024, 2 * 1024 * 1024
SHORTEST_WAIT_MS, LONGEST_WAIT_MS = 500, 30_000


class Pressure:
    """Remembers whether the gateways are being asked to slow down."""

    def __init__(self) -> None:
        self.is_high = False

    def observe(self, lag_s: float, waiting_bytes: int) -> int:
        """Take a measure; give how long senders should wait, milliseconds, or 0 when they need not.

        They wait as long as what is there needs to be worked off, as far as lag tells.
        """
        if lag_s >= SLOW_FROM_S or waiting_bytes >= SLOW_FROM_BYTES:
            self.is_high = True
        elif lag_s <= FAST_FROM_S and waiting_bytes <= FAST_FROM_BYTES:
            self.is_high = False
        if not self.is_high:
            return 0
        return int(min(LONGEST_WAIT_MS, max(SHORTEST_WAIT_MS, lag_s * 1000)))
