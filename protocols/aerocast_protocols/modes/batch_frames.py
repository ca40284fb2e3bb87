"""Many Mode S frames at a time: heads, addresses and parities as arrays. Needs numpy (extra sdr).

One row a frame, in the order given. Everything here reads single frames; what belongs to several
is in `batch_positions` and `batch_commb`, the whole in `batch_decoder`.
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

_ALL_CONTENT = (1 << 56) - 1
_PLAIN_ADDRESS = np.isin(np.arange(32), (11, 17, 18))
_SQUITTER = np.isin(np.arange(32), (17, 18))
_TABLES = np.zeros((LONG, 256), np.int64)
_TABLES[:11] = POSITION_TABLES
_TABLES[11:] = np.arange(256)[None, :] << np.array([[16], [8], [0]])
_SHORT_TABLES = np.zeros((LONG, 256), np.int64)
_SHORT_TABLES[:SHORT] = _TABLES[SHORT:]


def _pairs(tables: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Give what two bytes leave together, by their place in a frame: half the look-ups."""
    return (tables[::2, :, None] ^ tables[1::2, None, :]).reshape(7, 65536).astype(np.uint32)


# Those of long frames, then those of short ones that stand at the left: one look-up serves both.
_PAIRS = np.concatenate((_pairs(_TABLES), _pairs(_SHORT_TABLES)), axis=1)
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
    lengths = np.fromiter(map(len, frames), np.intp, len(frames))
    is_long = lengths == LONG
    if not (is_long | (lengths == SHORT)).all():
        raise ProtocolError("a Mode S frame has 7 or 14 bytes")
    octets = np.array(frames, f"S{LONG}").view(np.uint8).reshape(-1, LONG)  # zeros after short ones
    df = octets[:, 0].astype(np.int64) >> 3
    if not np.array_equal(df >= 16, is_long):
        raise ProtocolError("a frame is not as long as its downlink format demands")
    head = np.ascontiguousarray(octets[:, :4]).view(">u4")[:, 0].astype(np.int64)
    content = np.ascontiguousarray(octets[:, 4:12]).view(">u8")[:, 0].astype(np.int64) >> 8
    content &= _ALL_CONTENT
    content *= is_long
    left = _remainders(octets, is_long)
    plain = head & 0xFFFFFF
    return Heads(
        df=df,
        left=left,
        address=np.where(_PLAIN_ADDRESS[df], plain, left),
        first=head >> 24 & 7,
        code=plain & 0x1FFF,
        content=content,
        typecode=np.where(_SQUITTER[df], content >> 51, -1),
        octets=octets,
    )


def _remainders(octets: npt.NDArray[np.uint8], is_long: Flags) -> Integers:
    pairs = octets.view(">u2").T.astype(np.int32)
    pairs += (~is_long).astype(np.int32) << 16
    left = _PAIRS[0].take(pairs[0])
    for table, pair in zip(_PAIRS[1:], pairs[1:], strict=True):
        left ^= table.take(pair)
    remainders: Integers = left.astype(np.int64)
    return remainders


class Layout:
    """Cuts contents into fields, all at once.

    Parameters
    ----------
    fields
        First bit of each, counted from the first of 56, and its width.
    """

    def __init__(self, *fields: tuple[int, int]) -> None:
        self._shifts = np.array([[56 - first - width] for first, width in fields])
        self._masks = np.array([[(1 << width) - 1] for _, width in fields])

    def cut(self, content: Integers) -> Integers:
        """Give shape (fields, n)."""
        fields: Integers = content >> self._shifts & self._masks
        return fields


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
