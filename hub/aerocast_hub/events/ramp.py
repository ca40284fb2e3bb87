"""What the weather does to work on the ramp, and to low-visibility procedures."""

from typing import Literal

from aerocast_hub.events.happened import Happened

NOTICE = "Not for flight operations. Ramp limits are the operator's own."


class _RampEvent(Happened, frozen=True, kw_only=True, omit_defaults=False):
    """What became of an airport's ramp.

    Attributes
    ----------
    airport
        ICAO code.
    reason
        As `aerocast_hub.weather.ramp_rule` names it.
    """

    airport: str
    reason: str
    notice: str = NOTICE


class RampClosed(_RampEvent, frozen=True, kw_only=True, tag="ramp_closed"):
    """Nobody may work on the ramp; ``since_us`` is when what closed it was observed."""

    since_us: int


class RampReopened(_RampEvent, frozen=True, kw_only=True, tag="ramp_reopened"):
    """The ramp is open again, or open with caution."""

    state: Literal["open", "caution"]


class RampCautioned(_RampEvent, frozen=True, kw_only=True, tag="ramp_cautioned"):
    """Work on the ramp needs care."""


class RampUnknown(_RampEvent, frozen=True, kw_only=True, tag="ramp_unknown"):
    """Nobody knows any more whether the ramp is safe: a sensor is silent, or a report missing."""


class LowVisibility(Happened, frozen=True, kw_only=True, tag="low_visibility", omit_defaults=False):
    """An airport's low-visibility procedures changed."""

    airport: str
    procedures: Literal["normal", "prepare", "in_force", "unknown"]
    notice: str = NOTICE
