"""A transmitter for tests: frames put on the air as complex samples."""

import numpy as np

FINE = 24_000_000  # pulses are drawn at this rate: twelve steps each, ten or twelve a sample


def waveform(frame: bytes):
    """Give a frame's magnitude at FINE, preamble included."""
    pulse = FINE // 2_000_000
    halves = np.zeros(16 + len(frame) * 16)
    halves[[0, 2, 7, 9]] = 1
    bits = np.unpackbits(np.frombuffer(frame, np.uint8))
    halves[16::2], halves[17::2] = bits, 1 - bits
    return np.repeat(halves, pulse)


class Air:
    """Collects transmissions; noise has power 1 and a frame's pulses ``snr_db`` more."""

    def __init__(self, length_s, rate, *, seed=1, noise=1.0):
        self._rate = rate
        self._chance = np.random.default_rng(seed)
        size = round(length_s * rate)
        parts = self._chance.standard_normal((2, size)) * np.sqrt(noise / 2)
        self._samples = parts[0] + 1j * parts[1]

    def send(self, frame: bytes, at_s, *, snr_db=20.0, carrier_hz=150_000.0):
        """Put a frame on the air; its preamble starts at ``at_s``, between samples as it falls."""
        pulses = waveform(frame)
        first = int(np.ceil(at_s * self._rate)) - 2
        count = int(len(pulses) / FINE * self._rate) + 4
        numbers = np.arange(first, first + count)
        # A sample is the mean over its length around its moment: what a receiver's filter does.
        total = np.concatenate([[0.0], np.cumsum(pulses)])
        edges = ((numbers[None, :] + np.array([[-0.5], [0.5]])) / self._rate - at_s) * FINE
        edges = np.clip(edges, 0, len(pulses))
        low, high = np.interp(edges, np.arange(len(total)), total)
        amplitude = 10 ** (snr_db / 20) * (high - low) / (FINE / self._rate)
        phase = 2 * np.pi * (carrier_hz * numbers / self._rate + self._chance.random())
        inside = (numbers >= 0) & (numbers < len(self._samples))
        self._samples[numbers[inside]] += (amplitude * np.exp(1j * phase))[inside]

    def samples(self, full_scale=60.0):
        """Give what a receiver makes of it, full scale 1."""
        return (self._samples / full_scale).astype(np.complex64)

    def cu8(self, full_scale=60.0) -> bytes:
        """Give it as a stick does."""
        parts = self.samples(full_scale).view(np.float32) * 128 + 127.4
        return np.clip(np.round(parts), 0, 255).astype(np.uint8).tobytes()
