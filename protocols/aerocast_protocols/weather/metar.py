"""Read METAR and SPECI reports, in whatever dialect a station writes them.

WMO-No. 306 FM 15 and FM 16 as reports really come. Rules: nothing is invented (what is missing or
impossible is None, and missing is not good weather); every group is understood or listed in
``unparsed``; the first of two groups of a kind counts; trend groups never touch the body.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, TypeVar

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.metar_report import (
    METRES_PER_MILE,
    Cloud,
    Draft,
    Metar,
    RunwayRange,
    Visibility,
    Wind,
    resolve_day_time,
)

LONGEST_REPORT = 4096  # ours: bounds what a broken feed can cost, in characters

METRES_PER_FOOT = 0.3048
HPA_PER_INCH = 33.8639


def decode_metar(raw: str, now_us: int | None = None) -> Metar:
    """Read one report.

    Parameters
    ----------
    raw
        One METAR or SPECI, with or without that word before it.
    now_us
        The present, UTC microseconds: the report's day and time are the latest such instant not
        over an hour after it. Without it ``observed_at_us`` stays None.

    Raises
    ------
    ProtocolError
        It is no report: no station, or nothing readable after it.
    """
    if len(raw) > LONGEST_REPORT:
        raise ProtocolError(f"report of {len(raw)} characters is over {LONGEST_REPORT}")
    start = _START.match(raw)
    if start is None:
        raise ProtocolError(f"report {raw[:60]!r} names no station")
    text = raw[start.end() :]
    if "SM" in text:
        text = _SPLIT_MILES.sub(r"\1_\2", text)
    if "WS" in text:
        text = _WIND_SHEAR.sub(" ", text)
    trend_start = _TREND_START.search(text)
    cut = len(text) if trend_start is None else trend_start.start()
    body, _, remarks = text[:cut].partition("RMK")
    trend, _, later_remarks = text[cut:].partition("RMK")
    draft = Draft(start["station"], raw.strip(), now_us)
    draft.corrected = "COR" in raw[: start.end()].split()
    for group in body.replace("=", " ").split():
        _read(draft, group)
    if not draft.understood and not trend:
        raise ProtocolError(f"report {raw[:60]!r} has no group that can be read")
    draft.compare_exact_temperatures(remarks + " " + later_remarks)
    return draft.finish(_trend_groups(trend) if trend else ())


_START = re.compile(
    r"\s*(?:(?:METAR|SPECI|LOCAL|COR)\s+)*(?!(?:TAF|METAR|SPECI)\b)"
    r"(?P<station>[A-Z][A-Z0-9]{3})(?=[\s=]|$)"
)
_SPLIT_MILES = re.compile(r"(?<!\S)(\d{1,2})\s+(\d{1,2}/\d{1,2}SM)\b")
_JOINED = re.compile(r"(?<=\d)_(?=\d{1,2}/\d{1,2}SM)")
_WIND_SHEAR = re.compile(
    r"(?<!\S)WS\s+(?:(?:TKOF|LDG)\s+)?(?:ALL\s+RWY|(?:RWY|R)\s?\d{2}[LCR]?)(?!\S)"
)
_TREND_START = re.compile(r"(?<!\S)(?=(?:NOSIG|BECMG|TEMPO|INTER)\b)")


_CLOUD = r"/{0,2}(?:(FEW|SCT|BKN|OVC|VV)(\d{3}|///)|(///)(\d{3}|///))(CB|TCU|CU|///)?"
_CLEAR = r"SKC|CLR|NSC|NCD|NSW"
_TEMPERATURE = r"(M|-)?(\d{2}|//|XX)/(?:(M|-)?(\d{2}|//|XX))?"
_ALTIMETER = r"(Q|A|QNH)(\d{4}(?:\.\d)?)(?:INS)?\.?"
_PHENOMENA = "DZ|RA|SN|SG|IC|PL|GR|GS|UP|BR|FG|FU|VA|DU|SA|HZ|PY|PO|SQ|FC|SS|DS"
# One row a group; the first that fits the whole token counts.
_GROUPS = {
    "missing": r"/{1,5}",
    "wind": r"E?(VRB|\d{3}|///)P?(\d{2,3}|//)(?:GP?(\d{2,3}|//))?(KT|MPS|KMH)?",
    "variable": r"(\d{3})V(\d{3})",
    "miles": r"(M|P)?(?:(\d{1,2})_)?(\d{1,3})(?:/(\d{1,2}))?SM",
    "metres": r"(M|P)?(\d{4})(M|NDV)?",
    "kilometres": r"(\d{1,3})KM",
    "sector": r"(\d{4})(?:N|NE|E|SE|S|SW|W|NW)",
    "cavok": r"CAVOK",
    "range": (r"R(\d{2}[LCR]?)/(M|P)?(\d{4})(?:V(M|P)?(\d{4}))?(FT)?/?(U|D|N)?"),
    "weather": rf"(?:\+|-)?(?:VC)?(?:(?:MI|PR|BC|DR|BL|SH|TS|FZ)*(?:{_PHENOMENA})+|SH|TS|TSSH)",
    "cloud": _CLOUD,
    "clear": _CLEAR,
    "temperature": _TEMPERATURE,
    "altimeter": _ALTIMETER,
    "time": r"(\d{2})(\d{2})(\d{2})Z?",
    "auto": r"AUTO",
    "corrected": r"COR|CC[A-Z]",
    "nil": r"NIL",
    # Understood and of no use here: recent weather, runway state, sea state, military colour
    # codes, rain since morning, maintenance sign, cloud type alone, missing pressure.
    "known": (
        r"(?:Q|A)/{4}|/{4}SM|RE(?:[A-Z]{2,8}|//)|R(?:\d{2}[LCR]?)?/(?:[A-Z/\d]{3,8}|D)|\d{8}|"
        r"W(?:M?\d{2}|//)/[SH][\d/]{1,3}|RF[\d.]+/[\d.]+|(?:(?:BLU|WHT|GRN|YLO[12]?|AMB|RED|"
        r"BLACK)\+?/?)+|\$|METAR|SPECI|RTD|///(?:CB|TCU)"
    ),
}
_CAPTURING = re.compile(r"\((?!\?)")
_TOKEN = re.compile(
    "|".join(f"(?P<{kind}>{_CAPTURING.sub('(?:', row)})" for kind, row in _GROUPS.items())
)
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _GROUPS.items()}
_GLUED = re.compile(
    rf"(?P<cloud>{_CLOUD}|{_CLEAR}|CAVOK)?(?P<temperature>{_TEMPERATURE})?"
    rf"(?P<altimeter>{_ALTIMETER})?"
)
_KNOTS = {"KT": 1.0, "MPS": 3600 / 1852, "KMH": 1000 / 1852, None: 1.0}


_Number = TypeVar("_Number", int, float)
_Reader = Callable[[Draft, re.Match[str]], bool]


def _read(draft: Draft, group: str) -> None:
    recognised = _recognise(group)
    if recognised is None:
        if _read_glued(draft, group):
            return
    else:
        reader, found = recognised
        if reader(draft, found):
            draft.understood += 1
            return
    draft.unparsed.append(_JOINED.sub(" ", group))


@lru_cache(maxsize=4096)  # the world's reports say the same few thousand groups over and over
def _recognise(group: str) -> tuple[_Reader, re.Match[str]] | None:
    token = _TOKEN.fullmatch(group)
    if token is None:
        return None
    kind = str(token.lastgroup)
    found = _PATTERNS[kind].fullmatch(group)
    return None if found is None else (_READERS[kind], found)


def _read_glued(draft: Draft, group: str) -> bool:
    glued = _GLUED.fullmatch(group)
    if glued is None or not any(glued.group("temperature", "altimeter")):
        return False
    draft.flags.add("GLUED")
    for part in glued.group("cloud", "temperature", "altimeter"):
        if part:
            _read(draft, part)
    return True


def _read_time(draft: Draft, found: re.Match[str]) -> bool:
    day, hour, minute = (int(part) for part in found.groups())
    if draft.observed_at_us is not None or not (1 <= day <= 31 and hour < 24 and minute < 60):
        return False
    if draft.now_us is not None:
        draft.observed_at_us = resolve_day_time(day, hour, minute, draft.now_us)
    return True


def _read_wind(draft: Draft, found: re.Match[str]) -> bool:
    direction, speed, gust, unit = found.groups()
    if draft.wind is not None or draft.visibility is not None:
        return False
    if unit is None:
        draft.flags.add("UNIT_ASSUMED")
    degrees: int | Literal["VRB"] | None
    degrees = "VRB" if direction == "VRB" else _bounded(draft, _whole(direction), 0, 360)
    draft.wind = Wind(
        degrees,
        _bounded(draft, _knots(speed, unit), 0, 250),
        _bounded(draft, _knots(gust, unit), 0, 250),
    )
    return True


def _read_variable(draft: Draft, found: re.Match[str]) -> bool:
    first, second = int(found[1]), int(found[2])
    if draft.variable is not None or first > 360 or second > 360:
        return False
    draft.variable = (first, second)
    return True


def _read_miles(draft: Draft, found: re.Match[str]) -> bool:
    qualifier, whole, numerator, denominator = found.groups()
    if denominator is not None and int(denominator) == 0:
        return False
    miles = int(whole or 0) + int(numerator) / int(denominator or 1)
    return _see(draft, miles * METRES_PER_MILE, qualifier)


def _read_metres(draft: Draft, found: re.Match[str]) -> bool:
    metres = int(found[2])
    return _see(draft, 10_000 if metres == 9999 else metres, found[1])


def _read_kilometres(draft: Draft, found: re.Match[str]) -> bool:
    return _see(draft, int(found[1]) * 1000, None)


def _read_sector(draft: Draft, found: re.Match[str]) -> bool:
    if draft.minimum_visibility_m is None:
        draft.minimum_visibility_m = int(found[1])
    return True


def _read_cavok(draft: Draft, _found: re.Match[str]) -> bool:
    if draft.visibility is not None or draft.clouds:
        return False
    draft.visibility = Visibility(10_000, None)
    draft.clouds.append(Cloud(cover="CAVOK"))
    return True


def _see(draft: Draft, metres: float, qualifier: str | None) -> bool:
    if draft.temperatures is not None or draft.altimeter_hpa is not None:
        return False
    if draft.visibility is None:
        draft.visibility = Visibility(
            round(metres, 1), "M" if qualifier == "M" else "P" if qualifier == "P" else None
        )
        return True
    if draft.minimum_visibility_m is None and metres <= (draft.visibility.metres or 0):
        draft.minimum_visibility_m = metres
        return True
    return False


def _read_range(draft: Draft, found: re.Match[str]) -> bool:
    runway, below, low, above, high, feet, trend = found.groups()
    scale = METRES_PER_FOOT if feet else 1.0
    draft.rvr.append(
        RunwayRange(
            runway=runway,
            range_m=round(int(low) * scale, 1),
            range_max_m=round(int(high) * scale, 1) if high else None,
            qualifier=above or below,
            trend=trend,
        )
    )
    return True


def _read_weather(draft: Draft, found: re.Match[str]) -> bool:
    draft.weather.append(found[0])
    return True


def _read_cloud(draft: Draft, found: re.Match[str]) -> bool:
    cover, height, _unseen, height_alone, kind = found.groups()
    hundreds = height or height_alone
    draft.clouds.append(
        Cloud(
            cover=cover,
            base_ft=None if hundreds == "///" else int(hundreds) * 100,
            type=None if kind == "///" else kind,
        )
    )
    return True


def _read_clear(draft: Draft, found: re.Match[str]) -> bool:
    if found[0] != "NSW":
        draft.clouds.append(Cloud(cover=found[0]))
    return True


def _read_temperature(draft: Draft, found: re.Match[str]) -> bool:
    if draft.temperatures is not None:
        return False
    minus, degrees, dew_minus, dew_degrees = found.groups()
    draft.temperatures = (_celsius(minus, degrees), _celsius(dew_minus, dew_degrees))
    return True


def _read_altimeter(draft: Draft, found: re.Match[str]) -> bool:
    if draft.altimeter_hpa is not None:
        return True  # the same in the other unit
    inches = found[1] == "A" or found[0].endswith("INS")
    pressure = float(found[2]) * HPA_PER_INCH / 100 if inches else float(found[2])
    draft.altimeter_hpa = _bounded(draft, round(pressure, 1), 850, 1090)
    return True


def _read_auto(draft: Draft, _found: re.Match[str]) -> bool:
    draft.auto = True
    return True


def _read_corrected(draft: Draft, _found: re.Match[str]) -> bool:
    draft.corrected = True
    return True


def _read_nil(draft: Draft, _found: re.Match[str]) -> bool:
    draft.flags.add("NIL")
    return True


def _read_known(_draft: Draft, _found: re.Match[str]) -> bool:
    return True


_READERS: dict[str, _Reader] = {
    "wind": _read_wind,
    "variable": _read_variable,
    "miles": _read_miles,
    "metres": _read_metres,
    "kilometres": _read_kilometres,
    "sector": _read_sector,
    "cavok": _read_cavok,
    "range": _read_range,
    "weather": _read_weather,
    "cloud": _read_cloud,
    "clear": _read_clear,
    "temperature": _read_temperature,
    "altimeter": _read_altimeter,
    "time": _read_time,
    "auto": _read_auto,
    "corrected": _read_corrected,
    "nil": _read_nil,
    "known": _read_known,
    "missing": _read_known,
}


def _bounded(draft: Draft, value: _Number | None, least: float, most: float) -> _Number | None:
    if value is None or least <= value <= most:
        return value
    draft.flags.add("OUT_OF_RANGE")
    return None


def _whole(digits: str) -> int | None:
    return int(digits) if digits.isdigit() else None


def _knots(digits: str | None, unit: str | None) -> float | None:
    if digits is None or not digits.isdigit():
        return None
    return round(int(digits) * _KNOTS[unit], 1)


def _celsius(minus: str | None, degrees: str | None) -> float | None:
    if degrees is None or not degrees.isdigit():
        return None
    return float(-int(degrees) if minus else int(degrees))


def _trend_groups(trend: str) -> tuple[str, ...]:
    groups = (" ".join(group.replace("=", " ").split()) for group in _TREND_START.split(trend))
    return tuple(_JOINED.sub(" ", group) for group in groups if group)
