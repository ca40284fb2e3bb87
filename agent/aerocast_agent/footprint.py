"""What this process takes: memory, threads, processor, and what the machine has left."""

import ctypes
import gc
import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

_ARENA_MAX = -8  # M_ARENA_MAX, malloc.h
_STATUS = Path("/proc/self/status")
_THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")


def keep_small() -> None:
    """Have the C library keep one heap for all threads, and give back what starting up has used.

    Each thread would otherwise get a heap of its own, of which most is never used again.
    """
    gc.collect()
    gc.freeze()
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # glibc; others have no such heaps
        library.mallopt(_ARENA_MAX, 1)
        library.malloc_trim(0)


class Footprint(NamedTuple):
    """Resident memory, threads, share of one core since the last look, disk and temperature."""

    rss_kb: int
    threads: int
    cpu_percent: float
    disk_free_mb: int
    temperature_c: float | None


class Meter:
    """Remembers the processor time at the last look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wall_s = time.monotonic()
        self._cpu_s = _cpu_s()

    def look(self) -> Footprint:
        """Measure now."""
        wall_s, cpu_s = time.monotonic(), _cpu_s()
        passed_s = max(1e-3, wall_s - self._wall_s)
        percent = 100 * (cpu_s - self._cpu_s) / passed_s
        self._wall_s, self._cpu_s = wall_s, cpu_s
        told = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
        return Footprint(
            rss_kb=int(told["VmRSS"].split()[0]),
            threads=int(told["Threads"]),
            cpu_percent=round(percent, 2),
            disk_free_mb=_disk_free_mb(self._folder),
            temperature_c=_temperature_c(),
        )


def _cpu_s() -> float:
    used = os.times()
    return used.user + used.system


def _disk_free_mb(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free // 1_000_000
    except OSError:
        return 0


def _temperature_c() -> float | None:
    try:
        return int(_THERMAL.read_text()) / 1000
    except (OSError, ValueError):
        return None
