"""Captures of the air: Beast streams and Mode S frames, the aircraft and winds in them."""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.beast import BeastBuffer
from aerocast_protocols.modes.frames import decode_frame, explain_frame
from aerocast_protocols.modes.lines import parse_line
from aerocast_protocols.observations.aircraft import (
    AircraftGroundEvent,
    AircraftState,
    AircraftWeather,
)
from aerocast_protocols.observations.every import Observation

from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.cli.decode.kinds import Kind, Line, Refused
from aerocast_agent.stands import Stands

CHUNK = 65536
NS = 1_000_000_000
TICK_NS = NS
MOST_TICKS = 1000  # in one gap, however long
RUN_ON_NS = 120 * NS  # past the end, so that silence can be told
UNTIMED_NS = NS // 100  # lines without a time are taken to follow each other this closely
INPUT_SHOWN = 200


class _Timed(NamedTuple):
    boot_ns: int
    is_known: bool
    frame: bytes


def _beast(source: BinaryIO, _: argparse.Namespace) -> Iterator[Line]:
    buffer = BeastBuffer()
    while received := source.read(CHUNK):
        buffer.feed(received)
        for heard in buffer.frames():
            if heard.is_heartbeat:
                continue
            yield {
                "frame": heard.frame.hex(),
                "ts_12mhz": heard.ticks_12mhz if heard.has_time else None,
                "signal_dbfs": heard.signal_dbfs,
                "mlat": heard.is_mlat,
            }
    if buffer.garbage_bytes:
        sys.stderr.write(f"{buffer.garbage_bytes} bytes belong to no frame\n")


def _modes(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    for text in _texts(source):
        try:
            heard_at_us, frame = parse_line(text)
            fields = decode_frame(frame, reference=options.reference)
        except ProtocolError as error:
            yield _refused(error, text)
            continue
        line: dict[str, object] = {
            "time": None if heard_at_us is None else _iso(heard_at_us * 1000),
            "frame": frame.hex(),
            **msgspec.structs.asdict(fields),
        }
        if options.explain:
            line["pymodes"] = msgspec.json.decode(
                explain_frame(frame, reference=options.reference), type=dict[str, object]
            )
        yield line


def _aircraft(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    for seen, is_known in _observations(source, options, options.stands):
        if isinstance(seen, Refused):
            yield seen
        elif isinstance(seen, AircraftState):
            yield {
                "kind": "state",
                "time": _iso(seen.boot_ns) if is_known else None,
                "icao": seen.icao,
                "callsign": seen.callsign,
                "latitude_deg": seen.latitude_deg,
                "longitude_deg": seen.longitude_deg,
                "altitude_ft": seen.altitude_ft,
                "on_ground": seen.on_ground,
                "ground_speed_kt": seen.ground_speed_kt,
                "track_deg": seen.track_deg,
                "vertical_rate_fpm": seen.vertical_rate_fpm,
                "squawk": seen.squawk,
            }
        elif isinstance(seen, AircraftGroundEvent):
            yield {
                "kind": "event",
                "event": seen.event,
                "time": _iso(seen.boot_ns) if is_known else None,
                "known_at": _iso(seen.known_at_boot_ns) if is_known else None,
                "icao": seen.icao,
                "stand": seen.stand,
                "sigma_s": seen.sigma_s,
            }


def _wind(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    for seen, is_known in _observations(source, options, Stands()):
        if isinstance(seen, Refused):
            yield seen
        elif isinstance(seen, AircraftWeather):
            yield {
                "time": _iso(seen.boot_ns) if is_known else None,
                "icao": seen.icao,
                "latitude_deg": seen.latitude_deg,
                "longitude_deg": seen.longitude_deg,
                "altitude_ft": seen.altitude_ft,
                "wind_direction_deg": seen.wind_direction_deg,
                "wind_speed_kt": seen.wind_speed_kt,
                "temperature_c": seen.temperature_c,
                "source": seen.source,
            }


def _observations(
    source: BinaryIO, options: argparse.Namespace, stands: Stands
) -> Iterator[tuple[Observation | Refused, bool]]:
    """Play a recording through an aircraft table; nanoseconds since 1970 stand for its clock."""
    played: _Played | None = None
    for timed in _frames(source):
        if isinstance(timed, Refused):
            yield timed, False
            continue
        if played is None:
            table = AircraftTable(options.reference, stands, year=_year(timed))
            played = _Played(table, timed.boot_ns)
        for seen in played.frame(timed):
            yield seen, played.is_known
    if played is not None:
        for seen in played.run_to(played.now_ns + RUN_ON_NS):
            yield seen, played.is_known


class _Played:
    """A table and how far its time has come."""

    def __init__(self, table: AircraftTable, now_ns: int) -> None:
        self.now_ns = now_ns
        self.is_known = False
        self._table = table

    def frame(self, timed: _Timed) -> Iterator[Observation]:
        yield from self.run_to(timed.boot_ns)
        self.is_known = timed.is_known
        yield from self._table.update("capture", timed.frame, timed.boot_ns)

    def run_to(self, boot_ns: int) -> Iterator[Observation]:
        for tick_ns in _ticks(self.now_ns, boot_ns):
            yield from self._table.advance("capture", tick_ns)
        self.now_ns = boot_ns


def _ticks(from_ns: int, to_ns: int) -> range:
    """Give the whole seconds in between: more often than needed is never wrong, only slow."""
    step_ns = max(TICK_NS, (to_ns - from_ns) // MOST_TICKS)
    first_ns = (from_ns // step_ns + 1) * step_ns
    return range(first_ns, to_ns + 1, step_ns)


def _frames(source: BinaryIO) -> Iterator[_Timed | Refused]:
    last_ns = 0
    for text in _texts(source):
        try:
            heard_at_us, frame = parse_line(text)
        except ProtocolError as error:
            yield _refused(error, text)
            continue
        last_ns = last_ns + UNTIMED_NS if heard_at_us is None else heard_at_us * 1000
        yield _Timed(last_ns, heard_at_us is not None, frame)


def _texts(source: BinaryIO) -> Iterator[str]:
    for line in source:
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _refused(error: ProtocolError, text: str) -> Refused:
    return Refused(str(error), text[:INPUT_SHOWN])


def _iso(utc_ns: int) -> str:
    seconds, rest_ns = divmod(utc_ns, NS)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest_ns // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _year(timed: _Timed) -> float:
    return 1970.0 + timed.boot_ns / (365.2425 * 86400 * NS) if timed.is_known else 2026.0


def _place(text: str) -> tuple[float, float]:
    latitude, separator, longitude = text.partition(",")
    try:
        place = (float(latitude), float(longitude))
    except ValueError:
        place = (91.0, 0.0)
    if not separator or not (-90.0 <= place[0] <= 90.0 and -180.0 <= place[1] <= 180.0):
        raise argparse.ArgumentTypeError(f"{text!r} is no LAT,LON in degrees, like 43.629,1.364")
    return place


def _stands(path: str) -> Stands:
    try:
        return Stands.from_geojson(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{path}: {error}") from error


def _with_reference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--reference", type=_place, metavar="LAT,LON", help="where the receiver stands"
    )


def _for_modes(parser: argparse.ArgumentParser) -> None:
    _with_reference(parser)
    parser.add_argument("--explain", action="store_true", help="add pyModeS's own decode")


def _for_aircraft(parser: argparse.ArgumentParser) -> None:
    _with_reference(parser)
    parser.add_argument(
        "--stands", type=_stands, default=Stands(), metavar="FILE", help="GeoJSON polygons"
    )


KINDS = {
    "beast": Kind("Beast stream of a Mode S receiver", _beast),
    "modes": Kind("a Mode S message a line: hex, or timestamp,...,hex", _modes, _for_modes),
    "aircraft": Kind("as modes: aircraft states and ground events", _aircraft, _for_aircraft),
    "wind": Kind("as modes: wind and temperature where aircraft fly", _wind, _with_reference),
}
