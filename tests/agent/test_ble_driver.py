"""Beacons through bleak and BlueZ's own interfaces on a private bus; the radio alone is played."""

import asyncio
import contextlib

import pytest
from aerocast_agent.beacons import MOST_REMEMBERED, BeaconReports
from aerocast_agent.build import driver_of
from aerocast_agent.config_file import parse_config
from aerocast_agent.drivers.ble import BeaconScanner
from aerocast_protocols.observations.cards import BeaconSeen
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_protocols.observations.weather import WeatherMeasured
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bluez import running_bluez

IBEACON = {0x004C: bytes.fromhex("0215F7826DA64FA24E988024BC5B71E0893E00440022C5")}
EDDYSTONE = {0xFEAA: bytes.fromhex("00E700010203040506070809AABBCCDDEEFF0000")}
RUUVI = {0x0499: bytes.fromhex("0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F")}
SECOND_NS = 1_000_000_000


@contextlib.asynccontextmanager
async def scanning(driver):
    accepted = asyncio.Queue()
    task = asyncio.create_task(driver.run(accepted.put_nowait))

    async def next_of(kind):
        async with asyncio.timeout(60):
            while not isinstance(seen := await accepted.get(), kind):
                assert isinstance(seen, DeviceEvent)
            return seen

    try:
        yield next_of, accepted
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_beacons_through_bluez(tmp_path, monkeypatch):
    async with running_bluez(tmp_path, monkeypatch) as bluez:
        driver = BeaconScanner("hall", report_every_s=0, restart_after_s=2.0)
        async with scanning(driver) as (next_of, accepted):
            assert (await next_of(DeviceEvent)).event == "connected"
            await bluez.hear("AA:BB:CC:DD:EE:01", -61, IBEACON)
            seen = await next_of(BeaconSeen)
            assert (seen.beacon, seen.address) == ("ibeacon", "aa:bb:cc:dd:ee:01")
            assert seen.identity == "f7826da6-4fa2-4e98-8024-bc5b71e0893e:68:34"
            assert (seen.rssi_dbm, seen.tx_power_dbm) == (-61, -59)
            await bluez.hear("AA:BB:CC:DD:EE:01", -56)
            assert (await next_of(BeaconSeen)).rssi_dbm == -56
            await bluez.hear("AA:BB:CC:DD:EE:02", -70, service=EDDYSTONE)
            assert (await next_of(BeaconSeen)).beacon == "eddystone_uid"
            await bluez.hear("CB:B8:33:4C:88:4F", -62, RUUVI)
            assert (await next_of(BeaconSeen)).beacon == "ruuvitag"
            weather = await next_of(WeatherMeasured)
            assert (weather.temperature_c, weather.pressure_hpa) == (24.3, 1000.44)
            assert weather.sensor == "cb:b8:33:4c:88:4f"
            await silence(bluez, next_of, accepted)
            report = await driver.probe()
            assert report.says["advertisements"] >= 5
            assert report.says["scan_restarts"] >= 2
        with pytest.raises(ConnectionError, match="Bluetooth: adapter 'hci9' not found"):
            await BeaconScanner("x", adapter="hci9").run(print)


async def silence(bluez, next_of, accepted):
    """The watchdog starts the scan again, and hearing goes on."""
    assert "started again" in (await next_of(DeviceEvent)).detail
    async with asyncio.timeout(60):
        while await bluez.scans_begun() < 3:  # noqa: ASYNC110  counted by another process
            await asyncio.sleep(0.05)
    assert accepted.empty()  # an empty hall is told once
    async with asyncio.timeout(60):
        while accepted.empty():  # one that comes just while the scan starts is not heard
            await bluez.hear("AA:BB:CC:DD:EE:02", -50)
            await asyncio.sleep(0.1)
    assert (await next_of(BeaconSeen)).rssi_dbm == -50
    while not accepted.empty():
        accepted.get_nowait()


def test_a_beacon_is_reported_once_in_a_while():
    reports = BeaconReports("hall", 10)
    told = [
        len(reports.hear("a", -60, IBEACON, {}, at * SECOND_NS)) for at in (0, 1, 9.9, 10, 11, 21)
    ]
    assert told == [1, 0, 0, 1, 0, 1]
    assert reports.hear("b", -60, IBEACON, {}, 0) != []
    assert len(reports.hear("c", -60, RUUVI, {}, 0)) == 2
    assert reports.hear("d", -60, {0x004C: b"\x02\x15cut"}, {}, 0) == []
    assert reports.broken == 1
    assert reports.hear("e", -60, {0x004C: b"\x10\x05"}, {}, 0) == []


def test_telephones_that_change_their_address_do_not_fill_the_memory():
    reports = BeaconReports("hall", 1e9)
    for number in range(MOST_REMEMBERED + 10):
        reports.hear(str(number), -60, IBEACON, {}, number)
    assert len(reports._reported_ns) == MOST_REMEMBERED
    assert reports.hear(str(MOST_REMEMBERED), -60, IBEACON, {}, MOST_REMEMBERED) == []


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=40))
def test_no_beacon_is_reported_twice_within_its_interval(heard):
    reports = BeaconReports("hall", 10)
    last = {}
    for address, second in sorted(heard, key=lambda each: each[1]):
        if reports.hear(address, -60, IBEACON, {}, second * SECOND_NS):
            assert second - last.get(address, -10) >= 10
            last[address] = second
        else:
            assert second - last[address] < 10


def test_it_is_built_from_agent_toml(tmp_path):
    config = parse_config(
        '[gateway]\nsite = "s"\nname = "g"\n[[device]]\nname = "hall"\nkind = "ble"\n'
        'adapter = "hci0"\nreport_every_s = 5\n',
        name="agent.toml",
        folder=tmp_path,
    )
    assert driver_of(config, config.devices[0]).name == "hall"
