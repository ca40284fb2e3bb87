"""What a rule of the ramp finds."""

from typing import Literal

import msgspec

NOT_FOR_FLIGHT = "Not for flight operations. Ramp limits are the operator's own."

RampState = Literal["open", "caution", "closed", "unknown"]
RampReason = Literal[
    "fine", "thunder", "thunder_lately", "thunder_near", "storm_clouds", "wind_closed",
    "wind_caution", "no_report", "report_old", "thunder_not_reported", "wind_not_reported",
    "lightning", "lightning_near", "lightning_silent", "lightning_too_short", "heat", "cold",
    "clock_set",
]  # fmt: skip
RuleName = Literal["lightning", "thunder", "wind", "temperature", "clock"]
Input = str | float | None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule finds.

    Attributes
    ----------
    inputs
        What it was judged by, with units in the names.
    source
        Whose limits they are.
    observed_at_us
        When what decided was observed.
    since_us
        For ``closed``: from when on.
    """

    name: RuleName
    state: RampState
    reason: RampReason
    inputs: dict[str, Input] = {}
    source: str = ""
    observed_at_us: int | None = None
    since_us: int | None = None


class EquipmentState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether something may be used in this wind; the same hysteresis as for the ramp."""

    name: str
    state: Literal["usable", "stopped", "unknown"]
    limit_kt: float
    source: str


class ToldRamp(msgspec.Struct, frozen=True, kw_only=True):
    """What was told last of an airport's ramp and low-visibility procedures.

    Attributes
    ----------
    since_us
        When the state was told first.
    """

    airport: str
    state: str
    reason: str
    since_us: int
    procedures: str
    notice: str = NOT_FOR_FLIGHT
