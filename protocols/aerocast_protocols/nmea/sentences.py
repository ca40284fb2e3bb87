"""Split what a GPS receiver sends into NMEA 0183 sentences.

A sentence is ``$``, a talker and a type, fields between commas, ``*`` and the exclusive or of all
between as two hex digits, CR LF. Receivers mix in binary messages and start in mid-sentence: what
is no sentence is passed over and counted.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

# The standard says 82; receivers' own sentences run longer. Ours, in bytes.
LONGEST_SENTENCE = 256

_SENTENCE = re.compile(rb"\$([\x20-\x7e]*)\*([0-9A-Fa-f]{2})\Z")
_LINE_END = re.compile(rb"[\r\n]")


class Sentence(NamedTuple):
    """One sentence whose checksum is right.

    Attributes
    ----------
    talker
        ``GP``, ``GN``, ``GL`` ...; ``P`` for a maker's own sentences.
    type
        ``RMC``, ``GGA`` ...
    fields
        The texts between the commas, the address left out.
    """

    talker: str
    type: str
    fields: tuple[str, ...]


class SentenceBuffer:
    """Collects bytes as they arrive and gives out whole lines that begin with ``$``.

    No port, no clock: feed it from anywhere, in pieces of any size.

    Attributes
    ----------
    passed_over
        Bytes so far that belonged to no sentence, line ends included.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self.passed_over = 0

    def feed(self, received: bytes) -> None:
        """Add bytes read from the receiver."""
        self._received += received

    def lines(self) -> Iterator[bytes]:
        """Give out every line received whole, ``$`` included, line end left out."""
        while True:
            start = self._received.find(b"$")
            self._pass_over(len(self._received) if start < 0 else start)
            if not self._received:
                return
            end = _LINE_END.search(self._received)
            another = self._received.find(b"$", 1, end.start() if end else len(self._received))
            if 0 < another <= LONGEST_SENTENCE:  # the first was cut short
                self._pass_over(another)
            elif end is not None and end.start() <= LONGEST_SENTENCE:
                line = bytes(self._received[: end.start()])
                del self._received[: end.start()]
                yield line
            elif len(self._received) > LONGEST_SENTENCE:
                self._pass_over(LONGEST_SENTENCE)
            else:
                return

    def _pass_over(self, count: int) -> None:
        self.passed_over += count
        del self._received[:count]


def decode_sentence(line: bytes) -> Sentence:
    """Read one line.

    Raises
    ------
    ProtocolError
        It is no sentence, or its checksum is missing or wrong.
    """
    found = _SENTENCE.match(line)
    if found is None:
        raise ProtocolError(f"NMEA line {line[:90]!r} is no sentence with a checksum")
    body, stated = found.groups()
    if checksum(body) != int(stated, 16):
        raise ProtocolError(f"NMEA checksum {stated.decode()} is wrong in {line[:90]!r}")
    address, *fields = body.decode("ascii").split(",")
    if address.startswith("P"):
        return Sentence("P", address[1:], tuple(fields))
    if len(address) != 5:
        raise ProtocolError(f"NMEA address {address[:20]!r} is no talker and type")
    return Sentence(address[:2], address[2:], tuple(fields))


def encode_sentence(sentence: Sentence) -> bytes:
    """Write one sentence with its checksum and line end."""
    body = ",".join((sentence.talker + sentence.type, *sentence.fields)).encode("ascii")
    return b"$%b*%02X\r\n" % (body, checksum(body))


def checksum(body: bytes) -> int:
    """Give the exclusive or of all bytes between ``$`` and ``*``."""
    total = 0
    for byte in body:
        total ^= byte
    return total
