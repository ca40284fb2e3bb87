"""``decode avr`` and ``decode sbs``: what Mode S receivers send as text."""

import argparse
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.avr import avr_buffer, decode_avr
from aerocast_protocols.modes.sbs import decode_sbs, sbs_buffer
from aerocast_protocols.modes.text_lines import LineBuffer

from aerocast_agent.cli.decode.kinds import Kind, Line, Refused

_PIECE = 65_536
_SHOWN = 80  # of a refused line, in characters


def _avr(source: BinaryIO, _: argparse.Namespace) -> Iterator[Line]:
    for line in _lines(source, avr_buffer()):
        try:
            heard = decode_avr(line)
        except ProtocolError as error:
            yield _refused(error, line)
            continue
        if heard.frame == b"\0\0":
            continue  # readsb's sign of life
        yield {
            "frame": heard.frame.hex(),
            "ts_12mhz": heard.ticks_12mhz if heard.has_time else None,
            "signal_dbfs": heard.signal_dbfs,
            "mlat": heard.is_mlat,
        }


def _sbs(source: BinaryIO, _: argparse.Namespace) -> Iterator[Line]:
    for line in _lines(source, sbs_buffer()):
        try:
            yield msgspec.structs.asdict(decode_sbs(line))
        except ProtocolError as error:
            yield _refused(error, line)


def _lines(source: BinaryIO, buffer: LineBuffer) -> Iterator[bytes]:
    while piece := source.read(_PIECE):
        buffer.feed(piece)
        yield from buffer.lines()
    buffer.feed(b"\n")  # the last line may lack its end
    yield from buffer.lines()


def _refused(error: ProtocolError, line: bytes) -> Refused:
    return Refused(str(error), line[:_SHOWN].decode("utf-8", "backslashreplace"))


KINDS = {
    "avr": Kind("AVR text of a Mode S receiver (dump1090's raw output)", _avr),
    "sbs": Kind("SBS (BaseStation) lines of a Mode S receiver", _sbs),
}
