"""Altitude, identity and movement codes that Mode S frames share, as plain numbers.

ICAO Annex 10 volume IV: the 13 bits of an altitude or identity reply stand in the order of Mode A
pulses, C1 A1 C2 A2 C4 A4 X B1 D1 B2 D2 B4 D4 (X is bit M of an altitude, D1 its bit Q). Altitudes
come in 25 ft steps (bit Q set) or in Gillham's 100 ft steps. All 8192 codes are worked out once.
"""

_NO_GILLHAM = frozenset({0, 5, 6})
# Speed on the ground: first code of a range, its lowest speed and its step, knots.
_MOVEMENTS = (
    (2, 0.125, 0.125),
    (9, 1.0, 0.25),
    (13, 2.0, 0.5),
    (39, 15.0, 1.0),
    (94, 70.0, 2.0),
    (109, 100.0, 5.0),
    (124, 175.0, 0.0),
)


def _bit(code: int, position: int) -> int:
    return code >> (12 - position) & 1


def _digit(code: int, *positions: int) -> int:
    number = 0
    for position in positions:
        number = number << 1 | _bit(code, position)
    return number


def _ungray(number: int) -> int:
    shift = number >> 1
    while shift:
        number ^= shift
        shift >>= 1
    return number


def _altitude_of(code: int) -> int | None:
    is_metric, is_25_ft = _bit(code, 6), _bit(code, 8)
    if code == 0 or is_metric:
        return None
    if is_25_ft:
        return (code >> 2 & 0x7E0 | code >> 1 & 0x10 | code & 0xF) * 25 - 1000
    # D2 D4 A1 A2 A4 B1 B2 B4 count 500 ft, C1 C2 C4 count 100 ft, both in Gray code.
    hundreds = _ungray(_digit(code, 0, 2, 4))
    if hundreds in _NO_GILLHAM:
        return None
    fives = _ungray(_digit(code, 10, 12, 1, 3, 5, 7, 9, 11))
    hundreds = 5 if hundreds == 7 else hundreds
    return fives * 500 + (6 - hundreds if fives % 2 else hundreds) * 100 - 1300


def _squawk_of(code: int) -> str:
    digits = (
        _digit(code, 5, 3, 1),
        _digit(code, 11, 9, 7),
        _digit(code, 4, 2, 0),
        _digit(code, 12, 10, 8),
    )
    return "".join(str(digit) for digit in digits)


def _speed_of(code: int) -> float | None:
    if code == 1:
        return 0.0
    if not 2 <= code <= 124:
        return None
    first, lowest_kt, step_kt = [row for row in _MOVEMENTS if code >= row[0]][-1]
    return lowest_kt + (code - first) * step_kt


# Feet by 13-bit altitude code (an airborne position leaves out bit M: see `with_bit_m`); None
# where the code says "unknown", is none, or counts metres.
ALTITUDES_FT = tuple(_altitude_of(code) for code in range(8192))
# Four octal digits by 13-bit identity code.
SQUAWKS = tuple(_squawk_of(code) for code in range(8192))
# Knots by 7-bit movement code of a surface position; None for "unknown" and reserved codes.
GROUND_SPEEDS_KT = tuple(_speed_of(code) for code in range(128))
# Six bits each; # for what is no character.
CHARACTERS = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ##### ###############0123456789######"
# NUCp by type code of a position (DO-260, version 0); other versions: `integrity`.
NUC_P = (0, 0, 0, 0, 0, 9, 8, 7, 6, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 9, 8, 0, *(0,) * 9)


def with_bit_m(code: int) -> int:
    """Turn the 12-bit altitude code of an airborne position into the 13 bits of a reply."""
    return code << 1 & 0x1F80 | code & 0x3F


def callsign_of(characters: int) -> str:
    """Read eight 6-bit characters, blanks around them stripped; # stands for what is none."""
    text = CHARACTERS
    return (
        text[characters >> 42]
        + text[characters >> 36 & 63]
        + text[characters >> 30 & 63]
        + text[characters >> 24 & 63]
        + text[characters >> 18 & 63]
        + text[characters >> 12 & 63]
        + text[characters >> 6 & 63]
        + text[characters & 63]
    ).strip()
