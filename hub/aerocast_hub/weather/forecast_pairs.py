"""Forecasts set beside what came: who foretold what, and how good it was.

Every nowcast issued is measured, with everything it was made of, at every hour whose report has
come since.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from aerocast_hub.weather.nowcast_issue import HOURS_AHEAD, NowcastHour, Range, Told
from aerocast_hub.weather.station_history import (
    HOUR_US,
    LOW_VISIBILITY_M,
    MINUTE_US,
    Floats,
    History,
    nearest,
    taken,
)
from aerocast_hub.weather.taf_blend import Said, TafTrust, learn_trust
from aerocast_hub.weather.verification import (
    AmountScores,
    ChanceScores,
    ReliabilityBin,
    coverage,
    reliability,
    score_amounts,
    score_chances,
)

NEAR_ENOUGH_US = 31 * MINUTE_US  # hourly reports: one is never farther
WINDY_KT = 5.0  # below, nobody cares where it blows from, and reports say VRB

FORECASTERS: Mapping[str, Callable[[NowcastHour], Told | None]] = {
    "forecast": lambda hour: hour.forecast,
    "nowcast": lambda hour: hour.nowcast,
    "taf": lambda hour: hour.taf,
    "persistence": lambda hour: hour.persistence,
    "climatology": lambda hour: hour.climatology,
}
"""Everyone who is measured, by name; ``forecast`` is the blend that is published."""


class LeadVerification(msgspec.Struct, frozen=True, kw_only=True):
    """How good what was foretold of one hour ahead was, by forecaster.

    Attributes
    ----------
    wind_direction
        Degrees, where both the wind foretold and that observed had a direction, above 5 kt.
    temperature_coverage, wind_speed_coverage
        The share of outcomes from the 10th to the 90th percentile foretold: 0.8 is right.
    """

    lead_h: int
    temperature: dict[str, AmountScores]
    wind_speed: dict[str, AmountScores]
    wind_direction: dict[str, AmountScores]
    low_visibility: dict[str, ChanceScores]
    temperature_coverage: float | None
    wind_speed_coverage: float | None


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """How good a station's forecasts were: by hours ahead, and how reliable its chances."""

    leads: list[LeadVerification]
    reliability: list[ReliabilityBin]


def score(hours: Sequence[NowcastHour], history: History) -> Scores:
    """Score hours foretold by what was reported; those not yet reported are left out."""
    chosen = {lead: [each for each in hours if each.lead_h == lead] for lead in HOURS_AHEAD}
    seen = _low(_came(hours, history, "visibility_m"))
    return Scores(
        leads=[_lead(lead, each, history) for lead, each in chosen.items() if each],
        reliability=reliability(_told(hours, "forecast", "low_visibility"), seen),
    )


def trust_in_taf(hours: Sequence[NowcastHour], history: History) -> TafTrust:
    """Learn how good a station's TAFs were."""
    with_taf = [each for each in hours if each.taf is not None]
    speed = _told(with_taf, "taf", "wind_speed_kt")
    came = _came(with_taf, history, "wind_speed_kt")
    known = ~np.isnan(speed + came)
    winds = list(zip(speed[known].tolist(), came[known].tolist(), strict=True))
    low = _low(_came(with_taf, history, "visibility_m")).tolist()
    said: list[tuple[Said, bool]] = [
        (hour.taf_said, happened == 1.0)
        for hour, happened in zip(with_taf, low, strict=True)
        if hour.taf_said is not None and happened in {0.0, 1.0}
    ]
    return learn_trust(winds, said)


def _lead(lead_h: int, hours: Sequence[NowcastHour], history: History) -> LeadVerification:
    temperature = _came(hours, history, "temperature_c")
    speed = _came(hours, history, "wind_speed_kt")

    def told(name: str) -> dict[str, Floats]:
        return {who: _told(hours, who, name) for who in FORECASTERS}

    chances = told("low_visibility")
    chances["calibrated_persistence"] = _column([each.calibrated_persistence for each in hours])
    return LeadVerification(
        lead_h=lead_h,
        temperature=score_amounts(told("temperature_c"), temperature),
        wind_speed=score_amounts(told("wind_speed_kt"), speed),
        wind_direction=_directions(told("wind_direction_deg"), hours, history),
        low_visibility=score_chances(chances, _low(_came(hours, history, "visibility_m"))),
        temperature_coverage=_coverage([each.temperature_range for each in hours], temperature),
        wind_speed_coverage=_coverage([each.wind_speed_range for each in hours], speed),
    )


def _directions(
    told: Mapping[str, Floats], hours: Sequence[NowcastHour], history: History
) -> dict[str, AmountScores]:
    """Score directions by how far they turned from the one observed, the short way round."""
    east, north = (_came(hours, history, name) for name in ("wind_east_kt", "wind_north_kt"))
    observed = np.degrees(np.arctan2(east, north)) + 180.0
    observed = np.where(np.hypot(east, north) > WINDY_KT, observed, np.nan)
    turned = {who: (each - observed + 180.0) % 360.0 - 180.0 for who, each in told.items()}
    return score_amounts(turned, np.zeros(len(hours)))


def _coverage(ranges: Sequence[Range | None], came: Floats) -> float | None:
    low = _column([None if each is None else each.low for each in ranges])
    high = _column([None if each is None else each.high for each in ranges])
    return coverage(low, high, came)


def _came(hours: Sequence[NowcastHour], history: History, name: str) -> Floats:
    """Give what the report nearest to each hour foretold says; never one known at the issue."""
    valid_us = np.array([each.valid_at_us for each in hours], dtype=np.int64)
    issued_us = valid_us - np.array([each.lead_h for each in hours], dtype=np.int64) * HOUR_US
    at = nearest(history.at_us, valid_us, NEAR_ENOUGH_US)
    if len(history.at_us):
        at = np.where(history.at_us[at] > issued_us, at, -1)
    column: Floats = getattr(history, name)
    return taken(column, at)


def _told(hours: Sequence[NowcastHour], who: str, name: str) -> Floats:
    said = [FORECASTERS[who](each) for each in hours]
    return _column([None if each is None else getattr(each, name) for each in said])


def _low(visibility_m: Floats) -> Floats:
    return np.where(np.isnan(visibility_m), np.nan, visibility_m < LOW_VISIBILITY_M)


def _column(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
