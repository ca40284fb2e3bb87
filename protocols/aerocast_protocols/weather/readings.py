"""What single groups say, once it is known of which kind they are.

Each reader takes the match of its pattern in `groups` and gives a `Meaning`; None when the group
only looks like one.
"""

import re
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from aerocast_protocols.weather.metar_report import (
    METRES_PER_MILE,
    Cloud,
    Flag,
    RunwayRange,
    RunwayState,
)

METRES_PER_FOOT = 0.3048
HPA_PER_INCH = 33.8639
_KNOTS = {"KT": 1.0, "KTS": 1.0, "MPS": 3600 / 1852, "KMH": 1000 / 1852, None: 1.0}
_DEPOSITS: dict[str, str | None] = {
    # WMO code table 0919
    "0": "dry", "1": "damp", "2": "wet", "3": "rime", "4": "dry snow", "5": "wet snow",
    "6": "slush", "7": "ice", "8": "compacted snow", "9": "frozen ruts", "/": None,
}  # fmt: skip


class Wind(NamedTuple):
    """The wind group."""

    direction_deg: int | Literal["VRB"] | None
    speed_kt: float | None
    gust_kt: float | None


class Visibility(NamedTuple):
    """A visibility group."""

    metres: float
    qualifier: Literal["M", "P"] | None


class ExtremeGroup(NamedTuple):
    """A highest (TX) or lowest (TN) temperature, and its time as far as the group tells it."""

    kind: Literal["TX", "TN"] | None
    temperature_c: float
    day: int | None
    hour: int


class Meaning(NamedTuple):
    """What a group says.

    Attributes
    ----------
    slot
        What it speaks of: ``wind``, ``visibility``, ``weather`` ...; ``unparsed`` if nobody knows.
    value
        What it says of that, never None; in a tuple what may be said several times; the parts of
        ``several``.
    flag
        What the reader should know besides.
    """

    slot: str
    value: object
    flag: Flag | None = None


# Understood and of no use here, or says that something is missing.
KNOWN: Final = Meaning("known", "")


def wind(found: re.Match[str]) -> Meaning | None:
    """Read wind, with or without a unit; north is 360."""
    direction, speed, gust, unit = found.groups()
    if unit is None and (int(direction) > 360 or direction[2] != "0"):
        return None  # five digits that are no wind
    flag: Flag | None = "UNIT_ASSUMED" if unit is None else None
    degrees: int | Literal["VRB"] | None
    degrees = "VRB" if direction == "VRB" else None if direction == "///" else int(direction)
    speed_kt, gust_kt = _knots(speed, unit), _knots(gust, unit)
    if degrees == 0 and speed_kt:
        degrees, flag = "VRB", "OUT_OF_RANGE"  # north is 360: as AWC reads it
    if isinstance(degrees, int) and degrees > 360:
        degrees, flag = None, "OUT_OF_RANGE"
    if speed_kt is not None and speed_kt > 250:
        speed_kt, flag = None, "OUT_OF_RANGE"
    if gust_kt is not None and gust_kt > 250:
        gust_kt, flag = None, "OUT_OF_RANGE"
    return Meaning("wind", Wind(degrees, speed_kt, gust_kt), flag)


def _knots(digits: str | None, unit: str | None) -> float | None:
    return None if digits is None or "/" in digits else round(int(digits) * _KNOTS[unit], 1)


def variable(found: re.Match[str]) -> Meaning | None:
    """Read the directions it varies between."""
    between = int(found[1]), int(found[2])
    return Meaning("variable", between) if max(between) <= 360 else None


def miles(found: re.Match[str]) -> Meaning | None:
    """Read statute miles; the ones may stand before them."""
    qualifier, whole, numerator, denominator = found.groups()
    above, below = int(numerator or 0), int(denominator or 1)
    if below == 0 or not numerator:
        return Meaning("broken_miles", found[0]) if not numerator else None
    ones = int(whole or 0)
    if denominator and above >= below and len(numerator) == 2 and not whole:
        ones, above = divmod(above, 10)  # 11/2SM is 1 1/2
    seen = Visibility(round((ones + above / below) * METRES_PER_MILE, 1), _qualifier(qualifier))
    return Meaning("visibility" if whole or not denominator else "broken_miles", seen)


def metres(found: re.Match[str]) -> Meaning:
    """Read metres; 9999 is 10 km or more."""
    metres = int(found[2])
    return Meaning(
        "visibility", Visibility(10_000 if metres == 9999 else metres, _qualifier(found[1]))
    )


def kilometres(found: re.Match[str]) -> Meaning:
    """Read kilometres."""
    return Meaning("visibility", Visibility(int(found[1]) * 1000, None))


def _qualifier(letter: str | None) -> Literal["M", "P"] | None:
    return "M" if letter == "M" else "P" if letter == "P" else None


def sector(found: re.Match[str]) -> Meaning:
    """Read the lowest visibility, with its direction."""
    return Meaning("minimum_visibility", int(found[1]))


def cavok(_found: re.Match[str]) -> Meaning:
    """Read that ceiling and visibility are OK."""
    return Meaning("cavok", "")


def runway_range(found: re.Match[str]) -> Meaning:
    """Read runway visual range."""
    runway, below, low, above, high, feet, trend = found.groups()
    scale = METRES_PER_FOOT if feet else 1.0
    return Meaning(
        "rvr",
        (
            RunwayRange(
                runway=runway,
                range_m=round(int(low) * scale, 1),
                range_max_m=round(int(high) * scale, 1) if high else None,
                qualifier=above or below,
                trend=trend,
            ),
        ),
    )


def runway_state(found: re.Match[str]) -> Meaning:
    """Read deposit, extent, depth and friction, in the form of ICAO or GOST."""
    runway, cleared, eight = found.groups()
    if cleared is not None:
        return Meaning("runway_states", (RunwayState(runway=runway, is_cleared=True),))
    depth, braking = eight[2:4], eight[4:6]
    state = RunwayState(
        runway=runway,
        deposit=_DEPOSITS[eight[0]],
        extent_percent={"1": 10, "2": 25, "5": 50, "9": 100}.get(eight[1]),
        depth_mm=_depth_mm(depth),
        friction=int(braking) / 100 if "/" not in braking and int(braking) <= 90 else None,
    )
    return Meaning("runway_states", (state,))


def _depth_mm(code: str) -> int | None:
    """WMO code table 1079."""
    if "/" in code or code in {"91", "99"}:
        return None
    depth = int(code)
    return depth if depth <= 90 else (depth - 90) * 50


def weather(found: re.Match[str]) -> Meaning:
    """Read present weather."""
    return Meaning("weather", (found[0],))


def weathers(found: re.Match[str]) -> Meaning:
    """Read present weather with strokes between."""
    return Meaning("several", tuple(found[0].split("/")))


def cloud(found: re.Match[str]) -> Meaning:
    """Read a layer."""
    cover, height, kind = found.groups()
    layer = Cloud(
        cover=None if cover == "///" else cover,
        base_ft=None if height == "///" else int(height) * 100,
        type=None if kind == "///" else kind,
    )
    return KNOWN if layer == _NOTHING else Meaning("clouds", (layer,))


_NOTHING = Cloud(cover=None)


def cloud_type(found: re.Match[str]) -> Meaning:
    """Read storm clouds without a layer."""
    return Meaning("clouds", (Cloud(cover=None, type=found[1]),))


def clear(found: re.Match[str]) -> Meaning:
    """Read why there is no layer."""
    return Meaning("clouds", (Cloud(cover=found[1]),))


def temperatures(found: re.Match[str]) -> Meaning | None:
    """Read temperature and dew point."""
    temperature_c, dew_point_c = _celsius(found[1]), _celsius(found[2])
    if temperature_c is None:  # of a dew point alone nobody knows that it is one
        return KNOWN if dew_point_c is None else None
    temperatures = plausible(temperature_c, dew_point_c)
    is_whole = temperatures == (temperature_c, dew_point_c)
    return Meaning("temperatures", temperatures, None if is_whole else "OUT_OF_RANGE")


def plausible(
    temperature_c: float | None, dew_point_c: float | None
) -> tuple[float | None, float | None]:
    """Leave out a temperature or a dew point that cannot be; it is at most 1 above the other."""
    if temperature_c is not None and not -90 <= temperature_c <= 60:
        temperature_c = None
    highest_c = 60 if temperature_c is None else temperature_c + 1
    if dew_point_c is not None and not -100 <= dew_point_c <= highest_c:
        dew_point_c = None
    return temperature_c, dew_point_c


def _celsius(text: str | None) -> float | None:
    if not text or text in {"//", "XX"}:
        return None
    return -float(text[1:]) if text[0] in "M-" and text[1:] != "00" else float(text.lstrip("M-"))


def altimeter(found: re.Match[str]) -> Meaning:
    """Read QNH, in hectopascals or inches."""
    digits = found[2].replace(".", "")
    inches = found[1] == "A" or found[3] is not None
    pressure = int(digits) * HPA_PER_INCH / 100 if inches else float(found[2])
    if not 850 <= pressure <= 1090:
        return Meaning("altimeter", None, "OUT_OF_RANGE")
    return Meaning("altimeter", round(pressure, 1))


def extreme(found: re.Match[str]) -> Meaning:
    """Read the highest or lowest temperature of a forecast."""
    kind, degrees, day, hour = found.groups()
    value = ExtremeGroup(
        "TX" if kind == "X" else "TN" if kind == "N" else None,
        _celsius(degrees) or 0.0,
        None if day is None else int(day),
        int(hour),
    )
    return Meaning("extremes", value)


def shear_above(found: re.Match[str]) -> Meaning | None:
    """Read another wind above."""
    height_ft, direction_deg = int(found[1]) * 100, int(found[2])
    if direction_deg > 360:
        return None
    speed_kt = round(int(found[3]) * _KNOTS[found[4]], 1)
    return Meaning("shear_above", (height_ft, direction_deg, speed_kt))


def time(found: re.Match[str]) -> Meaning | None:
    """Read day and time."""
    day, hour, minute = int(found[1]), int(found[2]), int(found[3])
    if not (1 <= day <= 31 and hour < 24 and minute < 60):
        return None
    return Meaning("time", (day, hour, minute))


def mark(slot: str) -> Callable[[re.Match[str]], Meaning]:
    """Make a reader of groups that are a slot of their own, and mean themselves."""
    return lambda found: Meaning(slot, found[0])


def marks(slot: str) -> Callable[[re.Match[str]], Meaning]:
    """Make a reader of such groups that may come several times."""
    return lambda found: Meaning(slot, (found[0],))


def known(_found: re.Match[str]) -> Meaning:
    """Take note of what is understood and of no use."""
    return KNOWN
