"""Whether low-visibility procedures are prepared or in force, from reports. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from aerocast_hub.weather.evidence import RampReport, in_order
from aerocast_hub.weather.limits import VisibilityLimits
from aerocast_hub.weather.staleness import freshness

Procedures = Literal["normal", "prepare", "in_force", "unknown"]
_RANK: dict[Procedures, int] = {"normal": 0, "prepare": 1, "in_force": 2}
_US_PER_MIN = 60_000_000


class LowVisibilityState(msgspec.Struct, frozen=True, kw_only=True):
    """The procedures, and what they were judged by.

    Attributes
    ----------
    range_m
        The lowest runway visual range; where none is reported, the visibility.
    """

    procedures: Procedures
    observed_at_us: int | None = None
    range_m: float | None = None
    ceiling_ft: float | None = None
    source: str = ""


def low_visibility(
    reports: Sequence[RampReport], now_us: int, limits: VisibilityLimits
) -> LowVisibilityState:
    """Judge from the reports of the last hours: worse at once, better only after a while.

    Better counts once two reports, or the newest for ``hold_min``, have said so.
    """
    newest_first = in_order(reports, now_us)[::-1]
    if not newest_first:
        return LowVisibilityState(procedures="unknown", source=limits.source)
    newest = newest_first[0]
    judged = _judge(newest, limits)
    if freshness(newest.observed_at_us, now_us) != "fresh" or judged is None:
        return _state("unknown", newest, limits)
    if now_us - newest.observed_at_us < limits.hold_min * _US_PER_MIN and len(newest_first) > 1:
        before = _judge(newest_first[1], limits)
        if before is not None and _RANK[before] > _RANK[judged]:
            judged = before
    return _state(judged, newest, limits)


def _judge(report: RampReport, limits: VisibilityLimits) -> Procedures | None:
    range_m, ceiling_ft = _range_m(report), report.ceiling_ft
    if range_m is None:
        return None
    ceiling_ft = 1e6 if ceiling_ft is None else ceiling_ft
    if range_m < limits.in_force_rvr_m or ceiling_ft < limits.in_force_ceiling_ft:
        return "in_force"
    if range_m <= limits.prepare_rvr_m or ceiling_ft <= limits.prepare_ceiling_ft:
        return "prepare"
    return "normal"


def _range_m(report: RampReport) -> float | None:
    return report.visibility_m if report.rvr_m is None else report.rvr_m


def _state(
    procedures: Procedures, report: RampReport, limits: VisibilityLimits
) -> LowVisibilityState:
    return LowVisibilityState(
        procedures=procedures,
        observed_at_us=report.observed_at_us,
        range_m=_range_m(report),
        ceiling_ft=report.ceiling_ft,
        source=limits.source,
    )
