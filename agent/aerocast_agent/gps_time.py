"""What trusted GPS fixes say of the time. Pure.

A fix is for an instant before it has been heard: by how much varies with the receiver and its
serial line, so of several fixes the earliest heard is nearest to the truth.
"""

from collections import deque

# Fixes that must agree before one is believed, and how far they may lie apart.
ENOUGH = 3
AGREE_WITHIN_NS = 1_500_000_000
REMEMBERED = 60
# After this long without a fix the machine's own clock may have drifted as far as a fix is late.
BELIEVED_FOR_NS = 3_600_000_000_000


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
