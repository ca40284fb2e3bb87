"""``decode metar`` and ``decode taf``: what airports report and forecast about their weather."""

import argparse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.metar import decode_metar
from aerocast_protocols.weather.metar_report import Metar
from aerocast_protocols.weather.taf import LONGEST_FORECAST, decode_taf
from aerocast_protocols.weather.taf_report import Alternative, Conditions, Taf, TafGroup
from aerocast_protocols.weather.taf_timeline import period_at, timeline

from aerocast_agent import clock
from aerocast_agent.cli.decode.kinds import Kind, Line, Refused

_SHOWN = 200  # of a refused report, in characters
_FIELDS = (
    *("wind_direction_deg", "wind_speed_kt", "wind_gust_kt", "wind_variable_deg"),
    *("visibility_m", "visibility_qualifier", "weather", "clouds", "ceiling_ft"),
    *("temperature_c", "dew_point_c", "altimeter_hpa", "flight_category"),
    *("corrected", "auto", "rvr", "trend", "unparsed", "flags", "raw"),
)


def _decode_metars(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    now_us = _present_us(options)
    return _each_line(source, lambda raw: _metar(decode_metar(raw, now_us)))


def _decode_tafs(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    now_us = _present_us(options)
    asked = {text: _instant(text) for text in options.at or ()}
    return _each_line(source, lambda raw: _taf(decode_taf(raw, now_us), asked))


def _each_line(source: BinaryIO, read: Callable[[str], Line]) -> Iterator[Line]:
    while line := source.readline(LONGEST_FORECAST * 2):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = source.readline(LONGEST_FORECAST)
        raw = line.decode("utf-8", "replace").strip("\ufeff\r\n ")
        try:
            yield read(raw)
        except ProtocolError as error:
            yield Refused(str(error), raw[:_SHOWN])


def _metar(report: Metar) -> Line:
    line: dict[str, object] = {
        "station": report.station,
        "observed_at": _shown_time(report.observed_at_us),
    }
    fields = msgspec.to_builtins(report)
    return line | {name: fields[name] for name in _FIELDS}


def _taf(taf: Taf, asked: dict[str, int]) -> Line:
    line: dict[str, object] = {
        "station": taf.station,
        "issued_at": _shown_time(taf.issued_at_us),
        "valid_from": _shown_time(taf.valid_from_us),
        "valid_to": _shown_time(taf.valid_to_us),
        "amended": taf.amended,
        "corrected": taf.corrected,
        "cancelled": taf.cancelled,
        "nil": taf.nil,
        "groups": [_group(group) for group in taf.groups],
        "temperatures": [
            {"kind": each.kind, "temperature_c": each.temperature_c, "at": _shown_time(each.at_us)}
            for each in taf.temperatures
        ],
        "unparsed": taf.unparsed,
        "flags": taf.flags,
        "raw": taf.raw,
    }
    return line | {"at": _at(taf, asked)} if asked else line


def _at(taf: Taf, asked: dict[str, int]) -> dict[str, object]:
    """Give the forecast for instants, under the words they were asked in; null outside it."""
    periods = timeline(taf)
    found: dict[str, object] = {}
    for text, at_us in asked.items():
        period = period_at(periods, at_us)
        found[text] = period and {
            **_conditions(period.prevailing),
            "alternatives": [_group(each) for each in period.alternatives],
            "worst_credible": _conditions(period.worst_credible),
        }
    return found


def _group(group: TafGroup | Alternative) -> dict[str, object]:
    line: dict[str, object] = {
        "kind": group.kind,
        "probability": group.probability,
        "from": _shown_time(group.from_us),
        "to": _shown_time(group.to_us),
        **_conditions(group.conditions),
    }
    return line | {"altimeter_hpa": group.altimeter_hpa} if isinstance(group, TafGroup) else line


def _conditions(conditions: Conditions) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(conditions)
    return fields


def _shown_time(at_us: int | None) -> str | None:
    if at_us is None:
        return None
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _present_us(options: argparse.Namespace) -> int:
    present_us: int = clock.wall_ns() // 1000 if options.now is None else options.now
    return present_us


def _instant(text: str) -> int:
    try:
        return round(float(text) * 1_000_000)
    except ValueError:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--now",
        metavar="TIME",
        type=_instant,
        help="the present, ISO 8601 UTC or Unix seconds: gives a report's day its month and year",
    )


def _add_taf_arguments(parser: argparse.ArgumentParser) -> None:
    _add_arguments(parser)
    parser.add_argument(
        "--at",
        metavar="TIME",
        action="append",
        type=_checked_instant,
        help="say what the forecast comes to at this instant, written as --now; may be repeated",
    )


def _checked_instant(text: str) -> str:
    _instant(text)
    return text


KINDS = {
    "metar": Kind("a METAR report a line", _decode_metars, _add_arguments),
    "taf": Kind("a TAF forecast a line", _decode_tafs, _add_taf_arguments),
}
