"""What a TAF says of an hour, and the mean of it and a nowcast, each by how good it has been.

The TAF knows what is coming from elsewhere, the nowcast how this station behaves. Their wind is
weighed by their mean square errors, their chances of low visibility by their Brier scores; until
enough of a station's TAFs were verified, by what is usual of TAFs.
"""

from collections.abc import Sequence
from math import atan2, cos, degrees, exp, hypot, log, radians, sin
from typing import Literal

import msgspec
from aerocast_protocols.weather.taf_report import Conditions, TafPeriod
from aerocast_protocols.weather.taf_timeline import period_at

from aerocast_hub.weather.station_history import LOW_VISIBILITY_M

Said = Literal["prevailing", "possible", "no"]
"""Low visibility: it prevails, it may come for a time (TEMPO, INTER, PROB), or nothing is said."""

# Until a station's own TAFs are verified: Annex 3 Att. B wants 5 kt in four cases of five, and
# persistence is that far off after five hours.
USUAL_WIND_SIGMA_KT = 5.0
USUAL_CHANCES: dict[Said, float] = {"prevailing": 0.6, "possible": 0.25, "no": 0.02}
USUAL_BRIER = 0.05
USUAL_CASES = 50  # how many verified cases what is usual weighs as much as
ALIKE = 0.5  # correlation of both forecasts' errors, [0, 1]: they see the same weather
WEAKEST_WIND_KT = 1.0  # below, a mean of winds has no direction


class TafHour(msgspec.Struct, frozen=True, kw_only=True):
    """What a TAF says of an instant."""

    wind_direction_deg: float | None
    wind_speed_kt: float | None
    low_visibility: Said | None


class TafTrust(msgspec.Struct, frozen=True, kw_only=True):
    """How good a station's TAFs have been.

    Attributes
    ----------
    cases
        Verified hours that taught this.
    wind_sigma_kt
        Root mean square error of wind speed.
    chances
        How often visibility was low, by what the TAF said.
    brier
        Of those chances.
    """

    cases: int = 0
    wind_sigma_kt: float = USUAL_WIND_SIGMA_KT
    chances: dict[Said, float] = msgspec.field(default_factory=lambda: dict(USUAL_CHANCES))
    brier: float = USUAL_BRIER


class Wind(msgspec.Struct, frozen=True, kw_only=True):
    """A wind foretold; ``sigma_kt`` of its speed, direction None when variable."""

    direction_deg: float | None
    speed_kt: float
    sigma_kt: float


def taf_hour(periods: Sequence[TafPeriod], at_us: int) -> TafHour | None:
    """Give what a TAF's timeline says of an instant; None outside its validity."""
    period = period_at(periods, at_us)
    if period is None:
        return None
    direction = period.prevailing.wind_direction_deg
    return TafHour(
        wind_direction_deg=None if direction in (None, "VRB") else float(direction),
        wind_speed_kt=period.prevailing.wind_speed_kt,
        low_visibility=_said(period, at_us),
    )


def learn_trust(
    winds: Sequence[tuple[float, float]], said: Sequence[tuple[Said, bool]]
) -> TafTrust:
    """Learn how good a station's TAFs are from what they said and what came.

    Parameters
    ----------
    winds
        Speed foretold and observed, kt.
    said
        What was said of low visibility, and whether it was low.
    """
    errors = sum((told - came) ** 2 for told, came in winds)
    square = (errors + USUAL_CASES * USUAL_WIND_SIGMA_KT**2) / (len(winds) + USUAL_CASES)
    chances: dict[Said, float] = {}
    for word, usual in USUAL_CHANCES.items():
        came_then = [came for each, came in said if each == word]
        chances[word] = (sum(came_then) + USUAL_CASES * usual) / (len(came_then) + USUAL_CASES)
    misses = sum((chances[word] - came) ** 2 for word, came in said)
    return TafTrust(
        cases=max(len(winds), len(said)),
        wind_sigma_kt=float(square**0.5),
        chances=chances,
        brier=(misses + USUAL_CASES * USUAL_BRIER) / (len(said) + USUAL_CASES),
    )


def blend_wind(own: Wind, hour: TafHour | None, trust: TafTrust) -> Wind:
    """Give the mean of both winds, the better one counting for more; the own one without a TAF."""
    if hour is None or hour.wind_speed_kt is None:
        return own
    share = own.sigma_kt**2 / (own.sigma_kt**2 + trust.wind_sigma_kt**2)
    rest = 1.0 - share
    variance = (
        (rest * own.sigma_kt) ** 2
        + (share * trust.wind_sigma_kt) ** 2
        + 2.0 * ALIKE * rest * share * own.sigma_kt * trust.wind_sigma_kt
    )
    return Wind(
        direction_deg=_between(own, hour, share),
        speed_kt=rest * own.speed_kt + share * hour.wind_speed_kt,
        sigma_kt=variance**0.5,
    )


def blend_chance(own: float, own_brier: float, hour: TafHour | None, trust: TafTrust) -> float:
    """Give the mean of both chances' log odds, each by how good it is."""
    if hour is None or hour.low_visibility is None:
        return own
    share = own_brier / max(own_brier + trust.brier, 1e-9)
    told = trust.chances[hour.low_visibility]
    return 1.0 / (1.0 + exp(-((1.0 - share) * _log_odds(own) + share * _log_odds(told))))


def direction_of(east_kt: float, north_kt: float) -> float | None:
    """Give where a wind blows from, degrees; None for hardly any."""
    if not hypot(east_kt, north_kt) >= WEAKEST_WIND_KT:
        return None
    return (degrees(atan2(east_kt, north_kt)) + 180.0) % 360.0


def _said(period: TafPeriod, at_us: int) -> Said | None:
    if period.prevailing.visibility_m is None:
        return None
    if _is_low(period.prevailing):
        return "prevailing"
    covering = [each for each in period.alternatives if each.from_us <= at_us < each.to_us]
    return "possible" if any(_is_low(each.conditions) for each in covering) else "no"


def _is_low(conditions: Conditions) -> bool:
    metres = conditions.visibility_m
    return metres is not None and metres < LOW_VISIBILITY_M


def _between(own: Wind, hour: TafHour, share: float) -> float | None:
    """Turn from one direction towards the other by way of the mean of both winds."""
    if own.direction_deg is None or hour.wind_direction_deg is None:
        return own.direction_deg if hour.wind_direction_deg is None else hour.wind_direction_deg
    towards_taf = radians(hour.wind_direction_deg + 180.0)
    towards = radians(own.direction_deg + 180.0)
    # Of one length: where air comes from is told as well by a weak wind.
    east = (1.0 - share) * sin(towards) + share * sin(towards_taf)
    north = (1.0 - share) * cos(towards) + share * cos(towards_taf)
    return direction_of(10.0 * east, 10.0 * north)


def _log_odds(chance: float) -> float:
    bounded = min(max(chance, 1e-4), 1.0 - 1e-4)
    return log(bounded / (1.0 - bounded))
