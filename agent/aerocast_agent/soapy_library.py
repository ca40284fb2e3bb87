"""Open a receiver through SoapySDR (airspy, hackrf, limesdr, bladerf, rtlsdr, a remote one ...).

SoapySDR's binding to Python is not on PyPI: Debian's python3-soapysdr brings it, for the system's
own Python. It is found there from a virtual environment of the same version too.
"""

import errno
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from aerocast_agent.rtlsdr_library import Dongle, Which

SYSTEM_PACKAGES = Path("/usr/lib/python3/dist-packages")
MEND = "sudo apt install python3-soapysdr soapysdr-module-all"
TIMEOUT, OVERFLOW = -1, -4  # of readStream: nothing yet; the machine was too slow
WAIT_US = 500_000
BYTES_A_SAMPLE = 8
_CHANNEL = 0


class SoapyDevice:
    """A receiver of any make, used as pyrtlsdr's dongles are; samples come as ``cf32``."""

    def __init__(self, library: ModuleType, which: str) -> None:
        self._library = library
        self._device = library.Device(which)
        self._receive = library.SOAPY_SDR_RX
        self._cancelled = False
        self._settings: dict[str, float | str | int] = {"gain": "auto", "freq_correction": 0}

    @property
    def sample_rate(self) -> float:
        """Samples a second."""
        return float(self._device.getSampleRate(self._receive, _CHANNEL))

    @sample_rate.setter
    def sample_rate(self, rate: float) -> None:
        self._device.setSampleRate(self._receive, _CHANNEL, float(rate))

    @property
    def center_freq(self) -> float:
        """Hertz."""
        return float(self._device.getFrequency(self._receive, _CHANNEL))

    @center_freq.setter
    def center_freq(self, hertz: float) -> None:
        self._device.setFrequency(self._receive, _CHANNEL, float(hertz))

    @property
    def gain(self) -> float | str:
        """Decibels over all stages together; ``auto`` where the receiver decides."""
        return self._settings["gain"]

    @gain.setter
    def gain(self, gain: float | str) -> None:
        self._settings["gain"] = gain
        if self._device.hasGainMode(self._receive, _CHANNEL):
            self._device.setGainMode(self._receive, _CHANNEL, gain == "auto")
        if gain != "auto":
            self._device.setGain(self._receive, _CHANNEL, float(gain))

    @property
    def freq_correction(self) -> int:
        """Parts per million; left out where the receiver cannot."""
        return int(self._settings["freq_correction"])

    @freq_correction.setter
    def freq_correction(self, ppm: int) -> None:
        self._settings["freq_correction"] = ppm
        if self._device.hasFrequencyCorrection(self._receive, _CHANNEL):
            self._device.setFrequencyCorrection(self._receive, _CHANNEL, float(ppm))

    def set_agc_mode(self, enabled: bool, /) -> None:  # noqa: FBT001 - pyrtlsdr's signature
        """Do nothing: there is no second gain control."""

    def read_bytes_async(self, callback: Callable[[object, object], None], num_bytes: int) -> None:
        """Give the callback whole buffers until cancelled; ``OSError`` when the receiver fails."""
        import numpy as np  # noqa: PLC0415 - an extra

        stream = self._device.setupStream(self._receive, self._library.SOAPY_SDR_CF32, [_CHANNEL])
        samples = np.empty(num_bytes // BYTES_A_SAMPLE, np.complex64)
        filled = 0
        try:
            self._device.activateStream(stream)
            while not self._cancelled:
                rest = samples[filled:]
                found = self._device.readStream(stream, [rest], len(rest), timeoutUs=WAIT_US).ret
                if found < 0 and found not in (TIMEOUT, OVERFLOW):
                    raise OSError(f"reading ended with error {found} of SoapySDR")
                filled += max(found, 0)
                if filled == len(samples):
                    callback(samples, self)
                    filled = 0
        finally:
            self._device.deactivateStream(stream)
            self._device.closeStream(stream)

    def cancel_read_async(self) -> None:
        """End `read_bytes_async` within half a second."""
        self._cancelled = True

    def close(self) -> None:
        """Let go of the receiver."""
        self._device = None  # the binding closes what nobody holds


def open_soapy(which: Which) -> Dongle:
    """Open a receiver by SoapySDR's words for it: ``driver=airspy``, ``driver=rtlsdr,serial=1``.

    Raises
    ------
    OSError
        Binding or receiver is missing: the message says how to mend it.
    """
    library = _binding()
    try:
        return SoapyDevice(library, str(which))
    except RuntimeError as error:
        raise OSError(
            errno.ENODEV,
            f"no SoapySDR receiver {which!r}: {error} ('SoapySDRUtil --find' lists what is there)",
        ) from None


def _binding() -> ModuleType:
    try:
        return importlib.import_module("SoapySDR")
    except ModuleNotFoundError:
        pass
    sys.path.append(str(SYSTEM_PACKAGES))
    try:
        return importlib.import_module("SoapySDR")
    except ImportError:
        raise OSError(f"SoapySDR's Python binding is not installed: {MEND}") from None
    finally:
        sys.path.remove(str(SYSTEM_PACKAGES))
