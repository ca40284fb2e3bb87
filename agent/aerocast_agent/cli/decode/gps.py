"""``decode nmea``, ``ubx`` and ``gpsd``: what GPS receivers sent."""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gnss import Fix, TimeWindow, doubt_about_time
from aerocast_protocols.gpsd import fixes as gpsd
from aerocast_protocols.gpsd.reports import LONGEST_REPORT, decode_report

from aerocast_agent.cli.decode.kinds import Kind, Line, Refused
from aerocast_agent.gps_time import RELEASED_US
from aerocast_agent.positions import FixReader

_PIECE = 65_536
_DAY_US = 86_400_000_000
_SHOWN = 80  # of a refused line, in characters


def _decode_stream(source: BinaryIO, _options: argparse.Namespace) -> Iterator[Line]:
    """Give the fixes of a receiver's stream, NMEA and UBX in any mixture."""
    reader, shown = FixReader(), _Shown()
    while piece := source.read(_PIECE):
        for outcome in reader.outcomes(piece):
            if isinstance(outcome, Fix):
                yield shown.line(outcome)
            else:
                yield Refused(outcome.error, outcome.content.decode("ascii", "backslashreplace"))
    yield from map(shown.line, reader.flush())


def _decode_gpsd(source: BinaryIO, _options: argparse.Namespace) -> Iterator[Line]:
    """Give the fixes of gpsd's reports; lines that are no reports (gpsd's own tests) are passed."""
    fixes, shown = gpsd.FixAssembler(), _Shown()
    while line := source.readline(LONGEST_REPORT + 1):
        if not line.startswith(b"{"):
            continue
        try:
            found = fixes.add(decode_report(line.strip()))
        except ProtocolError as error:
            yield Refused(str(error), line.decode("utf-8", "backslashreplace")[:_SHOWN])
            continue
        yield from map(shown.line, found)
    yield from map(shown.line, fixes.flush())


class _Shown:
    """Words fixes; a capture is from between this release and tomorrow."""

    def __init__(self) -> None:
        self._window = TimeWindow(RELEASED_US, time.time_ns() // 1000 + _DAY_US)

    def line(self, fix: Fix) -> Line:
        at_us = fix.fix_at_us
        doubt = doubt_about_time(fix, self._window)
        return {
            "time": None if at_us is None else _time(at_us),
            "latitude_deg": fix.latitude_deg,
            "longitude_deg": fix.longitude_deg,
            "altitude_m": fix.altitude_m,
            "speed_mps": fix.speed_mps,
            "track_deg": fix.track_deg,
            "mode": fix.mode,
            "satellites": fix.satellites,
            "time_trusted": doubt is None,
            "time_doubt": doubt,
        }


def _time(at_us: int) -> str:
    moment = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_us // 1000 % 1000:03d}Z"


KINDS = {
    "nmea": Kind("log of a GPS receiver", _decode_stream),
    "ubx": Kind("stream of a u-blox receiver", _decode_stream),
    "gpsd": Kind("JSON lines of gpsd", _decode_gpsd),
}
