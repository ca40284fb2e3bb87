"""The gateway's clock: time since boot orders everything, wall time is a claim beside it."""

import time
from pathlib import Path
from uuid import UUID

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_ns() -> int:
    """Give nanoseconds since boot, suspend included; never jumps (CLOCK_BOOTTIME)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wall_ns() -> int:
    """Give UTC in nanoseconds since 1970-01-01, as far as this machine knows it."""
    return time.time_ns()


def boot_id() -> bytes:
    """Give the 16 bytes the kernel drew at this boot."""
    return UUID(_BOOT_ID.read_text().strip()).bytes
