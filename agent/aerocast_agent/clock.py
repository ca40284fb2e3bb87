"""The gateway's clock: time since boot orders everything, wall time is a claim beside it."""

import ctypes
import time
from pathlib import Path
from uuid import UUID

UNSET, SAVED, HARDWARE, NETWORK, GPS = range(5)
"""How far wall time can be trusted."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
_HARDWARE_CLOCK = Path("/sys/class/rtc/rtc0")
_EARLIEST_SANE_NS = 1_735_689_600_000_000_000  # 2025-01-01: an unset clock says 1970 or its build
_UNSYNCHRONISED = 0x0040  # STA_UNSYNC, Linux timex.h
_LOOK_AGAIN_NS = 5_000_000_000

_looked: tuple[int, int] | None = None


def boot_ns() -> int:
    """Give nanoseconds since boot, suspend included; never jumps (CLOCK_BOOTTIME)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wall_ns() -> int:
    """Give UTC in nanoseconds since 1970-01-01, as far as this machine knows it."""
    return time.time_ns()


def boot_id() -> bytes:
    """Give the 16 bytes the kernel drew at this boot."""
    return UUID(_BOOT_ID.read_text().strip()).bytes


def quality() -> int:
    """Say how far ``wall_ns`` can be trusted; looked at anew every few seconds."""
    global _looked  # noqa: PLW0603  the machine has one clock
    now_ns = boot_ns()
    if _looked is None or now_ns - _looked[0] >= _LOOK_AGAIN_NS:
        _looked = (now_ns, judge(wall_ns(), synchronised=_is_synchronised()))
    return _looked[1]


def judge(now_wall_ns: int, *, synchronised: bool) -> int:
    """Say how far a wall clock can be trusted, from what is known of it."""
    if now_wall_ns < _EARLIEST_SANE_NS:
        return UNSET
    if synchronised:
        return NETWORK
    return HARDWARE if _HARDWARE_CLOCK.exists() else SAVED


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux (adjtimex(2)); only what we read is named, the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 256),
    )


def _is_synchronised() -> bool:
    if _SYNCHRONIZED.exists():
        return True
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return False
    return state >= 0 and not timex.status & _UNSYNCHRONISED


def error_ns() -> int | None:
    """Give the kernel's estimate of the wall clock's error; None when it has none."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return int(timex.esterror) * 1000 if state >= 0 else None
