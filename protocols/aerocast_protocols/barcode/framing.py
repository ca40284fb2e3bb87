"""Split what a barcode scanner sends into texts, one for each code it read.

Scanners have no standard: each is set to end a code with CR, LF or CRLF, or to wrap it in STX and
ETX. ``auto`` takes all of these, in any mixture.
"""

from collections.abc import Iterator
from typing import Literal

from aerocast_protocols.errors import ProtocolError

Framing = Literal["auto", "stx_etx", "cr", "lf", "crlf"]
# Longer than any bag tag or boarding pass. Ours: bounds what a broken scanner can cost, in bytes.
LONGEST_SCAN = 2048

_STX, _ETX = 0x02, b"\x03"
_ENDS: dict[Framing, tuple[bytes, ...]] = {
    "auto": (b"\r", b"\n", _ETX),
    "stx_etx": (_ETX,),
    "cr": (b"\r",),
    "lf": (b"\n",),
    "crlf": (b"\r\n",),
}


class ScanBuffer:
    """Collects bytes as they arrive and gives out whole texts.

    No port, no clock: feed it from anywhere, in pieces of any size. Empty texts are passed over.

    Parameters
    ----------
    framing
        How the scanner marks where a code ends.
    """

    def __init__(self, framing: Framing = "auto") -> None:
        if framing not in _ENDS:
            raise ValueError(f"scanner framing {framing!r} is none of {', '.join(_ENDS)}")
        self._framing = framing
        self._received = bytearray()

    def feed(self, received: bytes) -> None:
        """Add bytes read from the scanner."""
        self._received += received

    def scans(self) -> Iterator[str]:
        """Give out every text received whole, oldest first.

        Raises
        ------
        ProtocolError
            No text ended within ``LONGEST_SCAN`` bytes: wrong framing or baud rate. What was
            received is thrown away.
        """
        while True:
            end, marker = self._first_end()
            if end > LONGEST_SCAN or (end < 0 and len(self._received) > LONGEST_SCAN):
                self._received.clear()
                raise ProtocolError(f"scanner sent {LONGEST_SCAN} bytes and no end of text")
            if end < 0:
                return
            text = self._text(bytes(self._received[:end]))
            del self._received[: end + marker]
            if text:
                yield text

    def _first_end(self) -> tuple[int, int]:
        found = [
            (at, len(end)) for end in _ENDS[self._framing] if (at := self._received.find(end)) >= 0
        ]
        return min(found, default=(-1, 0))

    def _text(self, raw: bytes) -> str:
        start = raw.rfind(_STX)  # a second STX: the first text was cut short
        if self._framing == "stx_etx" and start < 0:
            return ""
        raw = raw[start + 1 :].strip(b"\r\n\x00")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")


def encode_scan(text: str, framing: Framing = "auto") -> bytes:
    """Write a text as a scanner with this framing sends it (``auto``: with CRLF)."""
    if framing == "stx_etx":
        return bytes([_STX]) + text.encode() + _ETX
    return text.encode() + (b"\r\n" if framing == "auto" else _ENDS[framing][0])
