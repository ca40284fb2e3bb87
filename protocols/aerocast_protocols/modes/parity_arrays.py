"""Parity of many Mode S frames at a time, and where damaged bits are. Needs numpy (extra ``sdr``).

The same code as `aerocast_protocols.modes.parity` (ICAO Annex 10 volume IV §3.1.2.6). What is left
of a frame's parity is the exclusive-or of what each of its bytes, or bits, contributes alone.
"""

import numpy as np
import numpy.typing as npt

from aerocast_protocols.modes.parity import LONG, SHORT, remainder

Remainders = npt.NDArray[np.uint32]
Contents = npt.NDArray[np.uint8]


def _of_bits(length: int) -> Remainders:
    bits = length * 8
    return np.array(
        [remainder((1 << (bits - 1 - bit)).to_bytes(length, "big")) for bit in range(bits)],
        np.uint32,
    )


BIT_REMAINDERS = {SHORT: _of_bits(SHORT), LONG: _of_bits(LONG)}
"""What one damaged bit leaves, by length of the frame in bytes and number of the bit."""


def _of_bytes(length: int) -> Remainders:
    table = np.zeros((length, 256), np.uint32)
    values = np.arange(256)
    for bit, left in enumerate(BIT_REMAINDERS[length]):
        table[bit // 8] ^= np.where(values >> (7 - bit % 8) & 1, left, 0).astype(np.uint32)
    return table


BYTE_REMAINDERS = {SHORT: _of_bytes(SHORT), LONG: _of_bytes(LONG)}
"""What a byte leaves, by length of the frame in bytes: shape (length, 256)."""


def remainders(contents: Contents) -> Remainders:
    """Give what is left of each frame's parity.

    Parameters
    ----------
    contents
        Frames of one length: uint8, shape (n, 7) or (n, 14).
    """
    table = BYTE_REMAINDERS[contents.shape[1]]
    left: Remainders = table[0][contents[:, 0]]
    for number in range(1, contents.shape[1]):
        left ^= table[number][contents[:, number]]
    return left
