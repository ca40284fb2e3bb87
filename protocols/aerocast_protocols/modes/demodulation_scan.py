"""Where in a block of samples a Mode S message may start, and its bits if it does. Needs numpy.

First stage of demodulation, on whole arrays. Every step of the upsampled signal is tried as the
start of a message: four preamble pulses (0, 1, 3.5 and 4.5 us) against the pauses around them, and
a downlink format that exists. The bits of *all* messages that could start anywhere are sliced once,
into one array of bytes (byte n: the eight bits whose first pulse starts at step n), so that a
candidate costs fourteen look-ups.
"""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from aerocast_protocols.modes.known_addresses import KnownAddresses
from aerocast_protocols.modes.parity_arrays import Contents, Remainders
from aerocast_protocols.modes.upsampling import (
    ROWS_TOGETHER,
    TAPS,
    Floats,
    Upsampling,
    upsampled,
)

PULSES_BEFORE_BITS = 16  # the preamble lasts 8 us
PULSES_A_BIT = 2
LONGEST_PULSES = PULSES_BEFORE_BITS + 112 * PULSES_A_BIT
# Mean of the four pulses over mean of the ten pauses. A frame with a parity of its own needs hardly
# any preamble, because its parity tells. One without, and one to be repaired, needs a real one:
# noise is over 2 at one step in a hundred, real messages are nearly always over 3.
FAINT_PREAMBLE, SURE_PREAMBLE = 1.0, 2.2
NEWCOMERS_PREAMBLE = 1.8  # a clean parity of its own, but an aircraft not heard lately
PAUSES_PER_PULSE = 10 / 4
_OWN_PARITY = frozenset({11, 17, 18})
_ADDRESS_PARITY = frozenset({0, 4, 5, 16, 20, 21})
_IMPOSSIBLE = 1e30
SILENCE = np.float32(1e-12)

Steps = npt.NDArray[np.int64]


def _needed_preambles() -> Floats:
    """Give what each first byte demands of its preamble; a format bit may be damaged in DF 17."""
    needed = np.full(256, _IMPOSSIBLE, np.float32)
    for first in range(256):
        downlink = first >> 3
        if downlink in _OWN_PARITY:
            needed[first] = FAINT_PREAMBLE
        elif downlink in _ADDRESS_PARITY or (downlink ^ 17).bit_count() == 1:
            needed[first] = SURE_PREAMBLE
    return needed


NEEDED_PREAMBLES = _needed_preambles()


def integration_steps(steps: int) -> int:
    """Give over how many steps of a pulse its magnitude is summed: its middle, away from edges."""
    if steps <= 2:
        return steps  # none to spare: a strong signal at 2.0 MS/s would be lost to one step alone
    # A coarse interpolation spreads a pulse's edges over more of it than a fine one does.
    return round(steps * (0.6 if steps < 5 else 0.7))


def block_samples(upsampling: Upsampling, block_steps: int) -> int:
    """Give how many samples a scan needs for messages that start in so many steps."""
    steps = block_steps + (LONGEST_PULSES + 4) * upsampling.steps
    rows = -(-steps // upsampling.given)
    return -(-rows // ROWS_TOGETHER) * ROWS_TOGETHER * upsampling.taken + TAPS


def byte_steps(steps: int) -> Steps:
    """Give how far from a message's start each of its bytes is sliced, in steps: shape (14,)."""
    return (PULSES_BEFORE_BITS + 8 * PULSES_A_BIT * np.arange(14)) * steps


class Scan(NamedTuple):
    """Candidates in a block, and what is needed to look closer at them.

    Attributes
    ----------
    tried
        How many candidates there were; those with hardly a preamble are listed only when they
        name an aircraft known, or nearly.
    pulses
        Magnitude summed over a pulse's length, from each step on: float32, shape (m,).
    starts
        Step of each candidate's first preamble pulse, ascending: int64, shape (n,).
    preambles
        How much each one's preamble stands out, 1 is not at all: float32, shape (n,).
    contents
        Each one's 14 bytes, of which a short frame has the first 7: uint8, shape (n, 14).
    """

    tried: int
    pulses: Floats
    starts: Steps
    preambles: Floats
    contents: Contents


def addresses_at(sliced: Contents, where: Steps) -> Remainders:
    """Give the addresses that the three bytes at each row of ``where`` make: shape (n, 3)."""
    wide = sliced[where].astype(np.uint32)
    wide *= np.array([1 << 16, 1 << 8, 1], np.uint32)
    return wide[:, 0] | wide[:, 1] | wide[:, 2]


class Scanner(Protocol):
    """What an engine does with a block."""

    def scan(self, real: Floats, imaginary: Floats, known: KnownAddresses) -> Scan:
        """Find the candidates among the first ``block_steps`` steps of a block."""


class NumpyScanner:
    """Scans blocks of one size with whole-array operations; keeps its work space.

    Parameters
    ----------
    upsampling
        How the samples are interpolated.
    block_steps
        Steps in which a message may start.
    """

    def __init__(self, upsampling: Upsampling, block_steps: int) -> None:
        self._upsampling = upsampling
        self._block_steps = block_steps
        steps = upsampling.steps
        self._needed = np.empty(block_steps, np.float32)
        self._byte_steps = byte_steps(steps)

    def scan(self, real: Floats, imaginary: Floats, known: KnownAddresses) -> Scan:
        """Find the candidates of a block.

        Parameters
        ----------
        real, imaginary
            The samples: float32, shape (rows * taken + TAPS,).
        known
            The aircraft that are there.
        """
        pulses = self.pulses(real, imaginary)
        sliced = self._sliced(pulses)
        first = sliced[self._byte_steps[0] :][: self._block_steps]
        strength, rest = self._preambles(pulses)
        needed = self._needed
        np.take(NEEDED_PREAMBLES, first, out=needed, mode="clip")
        needed *= rest
        starts = np.flatnonzero(strength > needed)
        preambles = strength[starts] / (rest[starts] + SILENCE)
        worth = preambles >= NEWCOMERS_PREAMBLE
        faint = np.flatnonzero(~worth)
        named = addresses_at(sliced, starts[faint, None] + self._byte_steps[1:4])
        worth[faint] = known.has_near(named)
        tried, starts = starts.size, starts[worth]
        contents = sliced[starts[:, None] + self._byte_steps]
        return Scan(tried, pulses, starts, preambles[worth], contents)

    def pulses(self, real: Floats, imaginary: Floats) -> Floats:
        """Give the magnitude summed over a pulse's length from each step on."""
        magnitudes = upsampled(self._upsampling, real)
        magnitudes *= magnitudes
        other = upsampled(self._upsampling, imaginary)
        other *= other
        magnitudes += other
        np.sqrt(magnitudes, out=magnitudes)
        width = integration_steps(self._upsampling.steps)
        length = magnitudes.size - width + 1
        pulses: Floats = magnitudes[:length].copy()
        for step in range(1, width):
            pulses += magnitudes[step : step + length]
        return pulses

    def _sliced(self, pulses: Floats) -> Contents:
        """Slice the bits from every step on: the earlier pulse of a one is the stronger."""
        pulse, bit = self._upsampling.steps, PULSES_A_BIT * self._upsampling.steps
        sliced = (pulses[:-pulse] > pulses[pulse:]).view(np.uint8)
        for joined in (1, 2, 4):
            reach = joined * bit
            earlier: Contents = sliced[:-reach] << np.uint8(joined)
            earlier |= sliced[reach:]
            sliced = earlier
        return sliced

    def _preambles(self, pulses: Floats) -> tuple[Floats, Floats]:
        """Give four pulses' strength, scaled to compare with the ten pauses' beside it."""
        steps, length = self._upsampling.steps, self._block_steps

        def at(array: Floats, pulse: int) -> Floats:
            return array[pulse * steps : pulse * steps + length]

        span = length + 13 * steps
        apart = pulses[:span] + pulses[2 * steps : 2 * steps + span]  # a pulse and the second next
        strength = at(apart, 0) + at(apart, 7)  # pulses 0, 2, 7, 9
        strength *= np.float32(PAUSES_PER_PULSE)
        rest = at(apart, 1) + at(apart, 4)  # pauses 1, 3 and 4, 6
        rest += at(apart, 11)  # 11, 13
        rest += at(apart, 12)  # 12, 14
        rest += at(pulses, 5)
        rest += at(pulses, 8)
        return strength, rest
