"""The gateway's clock: time since boot orders everything, wall time is a claim beside it."""

import ctypes
import time
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from aerocast_protocols.gnss import TimeWindow

from aerocast_agent.gps_time import GpsTime, plausible_window

UNSET, SAVED, HARDWARE, NETWORK, GPS = range(5)
"""How far wall time can be trusted."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
_HARDWARE_CLOCKS = Path("/sys/class/rtc")
_EARLIEST_SANE_NS = 1_735_689_600_000_000_000  # 2025-01-01: an unset clock says 1970 or its build
_UNSYNCHRONISED = 0x0040  # STA_UNSYNC, Linux timex.h
_LOOK_AGAIN_NS = 5_000_000_000

_GPS_ERROR_NS = 500_000_000  # a receiver's and a serial line's delay

_looked: tuple[int, int] | None = None
_gps = GpsTime()


class Claim(NamedTuple):
    """What this machine takes the time for, at one moment.

    Attributes
    ----------
    quality
        ``UNSET`` to ``GPS``.
    error_ns
        Standard deviation of ``wall_ns``; None when nobody knows.
    """

    boot_ns: int
    wall_ns: int
    quality: int
    error_ns: int | None


def boot_ns() -> int:
    """Give nanoseconds since boot, suspend included; never jumps (CLOCK_BOOTTIME)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def claim() -> Claim:
    """Give the best this machine knows: network time, else trusted GPS, else its own clock."""
    now_ns = boot_ns()
    own = _own_quality(now_ns)
    heard_ns = _gps.wall_ns(now_ns) if own < NETWORK else None
    if heard_ns is not None:
        return Claim(now_ns, heard_ns, GPS, _GPS_ERROR_NS)
    return Claim(now_ns, time.time_ns(), own, error_ns() if own == NETWORK else None)


def hear_gps(fix_at_us: int, heard_boot_ns: int) -> None:
    """Take the time of a trusted fix, heard at ``heard_boot_ns``."""
    _gps.hear(fix_at_us * 1000, heard_boot_ns)


def time_window() -> TimeWindow:
    """Say between what instants the present surely lies: a GPS time outside is not believed."""
    from_network = _own_quality(boot_ns()) >= NETWORK
    return plausible_window(time.time_ns() // 1000, from_network=from_network)


def wall_ns() -> int:
    """Give UTC in nanoseconds since 1970-01-01, as far as this machine knows it."""
    return claim().wall_ns


def boot_id() -> bytes:
    """Give the 16 bytes the kernel drew at this boot."""
    return UUID(_BOOT_ID.read_text().strip()).bytes


def quality() -> int:
    """Say how far ``wall_ns`` can be trusted; looked at anew every few seconds."""
    return claim().quality


def _own_quality(now_ns: int) -> int:
    global _looked  # noqa: PLW0603  the machine has one clock
    if _looked is None or now_ns - _looked[0] >= _LOOK_AGAIN_NS:
        synchronised, hardware = _is_synchronised(), _has_hardware_clock()
        _looked = (now_ns, judge(time.time_ns(), synchronised=synchronised, hardware=hardware))
    return _looked[1]


def judge(now_wall_ns: int, *, synchronised: bool, hardware: bool) -> int:
    """Say how far the machine's own clock can be trusted, from what is known of it.

    Parameters
    ----------
    hardware
        A clock with a battery set it at boot; else it went on from what was saved (fake-hwclock,
        systemd-timesyncd), and the time the machine was off is missing.
    """
    if now_wall_ns < _EARLIEST_SANE_NS:
        return UNSET
    if synchronised:
        return NETWORK
    return HARDWARE if hardware else SAVED


def _has_hardware_clock() -> bool:
    """Say whether the kernel set the time from a hardware clock (sysfs-class-rtc, hctosys)."""
    for clock in _HARDWARE_CLOCKS.glob("rtc*/hctosys"):
        try:
            if clock.read_text().strip() == "1":
                return True
        except OSError:  # it went away: ask the next
            continue
    return False


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


def passed_s(*files: Path) -> float:
    """Give a time that has passed for sure: these files, were they there, were written before.

    Call it before they are written again: with the clock of now.
    """
    written = (each.stat().st_mtime for each in files if each.exists())
    return max(_EARLIEST_SANE_NS / 1e9, *written, 0.0)


def error_ns() -> int | None:
    """Give the kernel's estimate of the wall clock's error; None when it has none."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return int(timex.esterror) * 1000 if state >= 0 else None
