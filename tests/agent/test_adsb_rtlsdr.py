"""The driver of a dongle in the USB port: simulated samples, and the real library without a dongle.

Nothing here shows that a dongle on hardware streams.
"""

import ctypes
import importlib.util
import subprocess
import sys
import threading
import time
from pathlib import Path

import aerocast_agent
import pytest
from aerocast_agent.adjusting import Adjusted, adjust
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.build import driver_of
from aerocast_agent.config_file import parse_config
from aerocast_agent.device_watch import CONNECTED, LOST
from aerocast_agent.drivers.adsb_rtlsdr import UsbDongle
from aerocast_agent.stands import Stands
from aerocast_agent.supervisor import Supervisor
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.observations.aircraft import AircraftState
from aerocast_simulator.radio_sky import SLICE_S, RadioSky, crowd

from tests.waiting import running, until

HERE = Position(43.6293, 1.3638)
OPENING = "from aerocast_agent.rtlsdr_library import open_dongle as o\ntry: o(0)\n"
OPENING += "except OSError as error: print(error)\n"


class SimulatedDongle:
    """Serves the simulated air as pyrtlsdr does: ctypes buffers, from within one blocking call."""

    def __init__(self, *, pieces=None, error=None):
        self.freq_correction = 0
        self.sample_rate = self.center_freq = self.gain = self.agc = None
        self.is_open = True
        self.reader = None
        self._pieces = pieces
        self._error = error
        self._cancelled = threading.Event()

    def set_agc_mode(self, enabled):
        self.agc = enabled

    def read_bytes_async(self, callback, num_bytes):
        self.reader = threading.current_thread()
        sky = RadioSky(
            crowd(HERE, 40.0), self.sample_rate, seed=3, messages_a_second=40.0,
            snr_db=(20.0, 30.0), offset_sigma_hz=5e4,
        )  # fmt: skip
        rest, number = b"", 0
        while not self._cancelled.is_set() and self._pieces != 0:
            if len(rest) < num_bytes:
                began_s = time.monotonic()
                rest += sky.cu8(number)
                number += 1
                self._cancelled.wait(max(SLICE_S - (time.monotonic() - began_s), 0.0))
                continue
            buffer = (ctypes.c_ubyte * num_bytes).from_buffer_copy(rest)
            rest = rest[num_bytes:]
            callback(buffer, self)
            if self._pieces is not None:
                self._pieces -= 1
        if self._error is not None:
            raise self._error

    def cancel_read_async(self):
        self._cancelled.set()

    def close(self):
        ended = self._cancelled.is_set() or self._pieces == 0
        assert (
            ended or not self.is_open or self.reader is None
        )  # closing under a reader is what crashes librtlsdr
        self.is_open = False


class SilentDongle(SimulatedDongle):
    def read_bytes_async(self, *_):
        self.reader = threading.current_thread()
        self._cancelled.wait()


def usb(dongle, **settings):
    return UsbDongle("sky", AircraftTable(HERE, Stands()), opening=lambda _: dongle, **settings)


async def test_aircraft_are_heard_in_the_samples_and_the_dongle_is_let_go_at_the_end():
    seen, dongle = [], SimulatedDongle()
    driver = usb(dongle, rate=2_400_000, gain_db=40.2, ppm=-3)
    async with running(driver.run(seen.append)):
        await until(lambda: any(getattr(each, "latitude_deg", None) for each in seen))
        assert dongle.is_open
    assert not dongle.is_open
    dongle.reader.join(60)
    assert not dongle.reader.is_alive()
    assert dongle.reader is not threading.main_thread()
    tuned = (dongle.sample_rate, dongle.center_freq, dongle.gain, dongle.agc)
    assert tuned == (2_400_000, 1_090_000_000, 40.2, False)
    assert dongle.freq_correction == -3
    assert seen[0].event == "connected"
    states = [each for each in seen if isinstance(each, AircraftState)]
    assert {each.icao for each in states} <= {flight.icao for flight in crowd(HERE, 40.0)}


@pytest.mark.parametrize("error", [None, OSError("transfer failed")])
async def test_a_dongle_pulled_out_is_lost_and_closed(error):
    seen, dongle = [], SimulatedDongle(pieces=3, error=error)
    driver = usb(dongle, rate=2_000_000, gain_db=None)
    with pytest.raises(ConnectionResetError, match=r"sky is gone.*(samples|transfer failed)"):
        await driver.run(seen.append)
    assert dongle.gain == "auto"
    assert not dongle.is_open


async def test_a_dongle_that_says_nothing_is_lost_and_closed():
    dongle = SilentDongle()
    with pytest.raises(TimeoutError, match="sky sent nothing"):
        await usb(dongle, silence_limit_s=0.2).run(lambda _: None)
    assert not dongle.is_open
    dongle.reader.join(60)
    assert not dongle.reader.is_alive()


async def test_a_dongle_plugged_in_again_is_found_again():
    dongles = [SimulatedDongle(pieces=1), SimulatedDongle()]
    driver = UsbDongle(
        "sky", AircraftTable(HERE, Stands()), opening=lambda _: dongles.pop(0), silence_limit_s=60.0
    )
    supervisor = Supervisor([driver], lambda _: None)
    async with running(supervisor.run()):
        await until(lambda: supervisor.states["sky"] == LOST)
        await until(lambda: supervisor.states["sky"] == CONNECTED)


def opened_elsewhere(*folders):
    """Open a dongle in a Python that has no packages but those; give the one line it says."""
    path = [str(Path(aerocast_agent.__file__).parents[1]), *map(str, folders)]
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {path}\n{OPENING}"],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert ran.stdout.count("\n") == 1
    return ran.stdout


def test_without_pyrtlsdr_one_line_says_what_to_install():
    said = opened_elsewhere()
    assert said == "pyrtlsdr is not installed: pip install 'aerocast-agent[rtlsdr]'\n"


def test_without_a_library_that_fits_one_line_says_what_to_install(tmp_path):
    # Without the package that brings it: none is found, or Debian's own, which pyrtlsdr refuses.
    package = importlib.util.find_spec("rtlsdr").submodule_search_locations[0]
    (tmp_path / "rtlsdr").symlink_to(package)
    said = opened_elsewhere(tmp_path)
    assert said == "no librtlsdr that fits pyrtlsdr: pip install 'aerocast-agent[rtlsdr]'\n"


@pytest.mark.parametrize("which", [31, "no-such-dongle"])
async def test_the_real_library_without_a_dongle_says_so_in_one_line(which):
    with pytest.raises(OSError, match=r"no dongle (is plugged in|31|with serial 'no-such)"):
        await UsbDongle("sky", AircraftTable(HERE, Stands()), which=which).run(lambda _: None)


class Coarse(SimulatedDongle):
    """A tuner that has few gains, and takes the nearest of them."""

    gains = (0.0, 20.7, 37.2, 49.6)

    @property
    def gain(self):
        return self._gain

    @gain.setter
    def gain(self, wanted):
        if wanted is not None:
            self._gain = min(self.gains, key=lambda each: abs(each - wanted))


async def test_a_profile_is_compared_with_what_the_tuner_makes_of_it():
    dongle = UsbDongle("sky", None, gain_db=38.6, ppm=1, opening=lambda _: Coarse())
    assert await dongle.read_back() == {"gain_db": 37.2, "ppm": 1, "rate": 2_400_000}
    names = Adjusted(device="sky", profile="p")
    near = await adjust(dongle, {"gain_db": 38.6, "ppm": 1}, names)
    assert (near.applied, near.differences) == (True, ())  # the nearest it has
    far = await adjust(dongle, {"gain_db": 30.0, "ppm": 2}, names)
    assert far.rolled_back
    assert "gain_db is 37.2 after 30.0 was written" in far.error
    assert (await dongle.probe()).says == {
        "receiver": "0", "gain_db": 37.2, "ppm": 1, "rate": 2_400_000
    }  # fmt: skip


def built(tmp_path, kind, more=""):
    config = parse_config(
        '[gateway]\nsite = "s"\nname = "g"\nposition = { latitude_deg = 1, longitude_deg = 1 }\n'
        f'[[device]]\nname = "sky"\nkind = "{kind}"\n{more}',
        name="agent.toml",
        folder=tmp_path,
    )
    driver = driver_of(config, config.devices[0])
    return driver._rate, driver._gain_db, getattr(driver, "_ppm", None)


@pytest.mark.parametrize(
    ("kind", "more", "tuned"),
    [
        ("adsb_rtlsdr", "", (2_400_000, 49.6, 0)),
        ("adsb_rtlsdr", 'profile = "own.toml"\n', (2_000_000, 20.7, 3)),
        ("adsb_rtlsdr", 'profile = "own.toml"\ngain_db = "auto"\nppm = 0\n', (2_000_000, None, 0)),
        ("adsb_rtl_tcp", 'host = "h"\nprofile = "own.toml"\n', (2_000_000, 20.7, None)),
        ("adsb_soapy", 'device = "driver=airspy"\n', (2_400_000, None, 0)),
    ],
)
def test_agent_toml_counts_before_the_profile_and_that_before_what_is_usual(
    tmp_path, kind, more, tuned
):
    (tmp_path / "own.toml").write_text(
        'kind = "sdr"\nvendor = "v"\nmodel = "m"\nrate = 2000000\ngain_db = 20.7\nppm = 3\n'
    )
    assert built(tmp_path, kind, more) == tuned
