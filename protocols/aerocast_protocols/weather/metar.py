"""Read METAR and SPECI reports, in whatever dialect a station writes them.

Rules: nothing is invented (what is missing or impossible is None, and missing is not good weather);
every group is understood or listed in ``unparsed``; the first of two groups of a kind counts; trend
groups never touch the body.
"""

import re
from collections.abc import Iterable, Sequence

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.body import Body
from aerocast_protocols.weather.day_time import resolve_day_time
from aerocast_protocols.weather.metar_report import (
    STALE_AFTER_US,
    Flag,
    Metar,
    ceiling_of,
    flight_category,
)
from aerocast_protocols.weather.readings import Wind, plausible

LONGEST_REPORT = 4096  # ours: bounds what a broken feed can cost, in characters
_BEFORE_STATION = frozenset({"METAR", "SPECI", "LOCAL", "COR"})
_TREND_WORDS = frozenset({"NOSIG", "BECMG", "TEMPO", "INTER"})
_EXACT = re.compile(r"T[01]\d{3}(?:[01]\d{3})?", re.ASCII)
_SILENT = Wind(None, None, None)


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
    groups = (raw.replace("=", " ") if "=" in raw else raw).split()
    at = 0
    while at < len(groups) and groups[at] in _BEFORE_STATION:
        at += 1
    if at == len(groups) or not is_station(groups[at]):
        raise ProtocolError(f"report {raw[:60]!r} names no station")
    body = Body()
    if at:
        body.read(groups[:at])  # COR may stand there
    end = body.read(groups, at + 1)
    if len(body.said.get("unparsed", ())) == end - at - 1 and end == len(groups):
        raise ProtocolError(f"report {raw[:60]!r} has no group that can be read")
    return _report(groups[at], raw.strip(), body, groups[end:], now_us)


def is_station(group: str) -> bool:
    """Say whether a group is a station's name: a letter, then three letters or digits."""
    return (
        len(group) == 4
        and group.isascii()
        and group.isalnum()
        and group.isupper()
        and group[0].isalpha()
    )


def _report(station: str, raw: str, body: Body, after_body: list[str], now_us: int | None) -> Metar:
    trend, remarks = _trend_and_remarks(after_body) if after_body else ((), ())
    said, flags = body.said, body.flags
    observed_at_us = None
    if now_us is not None and "time" in said:
        observed_at_us = resolve_day_time(*said["time"], now_us)
        if observed_at_us is not None and now_us - observed_at_us > STALE_AFTER_US:
            flags.add("STALE")
    if "corrected" in said:
        flags.add("CORRECTED")
    if "nil" in said:
        flags.add("NIL")
    direction_deg, speed_kt, gust_kt = said.get("wind", _SILENT)
    visibility_m, qualifier = said.get("visibility", (None, None))
    temperature_c, dew_point_c = said.get("temperatures", (None, None))
    if remarks:
        temperature_c, dew_point_c = _exact(temperature_c, dew_point_c, remarks, flags)
    clouds = said.get("clouds", ())
    ceiling_ft = ceiling_of(clouds)
    return Metar(
        station=station,
        raw=raw,
        observed_at_us=observed_at_us,
        wind_direction_deg=direction_deg,
        wind_speed_kt=speed_kt,
        wind_gust_kt=gust_kt,
        wind_variable_deg=said.get("variable"),
        visibility_m=visibility_m,
        visibility_qualifier=qualifier,
        minimum_visibility_m=said.get("minimum_visibility"),
        weather=said.get("weather", ()),
        clouds=clouds,
        ceiling_ft=ceiling_ft,
        temperature_c=temperature_c,
        dew_point_c=dew_point_c,
        altimeter_hpa=said.get("altimeter"),
        flight_category=flight_category(visibility_m, ceiling_ft),
        corrected="corrected" in said,
        auto="auto" in said,
        rvr=said.get("rvr", ()),
        trend=trend,
        unparsed=said.get("unparsed", ()),
        flags=tuple(sorted(flags)) if flags else (),
        recent_weather=said.get("recent_weather", ()),
        runway_states=said.get("runway_states", ()),
        colours=said.get("colours", ()),
    )


def _trend_and_remarks(groups: list[str]) -> tuple[tuple[str, ...], Sequence[str]]:
    """Give the trend, a text for each of its groups, and the remarks."""
    if groups[0].startswith("RMK"):
        return (), groups[1:]
    remarks = next((at for at, group in enumerate(groups) if group.startswith("RMK")), len(groups))
    starts = [at for at in range(remarks) if at == 0 or groups[at] in _TREND_WORDS]
    trend = tuple(
        " ".join(groups[at:after]) for at, after in zip(starts, [*starts[1:], remarks], strict=True)
    )
    return trend, groups[remarks + 1 :]


def _exact(
    temperature_c: float | None,
    dew_point_c: float | None,
    remarks: Iterable[str],
    flags: set[Flag],
) -> tuple[float | None, float | None]:
    """Take tenths of a degree from the remarks' T group where it agrees with the body."""
    for group in remarks:
        if group[0] == "T" and _EXACT.fullmatch(group) is not None:
            exact_c, exact_dew_c = _tenths(group[1:5]), _tenths(group[5:])
            if _contradicts(temperature_c, exact_c) or _contradicts(dew_point_c, exact_dew_c):
                flags.add("T_GROUP_MISMATCH")
                break
            if exact_dew_c is None:
                exact_dew_c = dew_point_c
            exact = plausible(exact_c, exact_dew_c)
            if exact != (exact_c, exact_dew_c):
                flags.add("OUT_OF_RANGE")
            return exact
    return temperature_c, dew_point_c


def _tenths(code: str) -> float | None:
    return int(code[1:]) / (-10 if code[0] == "1" else 10) if code else None


def _contradicts(body_c: float | None, exact_c: float | None) -> bool:
    return body_c is not None and exact_c is not None and abs(body_c - exact_c) > 1
