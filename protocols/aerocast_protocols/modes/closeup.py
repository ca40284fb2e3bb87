"""A closer look at candidates: how plain their bits are, which are weakest, when they began. Numpy.

All of it on the magnitudes of pulses around the candidates alone.
"""

import math

import numpy as np
import numpy.typing as npt

from aerocast_protocols.modes.demodulation_scan import (
    PULSES_A_BIT,
    PULSES_BEFORE_BITS,
    integration_steps,
)
from aerocast_protocols.modes.parity import LONG, SHORT
from aerocast_protocols.modes.parity_arrays import BIT_REMAINDERS, Contents, Remainders
from aerocast_protocols.modes.upsampling import Floats, Upsampling

WEAKEST_BITS = 8
_LONG_BIT = 0x80
_FAINTEST = np.float32(1e-12)  # keeps a division by silence finite
_PAIRS = np.triu_indices(WEAKEST_BITS, 1)

Steps = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Exact = npt.NDArray[np.float64]


class Closeup:
    """Measures candidates by the pulses around them.

    Parameters
    ----------
    upsampling
        Of the pulses to come.
    """

    def __init__(self, upsampling: Upsampling) -> None:
        self._pulse = upsampling.steps
        self._width = integration_steps(upsampling.steps)
        bits = np.arange(LONG * 8)
        self._bits_at = (PULSES_BEFORE_BITS + PULSES_A_BIT * bits) * self._pulse

    def scores(self, pulses: Floats, starts: Steps, is_long: Mask) -> Floats:
        """Give the mean over a frame's bits of |first - second pulse| / (first + second)."""
        scores = np.empty(starts.size, np.float32)
        for length, which in ((LONG, is_long), (SHORT, ~is_long)):
            scores[which] = self._plainness(pulses, starts[which], length * 8).mean(axis=1)
        return scores

    def noise(self, pulses: Floats, starts: Steps) -> tuple[float, float]:
        """Give the mean score of noise, and the deviation of one bit's part in it."""
        plainness = self._plainness(pulses, starts, SHORT * 8)
        spread = float(plainness.mean(axis=1).std())
        return float(plainness.mean()), spread * math.sqrt(SHORT * 8)

    def weakest(self, pulses: Floats, starts: Steps, bits: int) -> Steps:
        """Give the numbers of each frame's weakest bits: shape (n, WEAKEST_BITS)."""
        first, second = self._halves(pulses, starts, bits)
        order: Steps = np.argpartition(np.abs(first - second), WEAKEST_BITS, axis=1)
        return order[:, :WEAKEST_BITS]

    def begun(self, pulses: Floats, starts: Steps, contents: Contents) -> Exact:
        """Give the step each preamble started at, with a fraction.

        The message itself, every bit of it, is correlated with the signal one step early, in
        place and one late. A correlation of pulses is a triangle: its top lies between.
        """
        signs = np.unpackbits(contents, axis=1).astype(np.float32) * 2 - 1
        signs[contents[:, 0] < _LONG_BIT, SHORT * 8 :] = 0
        early, here, late = (
            ((first - second) * signs).sum(axis=1)
            for first, second in (
                self._halves(pulses, starts + step, LONG * 8) for step in (-1, 0, 1)
            )
        )
        slope = 2 * (here - np.minimum(early, late))
        fraction = np.where(slope > 0, (late - early) / np.maximum(slope, _FAINTEST), 0.0)
        # A step stands for the middle of the steps summed from it on; a pulse starts half its
        # length before its middle.
        middle = (self._width - 1) / 2 - self._pulse / 2
        return np.asarray(starts + np.clip(fraction, -1.0, 1.0) + middle, np.float64)

    def powers_dbfs(self, pulses: Floats, starts: Steps, is_long: Mask) -> Exact:
        """Give the mean power of the pulses that are there, in dB relative to full scale."""
        first, second = self._halves(pulses, starts, LONG * 8)
        squares = (np.maximum(first, second) / self._width) ** 2
        mean = np.where(is_long, squares.mean(axis=1), squares[:, : SHORT * 8].mean(axis=1))
        return np.asarray(10.0 * np.log10(np.maximum(mean, _FAINTEST)), np.float64)

    def _halves(self, pulses: Floats, starts: Steps, bits: int) -> tuple[Floats, Floats]:
        at = np.maximum(starts[:, None] + self._bits_at[:bits], 0)
        return pulses[at], pulses[at + self._pulse]

    def _plainness(self, pulses: Floats, starts: Steps, bits: int) -> Floats:
        first, second = self._halves(pulses, starts, bits)
        plainness: Floats = np.abs(first - second) / (first + second + _FAINTEST)
        return plainness


def find_damage(
    left: Remainders, weakest: Steps, length: int, most: int
) -> tuple[Contents, npt.NDArray[np.int64]]:
    """Find which of the weakest bits, turned, make each frame clean.

    Parameters
    ----------
    left
        What is left of each frame's parity: shape (n,).
    weakest
        Numbers of each one's weakest bits: shape (n, WEAKEST_BITS).
    length
        Of the frames, in bytes.
    most
        Bits that may be turned, 1 or 2.

    Returns
    -------
    Bytes to lay over each frame, and how many bits that turns: 0 where nothing helps.
    """
    alone = BIT_REMAINDERS[length][weakest]
    ways = [alone, alone[:, _PAIRS[0]] ^ alone[:, _PAIRS[1]]][:most]
    fits = np.concatenate(ways, axis=1) == left[:, None]
    way, fitting = fits.argmax(axis=1), fits.any(axis=1)
    turned = np.zeros((left.size, length * 8), np.uint8)
    count = np.where(fitting, np.where(way < WEAKEST_BITS, 1, 2), 0)
    for frame in np.flatnonzero(fitting):
        if way[frame] < WEAKEST_BITS:
            chosen = weakest[frame, [way[frame]]]
        else:
            pair = way[frame] - WEAKEST_BITS
            chosen = weakest[frame, [_PAIRS[0][pair], _PAIRS[1][pair]]]
        turned[frame, chosen] = 1
    return np.packbits(turned, axis=1), count
