"""Many Mode S frames at a time: heads, addresses and parities as arrays. Needs numpy (extra sdr).

One row a frame, in the order given. Everything here reads single frames; what belongs to several
is in `batch_positions` and `batch_registers`, the whole in `batch_decoder`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.codes import ALTITUDES_FT, SQUAWKS
from aerocast_protocols.modes.parity import LONG, POSITION_TABLES, SHORT

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.bytes_]
Rows = npt.NDArray[np.intp]

CONTENT = slice(4, 11)
_PLAIN_ADDRESS = np.isin(np.arange(32), (11, 17, 18))
_SQUITTER = np.isin(np.arange(32), (17, 18))
_TABLES = np.zeros((LONG, 256), np.int64)
_TABLES[:11] = POSITION_TABLES
_TABLES[11:] = np.arange(256)[None, :] << np.array([[16], [8], [0]])
# One look-up for all bytes: row 256 p + b is byte b at place p.
_FLAT_TABLE = _TABLES.reshape(-1)
_PLACES = np.arange(LONG) * 256
_BY_WEIGHT = 1 << np.arange(48, -1, -8)
ALTITUDE_TABLE: Numbers = np.array(ALTITUDES_FT, np.float64)
"""Feet by 13-bit altitude code, NaN where the code says none."""
SQUAWK_TABLE: Texts = np.array(SQUAWKS, "S4")


class Heads(NamedTuple):
    """What every frame has; one row a frame.

    Attributes
    ----------
    df
        Downlink format, 0 to 31.
    left
        What is left of the parity: 0 when clean, else what was laid over it.
    address
        The 24-bit address: plain in df 11, 17 and 18, else what was laid over the parity.
    first
        The three bits after the format: capability, control field or flight status.
    code
        The 13 bits of an altitude or identity code.
    content
        The 56 bits between head and parity of a long frame; 0 in a short one.
    typecode
        Type code of an extended squitter; -1 in other frames.
    """

    df: Integers
    left: Integers
    address: Integers
    first: Integers
    code: Integers
    content: Integers
    typecode: Integers
    octets: npt.NDArray[np.uint8]


def read_heads(frames: Sequence[bytes]) -> Heads:
    """Read the heads of frames of 7 and 14 bytes, parity included.

    Raises
    ------
    ProtocolError
        A frame has neither length, or not the one its downlink format demands.
    """
    octets, is_long = _packed(frames)
    # Zeros before a frame leave its parity as it is: short ones are moved to the right.
    aligned = octets.copy()
    short = np.flatnonzero(~is_long)
    aligned[short, SHORT:] = octets[short, :SHORT]
    aligned[short, :SHORT] = 0
    left = np.bitwise_xor.reduce(_FLAT_TABLE[aligned + _PLACES], axis=1)
    wide = octets.astype(np.int64)
    df = wide[:, 0] >> 3
    if not np.array_equal(df >= 16, is_long):
        raise ProtocolError("a frame is not as long as its downlink format demands")
    content = wide[:, CONTENT] @ _BY_WEIGHT
    content[short] = 0
    plain = wide[:, 1] << 16 | wide[:, 2] << 8 | wide[:, 3]
    return Heads(
        df=df,
        left=left,
        address=np.where(_PLAIN_ADDRESS[df], plain, left),
        first=wide[:, 0] & 7,
        code=plain & 0x1FFF,
        content=content,
        typecode=np.where(_SQUITTER[df], content >> 51, -1),
        octets=octets,
    )


def _packed(frames: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], Flags]:
    lengths = np.fromiter(map(len, frames), np.intp, len(frames))
    is_long = lengths == LONG
    if not np.all(is_long | (lengths == SHORT)):
        raise ProtocolError("a Mode S frame has 7 or 14 bytes")
    joined = np.frombuffer(b"".join(frames), np.uint8)
    if is_long.all():
        return joined.reshape(-1, LONG), is_long
    starts = np.cumsum(lengths) - lengths
    places = starts[:, None] + np.arange(LONG)
    # A short frame's second half reads what follows it: blanked below.
    octets = joined[np.minimum(places, max(len(joined) - 1, 0))]
    octets[~is_long, SHORT:] = 0
    return octets, is_long


def bits(content: Integers, first: int, width: int) -> Integers:
    """Give a field of the 56 bits, counted from the first."""
    return (content >> (56 - first - width)) & ((1 << width) - 1)


def signed(value: Integers, width: int) -> Integers:
    """Read a two's complement field."""
    half = 1 << (width - 1)
    return (value ^ half) - half


def known(value: npt.NDArray[np.integer | np.floating], present: Flags | Integers) -> Numbers:
    """Give values as numbers, NaN where they are not present."""
    return np.where(present, value, np.nan)
