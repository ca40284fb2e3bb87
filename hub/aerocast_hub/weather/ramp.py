"""Whether people can work on the ramp: thunder and wind, from airport reports.

Pure: no database, no clock. A report never replaces a lightning detector: where thunder could go
unnoticed the answer is ``unknown``, never ``open``. The limits are defaults; the operator's own
rule. Sources: FAA and ACRP guides give ranges, no standard (15 min of silence after thunder, about
25 kt to secure loose equipment, 35 kt to stop belt loaders).
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from aerocast_hub.weather.staleness import Freshness, freshness

RampState = Literal["open", "caution", "closed", "unknown"]
RampReason = Literal[
    "fine", "thunder", "thunder_lately", "thunder_near", "storm_clouds", "wind_closed",
    "wind_caution", "no_report", "report_old", "thunder_not_reported", "wind_not_reported",
]  # fmt: skip

MINUTE_US = 60_000_000


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


def ramp(reports: Sequence[RampReport], now_us: int, limits: RampLimits | None = None) -> Ramp:
    """Judge the ramp from the reports of the last hours, in any order."""
    limits = limits or RampLimits()
    newest_first = sorted(
        (each for each in reports if each.observed_at_us <= now_us + 10 * MINUTE_US),
        key=lambda each: each.observed_at_us,
        reverse=True,
    )
    if not newest_first:
        return Ramp(state="unknown", reason="no_report")
    newest = newest_first[0]
    age = freshness(newest.observed_at_us, now_us)
    if age == "expired":
        return Ramp(state="unknown", reason="report_old", observed_at_us=newest.observed_at_us)
    wind_kt = _wind_kt(newest)
    state, reason = _judge(newest_first, now_us, limits, age)
    closed = state == "closed"
    return Ramp(
        state=state,
        reason=reason,
        observed_at_us=newest.observed_at_us,
        since_us=_closed_since_us(newest_first, limits) if closed else None,
        wind_kt=wind_kt if reason in ("wind_closed", "wind_caution") else None,
    )


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


def _closed_since_us(newest_first: Sequence[RampReport], limits: RampLimits) -> int:
    """Go back over the reports that closed it without a pause, the all-clear time included."""
    since_us = newest_first[0].observed_at_us
    for report in newest_first:
        if _closing(report, limits) is not None:
            since_us = report.observed_at_us
        elif since_us - report.observed_at_us > limits.all_clear_min * MINUTE_US:
            break
    return since_us


def _thunders(report: RampReport) -> bool:
    """Say whether it thunders at the field; in the vicinity (``VCTS``) is another matter."""
    return any("TS" in each and not each.startswith("VC") for each in report.weather)


def _wind_kt(report: RampReport) -> float | None:
    known = [each for each in (report.wind_speed_kt, report.wind_gust_kt) if each is not None]
    return max(known, default=None)
