"""Risks of connections as the operators' pages word them."""

from collections.abc import Mapping

from aerocast_hub.orientation.connection import Cause, CauseKey, Miss
from aerocast_hub.web.views import Tone

ALARM, WARN = 0.5, 0.2

_CAUSES: Mapping[CauseKey, str] = {
    "late_inbound": "inbound flight {} min late",
    "short_connection": "planned {} min below the minimum",
    "ramp_closed": "ramp closed: about {} min",
    "slow_unloading": "unloading {} min slower here",
    "not_seen": "not seen for {} min",
    "long_way": "{} min of way",
    "queues": "{} min of queues",
    "little_time": "{} min to spare",
}


def risk_tone(miss: Miss) -> Tone:
    """Give how loud a risk is shown."""
    if miss.probability >= ALARM:
        return "alarm"
    return "warn" if miss.probability >= WARN else "idle"


def cause_words(cause: Cause | None) -> str:
    """Word what is most to blame for a risk; "" for none."""
    return "" if cause is None else _CAUSES[cause.key].format(cause.minutes)
