"""``decode scan`` and ``decode nmea``: what scanners and GPS receivers sent."""

import argparse
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from aerocast_protocols.barcode.content import recognise
from aerocast_protocols.barcode.framing import LONGEST_SCAN
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.nmea.fixes import Fix, FixAssembler, is_time_plausible
from aerocast_protocols.nmea.sentences import SentenceBuffer, decode_sentence

from aerocast_agent.cli.decode.kinds import Kind, Line, Refused
from aerocast_agent.positions import PLAUSIBLE

_PIECE = 65_536
_SHOWN = 80  # of a refused line, in characters
_CONTROLS = "\x02\x03\r\n\0"  # framing a capture may have kept


def _decode_scans(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    lines = io.TextIOWrapper(source, encoding="latin-1", newline=None)
    try:
        for line in iter(lambda: lines.readline(LONGEST_SCAN + 2), ""):
            text = line.strip(_CONTROLS)
            if len(text) > LONGEST_SCAN:
                rest = line
                while rest and not rest.endswith("\n"):
                    rest = lines.readline(LONGEST_SCAN)
                yield Refused(f"scan is longer than {LONGEST_SCAN} bytes", text[:_SHOWN])
            elif not text:
                yield Refused("scan is empty", "")
            else:
                yield _scan(_from_latin_1(text), options)
    finally:
        lines.detach()


def _from_latin_1(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def _scan(text: str, options: argparse.Namespace) -> Line:
    scan = recognise(text, options.no_read)
    if scan is None:
        return Refused("scan is empty", "")
    line: dict[str, object] = {"symbology": scan.symbology, "content": scan.content}
    if scan.content == "plate":
        line["licence_plate"] = scan.licence_plate
    elif scan.text is not None:
        line["text"] = scan.text
    return line


def _add_scan_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-read", metavar="TEXT", default="NoRead", help="what the scanner sends for no read"
    )


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
    "scan": Kind("a text a line as a scanner sends it", _decode_scans, _add_scan_arguments),
    "nmea": Kind("log of a GPS receiver", _decode_nmea),
}
