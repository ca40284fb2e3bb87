"""What one group of a METAR or TAF means by itself, whatever stands around it.

WMO-No. 306 FM 15, FM 16 and FM 51 as stations really write them: groups of the world's reports
repeat by the thousand, so what one means is remembered.
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
LONGEST_GROUP = 32  # ours, in characters: nothing longer means anything
MOST_REMEMBERED = 8192  # ours: some megabytes; the reports of a day's hour hold about 4,000 groups


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


# How a slot is kept: what may be said several times in order, of the rest the first; and what is
# not simply kept.
ONCE: Final = 0
MANY: Final = 1
SELDOM: Final = 2
_KEPT = {
    **dict.fromkeys(
        ("weather", "clouds", "rvr", "runway_states", "recent_weather", "colours", "unparsed"),
        MANY,
    ),
    **dict.fromkeys(
        (
            *("visibility", "broken_miles", "cavok", "several", "runway_word", "trend", "remarks"),
            *("extremes", "shear_above", "forecast_detail"),
        ),
        SELDOM,
    ),
}
# A plain tuple is taken apart faster than a named one: how it is kept, then a `Meaning`.
_Remembered = tuple[int, str, object, Flag | None]


class _Meanings(dict[str, _Remembered]):
    """Remembers what groups mean; when it is full it begins anew."""

    def __missing__(self, group: str) -> _Remembered:
        if len(group) > LONGEST_GROUP:
            return MANY, "unparsed", (group,), None
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        slot, value, flag = _understand(group)
        remembered = _KEPT.get(slot, ONCE), slot, value, flag
        self[group] = remembered
        return remembered


MEANINGS: Final = _Meanings()
"""What any group means."""


def _understand(group: str) -> Meaning:
    for pattern, read in _BY_FIRST.get(group[:1], ()):
        found = pattern.fullmatch(group)
        if found is not None:
            meaning = read(found)
            if meaning is not None:
                return meaning
    return _glued(group) or Meaning("unparsed", (group,))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII)


_PHENOMENON = "DZ|RA|SN|SG|IC|PL|GR|GS|UP|BR|FG|FU|VA|DU|SA|HZ|PY|PO|SQ|FC|SS|DS"
_WEATHER = (
    rf"[+-]?(?:VC)?(?:(?:MI|PR|BC|DR|BL|SH|TS|FZ)*(?:{_PHENOMENON})+(?:SH|TS)?|TSSH|TSVCSH|SH|TS)"
)
_KIND = "CB|TCU|CU|SC|ST|NS|AC|AS|CI|CC|CS"
_CLOUD = rf"/{{0,2}}(?:FEW|SCT|BKN|OVC|VV|///)(?:\d{{3}}|///)(?:(?:{_KIND})(?![A-Z])|///)?"
_CLEAR = "SKC|CLR|NSC|NCD"
_DEGREES = r"(?:[M-]?\d{2}|//|XX)"
_TEMPERATURES = rf"{_DEGREES}/{_DEGREES}?"
_ALTIMETER = r"(?:Q\.?\d{4}(?:\.\d)?|QNH\d{4}(?:INS)?|A\d{2}\.?\d{2}\.?)"
_COLOUR = "BLU|WHT|GRN|YLO[12]?|AMB|RED|BLACK"
_GLUED = _pattern(
    rf"(?:\d{{4}}(?=[A-Z+-]))?(?:{_WEATHER})?(?:{_CLOUD})*(?:{_CLEAR}|CAVOK)?"
    rf"(?:{_TEMPERATURES})?(?:{_ALTIMETER})?(?:/{_ALTIMETER})?"
)
_GLUED_PART = _pattern(
    rf"\d{{4}}(?=[A-Z+-])|{_WEATHER}|{_CLOUD}|{_CLEAR}|CAVOK|{_TEMPERATURES}|{_ALTIMETER}"
)
_KNOTS = {"KT": 1.0, "KTS": 1.0, "MPS": 3600 / 1852, "KMH": 1000 / 1852, None: 1.0}
_DEPOSITS: dict[str, str | None] = {
    # WMO code table 0919
    "0": "dry", "1": "damp", "2": "wet", "3": "rime", "4": "dry snow", "5": "wet snow",
    "6": "slush", "7": "ice", "8": "compacted snow", "9": "frozen ruts", "/": None,
}  # fmt: skip


def _glued(group: str) -> Meaning | None:
    """Take groups apart that lack the space between them."""
    if _GLUED.fullmatch(group) is None:
        return None
    parts = tuple(_GLUED_PART.findall(group))
    return Meaning("several", parts, "GLUED") if len(parts) > 1 else None


def _wind(found: re.Match[str]) -> Meaning | None:
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


def _variable(found: re.Match[str]) -> Meaning | None:
    between = int(found[1]), int(found[2])
    return Meaning("variable", between) if max(between) <= 360 else None


def _miles(found: re.Match[str]) -> Meaning | None:
    qualifier, whole, numerator, denominator = found.groups()
    above, below = int(numerator or 0), int(denominator or 1)
    if below == 0 or not numerator:
        return Meaning("broken_miles", found[0]) if not numerator else None
    ones = int(whole or 0)
    if denominator and above >= below and len(numerator) == 2 and not whole:
        ones, above = divmod(above, 10)  # 11/2SM is 1 1/2
    seen = Visibility(round((ones + above / below) * METRES_PER_MILE, 1), _qualifier(qualifier))
    return Meaning("visibility" if whole or not denominator else "broken_miles", seen)


def _metres(found: re.Match[str]) -> Meaning:
    metres = int(found[2])
    return Meaning(
        "visibility", Visibility(10_000 if metres == 9999 else metres, _qualifier(found[1]))
    )


def _kilometres(found: re.Match[str]) -> Meaning:
    return Meaning("visibility", Visibility(int(found[1]) * 1000, None))


def _qualifier(letter: str | None) -> Literal["M", "P"] | None:
    return "M" if letter == "M" else "P" if letter == "P" else None


def _sector(found: re.Match[str]) -> Meaning:
    return Meaning("minimum_visibility", int(found[1]))


def _cavok(_found: re.Match[str]) -> Meaning:
    return Meaning("cavok", "")


def _runway_range(found: re.Match[str]) -> Meaning:
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


def _runway_state(found: re.Match[str]) -> Meaning:
    """ICAO Annex 3 / EUR Doc 018 and GOST: deposit, extent, depth, friction."""
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


def _weather(found: re.Match[str]) -> Meaning:
    return Meaning("weather", (found[0],))


def _weathers(found: re.Match[str]) -> Meaning:
    return Meaning("several", tuple(found[0].split("/")))


def _cloud(found: re.Match[str]) -> Meaning:
    cover, height, kind = found.groups()
    layer = Cloud(
        cover=None if cover == "///" else cover,
        base_ft=None if height == "///" else int(height) * 100,
        type=None if kind == "///" else kind,
    )
    return KNOWN if layer == _NOTHING else Meaning("clouds", (layer,))


_NOTHING = Cloud(cover=None)


def _cloud_type(found: re.Match[str]) -> Meaning:
    return Meaning("clouds", (Cloud(cover=None, type=found[1]),))


def _clear(found: re.Match[str]) -> Meaning:
    return Meaning("clouds", (Cloud(cover=found[1]),))


def _temperatures(found: re.Match[str]) -> Meaning | None:
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


def _altimeter(found: re.Match[str]) -> Meaning:
    digits = found[2].replace(".", "")
    inches = found[1] == "A" or found[3] is not None
    pressure = int(digits) * HPA_PER_INCH / 100 if inches else float(found[2])
    if not 850 <= pressure <= 1090:
        return Meaning("altimeter", None, "OUT_OF_RANGE")
    return Meaning("altimeter", round(pressure, 1))


def _extreme(found: re.Match[str]) -> Meaning:
    kind, degrees, day, hour = found.groups()
    value = ExtremeGroup(
        "TX" if kind == "X" else "TN" if kind == "N" else None,
        _celsius(degrees) or 0.0,
        None if day is None else int(day),
        int(hour),
    )
    return Meaning("extremes", value)


def _shear_above(found: re.Match[str]) -> Meaning | None:
    height_ft, direction_deg = int(found[1]) * 100, int(found[2])
    if direction_deg > 360:
        return None
    speed_kt = round(int(found[3]) * _KNOTS[found[4]], 1)
    return Meaning("shear_above", (height_ft, direction_deg, speed_kt))


def _time(found: re.Match[str]) -> Meaning | None:
    day, hour, minute = int(found[1]), int(found[2]), int(found[3])
    if not (1 <= day <= 31 and hour < 24 and minute < 60):
        return None
    return Meaning("time", (day, hour, minute))


def _mark(slot: str) -> Callable[[re.Match[str]], Meaning]:
    """Make a reader of groups that are a slot of their own, and mean themselves."""
    return lambda found: Meaning(slot, found[0])


def _marks(slot: str) -> Callable[[re.Match[str]], Meaning]:
    """Make a reader of such groups that may come several times."""
    return lambda found: Meaning(slot, (found[0],))


def _known(_found: re.Match[str]) -> Meaning:
    return KNOWN


_Reader = tuple[re.Pattern[str], Callable[[re.Match[str]], Meaning | None]]
_DIGITS = "0123456789"
# By the characters a group may begin with; the first row that fits counts.
_ROWS: tuple[tuple[str, str, Callable[[re.Match[str]], Meaning | None]], ...] = (
    (
        _DIGITS + "VE/",
        r"E?(VRB|\d{3}|///)P?(\d{2,3}|//)(?:GP?(\d{2,3}|//))?(KTS?|MPS|KMH)",
        _wind,
    ),
    (_DIGITS + "M-/X", rf"({_DEGREES})/({_DEGREES})?", _temperatures),
    ("QA", r"(QNH|Q|A)\.?(\d{4}(?:\.\d)?|\d{2}\.\d{2})\.?(INS)?(?:/\d{2}\.\d{2})?", _altimeter),
    ("FSBOV/", rf"/{{0,2}}(FEW|SCT|BKN|OVC|VV|///)(\d{{3}}|///)({_KIND}|///)?", _cloud),
    ("/", "///(CB|TCU)", _cloud_type),
    ("SCN/", f"/?({_CLEAR})", _clear),
    (_DIGITS + "MP", r"(M|P)?(\d{4})(?:M|NDV)?", _metres),
    (
        _DIGITS + "MPS",
        r"(M|P)?(?:(\d{1,2}) (?=\d))?(\d{0,3})(?:(?<=\d)/(\d{1,2}))? ?SM",
        _miles,
    ),
    (_DIGITS, r"(\d{2})(\d{2})(\d{2})Z?", _time),
    (_DIGITS, r"(\d{3})V(\d{3})", _variable),
    (_DIGITS, r"(\d{4})(?:N|NE|E|SE|S|SW|W|NW|//?)", _sector),
    (_DIGITS, r"(\d{1,3})KM", _kilometres),
    (_DIGITS, r"(\d{3})(\d{2})(?:G(\d{2}))?(KT)?", _wind),  # without unit: the first has them
    ("+-VMPBDSTFRGIUH", _WEATHER, _weather),
    ("+-VMPBDSTFRGIUH", f"{_WEATHER}(?:/{_WEATHER}){{1,3}}", _weathers),
    (
        "R",
        r"R(\d{2}[LCR]{0,2})/(M|P)?(\d{4})(?:V(M|P)?(\d{4}))?(FT)?/?(U|D|N)?",
        _runway_range,
    ),
    ("R", r"R(\d{2}[LCR]?)/(?:(CLRD(?:\d{2}|//))|([\d/]{6}))", _runway_state),
    (_DIGITS, r"(\d{2})(?:(CLRD(?:\d{2}|//))|([\d/]{6}))", _runway_state),
    ("C", "CAVOK", _cavok),
    ("N", "NSW", _mark("weather_ends")),
    ("A", "AUTO", _mark("auto")),
    ("C", "COR|CC[A-Z]", _mark("corrected")),
    ("N", "NIL", _mark("nil")),
    ("R", r"RMK.*", _mark("remarks")),
    ("NBTIFP", r"NOSIG|BECMG|TEMPO|INTER|FM(?:\d{4}|\d{6})?|PROB\d{2}|FCST", _mark("trend")),
    ("T", r"T(X|N)?([M-]?\d{2})/(\d{2})?(\d{2})Z", _extreme),
    ("W", r"WS(\d{3})/(\d{3})(\d{2,3})(KT|MPS|KMH)", _shear_above),
    # Turbulence and icing by layers, wind shear somewhere, the forecaster.
    ("56WF", r"[56]\d{5}|WSCONDS|F[NS]\d{5}", _mark("forecast_detail")),
    ("R", r"RE(?:[A-Z]{2,8}|//)", _marks("recent_weather")),
    ("BWGYAR", rf"(?:(?:{_COLOUR})\+?/?)+", _marks("colours")),
    ("W", "WS", _mark("wind_shear")),
    ("TLAR", r"TKOF|LDG|ALL|RWY|R\d{2}[LCR]?", _mark("runway_word")),
    # Missing values, sea state, rain since morning, the runway in use, ATIS letter, runway state
    # that is not told, maintenance sign.
    ("/", r"/{1,5}|///V///", _known),
    ("QA/M", r"[QA]/{2,4}|/{4}SM|M", _known),
    ("W", r"W(?:M?\d{2}|//)/[SH]?[\d/]{1,3}", _known),
    ("R", r"RF[\d./]{3,20}|R\d{2}[LCR]{0,2}//*[UDN]?|R(?:\d{2}[LCR]?)?/[A-Z/\d]{1,8}", _known),
    ("RSILM$", r"RWY/?\d{2}[LCR]?|SNOCLO|INFO(?:/[A-Z])?|METAR|SPECI|LOCAL|RTD|\$", _known),
)  # fmt: skip
_BY_FIRST: dict[str, tuple[_Reader, ...]] = {
    first: tuple((_pattern(text), read) for firsts, text, read in _ROWS if first in firsts)
    for first in sorted({first for firsts, _, _ in _ROWS for first in firsts})
}
