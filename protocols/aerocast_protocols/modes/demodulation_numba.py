"""The first stage of demodulation compiled by numba (extra ``sdr-fast``).

The same arithmetic in the same order as `demodulation_scan.NumpyScanner`, so the same candidates,
without its passes over whole arrays. Compiled when first used, about ten seconds, and kept on disk
where that can be written.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numba import njit

from aerocast_protocols.modes.demodulation_scan import (
    NEEDED_PREAMBLES,
    NEWCOMERS_PREAMBLE,
    PAUSES_PER_PULSE,
    PULSES_A_BIT,
    SILENCE,
    Scan,
    Steps,
    block_samples,
    byte_steps,
    integration_steps,
)
from aerocast_protocols.modes.known_addresses import KnownAddresses
from aerocast_protocols.modes.parity_arrays import Contents
from aerocast_protocols.modes.upsampling import Floats, Upsampling, upsampled

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def _compiled(kernel: Kernel) -> Kernel:
    try:
        compiled = njit(cache=True)(kernel)
    except RuntimeError:  # nowhere to keep it: a read-only system
        compiled = njit(kernel)
    return cast("Kernel", compiled)


# Shifted views instead of shifted indices below: the compiler then knows that no index is negative
# and works on eight steps at a time.


@_compiled
def _sum_pulses(
    real: Floats, imaginary: Floats, width: int, magnitudes: Floats, pulses: Floats
) -> None:
    for step in range(magnitudes.size):
        magnitudes[step] = np.sqrt(real[step] * real[step] + imaginary[step] * imaginary[step])
    for step in range(pulses.size):
        pulses[step] = magnitudes[step]
    for other in range(1, width):
        shifted = magnitudes[other:]
        for step in range(pulses.size):
            pulses[step] += shifted[step]


@_compiled
def _slice(pulses: Floats, pulse: int, bit: int, work: Contents, sliced: Contents) -> None:
    later = pulses[pulse:]
    for step in range(later.size):
        work[step] = pulses[step] > later[step]
    second = work[bit:]
    for step in range(later.size - bit):
        sliced[step] = (work[step] << 1) | second[step]
    third = sliced[2 * bit :]
    for step in range(later.size - 3 * bit):
        work[step] = (sliced[step] << 2) | third[step]
    fourth = work[4 * bit :]
    for step in range(later.size - 7 * bit):
        sliced[step] = (work[step] << 4) | fourth[step]


@_compiled
def _preambles(pulses: Floats, steps: int, strength: Floats, rest: Floats, scale: float) -> None:
    scale_f = np.float32(scale)
    p1, p2, p3, p4 = pulses[steps:], pulses[2 * steps :], pulses[3 * steps :], pulses[4 * steps :]
    p5, p6, p7, p8 = (
        pulses[5 * steps :],
        pulses[6 * steps :],
        pulses[7 * steps :],
        pulses[8 * steps :],
    )
    p9, p11, p12 = pulses[9 * steps :], pulses[11 * steps :], pulses[12 * steps :]
    p13, p14 = pulses[13 * steps :], pulses[14 * steps :]
    for i in range(strength.size):
        strength[i] = ((pulses[i] + p2[i]) + (p7[i] + p9[i])) * scale_f
        ten = (p1[i] + p3[i]) + (p4[i] + p6[i])
        ten += p11[i] + p13[i]
        ten += p12[i] + p14[i]
        ten += p5[i]
        ten += p8[i]
        rest[i] = ten


@_compiled
def _starts(  # noqa: PLR0913, PLR0917  compiled code takes arrays, not objects
    strength: Floats,
    rest: Floats,
    sliced: Contents,
    needed: Floats,
    byte_at: Steps,
    near: Contents,
    newcomers: float,
    starts: Steps,
) -> tuple[int, int]:
    """List the candidates worth a closer look; give how many they are, and how many were tried."""
    first = sliced[byte_at[0] :]
    second, third, fourth = sliced[byte_at[1] :], sliced[byte_at[2] :], sliced[byte_at[3] :]
    count = tried = 0
    for step in range(strength.size):
        if strength[step] > needed[first[step]] * rest[step]:
            tried += 1
            worth = strength[step] / (rest[step] + SILENCE) >= newcomers
            if not worth:
                address = (
                    (np.uint32(second[step]) << 16)
                    | (np.uint32(third[step]) << 8)
                    | np.uint32(fourth[step])
                )
                worth = (near[address >> 3] >> (address & 7)) & 1 != 0
            if worth:
                starts[count] = step
                count += 1
    return count, tried


class NumbaScanner:
    """Scans blocks of one size with compiled loops; keeps its work space.

    Parameters
    ----------
    upsampling
        How the samples are interpolated.
    block_steps
        Steps in which a message may start.
    """

    def __init__(self, upsampling: Upsampling, block_steps: int) -> None:
        self._upsampling = upsampling
        self._width = integration_steps(upsampling.steps)
        self._byte_steps = byte_steps(upsampling.steps)
        self._strength = np.empty(block_steps, np.float32)
        self._rest = np.empty(block_steps, np.float32)
        self._starts = np.empty(block_steps, np.int64)
        silence = np.zeros(block_samples(upsampling, block_steps), np.float32)
        self.scan(silence, silence, KnownAddresses(0))  # compiled now, not at the first block

    def scan(self, real: Floats, imaginary: Floats, known: KnownAddresses) -> Scan:
        """Find the candidates of a block.

        Parameters
        ----------
        real, imaginary
            The samples: float32, shape (rows * taken + TAPS,).
        known
            The aircraft that are there.
        """
        steps, strength, rest = self._upsampling.steps, self._strength, self._rest
        fine_real = upsampled(self._upsampling, real)
        fine_imaginary = upsampled(self._upsampling, imaginary)
        magnitudes = np.empty_like(fine_real)
        pulses = np.empty(fine_real.size - self._width + 1, np.float32)
        _sum_pulses(fine_real, fine_imaginary, self._width, magnitudes, pulses)
        sliced = np.empty(pulses.size, np.uint8)
        _slice(pulses, steps, PULSES_A_BIT * steps, np.empty_like(sliced), sliced)
        _preambles(pulses, steps, strength, rest, PAUSES_PER_PULSE)
        count, tried = _starts(
            strength,
            rest,
            sliced,
            NEEDED_PREAMBLES,
            self._byte_steps,
            known.near_table,
            NEWCOMERS_PREAMBLE,
            self._starts,
        )
        starts = self._starts[:count].copy()
        contents = sliced[starts[:, None] + self._byte_steps]
        preambles = strength[starts] / (rest[starts] + SILENCE)
        return Scan(tried, pulses, starts, preambles, contents)
