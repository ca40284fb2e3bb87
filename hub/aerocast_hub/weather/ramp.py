"""Whether people can work on the ramp: lightning, thunder, wind, heat, cold. Pure.

Every rule says what it found, by which inputs and by whose rule. The worst of them is the ramp's
state: closed, then unknown, then caution, then open. Unknown is never clear: where lightning could
go unnoticed, or a report is missing, nobody is told that the ramp is open. Times are a function of
what was seen, so a restart, the order of arrival and repetition change nothing.
"""

from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from aerocast_hub.weather import lightning
from aerocast_hub.weather.derived import heat_index_c, relative_humidity, wind_chill_c
from aerocast_hub.weather.evidence import (
    MINUTE_US,
    Evidence,
    RampReport,
    Span,
    in_order,
    joined,
    lasts,
)
from aerocast_hub.weather.limits import AirportSettings
from aerocast_hub.weather.ramp_rule import EquipmentState, RampReason, RampState, Rule
from aerocast_hub.weather.ramp_wind import blowing, equipment_states, wind_rule
from aerocast_hub.weather.staleness import STALE_MIN, freshness

_WORST: dict[RampState, int] = {"open": 0, "caution": 1, "unknown": 2, "closed": 3}
_STALE_US = STALE_MIN * MINUTE_US


class Ramp(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the ramp and why.

    Attributes
    ----------
    observed_at_us
        When what decided was observed.
    since_us
        For ``closed``: from when on, UTC microseconds.
    wind_kt
        The wind that decided, gusts counted, knots.
    rules
        Every rule, the one that decided first.
    """

    state: RampState
    reason: RampReason
    observed_at_us: int | None = None
    since_us: int | None = None
    wind_kt: float | None = None
    rules: tuple[Rule, ...] = ()
    equipment: tuple[EquipmentState, ...] = ()


class RampClosure(msgspec.Struct, frozen=True, kw_only=True):
    """A time the ramp was closed, UTC microseconds; ``until_us`` is None while nobody knows."""

    from_us: int
    until_us: int | None = None


def ramp(evidence: Evidence, now_us: int, settings: AirportSettings) -> Ramp:
    """Judge the ramp from what was seen in the last hours."""
    reports = in_order(evidence.reports, now_us)
    struck = _lightning(evidence, now_us, settings)
    watched = struck is not None and struck.state != "unknown"
    rules = [
        _thunder(reports, now_us, settings, watched=watched),
        wind_rule(evidence, reports, now_us, settings),
        *_temperature(reports, now_us, settings),
        *_clock(evidence, now_us, settings),
    ]
    if struck is not None:
        rules.insert(0, struck)
    rules.sort(key=lambda each: -_WORST[each.state])
    worst = rules[0]
    if worst.state == "open":  # told by the report, which everyone can look up
        worst = next(each for each in rules if each.name == "thunder")
    since_us = [each.from_us for each in closures(evidence, now_us, settings)[-1:]]
    wind_kt = worst.inputs.get("wind_kt")
    return Ramp(
        state=worst.state,
        reason=worst.reason,
        observed_at_us=worst.observed_at_us,
        since_us=since_us[0] if since_us and worst.state == "closed" else None,
        wind_kt=wind_kt if isinstance(wind_kt, float) and worst.name == "wind" else None,
        rules=tuple(rules),
        equipment=equipment_states(evidence, reports, now_us, settings),
    )


def closures(evidence: Evidence, now_us: int, settings: AirportSettings) -> list[RampClosure]:
    """Tell when the ramp was closed, as what was seen in the last hours says, earliest first."""
    reports = in_order(evidence.reports, now_us)
    spans = [
        *lightning.closing(evidence.strikes, settings.lightning, now_us),
        *_thundering(reports, now_us, settings),
        *blowing(evidence, reports, settings.wind.closing_kt, now_us, settings),
    ]
    return [RampClosure(from_us=from_us, until_us=until_us) for from_us, until_us in joined(spans)]


def _lightning(evidence: Evidence, now_us: int, settings: AirportSettings) -> Rule | None:
    limits = settings.lightning
    spans = lightning.closing(evidence.strikes, limits, now_us)
    expected = lightning.is_expected(evidence, limits)
    near = lightning.nearest(evidence.strikes, limits, now_us)
    if not expected and near is None:
        return None
    watch = lightning.watch(evidence, limits, now_us)
    state: RampState = "open"
    reason: RampReason = "fine"
    if lasts(spans, now_us):
        state, reason = "closed", "lightning"
    elif expected and watch.state == "silent":
        state, reason = "unknown", "lightning_silent"
    elif expected and watch.state == "too_short":
        state, reason = "unknown", "lightning_too_short"
    elif near is not None:
        state, reason = "caution", "lightning_near"
    struck_us = max((min(each.at_us, now_us) for each in evidence.strikes), default=None)
    return Rule(
        name="lightning",
        state=state,
        reason=reason,
        inputs={
            "nearest_km": None if near is None else near.distance_km,
            "nearest_by": None if near is None else near.source,
            "detectors": watch.state,
            "trouble": watch.trouble,
            "all_clear_min": float(limits.all_clear_min),
        },
        source=limits.source,
        observed_at_us=struck_us if state in ("closed", "caution") else watch.heard_us,
        since_us=spans[-1].from_us if state == "closed" else None,
    )


def _thunder(
    reports: Sequence[RampReport], now_us: int, settings: AirportSettings, *, watched: bool
) -> Rule:
    """Judge what reports say of thunder; a detector that listens makes up for what they miss."""

    def found(state: RampState, reason: RampReason) -> Rule:
        newest = reports[-1] if reports else None
        if watched and state == "unknown":
            state, reason = "open", "fine"
        return Rule(
            name="thunder",
            state=state,
            reason=reason,
            inputs={
                "weather": None if newest is None else " ".join(newest.weather),
                "all_clear_min": float(settings.lightning.all_clear_min),
            },
            source="reports of the airport; never in place of a lightning detector",
            observed_at_us=None if newest is None else newest.observed_at_us,
            since_us=spans[-1].from_us if state == "closed" else None,
        )

    spans = _thundering(reports, now_us, settings)
    if not reports:
        return found("unknown", "no_report")
    newest = reports[-1]
    age = freshness(newest.observed_at_us, now_us)
    if lasts(spans, now_us):
        return found("closed", "thunder" if _thunders(newest) else "thunder_lately")
    if age != "fresh":
        return found("unknown", "report_old")
    return found(*_without_thunder(newest))


def _without_thunder(newest: RampReport) -> tuple[RampState, RampReason]:
    if newest.thunder_unseen:
        return "unknown", "thunder_not_reported"
    if "VCTS" in newest.weather:
        return "caution", "thunder_near"
    return ("caution", "storm_clouds") if newest.storm_clouds else ("open", "fine")


def _thundering(
    reports: Sequence[RampReport], now_us: int, settings: AirportSettings
) -> list[Span]:
    """Tell when reports closed the ramp for thunder.

    A report counts until the next one, and for the all-clear time at least; the newest for as long
    as it may be believed.
    """
    told = []
    for report, later in zip_longest(reports, reports[1:]):
        if report is None or not _thunders(report):
            continue
        until_us = report.observed_at_us + _STALE_US
        if later is not None:
            until_us = min(until_us, later.observed_at_us)
            until_us = max(until_us, report.observed_at_us + settings.lightning.all_clear_us)
        from_us = min(report.observed_at_us, now_us)
        told.append(Span(from_us, None if until_us >= now_us and later is None else until_us))
    return joined([each._replace(until_us=_past(each.until_us, now_us)) for each in told])


def _past(until_us: int | None, now_us: int) -> int | None:
    """Give an end that has been; one to come nobody knows."""
    return None if until_us is None or until_us > now_us else until_us


def _temperature(
    reports: Sequence[RampReport], now_us: int, settings: AirportSettings
) -> list[Rule]:
    """Judge heat and cold; where nobody reports a temperature they say nothing."""
    newest = reports[-1] if reports else None
    if newest is None or newest.temperature_c is None:
        return []
    if freshness(newest.observed_at_us, now_us) != "fresh":
        return []
    limits, warm_c = settings.temperature, newest.temperature_c
    chill_c = None if newest.wind_speed_kt is None else wind_chill_c(warm_c, newest.wind_speed_kt)
    index_c = None
    if newest.dew_point_c is not None:
        index_c = heat_index_c(warm_c, relative_humidity(warm_c, newest.dew_point_c))
    state: RampState = "open"
    reason: RampReason = "fine"
    if (index_c if index_c is not None else warm_c) >= limits.caution_heat_index_c:
        state, reason = "caution", "heat"
    elif (chill_c if chill_c is not None else warm_c) <= limits.caution_wind_chill_c:
        state, reason = "caution", "cold"
    return [
        Rule(
            name="temperature",
            state=state,
            reason=reason,
            inputs={
                "temperature_c": warm_c,
                "heat_index_c": None if index_c is None else round(index_c, 1),
                "wind_chill_c": None if chill_c is None else round(chill_c, 1),
            },
            source=limits.source,
            observed_at_us=newest.observed_at_us,
        )
    ]


def _clock(evidence: Evidence, now_us: int, settings: AirportSettings) -> list[Rule]:
    """Say that nobody knows how old anything is while the hub's clock was set only lately."""
    set_us = evidence.clock_set_us
    if set_us is None or abs(now_us - set_us) >= settings.lightning.all_clear_us:
        return []
    return [
        Rule(
            name="clock",
            state="unknown",
            reason="clock_set",
            source="all-clear times count from when the clock was set",
            observed_at_us=set_us,
        )
    ]


def _thunders(report: RampReport) -> bool:
    """Say whether it thunders at the field; in the vicinity (``VCTS``) is another matter."""
    return any("TS" in each and not each.startswith("VC") for each in report.weather)
