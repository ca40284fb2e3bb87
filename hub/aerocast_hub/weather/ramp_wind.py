"""What wind does to the ramp and to equipment: the strongest that any source tells. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from aerocast_hub.weather.evidence import (
    MINUTE_US,
    Evidence,
    Hysteresis,
    RampReport,
    Sample,
    Span,
    exceeding,
    joined,
    lasts,
)
from aerocast_hub.weather.limits import AirportSettings, WindLimits
from aerocast_hub.weather.ramp_rule import EquipmentState, Input, RampReason, RampState, Rule
from aerocast_hub.weather.staleness import STALE_MIN, freshness

_STALE_US = STALE_MIN * MINUTE_US


def wind_rule(
    evidence: Evidence, reports: Sequence[RampReport], now_us: int, settings: AirportSettings
) -> Rule:
    """Judge the wind of now, and how long it has been too strong."""
    limits = settings.wind
    wind = _newest_wind(evidence, reports, now_us, settings)
    last = wind or _last_wind(evidence, reports, now_us)

    def found(state: RampState, reason: RampReason, since_us: int | None = None) -> Rule:
        shown = last if state == "closed" else wind
        inputs: dict[str, Input] = {"wind_kt": None, "by": None}
        if shown is not None:
            inputs = {"wind_kt": shown[0].value, "by": shown[1]}
        inputs |= {"caution_kt": limits.caution_kt, "closing_kt": limits.closing_kt}
        at_us = None if shown is None else shown[0].at_us
        return Rule(
            name="wind",
            state=state,
            reason=reason,
            inputs=inputs,
            source=limits.source,
            observed_at_us=at_us,
            since_us=since_us,
        )

    closing = blowing(evidence, reports, limits.closing_kt, now_us, settings)
    if lasts(closing, now_us):
        return found("closed", "wind_closed", closing[-1].from_us)
    if wind is None:
        old = bool(reports) and freshness(reports[-1].observed_at_us, now_us) != "fresh"
        reason: RampReason = "no_report" if not reports else "report_old"
        return found("unknown", reason if not reports or old else "wind_not_reported")
    if lasts(blowing(evidence, reports, limits.caution_kt, now_us, settings), now_us):
        return found("caution", "wind_caution")
    return found("open", "fine")


def _newest_wind(
    evidence: Evidence, reports: Sequence[RampReport], now_us: int, settings: AirportSettings
) -> tuple[Sample, str] | None:
    """Give the strongest wind that is believed now, and who says so."""
    known: list[tuple[Sample, str]] = []
    if reports and freshness(reports[-1].observed_at_us, now_us) == "fresh":
        wind_kt = _wind_kt(reports[-1])
        if wind_kt is not None:
            known.append((Sample(reports[-1].observed_at_us, wind_kt), "report"))
    for source, samples in _local(evidence).items():
        newest = samples[-1]
        if abs(now_us - newest.at_us) <= settings.local_wind_s * 1e6:
            known.append((newest, source))
    return max(known, key=lambda each: (each[0].value, each[0].at_us, each[1]), default=None)


def _last_wind(
    evidence: Evidence, reports: Sequence[RampReport], now_us: int
) -> tuple[Sample, str] | None:
    """Give the wind that was told last, however long ago."""
    known = [
        (Sample(each.observed_at_us, wind_kt), "report")
        for each in reports
        if (wind_kt := _wind_kt(each)) is not None
    ]
    known += [
        (sample, source)
        for source, samples in _local(evidence).items()
        for sample in samples
        if sample.at_us <= now_us
    ]
    return max(known, key=lambda each: (each[0].at_us, each[0].value, each[1]), default=None)


def blowing(
    evidence: Evidence,
    reports: Sequence[RampReport],
    limit_kt: float,
    now_us: int,
    settings: AirportSettings,
) -> list[Span]:
    """Tell when the wind was at a limit by any source."""
    limits: WindLimits = settings.wind
    reported = [
        Sample(each.observed_at_us, wind_kt)
        for each in reports
        if (wind_kt := _wind_kt(each)) is not None
    ]
    rule = Hysteresis(limit_kt, limits.margin_kt, limits.hold_us, _STALE_US)
    spans = exceeding(reported, rule, now_us)
    local = rule._replace(believed_us=round(settings.local_wind_s * 1e6))
    for samples in _local(evidence).values():
        spans += exceeding([each for each in samples if each.at_us <= now_us], local, now_us)
    return joined(spans)


def _local(evidence: Evidence) -> dict[str, list[Sample]]:
    series: dict[str, set[Sample]] = defaultdict(set)
    for each in evidence.winds:
        series[each.source].add(Sample(each.at_us, each.wind_kt))
    return {source: sorted(samples) for source, samples in sorted(series.items())}


def equipment_states(
    evidence: Evidence, reports: Sequence[RampReport], now_us: int, settings: AirportSettings
) -> tuple[EquipmentState, ...]:
    """Say what may be used in this wind."""
    is_known = _newest_wind(evidence, reports, now_us, settings) is not None
    told = []
    for each in settings.equipment:
        spans = blowing(evidence, reports, each.limit_kt, now_us, settings)
        state: Literal["usable", "stopped", "unknown"] = "usable" if is_known else "unknown"
        if lasts(spans, now_us):
            state = "stopped"
        told.append(
            EquipmentState(name=each.name, state=state, limit_kt=each.limit_kt, source=each.source)
        )
    return tuple(told)


def _wind_kt(report: RampReport) -> float | None:
    known = [each for each in (report.wind_speed_kt, report.wind_gust_kt) if each is not None]
    return max(known, default=None)
