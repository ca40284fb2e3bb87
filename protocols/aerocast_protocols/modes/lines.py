"""Read recordings of Mode S frames kept as text, one a line.

Accepted: ``timestamp,hex``, ``timestamp,...,hex,...`` and ``hex`` alone, quotes and spaces around
fields allowed; also ``*hex;`` and JSON lines with ``timestamp`` and ``frame`` as rs1090 writes.
"""

import re
from typing import NamedTuple

import msgspec

from aerocast_protocols.errors import ProtocolError

LONGEST_LINE = 16_384
_HEX = re.compile(r"(?:[0-9a-fA-F]{14}){1,2}\Z")
_AROUND = " \t\r\n\"'*;\ufeff"
# 2200-01-01, seconds: later is no time of a recording.
_LATEST_S = 7_258_118_400.0


class RecordedFrame(NamedTuple):
    """A frame and when it was heard: UTC in microseconds, None when the line does not say."""

    heard_at_us: int | None
    frame: bytes


class _JsonLine(msgspec.Struct):
    frame: str
    timestamp: float | None = None


def parse_line(line: str) -> RecordedFrame:
    """Read one line.

    Short downlink formats (0 to 15) written with 28 digits are cut to their 14: some recorders
    fill up with noise.

    Raises
    ------
    ProtocolError
        It holds no frame, or its time is impossible.
    """
    if len(line) > LONGEST_LINE:
        raise ProtocolError(f"line of {len(line)} characters is too long for a frame")
    if line.lstrip().startswith("{"):
        return _parse_json(line)
    fields = [field.strip(_AROUND) for field in line.split(",")]
    # An address has six digits and a timestamp seldom fourteen: the longest run of hex wins.
    frames = [field for field in fields if _HEX.match(field)]
    if not frames:
        raise ProtocolError(f"no Mode S frame in {line.strip()[:80]!r}")
    digits = max(frames, key=len)
    heard_at_us = None if fields[0] == digits else _time_of(fields[0])
    return RecordedFrame(heard_at_us, _frame_of(digits))


def _parse_json(line: str) -> RecordedFrame:
    try:
        read = msgspec.json.decode(line, type=_JsonLine)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ProtocolError(f"line is no JSON object with a frame: {error}") from error
    if not _HEX.match(read.frame):
        raise ProtocolError(f"{read.frame[:40]!r} is no Mode S frame")
    heard_at_us = None if read.timestamp is None else _in_range(read.timestamp)
    return RecordedFrame(heard_at_us, _frame_of(read.frame))


def _frame_of(digits: str) -> bytes:
    frame = bytes.fromhex(digits)
    return frame[:7] if frame[0] < 0x80 else frame


def _time_of(field: str) -> int | None:
    try:
        seconds = float(field)
    except ValueError:
        return None
    return _in_range(seconds)


def _in_range(seconds: float) -> int:
    if not 0.0 <= seconds < _LATEST_S:
        raise ProtocolError(f"time {seconds} s is impossible")
    return round(seconds * 1e6)
