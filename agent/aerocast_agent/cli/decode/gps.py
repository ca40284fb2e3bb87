"""``decode nmea``: what GPS receivers sent."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.nmea.fixes import Fix, FixAssembler, is_time_plausible
from aerocast_protocols.nmea.sentences import SentenceBuffer, decode_sentence

from aerocast_agent.cli.decode.kinds import Kind, Line, Refused
from aerocast_agent.positions import PLAUSIBLE

_PIECE = 65_536


def _decode_nmea(source: BinaryIO, _options: argparse.Namespace) -> Iterator[Line]:
    buffer, assembler = SentenceBuffer(), FixAssembler()
    while piece := source.read(_PIECE):
        buffer.feed(piece)
        for received in buffer.lines():
            try:
                fix = assembler.add(decode_sentence(received))
            except ProtocolError as error:
                yield Refused(str(error), received.decode("ascii", "backslashreplace"))
                continue
            if fix is not None:
                yield _fix(fix)
    last = assembler.flush()
    if last is not None:
        yield _fix(last)


def _fix(fix: Fix) -> Line:
    at_us = fix.fix_at_us
    return {
        "time": None if at_us is None else _time(at_us),
        "latitude_deg": fix.latitude_deg,
        "longitude_deg": fix.longitude_deg,
        "altitude_m": fix.altitude_m,
        "speed_mps": fix.speed_mps,
        "track_deg": fix.track_deg,
        "mode": fix.mode,
        "satellites": fix.satellites,
        "time_trusted": is_time_plausible(fix, PLAUSIBLE),
    }


def _time(at_us: int) -> str:
    moment = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_us // 1000 % 1000:03d}Z"


KINDS = {
    "nmea": Kind("log of a GPS receiver", _decode_nmea),
}
