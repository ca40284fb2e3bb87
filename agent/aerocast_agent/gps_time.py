"""What GPS fixes say of the time, and which of them to believe. Pure.

A fix is for an instant before it has been heard: by how much varies with the receiver and its
serial line, so of several fixes the earliest heard is nearest to the truth.
"""

from collections import deque
from datetime import UTC, datetime

from aerocast_protocols.gnss import ROLLOVER_US, TimeWindow

# No receiver of this release can see an earlier time.
RELEASED_US = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
# A gateway without a clock of its own goes on from when it was switched off; nobody leaves one on a
# shelf for longer. Far less than 1024 weeks, which is what a week number that rolled over adds.
LONGEST_SLEEP_US = 5 * 365 * 86_400_000_000
# Network time and GPS agree, or one of them is broken.
BESIDE_NETWORK_US = 12 * 3_600_000_000
# Fixes that must agree before one is believed, and how far they may lie apart.
ENOUGH = 3
AGREE_WITHIN_NS = 1_500_000_000
REMEMBERED = 60
# After this long without a fix the machine's own clock may have drifted as far as a fix is late.
BELIEVED_FOR_NS = 3_600_000_000_000


def plausible_window(own_us: int, *, from_network: bool) -> TimeWindow:
    """Say between what instants the present surely lies.

    Parameters
    ----------
    own_us
        What the machine's own clock shows, UTC. It may be wrong: behind by as long as the machine
        was off, or anything at all when its battery is empty.
    from_network
        It is kept by NTP, and right.
    """
    if from_network:
        return TimeWindow(own_us - BESIDE_NETWORK_US, own_us + BESIDE_NETWORK_US)
    not_after_us = max(own_us, RELEASED_US) + LONGEST_SLEEP_US
    return TimeWindow(RELEASED_US, min(not_after_us, RELEASED_US + ROLLOVER_US - 1))


class GpsTime:
    """Remembers the last fixes that agree with each other."""

    def __init__(self) -> None:
        self._offsets_ns: deque[int] = deque(maxlen=REMEMBERED)
        self._heard_ns = 0

    def hear(self, fix_at_ns: int, boot_ns: int) -> None:
        """Take a trusted fix: UTC ``fix_at_ns``, heard at ``boot_ns``."""
        offset_ns = fix_at_ns - boot_ns
        if self._offsets_ns and abs(offset_ns - max(self._offsets_ns)) > AGREE_WITHIN_NS:
            self._offsets_ns.clear()  # one of them is wrong: begin anew
        self._offsets_ns.append(offset_ns)
        self._heard_ns = boot_ns

    def wall_ns(self, boot_ns: int) -> int | None:
        """Give UTC at ``boot_ns``; None when too few fixes agree or the last is too old."""
        if len(self._offsets_ns) < ENOUGH or boot_ns - self._heard_ns > BELIEVED_FOR_NS:
            return None
        return boot_ns + max(self._offsets_ns)
