"""What must be looked at on the ramp, decided from what was told of it. Pure."""

from aerocast_hub.alerts.conditions import Condition, Kind, Severity
from aerocast_hub.weather.ramp_rule import NOT_FOR_FLIGHT, ToldRamp

_RAMP: dict[str, tuple[Kind, Severity, str]] = {
    "closed": ("ramp_closed", "critical", "the ramp is closed"),
    "unknown": ("ramp_unknown", "warning", "nobody knows whether the ramp is safe"),
    "caution": ("ramp_caution", "info", "work on the ramp needs care"),
}
_RAMP_REASONS = {
    "thunder": "it thunders at the airport",
    "thunder_lately": "it thundered a short time ago",
    "thunder_near": "thunderstorms are near",
    "storm_clouds": "storm clouds over the airport",
    "wind_closed": "wind",
    "wind_caution": "wind",
    "no_report": "there is no weather report",
    "report_old": "the last weather report is old",
    "thunder_not_reported": "the station cannot tell thunder",
    "wind_not_reported": "nobody tells the wind",
    "lightning": "lightning struck near by",
    "lightning_near": "lightning struck in the vicinity",
    "lightning_silent": "no lightning detector is heard",
    "lightning_too_short": "the lightning detector has not listened for long enough",
    "heat": "heat",
    "cold": "cold",
    "clock_set": "the clock was set: nobody knows how old anything is",
}
_PROCEDURES = {
    "prepare": "low-visibility procedures are to be prepared",
    "in_force": "low-visibility procedures are in force",
}


def of_ramp(told: ToldRamp) -> list[Condition]:
    """Give what is wrong at an airport's ramp, as it was told last."""
    found = []
    subject = f"ramp {told.airport}"
    if told.state in _RAMP:
        kind, severity, what = _RAMP[told.state]
        why = _RAMP_REASONS.get(told.reason, told.reason)
        found.append(
            Condition(
                key=f"{kind} {told.airport}",
                kind=kind,
                severity=severity,
                subject=subject,
                reason=f"{told.airport}: {what}: {why}. {NOT_FOR_FLIGHT}",
            )
        )
    if told.procedures in _PROCEDURES:
        found.append(
            Condition(
                key=f"low_visibility {told.airport}",
                kind="low_visibility",
                severity="warning",
                subject=subject,
                reason=f"{told.airport}: {_PROCEDURES[told.procedures]}. {NOT_FOR_FLIGHT}",
            )
        )
    return found
