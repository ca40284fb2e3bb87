"""Times, ages and figures as pages show them. Unknown is shown as an en dash, never as nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

# In this order: each of them also names some of those after it.
_BROWSERS = (
    *(("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox")),
    *(("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari")),
)
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)
UNKNOWN = "–"  # noqa: RUF001  an en dash is meant


def clock(at_us: int | None, zone: tzinfo = UTC) -> str:
    """Show a time of day: ``14:32``."""
    return UNKNOWN if at_us is None else _at(at_us, zone).strftime("%H:%M")


def clock_s(at_us: int | None) -> str:
    """Show a time of day to the second, UTC: ``14:32:07``."""
    return UNKNOWN if at_us is None else _at(at_us, UTC).strftime("%H:%M:%S")


def seconds(at_us: int | None) -> str:
    """Show what `clock` leaves out: ``:07``."""
    return "" if at_us is None else _at(at_us, UTC).strftime(":%S")


def iso(at_us: int | None) -> str:
    """Write a time for machines: ``2026-07-14T14:32:07Z``."""
    return "" if at_us is None else _at(at_us, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at_us: int | None) -> str:
    """Show a date, UTC: ``14 Jul``."""
    if at_us is None:
        return UNKNOWN
    at = _at(at_us, UTC)
    return f"{at.day} {at:%b}"


def span(seconds: float | None) -> str:
    """Show how long: ``7 s``, ``4 min``, ``3 h``, ``2 d``."""
    if seconds is None:
        return UNKNOWN
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if abs(seconds) < limit:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 86_400)} d"


def later(seconds: float) -> str:
    """Show how much later something was known: ``3 s later``, ``at once``."""
    return "at once" if seconds < 1 else f"{span(seconds)} later"


def iso_minutes(at_us: int) -> str:
    """Write a time as date fields take it, UTC: ``2026-07-14T14:32``."""
    return _at(at_us, UTC).strftime("%Y-%m-%dT%H:%M")


def figure(value: float | None, digits: int = 0, unit: str = "") -> str:
    """Show a number with its unit, a thin space between: ``12 kt``."""
    if value is None:
        return UNKNOWN
    shown = f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "\u2212")
    return f"{shown}\u202f{unit}" if unit else shown


def bearing(degrees: float | None) -> str:
    """Show a direction as aviation does: three digits, 360 for north."""
    if degrees is None:
        return UNKNOWN
    return f"{(round(degrees) - 1) % 360 + 1:03d}°"


def plate(digits: str) -> str:
    """Group a licence plate's ten digits as tags print them: ``0220 123456``."""
    return f"{digits[:4]}\u00a0{digits[4:]}" if len(digits) == 10 else digits


def browser(said: str) -> str:
    """Name a browser by what it calls itself: ``Firefox on Windows``."""
    itself = said.partition("/")[0][:40]
    name = next((name for mark, name in _BROWSERS if mark in said), itself)
    system = next((system for mark, system in _SYSTEMS if mark in said), "")
    return f"{name} on {system}" if name and system else name or "unknown program"


FILTERS: dict[str, Callable[..., Any]] = {
    "clock": clock,
    "clock_s": clock_s,
    "iso": iso,
    "iso_minutes": iso_minutes,
    "later": later,
    "seconds": seconds,
    "day": day,
    "span": span,
    "figure": figure,
    "bearing": bearing,
    "plate": plate,
    "browser": browser,
}


def _at(at_us: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at_us / 1_000_000, zone)
