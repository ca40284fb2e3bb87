"""``decode metar``: what airports report about their weather."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.metar import LONGEST_REPORT, decode_metar
from aerocast_protocols.weather.metar_report import Metar

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
    now_us = clock.wall_ns() // 1000 if options.now is None else options.now
    while line := source.readline(LONGEST_REPORT * 2):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = source.readline(LONGEST_REPORT)
        raw = line.decode("utf-8", "replace").strip("\ufeff\r\n ")
        try:
            yield _metar(decode_metar(raw, now_us))
        except ProtocolError as error:
            yield Refused(str(error), raw[:_SHOWN])


def _metar(report: Metar) -> Line:
    observed_at = None
    if report.observed_at_us is not None:
        moment = datetime.fromtimestamp(report.observed_at_us // 1_000_000, UTC)
        observed_at = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    line: dict[str, object] = {"station": report.station, "observed_at": observed_at}
    fields = msgspec.to_builtins(report)
    return line | {name: fields[name] for name in _FIELDS}


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


KINDS = {"metar": Kind("a METAR report a line", _decode_metars, _add_arguments)}
