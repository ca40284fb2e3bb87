"""Whether people can work on the ramp: thunder and wind, from airport reports.

Pure: no database, no clock. A report never replaces a lightning detector: where thunder could go
unnoticed the answer is ``unknown``, never ``open``. The limits are defaults; the operator's own
rule. Sources: FAA and ACRP guides give ranges, no standard (15 min of silence after thunder, about
25 kt to secure loose equipment, 35 kt to stop belt loaders).
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Literal

import msgspec

from aerocast_hub.weather.staleness import STALE_MIN, Freshness, freshness

RampState = Literal["open", "caution", "closed", "unknown"]
RampReason = Literal[
    "fine", "thunder", "thunder_lately", "thunder_near", "storm_clouds", "wind_closed",
    "wind_caution", "no_report", "report_old", "thunder_not_reported", "wind_not_reported",
]  # fmt: skip

MINUTE_US = 60_000_000
AHEAD_US = 10 * MINUTE_US  # stations' clocks, and reports ahead of the full hour


class RampLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What closes a ramp; defaults to be set by the airport."""

    caution_wind_kt: float = 25.0
    closing_wind_kt: float = 35.0
    all_clear_min: int = 15


class RampReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an airport report says that matters to the ramp.

    Attributes
    ----------
    weather
        Present weather as reported: ``+TSRA``, ``VCTS``, ``BR``.
    storm_clouds
        Cumulonimbus or towering cumulus reported.
    thunder_unseen
        The station says its thunder sensor is out (``TSNO``).
    """

    observed_at_us: int
    wind_speed_kt: float | None = None
    wind_gust_kt: float | None = None
    weather: tuple[str, ...] = ()
    storm_clouds: bool = False
    thunder_unseen: bool = False


class Ramp(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the ramp and why.

    Attributes
    ----------
    since_us
        For ``closed``: the first of the reports that closed it, UTC microseconds.
    wind_kt
        The wind that decided, gusts counted, knots.
    """

    state: RampState
    reason: RampReason
    observed_at_us: int | None = None
    since_us: int | None = None
    wind_kt: float | None = None


class RampClosure(msgspec.Struct, frozen=True, kw_only=True):
    """A time the ramp was closed, UTC microseconds; ``until_us`` is None while nobody knows."""

    from_us: int
    until_us: int | None = None


def ramp(reports: Sequence[RampReport], now_us: int, limits: RampLimits | None = None) -> Ramp:
    """Judge the ramp from the reports of the last hours, in any order."""
    limits = limits or RampLimits()
    newest_first = _in_order(reports, now_us)[::-1]
    if not newest_first:
        return Ramp(state="unknown", reason="no_report")
    newest = newest_first[0]
    age = freshness(newest.observed_at_us, now_us)
    if age == "expired":
        return Ramp(state="unknown", reason="report_old", observed_at_us=newest.observed_at_us)
    wind_kt = _wind_kt(newest)
    state, reason = _judge(newest_first, now_us, limits, age)
    since_us = [each.from_us for each in closures(reports, now_us, limits)[-1:]]
    return Ramp(
        state=state,
        reason=reason,
        observed_at_us=newest.observed_at_us,
        since_us=since_us[0] if since_us and state == "closed" else None,
        wind_kt=wind_kt if reason in ("wind_closed", "wind_caution") else None,
    )


def closures(
    reports: Sequence[RampReport], now_us: int, limits: RampLimits | None = None
) -> list[RampClosure]:
    """Tell when the ramp was closed, as the reports of the last hours say, earliest first.

    A report closes the ramp until the next one, and thunder for the all-clear time at least; the
    newest for as long as it may be believed.
    """
    limits = limits or RampLimits()
    ordered = _in_order(reports, now_us)
    told: list[RampClosure] = []
    for report, later in zip_longest(ordered, ordered[1:]):
        if report is None or _closing(report, limits) is None:
            continue
        from_us = min(report.observed_at_us, now_us)
        if later is not None:
            until_us = min(later.observed_at_us, now_us)
            if _thunders(report):
                until_us = max(until_us, report.observed_at_us + limits.all_clear_min * MINUTE_US)
        elif freshness(report.observed_at_us, now_us) != "expired":
            until_us = None
        else:
            until_us = report.observed_at_us + STALE_MIN * MINUTE_US
        last = told[-1] if told else None
        if last is not None and last.until_us is not None and from_us <= last.until_us:
            told.pop()
            from_us = last.from_us
            until_us = None if until_us is None else max(until_us, last.until_us)
        told.append(RampClosure(from_us=from_us, until_us=until_us))
    return told


def _judge(
    newest_first: Sequence[RampReport], now_us: int, limits: RampLimits, age: Freshness
) -> tuple[RampState, RampReason]:
    newest = newest_first[0]
    closing = _closing(newest, limits)
    if closing is not None:
        return "closed", closing
    quiet_us = limits.all_clear_min * MINUTE_US
    if any(_thunders(each) and now_us - each.observed_at_us < quiet_us for each in newest_first):
        return "closed", "thunder_lately"
    if age == "stale":
        return "unknown", "report_old"
    return _not_closed(newest, limits)


def _not_closed(newest: RampReport, limits: RampLimits) -> tuple[RampState, RampReason]:
    wind_kt = _wind_kt(newest)
    if "VCTS" in newest.weather:
        return "caution", "thunder_near"
    if newest.storm_clouds:
        return "caution", "storm_clouds"
    if newest.thunder_unseen:
        return "unknown", "thunder_not_reported"
    if wind_kt is None:
        return "unknown", "wind_not_reported"
    if wind_kt >= limits.caution_wind_kt:
        return "caution", "wind_caution"
    return "open", "fine"


def _closing(report: RampReport, limits: RampLimits) -> RampReason | None:
    if _thunders(report):
        return "thunder"
    wind_kt = _wind_kt(report)
    if wind_kt is not None and wind_kt >= limits.closing_wind_kt:
        return "wind_closed"
    return None


def _in_order(reports: Sequence[RampReport], now_us: int) -> list[RampReport]:
    """Sort the reports by time; those from the future, beyond what clocks differ, are left out."""
    known = (each for each in reports if each.observed_at_us <= now_us + AHEAD_US)
    return sorted(known, key=lambda each: each.observed_at_us)


def _thunders(report: RampReport) -> bool:
    """Say whether it thunders at the field; in the vicinity (``VCTS``) is another matter."""
    return any("TS" in each and not each.startswith("VC") for each in report.weather)


def _wind_kt(report: RampReport) -> float | None:
    known = [each for each in (report.wind_speed_kt, report.wind_gust_kt) if each is not None]
    return max(known, default=None)
