"""Read TAFs (WMO-No. 306 FM 51, the US, Canadian, military and older forms).

Rules as for METARs: nothing is invented, and every group is understood or listed in ``unparsed``.
A change whose time nobody can read is kept as one that may come at any time.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.body import Body, Said
from aerocast_protocols.weather.day_time import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    nearest_day_time,
    resolve_day_time,
)
from aerocast_protocols.weather.metar import is_station
from aerocast_protocols.weather.metar_report import ceiling_of, flight_category
from aerocast_protocols.weather.readings import Wind
from aerocast_protocols.weather.taf_report import (
    ChangeKind,
    Conditions,
    ExtremeTemperature,
    Taf,
    TafFlag,
    TafGroup,
    WindShear,
)

LONGEST_FORECAST = 8192  # ours: bounds what a broken feed can cost, in characters
_HALF_A_FORECAST_US = 12 * HOUR_US
_MEANT = re.compile(r"\s*(?:TAF\b|[A-Z][A-Z0-9]{3}\s+(?:\d{6}Z\s+)?\d{4}/\d{4}(?!\S))", re.ASCII)
_ISSUED = re.compile(r"(\d{2})(\d{2})(\d{2})Z", re.ASCII)
_WINDOW = re.compile(r"(\d{2})(\d{2})/(\d{2})(\d{2})", re.ASCII)
_OLD_VALIDITY = re.compile(r"(\d{2})(\d{2})(\d{2})", re.ASCII)  # day, from hour, to hour
_OLD_WINDOW = re.compile(r"([01]\d|2[0-4])([01]\d|2[0-4])", re.ASCII)
_FROM = re.compile(r"(\d{2})?(\d{2})(\d{2})", re.ASCII)
_PROBABILITY = re.compile(r"PROB([1-9]\d)", re.ASCII)
_AFTER_FORECAST = frozenset({"RMK", "AMD", "COR", "LAST", "NXT", "NEXT", "FINAL"})
_SILENT = Wind(None, None, None)


def is_taf(raw: str) -> bool:
    """Say whether a text is meant as a forecast: by its first word, or the time it holds for."""
    return _MEANT.match(raw) is not None


class _Span(NamedTuple):
    from_us: int
    to_us: int


def decode_taf(raw: str, now_us: int) -> Taf:
    """Read one forecast.

    Parameters
    ----------
    raw
        One TAF, with or without that word before it.
    now_us
        The present, UTC microseconds: it was issued at the latest instant with its day and time not
        over an hour after it.

    Raises
    ------
    ProtocolError
        It is no forecast: no station, or no time for which it holds.
    """
    if len(raw) > LONGEST_FORECAST:
        raise ProtocolError(f"forecast of {len(raw)} characters is over {LONGEST_FORECAST}")
    groups = (raw.replace("=", " ") if "=" in raw else raw).split()
    header = _read_header(groups, raw, now_us)
    after = next(
        (at for at in range(header.end, len(groups)) if groups[at] in _AFTER_FORECAST), len(groups)
    )
    reader = _Reader(groups[header.end : after], header.valid, is_old=header.is_old)
    if header.valid is not None:
        reader.read()
    elif after > header.end and not header.nil:
        raise ProtocolError(f"forecast {raw[:60]!r} does not say for which time it holds")
    return Taf(
        station=header.station,
        raw=raw.strip(),
        issued_at_us=header.issued_at_us,
        valid_from_us=None if header.valid is None else header.valid.from_us,
        valid_to_us=None if header.valid is None else header.valid.to_us,
        amended=header.amended,
        corrected=header.corrected,
        cancelled=header.cancelled,
        nil=header.nil,
        groups=_with_ends(reader.found),
        temperatures=tuple(reader.temperatures),
        unparsed=tuple(reader.unparsed),
        flags=tuple(sorted(reader.flags)),
    )


class _Header(NamedTuple):
    station: str
    issued_at_us: int | None
    valid: _Span | None
    amended: bool
    corrected: bool
    nil: bool
    cancelled: bool
    is_old: bool  # hours without days
    end: int


def _read_header(groups: Sequence[str], raw: str, now_us: int) -> _Header:
    station, issued_at_us, valid = None, None, None
    words: set[str] = set()
    is_old = False
    at = 0
    for at, group in enumerate([*groups, ""]):  # noqa: B007  where the forecast begins
        if group in {"TAF", "AMD", "COR", "RTD", "NIL", "CNL"}:
            words.add(group)
        elif station is None and is_station(group):
            station = group
        elif issued_at_us is None and valid is None and (found := _ISSUED.fullmatch(group)):
            issued_at_us = resolve_day_time(*(int(each) for each in found.groups()), now_us)
        elif valid is None and (found := _WINDOW.fullmatch(group)):
            valid = _validity(found, issued_at_us or now_us)
        elif valid is None and (found := _OLD_VALIDITY.fullmatch(group)):
            is_old = True
            valid = _old_validity(found, issued_at_us or now_us)
        else:
            break
    if station is None:
        raise ProtocolError(f"forecast {raw[:60]!r} names no station")
    marks = ("AMD" in words, "COR" in words, "NIL" in words, "CNL" in words)
    return _Header(station, issued_at_us, valid, *marks, is_old, at)


def _validity(found: re.Match[str], near_us: int) -> _Span:
    day, hour, to_day, to_hour = (int(each) for each in found.groups())
    from_us = nearest_day_time(day, hour, 0, near_us)
    to_us = nearest_day_time(to_day, to_hour, 0, from_us + _HALF_A_FORECAST_US)
    if to_us <= from_us:
        raise ProtocolError(f"a forecast cannot hold for {found[0]!r}")
    return _Span(from_us, to_us)


def _old_validity(found: re.Match[str], near_us: int) -> _Span:
    day, hour, to_hour = (int(each) for each in found.groups())
    from_us = nearest_day_time(day, hour, 0, near_us)
    if to_hour > 24:
        raise ProtocolError(f"a forecast cannot hold for {found[0]!r}")
    return _Span(from_us, _next(to_hour * HOUR_US, from_us + 1))


def _next(of_day_us: int, from_us: int) -> int:
    """Give the first instant from ``from_us`` on with this time of day."""
    return from_us + (of_day_us - from_us) % DAY_US


class _Reader:
    """Reads a forecast's groups; remembers what it found."""

    def __init__(self, groups: Sequence[str], valid: _Span | None, *, is_old: bool) -> None:
        self._groups, self._is_old, self._at = groups, is_old, 0
        self._valid = _Span(0, 0) if valid is None else valid
        self._middle_us = (self._valid.from_us + self._valid.to_us) // 2
        self.found: list[TafGroup] = []
        self.temperatures: list[ExtremeTemperature] = []
        self.unparsed: list[str] = []
        self.flags: set[TafFlag] = set()

    def read(self) -> None:
        """Read all groups."""
        self._read_group("BASE", None, self._valid)
        while self._at < len(self._groups):
            word = self._groups[self._at]
            self._at += 1
            probability = _PROBABILITY.fullmatch(word)
            if word.startswith("FM"):
                self._read_from(word)
            elif probability is not None:
                self._read_probable(int(probability[1]))
            elif word in {"BECMG", "TEMPO", "INTER"}:
                kind = cast("Literal['BECMG', 'TEMPO', 'INTER']", word)
                self._read_group(kind, None, self._window())
            else:  # a word that begins a METAR's trend, or a doubtful probability
                self.unparsed.append(word)
                self._read_group("TEMPO", None, self._any_time())
                if self.found[-1].conditions == Conditions():
                    self.found.pop()

    def _read_probable(self, probability: int) -> None:
        kind: ChangeKind = "PROB"
        if self._at < len(self._groups) and self._groups[self._at] in {"TEMPO", "INTER"}:
            kind = "TEMPO" if self._groups[self._at] == "TEMPO" else "INTER"
            self._at += 1
        self._read_group(kind, probability, self._window())

    def _read_from(self, word: str) -> None:
        digits = word[2:]
        if not digits and self._at < len(self._groups):
            digits = self._groups[self._at]
            self._at += 1
        from_us = self._from_us(digits)
        if from_us is None:
            self.unparsed.append(digits)
            self._read_group("BECMG", None, self._any_time())
        else:
            self._read_group("FM", None, _Span(from_us, self._valid.to_us))

    def _from_us(self, digits: str) -> int | None:
        found = _FROM.fullmatch(digits)
        if found is None:
            return None
        hour, minute = int(found[2]), int(found[3])
        try:
            if found[1] is not None:
                return nearest_day_time(int(found[1]), hour, minute, self._middle_us)
            of_day_us = hour * HOUR_US + minute * MINUTE_US
            return _next(of_day_us, self._valid.from_us) if of_day_us <= DAY_US else None
        except ProtocolError:
            return None

    def _window(self) -> _Span:
        text = self._groups[self._at] if self._at < len(self._groups) else ""
        span: _Span | None = None
        if (found := _WINDOW.fullmatch(text)) is not None:
            span = self._days_window(found)
        elif self._is_old and (found := _OLD_WINDOW.fullmatch(text)) is not None:
            from_us = _next(int(found[1]) * HOUR_US, self._valid.from_us)
            span = _Span(from_us, _next(int(found[2]) * HOUR_US, from_us + 1))
        if found is not None:
            self._at += 1
            if span is None:
                self.unparsed.append(text)
        return span or self._any_time()

    def _days_window(self, found: re.Match[str]) -> _Span | None:
        day, hour, to_day, to_hour = (int(each) for each in found.groups())
        try:
            from_us = nearest_day_time(day, hour, 0, self._middle_us)
            to_us = nearest_day_time(to_day, to_hour, 0, from_us)
        except ProtocolError:
            return None
        return _Span(from_us, to_us) if to_us > from_us else None

    def _any_time(self) -> _Span:
        self.flags.add("TIME_ASSUMED")
        return self._valid

    def _read_group(self, kind: ChangeKind, probability: int | None, span: _Span) -> None:
        body = Body(is_forecast=True)
        self._at = body.read(self._groups, self._at)
        said = body.said
        self.unparsed += said.get("unparsed", ())
        self.flags |= cast("set[TafFlag]", body.flags)
        for each in said.get("extremes", ()):
            self._read_extreme(each.kind, each.temperature_c, each.day, each.hour)
        self.found.append(
            TafGroup(
                kind=kind,
                probability=probability,
                from_us=span.from_us,
                to_us=span.to_us,
                conditions=_conditions(said),
                altimeter_hpa=said.get("altimeter"),
            )
        )

    def _read_extreme(
        self,
        kind: Literal["TX", "TN"] | None,
        temperature_c: float,
        day: int | None,
        hour: int,
    ) -> None:
        try:
            if day is None:
                at_us = _next(hour * HOUR_US, self._valid.from_us)
            else:
                at_us = nearest_day_time(day, hour, 0, self._middle_us)
        except ProtocolError:
            self.flags.add("OUT_OF_RANGE")
            return
        self.temperatures.append(
            ExtremeTemperature(kind=kind, temperature_c=temperature_c, at_us=at_us)
        )


def _conditions(said: Said) -> Conditions:
    direction_deg, speed_kt, gust_kt = said.get("wind", _SILENT)
    visibility_m, qualifier = said.get("visibility", (None, None))
    clouds = said.get("clouds", ())
    ceiling_ft = ceiling_of(clouds)
    weather = said.get("weather", ())
    if "weather_ends" in said or "cavok" in said:
        weather = weather or ("NSW",)
    shear = said.get("shear_above")
    return Conditions(
        wind_direction_deg=direction_deg,
        wind_speed_kt=speed_kt,
        wind_gust_kt=gust_kt,
        visibility_m=visibility_m,
        visibility_qualifier=qualifier,
        weather=weather,
        clouds=clouds,
        ceiling_ft=ceiling_ft,
        flight_category=flight_category(visibility_m, ceiling_ft),
        wind_shear=None
        if shear is None
        else WindShear(height_ft=shear[0][0], direction_deg=shear[0][1], speed_kt=shear[0][2]),
    )


def _with_ends(groups: Sequence[TafGroup]) -> tuple[TafGroup, ...]:
    """Let what holds from a time on end where the next begins."""
    starts = [group.from_us for group in groups if group.kind == "FM"]
    if not starts:
        return tuple(groups)
    ended: list[TafGroup] = []
    for group in groups:
        if group.kind in {"FM", "BASE"}:
            to_us = min((each for each in starts if each > group.from_us), default=group.to_us)
            ended.append(_until(group, to_us))
        else:
            ended.append(group)
    return tuple(ended)


def _until(group: TafGroup, to_us: int) -> TafGroup:
    return TafGroup(
        kind=group.kind,
        from_us=group.from_us,
        to_us=to_us,
        conditions=group.conditions,
        altimeter_hpa=group.altimeter_hpa,
    )
