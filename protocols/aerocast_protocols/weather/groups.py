"""What one group of a METAR or TAF means by itself, whatever stands around it.

WMO-No. 306 FM 15, FM 16 and FM 51 as stations really write them: groups of the world's reports
repeat by the thousand, so what one means is remembered.
"""

import re
from collections.abc import Callable
from typing import Final

from aerocast_protocols.weather import readings
from aerocast_protocols.weather.metar_report import Flag
from aerocast_protocols.weather.readings import Meaning

LONGEST_GROUP = 32  # ours, in characters: nothing longer means anything
MOST_REMEMBERED = 8192  # ours: some megabytes; the reports of a day's hour hold about 4,000 groups


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


def _glued(group: str) -> Meaning | None:
    """Take groups apart that lack the space between them."""
    if _GLUED.fullmatch(group) is None:
        return None
    parts = tuple(_GLUED_PART.findall(group))
    return Meaning("several", parts, "GLUED") if len(parts) > 1 else None


_Reader = tuple[re.Pattern[str], Callable[[re.Match[str]], Meaning | None]]
_DIGITS = "0123456789"
# By the characters a group may begin with; the first row that fits counts.
_ROWS: tuple[tuple[str, str, Callable[[re.Match[str]], Meaning | None]], ...] = (
    (
        _DIGITS + "VE/",
        r"E?(VRB|\d{3}|///)P?(\d{2,3}|//)(?:GP?(\d{2,3}|//))?(KTS?|MPS|KMH)",
        readings.wind,
    ),
    (_DIGITS + "M-/X", rf"({_DEGREES})/({_DEGREES})?", readings.temperatures),
    (
        "QA",
        r"(QNH|Q|A)\.?(\d{4}(?:\.\d)?|\d{2}\.\d{2})\.?(INS)?(?:/\d{2}\.\d{2})?",
        readings.altimeter,
    ),
    ("FSBOV/", rf"/{{0,2}}(FEW|SCT|BKN|OVC|VV|///)(\d{{3}}|///)({_KIND}|///)?", readings.cloud),
    ("/", "///(CB|TCU)", readings.cloud_type),
    ("SCN/", f"/?({_CLEAR})", readings.clear),
    (_DIGITS + "MP", r"(M|P)?(\d{4})(?:M|NDV)?", readings.metres),
    (
        _DIGITS + "MPS",
        r"(M|P)?(?:(\d{1,2}) (?=\d))?(\d{0,3})(?:(?<=\d)/(\d{1,2}))? ?SM",
        readings.miles,
    ),
    (_DIGITS, r"(\d{2})(\d{2})(\d{2})Z?", readings.time),
    (_DIGITS, r"(\d{3})V(\d{3})", readings.variable),
    (_DIGITS, r"(\d{4})(?:N|NE|E|SE|S|SW|W|NW|//?)", readings.sector),
    (_DIGITS, r"(\d{1,3})KM", readings.kilometres),
    (
        _DIGITS,
        r"(\d{3})(\d{2})(?:G(\d{2}))?(KT)?",
        readings.wind,
    ),  # without unit: the first has them
    ("+-VMPBDSTFRGIUH", _WEATHER, readings.weather),
    ("+-VMPBDSTFRGIUH", f"{_WEATHER}(?:/{_WEATHER}){{1,3}}", readings.weathers),
    (
        "R",
        r"R(\d{2}[LCR]{0,2})/(M|P)?(\d{4})(?:V(M|P)?(\d{4}))?(FT)?/?(U|D|N)?",
        readings.runway_range,
    ),
    ("R", r"R(\d{2}[LCR]?)/(?:(CLRD(?:\d{2}|//))|([\d/]{6}))", readings.runway_state),
    (_DIGITS, r"(\d{2})(?:(CLRD(?:\d{2}|//))|([\d/]{6}))", readings.runway_state),
    ("C", "CAVOK", readings.cavok),
    ("N", "NSW", readings.mark("weather_ends")),
    ("A", "AUTO", readings.mark("auto")),
    ("C", "COR|CC[A-Z]", readings.mark("corrected")),
    ("N", "NIL", readings.mark("nil")),
    ("R", r"RMK.*", readings.mark("remarks")),
    (
        "NBTIFP",
        r"NOSIG|BECMG|TEMPO|INTER|FM(?:\d{4}|\d{6})?|PROB\d{2}|FCST",
        readings.mark("trend"),
    ),
    ("T", r"T(X|N)?([M-]?\d{2})/(\d{2})?(\d{2})Z", readings.extreme),
    ("W", r"WS(\d{3})/(\d{3})(\d{2,3})(KT|MPS|KMH)", readings.shear_above),
    # Turbulence and icing by layers, wind shear somewhere, the forecaster.
    ("56WF", r"[56]\d{5}|WSCONDS|F[NS]\d{5}", readings.mark("forecast_detail")),
    ("R", r"RE(?:[A-Z]{2,8}|//)", readings.marks("recent_weather")),
    ("BWGYAR", rf"(?:(?:{_COLOUR})\+?/?)+", readings.marks("colours")),
    ("W", "WS", readings.mark("wind_shear")),
    ("TLAR", r"TKOF|LDG|ALL|RWY|R\d{2}[LCR]?", readings.mark("runway_word")),
    # Missing values, sea state, rain since morning, the runway in use, ATIS letter, runway state
    # that is not told, maintenance sign.
    ("/", r"/{1,5}|///V///", readings.known),
    ("QA/M", r"[QA]/{2,4}|/{4}SM|M", readings.known),
    ("W", r"W(?:M?\d{2}|//)/[SH]?[\d/]{1,3}", readings.known),
    (
        "R",
        r"RF[\d./]{3,20}|R\d{2}[LCR]{0,2}//*[UDN]?|R(?:\d{2}[LCR]?)?/[A-Z/\d]{1,8}",
        readings.known,
    ),
    ("RSILM$", r"RWY/?\d{2}[LCR]?|SNOCLO|INFO(?:/[A-Z])?|METAR|SPECI|LOCAL|RTD|\$", readings.known),
)
_BY_FIRST: dict[str, tuple[_Reader, ...]] = {
    first: tuple((_pattern(text), read) for firsts, text, read in _ROWS if first in firsts)
    for first in sorted({first for firsts, _, _ in _ROWS for first in firsts})
}
