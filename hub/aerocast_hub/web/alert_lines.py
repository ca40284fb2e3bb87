"""Alerts as the operators' pages show them."""

from collections.abc import Iterable, Mapping

from aerocast_hub.alerts.store import Alert
from aerocast_hub.web.views import AlertLine, Tone
from aerocast_hub.web.wording import plate

_TONES: Mapping[str, Tone] = {"critical": "alarm", "warning": "warn"}


def alert_lines(alerts: Iterable[Alert], plates: Mapping[str, str]) -> tuple[AlertLine, ...]:
    """Word alerts.

    Parameters
    ----------
    plates
        Subject of a bag -> its licence plate.
    """
    return tuple(_line(alert, plates) for alert in alerts)


def _line(alert: Alert, plates: Mapping[str, str]) -> AlertLine:
    what, _, name = alert.subject.partition(" ")
    about, link = alert.subject, ""
    if what == "bag":
        known = plates.get(alert.subject)
        about = f"bag {plate(known)}" if known else "a bag of another plate"
        link = f"/bags/{name}" if known else ""
    elif what == "flight":
        about, link = "flight", f"/flights/{name}"
    elif what == "account":
        about, link = "an account", f"/people/{name}"
    return AlertLine(
        alert_id=alert.id,
        kind=alert.kind.replace("_", " "),
        severity=alert.severity,
        tone=_TONES.get(alert.severity, "idle"),
        about=about,
        link=link,
        reason=alert.reason,
        raised_at_us=alert.raised_at_us,
        acknowledged_by=alert.acknowledged_by,
        cleared_at_us=alert.cleared_at_us,
    )
