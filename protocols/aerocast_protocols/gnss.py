"""A position fix, whichever protocol told it, and what its claim about the time is worth."""

from typing import Literal, NamedTuple

Source = Literal["nmea", "ubx", "gpsd"]
Basis = Literal["satellites", "dead_reckoning", "entered", "simulated"]

WEEK_US = 7 * 86_400 * 1_000_000
# GPS counts weeks in ten bits: a receiver that does not know better is wrong by a multiple of this.
ROLLOVER_US = 1024 * WEEK_US
FEWEST_SATELLITES = 4
LARGEST_TIME_ERROR_NS = 100_000_000


class Fix(NamedTuple):
    """Where and when a receiver says it is; None is unknown.

    Attributes
    ----------
    source
        The protocol it was told in.
    mode
        1 no fix, 2 two-dimensional, 3 three-dimensional.
    fix_at_us
        UTC the receiver claims, microseconds since 1970-01-01: see `doubt_about_time`.
    time_error_ns
        By how much that may be off, by the receiver's own estimate.
    altitude_m
        Above mean sea level.
    track_deg
        Over ground, true, [0, 360).
    basis
        What position and time rest on.
    valid
        Whether the receiver says itself that position, date and time are good.
    """

    source: Source
    mode: int
    fix_at_us: int | None = None
    time_error_ns: int | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    track_deg: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    basis: Basis | None = None
    valid: bool | None = None


class TimeWindow(NamedTuple):
    """Between what instants the present surely lies, both included, microseconds UTC."""

    not_before_us: int
    not_after_us: int


def doubt_about_time(fix: Fix, window: TimeWindow) -> str | None:
    """Say why a fix's time must not set a clock; None when it may.

    The receiver must have a fix from at least four satellites, say itself that it is valid, know
    its time to 100 ms where it says how well it knows it, and claim a time inside the window. A
    window shorter than 1024 weeks also catches a week number that rolled over.
    """
    doubts = (
        (fix.fix_at_us is None, "no date and time"),
        (fix.mode < 2, "no fix"),
        (fix.valid is not True, "not said to be valid"),
        (fix.basis != "satellites", f"rests on {fix.basis or 'nobody knows what'}"),
        ((fix.satellites or 0) < FEWEST_SATELLITES, "fewer than four satellites"),
        ((fix.time_error_ns or 0) > LARGEST_TIME_ERROR_NS, "known to worse than 100 ms"),
    )
    for holds, doubt in doubts:
        if holds:
            return doubt
    return _outside(fix.fix_at_us or 0, window)


def _outside(at_us: int, window: TimeWindow) -> str | None:
    """Say how a time misses the window; None when it lies within."""
    if window.not_before_us <= at_us <= window.not_after_us:
        return None
    for rollovers in (1, 2, -1, -2):
        if window.not_before_us <= at_us + rollovers * ROLLOVER_US <= window.not_after_us:
            return f"{abs(rollovers) * 1024} weeks too {'early' if rollovers > 0 else 'late'}"
    return "too early" if at_us < window.not_before_us else "too late"
