"""Scanner and GPS drivers against pseudo-terminals, as the gateway meets the real ports."""

import asyncio
import subprocess
import sys
import threading

import pytest
from aerocast_agent import clock
from aerocast_agent.drivers.gps_serial import GpsSerial
from aerocast_agent.drivers.serial_scanner import SerialScanner
from aerocast_agent.positions import PositionReports
from aerocast_agent.scans import ScanRules
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gnss import Fix
from aerocast_protocols.observations.bags import CodeScan, NoRead
from aerocast_protocols.observations.gateways import DeviceEvent, PositionFix
from aerocast_simulator.serial_devices import PtyGps, PtyScanner

from tests.agent.seen import Seen, stopped

WEEKS_1024_S = 1024 * 7 * 86_400


async def test_a_scanner_reads_plates_and_no_reads_and_keeps_passengers_names_to_itself():
    with PtyScanner() as scanner:
        seen = Seen()
        driver = SerialScanner(
            "desk", scanner.path, rules=ScanRules(heartbeat="alive", point="sortation", belt="b")
        )
        running = asyncio.create_task(driver.run(seen.accept))
        await seen.until(1)
        assert seen[0].event == "connected"
        before_ns = clock.boot_ns()
        scanner.scan("]I00220123456")
        scanner.scan("alive")
        scanner.no_read()
        scanner.scan("M1DESMARAIS/LUC       EABC123")
        await seen.until(4)
        await stopped(running)
        plate, no_read, boarding_pass = seen[1:]
        assert plate == CodeScan(
            device="desk",
            boot_ns=plate.boot_ns,
            content="plate",
            symbology="itf",
            licence_plate="0220123456",
            text="0220123456",
            point="sortation",
            belt="b",
        )
        assert before_ns < plate.boot_ns < clock.boot_ns()
        assert no_read == NoRead(
            device="desk", boot_ns=no_read.boot_ns, point="sortation", belt="b"
        )
        assert (boarding_pass.content, boarding_pass.text) == ("boarding_pass", None)


@pytest.mark.parametrize("framing", ["auto", "stx_etx", "cr", "lf", "crlf"])
async def test_every_framing_works_over_a_real_terminal(framing):
    with PtyScanner(framing) as scanner:
        seen = Seen()
        running = asyncio.create_task(
            SerialScanner("desk", scanner.path, rules=ScanRules(framing)).run(seen.accept)
        )
        await seen.until(1)
        for serial in range(20):
            scanner.scan(f"0220{serial:06d}")
        await seen.until(21)
        await stopped(running)
        assert [scan.licence_plate for scan in seen[1:]] == [f"0220{n:06d}" for n in range(20)]


async def test_a_scanner_that_is_unplugged_is_lost():
    scanner = PtyScanner()
    seen = Seen()
    running = asyncio.create_task(SerialScanner("desk", scanner.path).run(seen.accept))
    await seen.until(1)
    scanner.unplug()
    with pytest.raises(OSError, match=r"."):
        async with asyncio.timeout(60):
            await running


async def test_a_scanner_that_sends_garbage_is_lost_with_a_clear_message():
    with PtyScanner() as scanner:
        seen = Seen()
        running = asyncio.create_task(SerialScanner("desk", scanner.path).run(seen.accept))
        await seen.until(1)
        scanner._write(b"\xff" * 2049)
        with pytest.raises(ProtocolError, match="no end of text"):
            async with asyncio.timeout(60):
                await running


async def test_a_port_that_is_not_there_is_refused_by_name():
    with pytest.raises(OSError, match="no-such-port"):
        await SerialScanner("desk", "/dev/no-such-port").run(lambda _observation: None)


async def test_stopping_leaves_no_thread_and_no_open_port_behind():
    with PtyScanner() as scanner:
        for _ in range(3):
            seen, others = Seen(), set(threading.enumerate())
            running = asyncio.create_task(SerialScanner("desk", scanner.path).run(seen.accept))
            await seen.until(1)  # the port is taken exclusively: the one before has let it go
            new = set(threading.enumerate()) - others
            (reading,) = (each for each in new if each.name.startswith("serial"))
            await stopped(running)
            reading.join(60)
            assert not reading.is_alive()


async def test_a_receiver_gives_position_and_a_time_that_can_be_believed():
    began_us = clock.wall_ns() // 1000
    with PtyGps(43.6293, 1.3638, 152.0) as receiver:
        seen = Seen()
        driver = asyncio.create_task(GpsSerial("gps", receiver.path).run(seen.accept))
        await seen.until(1)
        assert isinstance(seen[0], DeviceEvent)
        sending = asyncio.create_task(receiver.run())
        await seen.until(3)
        await stopped(sending)
        await stopped(driver)
    for fix in seen[1:]:
        assert isinstance(fix, PositionFix)
        assert fix.mode == 3
        assert fix.latitude_deg == pytest.approx(43.6293, abs=1e-6)
        assert fix.longitude_deg == pytest.approx(1.3638, abs=1e-6)
        assert (fix.altitude_m, fix.satellites, fix.time_trusted) == (152.0, 9, True)
        assert began_us - 1_000_000 <= fix.fix_at_us <= clock.wall_ns() // 1000 + 1_000_000
    assert seen[2].boot_ns - seen[1].boot_ns > 800_000_000


@pytest.mark.parametrize("clock_error_s", [-WEEKS_1024_S, WEEKS_1024_S])
async def test_a_rolled_over_week_is_not_believed(clock_error_s):
    with PtyGps(-33.9, -151.2, clock_error_s=clock_error_s) as receiver:
        seen = Seen()
        driver = asyncio.create_task(GpsSerial("gps", receiver.path).run(seen.accept))
        await seen.until(1)
        receiver.send(clock.wall_ns() / 1e9 + clock_error_s)
        await seen.until(2)
        await stopped(driver)
    assert seen[1].latitude_deg == pytest.approx(-33.9, abs=1e-6)
    assert seen[1].longitude_deg == pytest.approx(-151.2, abs=1e-6)
    assert seen[1].mode == 3
    assert not seen[1].time_trusted


def test_positions_come_at_most_once_a_second_however_often_the_receiver_speaks():
    reports = PositionReports("gps", clock.time_window)
    tenths = [reports.report(Fix("nmea", 1), tenth * 100_000_000) for tenth in range(101)]
    assert sum(report is not None for report in tenths) == 11
    jittering = [
        reports.report(Fix("nmea", 1), 20_000_000_000 + n) for n in (0, 950_000_000, 2_100_000_000)
    ]
    assert all(jittering)


def test_drivers_can_be_imported_without_pyserial():
    script = (
        "import sys; import aerocast_agent.drivers.gps_serial, "
        "aerocast_agent.drivers.serial_scanner; sys.exit('serial' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
