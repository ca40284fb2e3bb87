"""What becomes of alerts."""

from aerocast_hub.events.happened import Happened


class _AlertEvent(Happened, frozen=True, kw_only=True):
    """What became of an alert.

    Attributes
    ----------
    alert_id
        The hub's own id of the alert.
    alert_kind
        What sort of thing is wrong.
    subject
        ``bag <id>``, ``flight <id>``, ``belt <site> <belt>`` or ``ramp <airport>``.
    """

    alert_id: str
    alert_kind: str
    subject: str


class AlertRaised(_AlertEvent, frozen=True, kw_only=True, tag="alert_raised"):
    """Something is wrong."""

    severity: str
    reason: str


class AlertAcknowledged(_AlertEvent, frozen=True, kw_only=True, tag="alert_acknowledged"):
    """Somebody looks after it."""

    by: str


class AlertCleared(_AlertEvent, frozen=True, kw_only=True, tag="alert_cleared"):
    """It is wrong no more."""
