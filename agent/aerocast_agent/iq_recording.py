"""Recordings of radio samples: frames in them, and whether the sample rate can be right.

No such file says its rate, and at a wrong one nothing is heard, without any error. So the first
seconds are tried at every rate: to find it, or to say aloud that another one was meant. Needs numpy
(extra ``sdr``).
"""

import time
from collections.abc import Iterable, Iterator
from itertools import chain

from aerocast_protocols.modes.demodulation import Counts, Demodulator, HeardFrame
from aerocast_protocols.modes.iq import BYTES_A_SAMPLE, SampleBuffer, SampleFormat
from aerocast_protocols.modes.upsampling import SAMPLE_RATES_HZ

from aerocast_agent.recordings import Radio

TRIED_S = 2.0  # an airport's sky is never silent for so long
# Noise that passes for one message is rare, for two unheard of.
FEWEST = 2
_LIKELY_RATE_HZ = 2_400_000  # what readsb and dump1090 record


class IqReading:
    """Reads one recording, a piece at a time.

    Parameters
    ----------
    sample_format
        How a sample is written: ``cu8``, ``cs16`` or ``cf32``.
    radio
        How it was recorded, and is to be worked on.

    Attributes
    ----------
    rate_hz
        The rate it is read at; None until that is found out.
    warning
        What is wrong with the rate, in a sentence; None when nothing is.
    worked_s
        Processor time spent on finding messages.
    """

    def __init__(self, sample_format: SampleFormat, radio: Radio) -> None:
        self.rate_hz = radio.rate_hz
        self.warning: str | None = None
        self.worked_s = 0.0
        self._format: SampleFormat = sample_format
        self._radio = radio
        self._demodulator: Demodulator | None = None

    @property
    def counts(self) -> Counts:
        """What was done so far."""
        return Counts() if self._demodulator is None else self._demodulator.counts

    def frames(self, pieces: Iterable[bytes]) -> Iterator[list[HeardFrame]]:
        """Give the frames of each piece as it is worked through, and what is left at the end.

        Raises
        ------
        ProtocolError
            The rate or the upsampling does not exist, or the engine is not installed.
        """
        rest = iter(pieces)
        head = self._head(rest)
        if self.rate_hz is None:
            self.rate_hz = self._found(head)
        demodulator = Demodulator(self.rate_hz, self._radio.engine, self._radio.upsample)
        self._demodulator = demodulator
        samples = SampleBuffer(self._format)
        for number, piece in enumerate(chain(head, rest)):
            began_s = time.thread_time()
            demodulator.feed(samples.take(piece))
            self.worked_s += time.thread_time() - began_s
            yield list(demodulator.frames())
            if number == len(head) - 1:
                self._doubt(head)
        demodulator.flush()
        yield list(demodulator.frames())
        if demodulator.counts.samples == 0:
            self.warning = "the recording holds no samples"

    def seconds(self) -> float:
        """Give how much of the recording was worked through."""
        return self.counts.samples / (self.rate_hz or _LIKELY_RATE_HZ)

    def _head(self, pieces: Iterator[bytes]) -> list[bytes]:
        wanted = TRIED_S * _LIKELY_RATE_HZ * BYTES_A_SAMPLE[self._format]
        head: list[bytes] = []
        size = 0
        while size < wanted and (piece := next(pieces, None)) is not None:
            head.append(piece)
            size += len(piece)
        return head

    def _found(self, head: list[bytes]) -> int:
        found = {rate_hz: self._messages(head, rate_hz) for rate_hz in SAMPLE_RATES_HZ}
        best_hz = max(SAMPLE_RATES_HZ, key=lambda rate_hz: (found[rate_hz], rate_hz))
        if not any(found.values()):
            self.warning = (
                f"nothing is heard in the first {TRIED_S:.0f} s at any sample rate known "
                f"({_named(SAMPLE_RATES_HZ)}): reading on at {best_hz}; is the format "
                f"{self._format} right?"
            )
        return best_hz

    def _doubt(self, head: list[bytes]) -> None:
        """Once the head is read in silence, see whether another rate would have heard more."""
        if self._radio.rate_hz is None or self.counts.accepted:
            return
        others = [rate_hz for rate_hz in SAMPLE_RATES_HZ if rate_hz != self.rate_hz]
        found = {rate_hz: self._messages(head, rate_hz) for rate_hz in others}
        best_hz = max(others, key=found.__getitem__)
        if found[best_hz] >= FEWEST:
            self.warning = (
                f"nothing is heard at {self.rate_hz} samples a second, but {found[best_hz]} "
                f"messages in the first seconds at {best_hz}: the rate is set wrong"
            )

    def _messages(self, head: list[bytes], rate_hz: int) -> int:
        demodulator = Demodulator(rate_hz)
        samples = SampleBuffer(self._format)
        for piece in head:
            demodulator.feed(samples.take(piece))
        demodulator.flush()
        return demodulator.counts.accepted


def _named(rates_hz: Iterable[int]) -> str:
    return " and ".join(str(rate_hz) for rate_hz in rates_hz)
