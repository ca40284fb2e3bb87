"""Samples of a radio as bytes, turned into complex numbers. Needs numpy (extra ``sdr``).

``cu8``: unsigned bytes I, Q with zero at 127.4, as RTL-SDR sticks give them; ``cs16``: pairs of
signed 16-bit numbers, little-endian; ``cf32``: pairs of 32-bit floats. None of them says its
sample rate.
"""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from aerocast_protocols.errors import ProtocolError

SampleFormat = Literal["cu8", "cs16", "cf32"]
SAMPLE_FORMATS: tuple[SampleFormat, ...] = get_args(SampleFormat)
BYTES_A_SAMPLE: dict[SampleFormat, int] = {"cu8": 2, "cs16": 4, "cf32": 8}
Samples = npt.NDArray[np.complex64]
"""Complex samples, full scale about 1: complex64, shape (n,)."""

_CU8_ZERO = 127.4  # between 127 and 128: what RTL2832 sticks give without a signal
_CU8 = ((np.arange(256) - _CU8_ZERO) / 128.0).astype(np.float32)


class SampleBuffer:
    """Turns bytes into samples; a sample split between two pieces waits for its other half.

    Parameters
    ----------
    sample_format
        How a sample is written.

    Raises
    ------
    ProtocolError
        There is no such format.
    """

    def __init__(self, sample_format: SampleFormat) -> None:
        if sample_format not in BYTES_A_SAMPLE:
            raise ProtocolError(
                f"sample format {sample_format!r} is none of {', '.join(SAMPLE_FORMATS)}"
            )
        self._format = sample_format
        self._rest = b""

    def take(self, received: bytes) -> Samples:
        """Give the samples that are whole now."""
        if self._rest:
            received = self._rest + received
        whole = len(received) - len(received) % BYTES_A_SAMPLE[self._format]
        self._rest = received[whole:]
        content = memoryview(received)[:whole]
        if self._format == "cu8":
            return _CU8[np.frombuffer(content, np.uint8)].view(np.complex64)
        if self._format == "cs16":
            numbers = np.frombuffer(content, "<i2").astype(np.float32)
            numbers /= np.float32(32768)
            return numbers.view(np.complex64)
        # Not a number, or beyond any receiver's scale: silence rather than a poisoned block.
        numbers = np.frombuffer(content, "<f4").astype(np.float32)
        return np.where(np.abs(numbers) < 1e6, numbers, np.float32(0)).view(np.complex64)
