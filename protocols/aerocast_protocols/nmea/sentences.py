"""NMEA 0183 sentences of GPS receivers.

A sentence is ``$``, a talker and a type, fields between commas, ``*`` and the exclusive or of all
between as two hex digits, CR LF. `aerocast_protocols.ubx.framing` finds them in what a receiver
sends.
"""

import re
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

# The standard says 82; receivers' own sentences run longer. Ours, in bytes.
LONGEST_SENTENCE = 256

_SENTENCE = re.compile(rb"\$([\x20-\x7e]*)\*([0-9A-Fa-f]{2})\Z")


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
    total, bits = int.from_bytes(body, "big"), 8
    while bits < 8 * len(body):
        bits *= 2
    while bits > 8:  # fold it in half, and in half again
        bits //= 2
        total ^= total >> bits
    return total & 0xFF
