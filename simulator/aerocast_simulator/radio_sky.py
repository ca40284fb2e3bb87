"""The simulated sky as a radio hears it: samples without end, and the list of what is in them.

Needs numpy (extra ``radio``). Messages start at random moments, are up to 40 dB stronger than the
noise, fall between samples, are off in frequency, overlap, and share the air with Mode A/C replies.
Everything is drawn from one seed, a tenth of a second at a time, so that the same seed is the same
air in whatever pieces it is taken.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import Wind

from aerocast_simulator.flight import Air, Layer, moved
from aerocast_simulator.sky import Flight

SLICE_S = 0.1
CHIP_S = 0.5e-6
PREAMBLE_CHIPS = (0, 2, 7, 9)  # of 16: pulses of half a microsecond (ICAO Annex 10 vol. IV)
PREAMBLE_LENGTH = 16
PULSE_A_S, SPACING_A_S = 0.45e-6, 1.45e-6  # Mode A/C: pulse, and from one to the next
PLACES_A = 15  # F1, twelve code pulses with an empty one in their middle, F2
LONGEST_S = 120e-6
ZERO = 127.4  # of unsigned samples, as dongles give them
NOISE_LSB = 2.0  # of both components together: 36 dB above it is full scale
STRONGEST_DB = 40.0
OFFSET_SIGMA_HZ, FARTHEST_HZ = 300e3, 1e6
MESSAGES_A_FLIGHT = 6.2  # what a flight sends a second in flight

FINE = 8  # steps a sample in which messages are drawn before the filter
FILTER_REACH = 6  # samples


def _receiver_filter() -> npt.NDArray[np.float64]:
    """Give the low pass in front of the sampling: all of the band between the two Nyquist edges."""
    place = np.arange(-FILTER_REACH * FINE, FILTER_REACH * FINE + 1) / FINE
    taps = np.sinc(0.95 * place) * np.hamming(place.size)
    return np.asarray(taps / taps.sum(), np.float64)


FILTER = _receiver_filter()
Samples = npt.NDArray[np.complex64]


class Sent(NamedTuple):
    """A message in the air.

    Attributes
    ----------
    second
        Start of its preamble since the first sample.
    frame
        7 or 14 bytes, parity included; 2 for Mode A/C (four octal digits as a number).
    snr_db
        Power of its pulses over that of the noise.
    offset_hz
        How far its carrier is off.
    """

    second: float
    frame: bytes
    snr_db: float
    offset_hz: float

    @property
    def lasts_s(self) -> float:
        """How long it is in the air."""
        if len(self.frame) == 2:
            return (PLACES_A - 1) * SPACING_A_S + PULSE_A_S
        return (PREAMBLE_LENGTH + 16 * len(self.frame)) * CHIP_S


class RadioSky:
    """The air around 1090 MHz, a tenth of a second at a time.

    Parameters
    ----------
    flights
        Whose frames are sent; what each sends within a slice is sent at random moments of it.
    sample_rate_hz
        2,000,000 or 2,400,000, or any other that divides into slices.
    messages_a_second
        Mode S messages; 50 to 3000 is what airports see.
    replies_a_second
        Mode A/C replies between them.
    snr_db
        Range of strengths, evenly drawn; one value twice for equal ones.
    offset_sigma_hz
        Deviation of carriers, never farther than 1 MHz.
    """

    def __init__(  # noqa: PLR0913 - the air is that many facts
        self,
        flights: Sequence[Flight],
        sample_rate_hz: int,
        *,
        seed: int,
        messages_a_second: float = 1000.0,
        replies_a_second: float = 200.0,
        snr_db: tuple[float, float] = (0.0, STRONGEST_DB),
        offset_sigma_hz: float = OFFSET_SIGMA_HZ,
    ) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.slice_samples = round(sample_rate_hz * SLICE_S)
        self._flights = tuple(flights)
        self._seed = seed
        self._messages_a_second = messages_a_second
        self._replies_a_second = replies_a_second
        self._snr_db = snr_db
        self._offset_sigma_hz = offset_sigma_hz
        self._truth: dict[int, tuple[Sent, ...]] = {}

    def truth(self, number: int) -> tuple[Sent, ...]:
        """Give what starts within a slice (from 0), oldest first."""
        known = self._truth.get(number)
        if known is None:
            known = self._draw(number)
            self._truth = {each: self._truth[each] for each in self._truth if each >= number - 2}
            self._truth[number] = known
        return known

    def samples(self, number: int) -> Samples:
        """Give a slice's samples, full scale 1: complex64, shape (slice_samples,)."""
        rng = np.random.default_rng((self._seed, number, 1))
        sigma = NOISE_LSB / 128.0 / math.sqrt(2.0)
        noise = rng.standard_normal((self.slice_samples, 2), np.float32) * np.float32(sigma)
        air = noise.view(np.complex64)[:, 0]
        begins_s = number * SLICE_S
        before = self.truth(number - 1) if number else ()
        for sent in (*before, *self.truth(number)):
            if sent.second + LONGEST_S > begins_s:
                self._add(air, sent, begins_s)
        return air

    def cu8(self, number: int) -> bytes:
        """Give a slice as a dongle sends it: unsigned bytes, I and Q in turn."""
        numbers = self.samples(number).view(np.float32) * np.float32(128.0) + np.float32(ZERO)
        rounded: npt.NDArray[np.uint8] = np.clip(np.rint(numbers), 0.0, 255.0).astype(np.uint8)
        return rounded.tobytes()

    def _draw(self, number: int) -> tuple[Sent, ...]:
        if number < 0:
            return ()
        rng = np.random.default_rng((self._seed, number, 0))
        begins_s = number * SLICE_S
        frames = [
            each.frame
            for flight in self._flights
            for each in flight.transmissions(begins_s, begins_s + SLICE_S)
        ]
        drawn: list[bytes] = []
        count = int(rng.poisson(self._messages_a_second * SLICE_S)) if frames else 0
        while len(drawn) < count:  # each once before any twice
            drawn += [frames[each] for each in rng.permutation(len(frames))]
        del drawn[count:]
        replies = int(rng.poisson(self._replies_a_second * SLICE_S))
        drawn += [int(code).to_bytes(2, "big") for code in rng.integers(1, 4096, replies)]
        starts = begins_s + rng.uniform(0.0, SLICE_S, len(drawn))
        strengths = rng.uniform(*self._snr_db, len(drawn))
        offsets = rng.normal(0.0, self._offset_sigma_hz, len(drawn)).clip(-FARTHEST_HZ, FARTHEST_HZ)
        return tuple(
            sorted(
                Sent(float(second), frame, float(snr_db), float(offset_hz))
                for second, frame, snr_db, offset_hz in zip(
                    starts, drawn, strengths, offsets, strict=True
                )
            )
        )

    def _add(self, air: Samples, sent: Sent, begins_s: float) -> None:
        """Add a message as it comes out of the receiver's filter."""
        rate = self.sample_rate_hz
        start = (sent.second - begins_s) * rate
        first = max(math.floor(start) - FILTER_REACH, 0)
        last = min(math.ceil(start + sent.lasts_s * rate) + FILTER_REACH, air.size)
        if last <= first:
            return
        edges_s, area_s = _pulses(sent.frame)
        # In fine steps first, as far as the filter reaches on either side.
        steps = (last - first - 1) * FINE + FILTER.size
        offsets = (np.arange(steps + 1) - 0.5 - FILTER.size // 2) / FINE
        moments_s = (first - start + offsets) / rate
        fine = np.diff(np.interp(moments_s, edges_s, area_s)) * (rate * FINE)
        # A phase of its own, and the turning of a carrier that is off.
        turns = moments_s[:-1] * sent.offset_hz + sent.second * 1e7 % 1.0
        turning = fine * np.exp(2j * np.pi * turns)
        strength = NOISE_LSB / 128.0 * 10.0 ** (sent.snr_db / 20.0)
        windows = np.lib.stride_tricks.sliding_window_view(turning, FILTER.size)[::FINE]
        air[first:last] += (windows @ (strength * FILTER)).astype(np.complex64)


def crowd(here: Position, messages_a_second: float) -> list[Flight]:
    """Give as many flights as send about so many messages a second, around a place."""
    air = Air([Layer(0.0, Wind(270.0, 30.0), -20.0)])
    count = max(1, round(messages_a_second / MESSAGES_A_FLIGHT))
    golden_deg = 137.508
    return [
        Flight.overflight(
            f"{0x400000 + 257 * number:06x}",
            f"SIM{number:04d}",
            moved(here, golden_deg * number, 150_000.0 * math.sqrt((number + 0.5) / count)),
            air,
            true_heading_deg=golden_deg * number * 2.0 % 360.0,
            true_airspeed_kt=380.0 + number % 80,
            altitude_ft=20_000.0 + 250.0 * (number % 72),
            ends_s=86_400.0,
        )
        for number in range(count)
    ]


@lru_cache(maxsize=4096)
def _pulses(frame: bytes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give a message's envelope as its integral: moments in seconds, and the area up to each."""
    begins, length_s = _pulse_starts(frame)
    edges = np.empty(2 * len(begins))
    edges[0::2], edges[1::2] = begins, np.asarray(begins) + length_s
    area = np.repeat(np.arange(len(begins) + 1) * length_s, 2)[1:-1]
    return edges, area


def _pulse_starts(frame: bytes) -> tuple[list[float], float]:
    if len(frame) == 2:
        code = int.from_bytes(frame, "big") & 0xFFF
        bits = [code >> (11 - place) & 1 for place in range(12)]
        places = [1, *bits[:6], 0, *bits[6:], 1]
        return [place * SPACING_A_S for place, is_sent in enumerate(places) if is_sent], PULSE_A_S
    chips = list(PREAMBLE_CHIPS)
    for index, bit in enumerate(format(int.from_bytes(frame, "big"), f"0{8 * len(frame)}b")):
        chips.append(PREAMBLE_LENGTH + 2 * index + (bit == "0"))
    return [chip * CHIP_S for chip in chips], CHIP_S
