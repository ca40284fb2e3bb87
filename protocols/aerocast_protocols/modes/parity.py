"""Parity, downlink format and address of a Mode S frame.

ICAO Annex 10 volume IV §3.1.2.6: a 24-bit cyclic code, generator FFF409. Squitters and all-call
replies carry their parity plain (all-call replies with the interrogator's code over it), every
other reply carries it with the aircraft's address over it.
"""

from aerocast_protocols.errors import ProtocolError

SHORT, LONG = 7, 14
_GENERATOR = 0xFFF409
# Interrogator codes go up to 79 (II 0 to 15, SI 1 to 63).
LARGEST_INTERROGATOR = 79
_PLAIN_PARITY = frozenset({11, 17, 18})
_ADDRESS_PARITY = frozenset({0, 4, 5, 16, 20, 21})


def _byte_remainder(value: int) -> int:
    remainder = value << 16
    for _ in range(8):
        remainder <<= 1
        if remainder & 0x1000000:
            remainder ^= 0x1000000 | _GENERATOR
    return remainder


_TABLE = tuple(_byte_remainder(value) for value in range(256))


def _through(remainders: tuple[int, ...]) -> tuple[int, ...]:
    """Give what remainders become when a zero byte follows."""
    return tuple(each << 8 & 0xFFFFFF ^ _TABLE[each >> 16] for each in remainders)


def _by_position() -> tuple[tuple[int, ...], ...]:
    tables = [_TABLE]
    while len(tables) < LONG - 3:
        tables.append(_through(tables[-1]))
    return tuple(reversed(tables))


# What each byte before the parity of a long frame leaves, first byte first; a short frame's four
# bytes leave what the last four of these say.
POSITION_TABLES = _by_position()
_T0, _T1, _T2, _T3, _T4, _T5, _T6, _T7, _T8, _T9, _T10 = POSITION_TABLES


def parity(content: bytes) -> int:
    """Give the 24 parity bits that belong after ``content``."""
    remainder = 0
    for byte in content:
        remainder = ((remainder << 8) & 0xFFFFFF) ^ _TABLE[(remainder >> 16) ^ byte]
    return remainder


def remainder(frame: bytes) -> int:
    """Give what is left of a frame's parity: 0 when clean, else what was laid over it.

    Raises
    ------
    ProtocolError
        It is no frame: not 7 or 14 bytes.
    """
    if len(frame) == LONG:
        a, b, c, d, e, f, g, h, i, j, k, x, y, z = frame
        left = _T0[a] ^ _T1[b] ^ _T2[c] ^ _T3[d] ^ _T4[e] ^ _T5[f] ^ _T6[g]
        return left ^ _T7[h] ^ _T8[i] ^ _T9[j] ^ _T10[k] ^ (x << 16 | y << 8 | z)
    if len(frame) == SHORT:
        a, b, c, d, x, y, z = frame
        return _T7[a] ^ _T8[b] ^ _T9[c] ^ _T10[d] ^ (x << 16 | y << 8 | z)
    raise ProtocolError(f"a Mode S frame has 7 or 14 bytes, not {len(frame)}")


def seal(content: bytes, over: int = 0) -> bytes:
    """Append the parity to 4 or 11 bytes, with an address or interrogator code laid over it."""
    return content + (parity(content) ^ over).to_bytes(3, "big")


def downlink_format(frame: bytes) -> int:
    """Give the downlink format, 0 to 23, and 24 for every format that starts with two ones."""
    return min(frame[0] >> 3, 24)


def has_right_length(frame: bytes) -> bool:
    """Say whether a frame is as long as its downlink format demands."""
    return len(frame) == (LONG if frame[:1] >= b"\x80" else SHORT)


def plain_address(frame: bytes) -> str | None:
    """Give the address of a squitter or all-call reply, six lower-case hex digits.

    None for other formats. The address is worth as much as the frame's parity.
    """
    return frame[1:4].hex() if downlink_format(frame) in _PLAIN_PARITY else None


def overlaid_address(frame: bytes) -> str | None:
    """Give the address laid over a reply's parity; None for formats that have none.

    Any 24 bits are some address: believe it only of an aircraft known otherwise.
    """
    if downlink_format(frame) not in _ADDRESS_PARITY:
        return None
    return f"{remainder(frame):06x}"
