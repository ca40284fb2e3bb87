"""Mode S frames out of complex samples around 1090 MHz. Needs numpy (extra ``sdr``).

Two stages: `demodulation_scan` finds where a message may start and slices its bits; here the parity
of each candidate decides. A frame with a parity of its own is taken when it is clean, or when one
or two of its weakest bits make it a clean frame of an aircraft heard lately. A frame with its
address laid over its parity is taken of an aircraft heard lately when preamble and bits are plain,
and never repaired: any damage makes some address.

Samples are worked on in blocks of one size counted from the first sample, so that the same input
gives the same frames in whatever pieces it is fed. No clock: time is counted in samples.
"""

from collections import deque
from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.acceptance import Accepted, Judge
from aerocast_protocols.modes.demodulation_scan import (
    NumpyScanner,
    Scanner,
    block_samples,
)
from aerocast_protocols.modes.iq import Samples
from aerocast_protocols.modes.known_addresses import KnownAddresses
from aerocast_protocols.modes.upsampling import TAPS, Upsampling, plan_upsampling

Engine = Literal["numpy", "numba"]
TICKS_PER_S = 12_000_000
ADDRESS_LIFETIME_S = 60.0
DEFAULT_UPSAMPLE: dict[Engine, int] = {"numpy": 2, "numba": 4}
_BLOCK_SAMPLES = 65_536  # about: 30 ms; large enough for whole arrays, small enough for caches
_MARGIN = TAPS // 2


class HeardFrame(msgspec.Struct, frozen=True, gc=False):
    """One message heard.

    Attributes
    ----------
    ticks_12mhz
        Start of its preamble, counted in 1/12 us from the first sample; resolved to a fraction of
        a sample. (dump1090 and its kin stamp the end of bit 56: 768 ticks later.)
    frame
        7 or 14 bytes, parity included, repaired where that was needed.
    signal_dbfs
        Mean power of its pulses in dB relative to full scale.
    repaired_bits
        How many bits were turned, 0 to 2.
    score
        How plainly its bits stood out, 0 to 1: noise has about 0.25, a strong message 0.7.
    """

    ticks_12mhz: int
    frame: bytes
    signal_dbfs: float
    repaired_bits: int
    score: float


class Counts(msgspec.Struct):
    """What a demodulator has done so far.

    Attributes
    ----------
    samples
        Samples worked on.
    candidates
        Places where a message might have started.
    accepted, repaired
        Messages given out, and how many of them had bits repaired.
    """

    samples: int = 0
    candidates: int = 0
    accepted: int = 0
    repaired: int = 0

    @property
    def rejected(self) -> int:
        """Candidates that were no message, or the same message a step aside."""
        return self.candidates - self.accepted


class Demodulator:
    """Takes samples in pieces of any size and gives out the frames in them.

    Parameters
    ----------
    sample_rate_hz
        2,000,000 or 2,400,000.
    engine
        ``numpy``, or ``numba`` (extra ``sdr-fast``): compiled when first used, finer by default.
    upsample
        How finely the signal is interpolated, 1, 2, 4 or 8; None is the engine's own choice.
    address_lifetime_s
        How long an aircraft is believed in after it was heard with a parity of its own.

    Attributes
    ----------
    counts
        What was done so far.

    Raises
    ------
    ProtocolError
        A rate, engine or upsampling that does not exist, or numba is not installed.
    """

    def __init__(
        self,
        sample_rate_hz: int,
        engine: Engine = "numpy",
        upsample: int | None = None,
        *,
        address_lifetime_s: float = ADDRESS_LIFETIME_S,
    ) -> None:
        if engine not in DEFAULT_UPSAMPLE:
            raise ProtocolError(f"engine {engine!r} is neither numpy nor numba")
        upsampling = plan_upsampling(
            sample_rate_hz, DEFAULT_UPSAMPLE[engine] if upsample is None else upsample
        )
        rows = -(-_BLOCK_SAMPLES // upsampling.taken)
        block_steps = rows * upsampling.given
        self.counts = Counts()
        self._sample_rate_hz = sample_rate_hz
        self._block = rows * upsampling.taken
        self._needed = block_samples(upsampling, block_steps)
        self._known = KnownAddresses(round(address_lifetime_s * TICKS_PER_S))
        self._scanner = _scanner(engine, upsampling, block_steps)
        self._judge = Judge(upsampling, block_steps, self._known)
        self._ticks_a_step = TICKS_PER_S * upsampling.taken / upsampling.given / sample_rate_hz
        self._waiting: list[Samples] = [np.zeros(_MARGIN, np.complex64)]
        self._waiting_samples = _MARGIN
        self._begun = 0  # number of the first sample of the block to come
        self._frames: deque[HeardFrame] = deque()

    def confirm(self, address: int) -> None:
        """Believe in an aircraft as if it had been heard just now."""
        self._known.confirm([address], self._ticks(0))

    def feed(self, samples: Samples) -> None:
        """Add samples, full scale about 1: complex64, shape (n,)."""
        self._waiting.append(samples)
        self._waiting_samples += samples.size
        self.counts.samples += samples.size
        if self._waiting_samples >= self._needed:
            self._work_through()

    def flush(self) -> None:
        """Work on what is left, as if silence followed. Feed nothing afterwards."""
        self._waiting.append(np.zeros(self._needed + self._block, np.complex64))
        self._waiting_samples += self._needed + self._block
        self._work_through()

    def frames(self) -> Iterator[HeardFrame]:
        """Give out every frame found, in the order they started."""
        while self._frames:
            yield self._frames.popleft()

    def _work_through(self) -> None:
        samples = np.concatenate(self._waiting)
        begin = 0
        while begin + self._needed <= samples.size:
            self._work_on(samples[begin : begin + self._needed])
            begin += self._block
            self._begun += self._block
        rest = samples[begin:].copy()
        self._waiting, self._waiting_samples = [rest], rest.size

    def _work_on(self, samples: Samples) -> None:
        ticks = self._ticks(0)
        self._known.forget(ticks)
        scan = self._scanner.scan(samples.real.copy(), samples.imag.copy(), self._known)
        self.counts.candidates += scan.tried
        for accepted in self._judge.judge(scan, ticks):
            self.counts.accepted += 1
            self.counts.repaired += accepted.repaired_bits > 0
            self._frames.append(self._heard(accepted))

    def _heard(self, accepted: Accepted) -> HeardFrame:
        return HeardFrame(
            ticks_12mhz=max(0, self._ticks(accepted.start)),
            frame=accepted.frame,
            signal_dbfs=accepted.signal_dbfs,
            repaired_bits=accepted.repaired_bits,
            score=accepted.score,
        )

    def _ticks(self, steps: float) -> int:
        return round(self._begun * TICKS_PER_S / self._sample_rate_hz + steps * self._ticks_a_step)


def _scanner(engine: Engine, upsampling: Upsampling, block_steps: int) -> Scanner:
    if engine == "numpy":
        return NumpyScanner(upsampling, block_steps)
    try:
        from aerocast_protocols.modes.demodulation_numba import (  # noqa: PLC0415  an extra
            NumbaScanner,
        )
    except ImportError as error:
        raise ProtocolError(f"engine numba needs the extra sdr-fast: {error}") from error
    fast: Scanner = NumbaScanner(upsampling, block_steps)
    return fast
