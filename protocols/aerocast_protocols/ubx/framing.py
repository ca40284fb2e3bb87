"""UBX frames, and the streams of receivers that mix them with NMEA sentences.

u-blox interface description (UBX-21031777 R02 and others), "UBX protocol": B5 62, class, number,
length (16 bits, little endian), payload, and two checksum bytes (8-bit Fletcher, RFC 1145) over all
from class to payload.
"""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.nmea.sentences import LONGEST_SENTENCE

# Raw measurements of many satellites run longer; nobody here asks for them. Ours, in bytes: bounds
# how long noise that looks like a frame can hold up what follows.
LONGEST_PAYLOAD = 2048

_SYNC = b"\xb5\x62"
_HEADER = 6
_START = re.compile(rb"[$\xb5]")
_LINE_END = re.compile(rb"[\r\n$\xb5]")  # in a sentence the last two mean that it was cut short


class Frame(NamedTuple):
    """One UBX message whose checksum is right; ``message`` is its class and number: ``(1, 7)``."""

    message: tuple[int, int]
    payload: bytes


class ReceiverBuffer:
    """Collects bytes as they arrive; gives out UBX frames, and lines that begin with ``$``.

    No port, no clock: feed it from anywhere, in pieces of any size. Receivers start in mid-message
    and repeat everything every second: what is neither is passed over and counted. Lines are not
    checked: see `aerocast_protocols.nmea.sentences.decode_sentence`.

    Attributes
    ----------
    passed_over
        Bytes so far that belonged to neither, line ends included.
    damaged
        Frames so far whose checksum was wrong.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self._at = 0
        self.passed_over = 0
        self.damaged = 0

    def feed(self, received: bytes) -> None:
        """Add bytes read from the receiver."""
        self._received += received

    def messages(self) -> Iterator[Frame | bytes]:
        """Give out everything received whole: frames, and lines without their end."""
        try:
            while True:
                start = _START.search(self._received, self._at)
                self._pass_to(start.start() if start else len(self._received))
                if start is None:
                    return
                binary = self._received[self._at] == _SYNC[0]
                found = self._frame() if binary else self._line()
                if found is None:
                    return
                if found:
                    yield found
        finally:
            del self._received[: self._at]
            self._at = 0

    def _line(self) -> bytes | None:
        """Give the line that begins here: empty when there is none, None when it is to come."""
        end = _LINE_END.search(self._received, self._at + 1, self._at + LONGEST_SENTENCE + 1)
        if end is None:
            if len(self._received) - self._at <= LONGEST_SENTENCE:
                return None
            self._pass_to(self._at + LONGEST_SENTENCE)
            return b""
        if end.group() in {b"$", b"\xb5"}:
            self._pass_to(end.start())
            return b""
        line = bytes(self._received[self._at : end.start()])
        self._at = end.start()
        return line

    def _frame(self) -> Frame | bytes | None:
        """Give the frame that begins here, likewise."""
        begin, held = self._at, len(self._received) - self._at
        if not self._received.startswith(_SYNC[:held], begin):
            self._pass_to(begin + 1)
            return b""
        if held < _HEADER:
            return None
        length = int.from_bytes(self._received[begin + 4 : begin + _HEADER], "little")
        end = begin + _HEADER + length
        if length > LONGEST_PAYLOAD:
            self._pass_to(begin + 2)
            return b""
        if len(self._received) < end + 2:
            return None
        body = bytes(self._received[begin + 2 : end])
        if checksum(body) != bytes(self._received[end : end + 2]):
            self.damaged += 1
            self._pass_to(begin + 2)
            return b""
        self._at = end + 2
        return Frame((body[0], body[1]), body[4:])

    def _pass_to(self, at: int) -> None:
        self.passed_over += at - self._at
        self._at = at


def decode_frame(content: bytes) -> Frame:
    """Read exactly one frame.

    Raises
    ------
    ProtocolError
        It is none, is cut short or goes on after its end, or its checksum is wrong.
    """
    if not content.startswith(_SYNC) or len(content) < _HEADER + 2:
        raise ProtocolError(f"{len(content)} bytes are no UBX frame")
    length = int.from_bytes(content[4:6], "little")
    if length > LONGEST_PAYLOAD or len(content) != _HEADER + length + 2:
        raise ProtocolError(f"UBX frame of {len(content)} bytes announces a payload of {length}")
    if checksum(content[2:-2]) != content[-2:]:
        raise ProtocolError("UBX checksum is wrong")
    return Frame((content[2], content[3]), content[_HEADER:-2])


def encode_frame(frame: Frame) -> bytes:
    """Write a frame.

    Raises
    ------
    ValueError
        Its payload is longer than ``LONGEST_PAYLOAD``.
    """
    if len(frame.payload) > LONGEST_PAYLOAD:
        raise ValueError(f"UBX payload of {len(frame.payload)} bytes is too long")
    body = bytes(frame.message) + len(frame.payload).to_bytes(2, "little") + frame.payload
    return _SYNC + body + checksum(body)


def checksum(body: bytes) -> bytes:
    """Give the two checksum bytes of all from class to payload."""
    return bytes((sum(body) & 0xFF, sum(accumulate(body)) & 0xFF))
