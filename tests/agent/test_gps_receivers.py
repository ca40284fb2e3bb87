"""GPS receivers: u-blox on a serial line, and a real gpsd that a real gpsfake feeds."""

import asyncio
import signal
import subprocess
import time
from pathlib import Path

import pytest
from aerocast_agent import clock
from aerocast_agent.adjusting import Adjusted, adjust
from aerocast_agent.build import build
from aerocast_agent.config_file import parse_config
from aerocast_agent.drivers.gps_serial import GpsSerial
from aerocast_agent.drivers.gpsd import GpsdClient
from aerocast_agent.profiles import UbloxProfile
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gpsd.reports import LONGEST_REPORT
from aerocast_protocols.ubx.navigation import NavPvt
from aerocast_simulator.processes import free_port
from aerocast_simulator.serial_devices import PtyGps
from aerocast_simulator.ublox import PtyUblox

from tests.agent.seen import Seen, stopped
from tests.servers import find_server

GPS = Path(__file__).parents[2].parent / "shared" / "data" / "devices" / "gps"
MOTION = 0x20110021


def here(utc_us, **more):
    return NavPvt(**{
        "utc_us": utc_us, "is_time_valid": True, "is_time_resolved": True, "time_error_ns": 25,
        "fix_type": 3, "is_fix_good": True, "satellites": 14, "latitude_deg": 43.6293,
        "longitude_deg": 1.3638, "altitude_m": 152.0, "horizontal_error_m": 1.5,
        "vertical_error_m": 2.5, "speed_mps": 0.0, "track_deg": 0.0, "pdop": 1.4, **more,
    })  # fmt: skip


async def test_a_receiver_that_speaks_ubx_alone_gives_position_and_time():
    with PtyUblox() as receiver:
        seen = Seen()
        running = asyncio.create_task(GpsSerial("gps", receiver.path).run(seen.accept))
        await seen.until(1)
        receiver.locate(here(time.time_ns() // 1000))
        await seen.until(2)
        await stopped(running)
    fix = seen[1]
    assert (fix.mode, fix.satellites, fix.source, fix.time_error_ns) == (3, 14, "ubx", 25)
    assert fix.latitude_deg == pytest.approx(43.6293)
    assert (fix.time_trusted, fix.time_doubt) == (True, None)


@pytest.mark.parametrize("weeks", [-1024, 1024])
async def test_a_receiver_whose_weeks_rolled_over_is_not_believed_and_says_why(weeks):
    with PtyUblox() as receiver:
        seen = Seen()
        driver = GpsSerial("gps", receiver.path)
        running = asyncio.create_task(driver.run(seen.accept))
        await seen.until(1)
        receiver.locate(here(time.time_ns() // 1000 + weeks * 7 * 86_400_000_000))
        await seen.until(2)
        report = await driver.probe()
        await stopped(running)
    assert not seen[1].time_trusted
    assert seen[1].time_doubt.startswith("1024 weeks too ")
    (fault,) = report.faults
    assert "1024 weeks" in fault.found
    assert "firmware" in fault.mend


async def test_ubx_and_nmea_of_one_receiver_make_one_position_a_second():
    with PtyUblox() as receiver:
        seen = Seen()
        running = asyncio.create_task(GpsSerial("gps", receiver.path).run(seen.accept))
        await seen.until(1)
        receiver.send(b"$GNRMC,000941.00,A,4404.13387,N,12118.85628,W,0.029,,100117,,,A*7D\r\n")
        receiver.send(b"\xb5\x62\x01\x07\x5c\x00 and then the line went bad\r\n")
        for _ in range(3):
            receiver.locate(here(time.time_ns() // 1000))
        await seen.until(2)
        await stopped(running)
    assert len(seen) == 2
    assert seen[1].source == "ubx"


async def test_a_ublox_says_what_it_is_and_a_plain_receiver_only_what_it_sends():
    with PtyUblox() as receiver:
        asking = asyncio.create_task(GpsSerial("gps", receiver.path).probe())
        while not asking.done():
            receiver.locate(here(time.time_ns() // 1000))
            await asyncio.wait({asking}, timeout=0.05)
        report = await asking
    assert report.says == {
        "model": "NEO-M9N",
        "firmware": "SPG 4.04",
        "ubx_version": "32.01",
        "speaks": "ubx",
        "mode": 3,
        "satellites": 14,
        "time_trusted": True,
    }
    assert report.faults == ()
    with PtyGps(43.6, 1.4) as receiver:
        asking = asyncio.create_task(GpsSerial("gps", receiver.path).probe())
        while not asking.done():
            receiver.send(time.time())
            await asyncio.wait({asking}, timeout=0.05)
        report = await asking
    assert report.says["speaks"] == "nmea"
    assert "model" not in report.says


async def test_a_ublox_is_brought_to_its_profile_and_read_back():
    profile = UbloxProfile(
        vendor="u-blox",
        model="NEO-M9N",
        measurement_ms=500,
        motion="stationary",
        constellations=("gps", "galileo"),
        sentences=("RMC", "GGA"),
        lowest_elevation_deg=10,
    )
    with PtyUblox() as receiver:
        driver = GpsSerial("gps", receiver.path)
        before = await driver.read_back()
        assert (before["motion"], before["measurement_ms"]) == ("portable", 1000)
        assert "qzss" not in before["constellations"]
        told = Adjusted(device="gps", profile="m9n")
        compared = await adjust(driver, profile.wanted(), told, dry_run=True)
        assert len(compared.differences) == 5
        assert receiver.settings[MOTION] == 0
        adjusted = await adjust(driver, profile.wanted(), told)
        assert (adjusted.applied, adjusted.error) == (True, None)
        assert receiver.settings[MOTION] == 2
        again = await adjust(driver, profile.wanted(), told)
        assert again.differences == ()


async def test_a_setting_that_a_ublox_does_not_keep_is_undone_with_the_rest():
    profile = UbloxProfile(
        vendor="u-blox", model="NEO-M9N", motion="stationary", measurement_ms=500
    )
    with PtyUblox(stubborn={MOTION}) as receiver:
        told = Adjusted(device="gps", profile="m9n")
        adjusted = await adjust(GpsSerial("gps", receiver.path), profile.wanted(), told)
        assert (adjusted.applied, adjusted.rolled_back) == (False, True)
        assert "motion" in adjusted.error
        assert receiver.settings[0x30210001] == 1000


async def test_a_setting_that_a_ublox_does_not_have_is_named():
    with PtyUblox() as receiver, pytest.raises(ProtocolError, match="has no qzss"):
        await GpsSerial("gps", receiver.path).apply({"constellations": ("gps", "qzss")})


def test_each_kind_of_receiver_is_made_from_its_configuration():
    text = (
        '[gateway]\nsite = "lfbo"\nname = "hall-1"\n'
        '[[device]]\nname = "a"\nkind = "gps_serial"\nport = "/dev/ttyACM0"\n'
        '[[device]]\nname = "b"\nkind = "gpsd"\nreceiver = "/dev/ttyACM1"\n'
    )
    built = build(parse_config(text, name="agent.toml", folder=Path("/")), print)
    assert [type(driver) for driver in built.drivers] == [GpsSerial, GpsdClient]


class Gpsd:
    """A gpsd that gpsfake has started and feeds from a recording."""

    def __init__(self, recording):
        self.port = free_port()
        self._fake = subprocess.Popen(
            [find_server("gpsfake", "gpsd-clients"), "-c", "0.02", "-P", str(self.port), recording],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def started(self):
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    assert self._fake.poll() is None, "gpsfake ended"
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    def stop(self):
        self._fake.send_signal(signal.SIGTERM)
        try:
            self._fake.wait(60)
        except subprocess.TimeoutExpired:
            self._fake.kill()
            self._fake.wait()


def recording(name):
    find_server("gpsd")
    log = GPS / f"{name}.log"
    if not log.exists():
        pytest.skip(f"{log.name}: shared data is not here")
    return log


@pytest.fixture
async def gpsd(request):
    served = Gpsd(recording(request.param))
    try:
        await served.started()
        yield served
    finally:
        served.stop()


@pytest.mark.parametrize("gpsd", ["bu353s4"], indirect=True)
async def test_a_real_gpsd_gives_positions_and_its_1024_weeks_are_refused(gpsd):
    seen = Seen()
    running = asyncio.create_task(GpsdClient("gps", "127.0.0.1", gpsd.port).run(seen.accept))
    await seen.until(3)
    await stopped(running)
    assert seen[0].event == "connected"
    assert "gpsd 3." in seen[0].detail
    for fix in seen[1:]:
        assert fix.source == "gpsd"
        assert fix.latitude_deg == pytest.approx(-37.7848, abs=1e-3)
        assert fix.longitude_deg == pytest.approx(175.3149, abs=1e-3)
        # gpsd 3.22 takes 2014 for 2034; newer ones may know better. Neither is the present.
        assert not fix.time_trusted
        assert fix.time_doubt
    assert clock.claim().quality != clock.GPS


@pytest.mark.parametrize("gpsd", ["ublox-8"], indirect=True)
async def test_a_real_gpsd_that_ends_is_lost(gpsd):
    seen = Seen()
    running = asyncio.create_task(GpsdClient("gps", "127.0.0.1", gpsd.port).run(seen.accept))
    await seen.until(2)
    gpsd.stop()
    with pytest.raises(OSError, match=r"gpsd closed|reset"):
        async with asyncio.timeout(60):
            await running


async def test_what_is_no_gpsd_is_refused():
    async def speak(_, writer):
        writer.write(b"x" * (LONGEST_REPORT + 1))
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ProtocolError, match="no end of line"):
            await GpsdClient("gps", "127.0.0.1", port).run(print)
