"""What a METAR or SPECI says, with units in the names and None for what it does not say."""

from collections.abc import Iterable
from typing import Literal

import msgspec

Flag = Literal[
    "UNIT_ASSUMED",  # wind without unit, read as knots
    "T_GROUP_MISMATCH",  # remarks contradict the body by over 1 degree: the body counts
    "GLUED",  # groups without the space between them
    "OUT_OF_RANGE",  # an impossible value was left out
    "STALE",  # older than STALE_AFTER_US when read
    "CORRECTED",
    "NIL",  # the station sends no report
]
FlightCategory = Literal["LIFR", "IFR", "MVFR", "VFR"]

METRES_PER_MILE = 1609.344
# Statute miles are given in hundredths at best: 0.995, 2.995 and 5.005 of them.
_ONE_MILE_M, _THREE_MILES_M, _OVER_FIVE_MILES_M = 1601.3, 4820.0, 8054.8
_CEILINGS = frozenset({"BKN", "OVC", "VV"})
STALE_AFTER_US = 75 * 60 * 1_000_000


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """A layer: FEW, SCT, BKN, OVC, VV, or why there is none (SKC, CLR, NSC, NCD, CAVOK).

    Attributes
    ----------
    cover
        None when the station could not see how much.
    base_ft
        Above the aerodrome; None when not reported.
    type
        CB or TCU.
    """

    cover: str | None
    base_ft: int | None = None
    type: str | None = None


class RunwayRange(msgspec.Struct, frozen=True, kw_only=True):
    """Runway visual range; ``range_max_m`` when it varies.

    Attributes
    ----------
    qualifier
        P more than, M less than the instrument can measure (of the upper value when it varies).
    trend
        U up, D down, N none.
    """

    runway: str
    range_m: float
    range_max_m: float | None = None
    qualifier: str | None = None
    trend: str | None = None


class RunwayState(msgspec.Struct, frozen=True, kw_only=True):
    """What lies on a runway, as METARs and the older GOST groups report it.

    Attributes
    ----------
    runway
        ``88`` is all runways, ``99`` a repeated report.
    deposit
        None when not reported, or cleared.
    extent_percent
        At most so much of the runway.
    friction
        Measured, 0 to 0.9; None when only estimated or not reported.
    """

    runway: str
    is_cleared: bool = False
    deposit: str | None = None
    extent_percent: int | None = None
    depth_mm: int | None = None
    friction: float | None = None


class Metar(msgspec.Struct, frozen=True, kw_only=True):
    """A METAR or SPECI; None is not reported.

    Attributes
    ----------
    observed_at_us
        UTC, microseconds since 1970-01-01; None when the present was not given or the time is not
        readable.
    wind_direction_deg
        Where it blows from, degrees true, 0 in calm; or ``VRB``.
    wind_variable_deg
        Between which directions it varies, clockwise.
    visibility_m
        Prevailing, metres; 10000 for 9999 and CAVOK, which mean that or more.
    visibility_qualifier
        M less than, P more than ``visibility_m``.
    minimum_visibility_m
        The lowest in any direction, where given besides the prevailing one.
    ceiling_ft
        Base of the lowest BKN, OVC or VV.
    altimeter_hpa
        QNH.
    flight_category
        From visibility and ceiling; None without visibility.
    trend
        Forecast groups, one text for each of NOSIG, BECMG ..., TEMPO ..., INTER ...
    unparsed
        Groups of the body nobody could read.
    recent_weather
        Groups such as ``RERA``.
    colours
        Military colour states, in the order given.
    """

    station: str
    raw: str
    observed_at_us: int | None = None
    wind_direction_deg: int | Literal["VRB"] | None = None
    wind_speed_kt: float | None = None
    wind_gust_kt: float | None = None
    wind_variable_deg: tuple[int, int] | None = None
    visibility_m: float | None = None
    visibility_qualifier: Literal["M", "P"] | None = None
    minimum_visibility_m: float | None = None
    weather: tuple[str, ...] = ()
    clouds: tuple[Cloud, ...] = ()
    ceiling_ft: int | None = None
    temperature_c: float | None = None
    dew_point_c: float | None = None
    altimeter_hpa: float | None = None
    flight_category: FlightCategory | None = None
    corrected: bool = False
    auto: bool = False
    rvr: tuple[RunwayRange, ...] = ()
    trend: tuple[str, ...] = ()
    unparsed: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    recent_weather: tuple[str, ...] = ()
    runway_states: tuple[RunwayState, ...] = ()
    colours: tuple[str, ...] = ()


def flight_category(visibility_m: float | None, ceiling_ft: int | None) -> FlightCategory | None:
    """Give the category AWC's rule gives; the worse of visibility and ceiling counts."""
    if visibility_m is None:
        return None
    ceiling = 100_000 if ceiling_ft is None else ceiling_ft
    if visibility_m < _ONE_MILE_M or ceiling < 500:
        return "LIFR"
    if visibility_m < _THREE_MILES_M or ceiling < 1000:
        return "IFR"
    return "MVFR" if visibility_m < _OVER_FIVE_MILES_M or ceiling <= 3000 else "VFR"


def ceiling_of(clouds: Iterable[Cloud]) -> int | None:
    """Give the base of the lowest layer that covers more than half the sky, feet."""
    lowest_ft: int | None = None
    for cloud in clouds:
        base_ft = cloud.base_ft
        if base_ft is not None and cloud.cover in _CEILINGS:
            lowest_ft = base_ft if lowest_ft is None or base_ft < lowest_ft else lowest_ft
    return lowest_ft
