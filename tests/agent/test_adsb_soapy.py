"""Receivers through SoapySDR: a simulated library, and the real one without a receiver.

Nothing here shows that a receiver on hardware streams.
"""

import asyncio
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import aerocast_agent
import numpy as np
import pytest
from aerocast_agent import config
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.drivers.adsb_rtlsdr import UsbDongle
from aerocast_agent.soapy_library import OVERFLOW, SYSTEM_PACKAGES, TIMEOUT, SoapyDevice, open_soapy
from aerocast_agent.stands import Stands
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.observations.aircraft import AircraftState
from aerocast_simulator.radio_sky import SLICE_S, RadioSky, crowd

HERE = Position(43.6293, 1.3638)


class SimulatedDevice:
    """Answers as SoapySDR's Device does: small reads, now and then a timeout or an overflow."""

    def __init__(self, *, fails_after=None):
        self.told = {}
        self.is_streaming = False
        self._fails_after = fails_after
        self._rest, self._slices, self._reads = np.empty(0, np.complex64), 0, 0

    def __getattr__(self, name):
        if name.startswith("set"):
            return lambda _direction, _channel, value: self.told.update({name: value})
        if name.startswith("has"):
            return lambda *_: True
        raise AttributeError(name)

    def getSampleRate(self, *_):  # noqa: N802 - SoapySDR's names
        return self.told["setSampleRate"]

    def setupStream(self, _direction, sample_format, channels):  # noqa: N802
        assert (sample_format, channels) == ("CF32", [0])
        return "stream"

    def activateStream(self, _):  # noqa: N802
        self.is_streaming = True

    def deactivateStream(self, _):  # noqa: N802
        self.is_streaming = False

    def closeStream(self, _):  # noqa: N802
        assert not self.is_streaming

    def readStream(self, _, buffers, most, timeoutUs):  # noqa: ARG002, N802, N803
        self._reads += 1
        if self._fails_after is not None and self._reads > self._fails_after:
            return SimpleNamespace(ret=-2)
        if self._reads % 50 == 0:
            return SimpleNamespace(ret=TIMEOUT if self._reads % 100 else OVERFLOW)
        if not len(self._rest):
            began_s = time.monotonic()
            sky = RadioSky(
                crowd(HERE, 40.0), 2_400_000, seed=3, messages_a_second=40.0, snr_db=(20.0, 30.0),
                offset_sigma_hz=5e4,
            )  # fmt: skip
            octets = np.frombuffer(sky.cu8(self._slices), np.uint8).astype(np.float32)
            self._rest = ((octets - 127.4) / 128.0).view(np.complex64)
            self._slices += 1
            time.sleep(max(SLICE_S - (time.monotonic() - began_s), 0.0))
        count = min(most, len(self._rest), 8192)
        buffers[0][:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return SimpleNamespace(ret=count)


def receiver(device, **settings):
    library = SimpleNamespace(
        SOAPY_SDR_RX=1, SOAPY_SDR_CF32="CF32", Device=lambda words: words and device
    )
    return UsbDongle(
        "sky",
        AircraftTable(HERE, Stands()),
        which="driver=simulated",
        opening=lambda words: SoapyDevice(library, words),
        samples="cf32",
        **settings,
    )


async def test_aircraft_are_heard_through_a_receiver_of_any_make():
    seen, device = [], SimulatedDevice()
    task = asyncio.create_task(receiver(device, gain_db=40.0, ppm=2).run(seen.append))
    async with asyncio.timeout(60):
        while not any(getattr(each, "latitude_deg", None) for each in seen):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])
    assert device.told == {
        "setSampleRate": 2_400_000.0,
        "setFrequency": 1.09e9,
        "setGainMode": False,
        "setGain": 40.0,
        "setFrequencyCorrection": 2.0,
    }
    assert not device.is_streaming
    states = [each for each in seen if isinstance(each, AircraftState)]
    assert {each.icao for each in states} <= {flight.icao for flight in crowd(HERE, 40.0)}


async def test_a_receiver_that_fails_is_lost():
    device = SimulatedDevice(fails_after=3)
    with pytest.raises(ConnectionResetError, match=r"sky is gone: reading ended with error -2"):
        await receiver(device, gain_db=None).run(lambda _: None)
    assert device.told["setGainMode"] is True
    assert not device.is_streaming


def test_without_the_binding_one_line_says_what_to_install():
    code = (
        f"import sys; sys.path[:0] = [{str(Path(aerocast_agent.__file__).parents[1])!r}]\n"
        "import aerocast_agent.soapy_library as s, pathlib\n"
        "s.SYSTEM_PACKAGES = pathlib.Path('/nowhere')\n"
        "try: s.open_soapy('driver=null')\nexcept OSError as error: print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert ran.stdout == (
        "SoapySDR's Python binding is not installed: "
        "sudo apt install python3-soapysdr soapysdr-module-all\n"
    )


@pytest.fixture
def library():
    found = importlib.util.find_spec("SoapySDR") or (SYSTEM_PACKAGES / "SoapySDR.py").exists()
    if not found:
        absent = "SoapySDR is not installed: apt install python3-soapysdr"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)


@pytest.mark.usefixtures("library")
async def test_the_real_library_says_what_it_does_not_find_and_lets_go_of_what_cannot_stream():
    with pytest.raises(OSError, match="no SoapySDR receiver 'driver=absent'"):
        open_soapy("driver=absent")
    driver = UsbDongle(
        "sky", AircraftTable(HERE, Stands()), which="driver=null", opening=open_soapy,
        samples="cf32",
    )  # fmt: skip
    with pytest.raises(ConnectionResetError, match="sky is gone"):
        await driver.run(lambda _: None)


def test_a_receiver_is_named_in_the_configuration_as_soapysdr_names_it():
    device = config.AdsbSoapy(name="sky", device="driver=hackrf,serial=0123")
    assert device.which == "driver=hackrf,serial=0123"
    assert config.AdsbRtlSdr(name="sky").which == 0
