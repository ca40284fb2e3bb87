"""Samples between the samples: a windowed-sinc interpolation as one matrix. Needs numpy.

A Mode S pulse lasts half a microsecond: one sample at 2.0 MS/s. Whether a bit is a one shows best
when the *complex* samples are interpolated before their magnitude is taken. Output runs at a whole
number of steps in a pulse, whatever the input's rate: 2.4 MS/s become 4, 6, 10 or 20 MS/s.
"""

from math import gcd
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aerocast_protocols.errors import ProtocolError

Floats = npt.NDArray[np.float32]

SAMPLE_RATES_HZ = (2_000_000, 2_400_000)
PULSES_A_SECOND = 2_000_000
UPSAMPLINGS = (1, 2, 4, 8)
TAPS = 12
_KAISER_BETA = 5.0
_GROUP = 32  # input samples that share a row of the matrix product, about
# Rows multiplied at a time. A larger product would be spread over threads, which wait for each
# other longer than they work.
ROWS_TOGETHER = 16


class Upsampling(NamedTuple):
    """How samples are interpolated.

    Attributes
    ----------
    steps
        Steps of the output in a half-microsecond pulse.
    taken, given
        Input samples a row of the product moves on by, and outputs it makes of them.
    matrix
        float32, shape (taken + TAPS, given): a row of input, TAPS / 2 samples of margin on either
        side, gives a row of output.
    """

    steps: int
    taken: int
    given: int
    matrix: Floats


def plan_upsampling(sample_rate_hz: int, upsample: int) -> Upsampling:
    """Make the interpolation.

    Parameters
    ----------
    sample_rate_hz
        2,000,000 or 2,400,000.
    upsample
        Times the input's rate, 1, 2, 4 or 8; rounded up to whole steps in a pulse.

    Raises
    ------
    ProtocolError
        Another rate or factor.
    """
    if sample_rate_hz not in SAMPLE_RATES_HZ:
        raise ProtocolError(f"sample rate {sample_rate_hz} is neither 2000000 nor 2400000")
    if upsample not in UPSAMPLINGS:
        raise ProtocolError(f"upsampling {upsample} is none of 1, 2, 4, 8")
    steps = -(-sample_rate_hz * upsample // PULSES_A_SECOND)
    common = gcd(steps * PULSES_A_SECOND, sample_rate_hz)
    given, taken = steps * PULSES_A_SECOND // common, sample_rate_hz // common
    repeated = max(1, _GROUP // taken)
    given, taken = given * repeated, taken * repeated
    half = TAPS // 2
    wanted = np.arange(given) * (taken / given)
    distance = wanted[None, :] - (np.arange(taken + TAPS)[:, None] - half)
    inside = np.clip(1.0 - (distance / half) ** 2, 0.0, None)
    window = np.where(inside > 0.0, np.i0(_KAISER_BETA * np.sqrt(inside)), 0.0)
    matrix = np.sinc(distance) * window
    matrix /= matrix.sum(axis=0).mean()
    return Upsampling(steps, taken, given, matrix.astype(np.float32))


def upsampled(upsampling: Upsampling, part: Floats) -> Floats:
    """Interpolate the real or imaginary part of samples.

    Parameters
    ----------
    part
        float32, shape (rows * taken + TAPS,), where rows is a multiple of ROWS_TOGETHER: what is
        beyond that is left out.
    """
    taken = upsampling.taken
    groups = (part.size - TAPS) // (taken * ROWS_TOGETHER)
    windows = np.lib.stride_tricks.as_strided(
        part,
        (groups, ROWS_TOGETHER, taken + TAPS),
        (ROWS_TOGETHER * taken * part.itemsize, taken * part.itemsize, part.itemsize),
        writeable=False,
    )
    product: Floats = np.ascontiguousarray(windows) @ upsampling.matrix
    return product.ravel()
