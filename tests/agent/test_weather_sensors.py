"""Local weather sensors: a Tempest's broadcasts, a WXT on a serial line, an AS3935 on I2C."""

import asyncio

import pytest
from aerocast_agent.build import build
from aerocast_agent.config_file import parse_config
from aerocast_agent.drivers import as3935, weather_wxt
from aerocast_agent.drivers.as3935 import LightningDetector
from aerocast_agent.drivers.tempest_udp import TempestStation
from aerocast_agent.drivers.weather_wxt import WxtTransmitter
from aerocast_agent.weather_reports import WIND_EVERY_NS, TempestReports, WxtReports
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_protocols.observations.weather import LightningStrike, LightningWatch, WeatherMeasured
from aerocast_protocols.weather.tempest import TempestStrike, TempestWeather, TempestWind
from aerocast_protocols.weather.wxt import decode_wxt
from aerocast_simulator.weather_sensors import PtyWxt, TempestHub

from tests.agent.seen import Seen, stopped


async def test_a_tempest_gives_weather_strikes_and_word_that_it_listens():
    seen = Seen()
    station = TempestStation("roof", "127.0.0.1", 0)
    running = asyncio.create_task(station.run(seen.accept))
    await asyncio.wait_for(station.hearing.wait(), 60)
    with TempestHub("127.0.0.1", station.bound_port) as hub:
        hub.weather()
        await seen.until(3)
        hub.strike(4)
        await seen.until(4)
        hub.wind(6.0, 200)
        hub.wind(7.0, 210)  # three seconds later: not told
        hub.status(1)
        await seen.until(6)
        hub._socket.sendto(b"something else", hub._to)
        hub.weather(strikes=1)
        await seen.until(8)
    report = await station.probe()
    await stopped(running)
    connected, weather, listening, strike, wind, failed, *_, still = seen
    assert isinstance(connected, DeviceEvent)
    assert (weather.wind_speed_mps, weather.wind_gust_mps, weather.temperature_c) == (
        3.2,
        5.1,
        22.37,
    )
    assert weather.sensor == "ST-00000512"
    assert isinstance(listening, LightningWatch)
    assert listening.listening
    assert isinstance(strike, LightningStrike)
    assert (strike.distance_km, strike.energy) == (4, 3848)
    assert (wind.wind_speed_mps, wind.wind_direction_deg) == (6, 200)
    assert (failed.listening, failed.trouble) == (False, "its lightning sensor failed")
    assert not still.listening  # a report alone does not mend a sensor
    assert report.says["unreadable"] == 1


def test_strikes_lost_on_the_way_are_made_up_for_by_the_minutes_count():
    reports = TempestReports("roof")
    minute = TempestWeather(sensor="a", strikes=2, strike_distance_km=6)
    list(reports.hear(TempestStrike(sensor="a", distance_km=5), 1))
    kinds = [type(each) for each in reports.hear(minute, 2)]
    assert kinds == [WeatherMeasured, LightningStrike, LightningWatch]
    for _ in range(2):
        list(reports.hear(TempestStrike(sensor="a", distance_km=5), 3))
    assert [type(each) for each in reports.hear(minute, 4)] == [WeatherMeasured, LightningWatch]


def test_the_wind_of_the_moment_is_told_now_and_then():
    reports = TempestReports("roof")
    wind = TempestWind(sensor="a", wind_speed_mps=3.0, wind_direction_deg=90.0)
    told = [len(list(reports.hear(wind, boot_ns))) for boot_ns in (0, 3, WIND_EVERY_NS)]
    assert told == [1, 0, 1]
    assert list(reports.hear(TempestWind(sensor="b"), 0)) == []


@pytest.mark.parametrize("with_checksum", [False, True])
async def test_a_transmitter_is_polled_and_its_noise_survived(with_checksum, monkeypatch):
    monkeypatch.setattr(weather_wxt, "MOST_SILENT_POLLS", 1200)  # of 0.05 s: a minute
    seen = Seen()
    with PtyWxt(with_checksum=with_checksum) as wxt:
        driver = WxtTransmitter("mast", wxt.path, poll_every_s=0.05)
        running = asyncio.create_task(driver.run(seen.accept))
        await seen.until(2)
        wxt._write(b"\xff\x00 noise\r\n0R1,Sm=oops\r\n")
        wxt.values = "Dm=300D,Sm=5.0M,Sx=#,Rc=0.71M"
        asked = len(seen)
        async with asyncio.timeout(60):
            while seen[-1].wind_direction_deg != 300:
                await seen.until(asked := asked + 1)
        report = await driver.probe()
        await stopped(running)
    assert isinstance(seen[0], DeviceEvent)
    first = seen[1]
    assert (first.wind_direction_deg, first.wind_speed_mps, first.rain_mm) == (236, 2.1, None)
    assert (first.pressure_hpa, first.rain_mm_per_h) == (1009.8, 1.2)
    changed = next(each for each in seen[2:] if each.wind_direction_deg == 300)
    assert changed.rain_mm == pytest.approx(0.2)
    assert changed.wind_gust_mps is None
    assert report.faults[0].found == "Sx is not valid"
    assert driver.refused == 1


async def test_a_transmitter_that_says_nothing_is_lost_and_one_that_is_unplugged_too(monkeypatch):
    with PtyWxt("7") as wxt:  # another address: it never answers
        with pytest.raises(TimeoutError, match="said nothing"):
            await WxtTransmitter("mast", wxt.path, poll_every_s=0.02).run(lambda _: None)
        monkeypatch.setattr(weather_wxt, "MOST_SILENT_POLLS", 1200)
        seen = Seen()
        driver = WxtTransmitter("mast", wxt.path, address="7", poll_every_s=0.05)
        running = asyncio.create_task(driver.run(seen.accept))
        await seen.until(2)
        wxt.unplug()
        with pytest.raises(OSError):  # noqa: PT011  the kernel's own words differ
            await running


def test_rain_is_what_fell_since_and_a_counter_that_was_reset_begins_anew():
    reports = WxtReports("mast")
    told = [
        reports.hear(decode_wxt(b"0R3,Rc=%sM" % total), 1) for total in (b"1.0", b"1.5", b"0.2")
    ]
    assert told[0] is None  # a total alone measures nothing
    assert [each.rain_mm for each in told[1:]] == [0.5, 0.2]


class FakeBus:
    """An AS3935 whose next answers are given."""

    def __init__(self, *answers):
        self.answers, self.written = list(answers), []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self, *_):
        if not self.answers:
            raise OSError("no acknowledgement")
        return self.answers.pop(0)

    def write(self, sent):
        self.written.append(sent)


async def test_a_lightning_detector_tells_strikes_noise_and_that_it_listens(monkeypatch):
    monkeypatch.setattr(as3935, "ASK_EVERY_S", 0)
    quiet = bytes([0x1C, 0x22, 0xC2, 0, 0, 0, 0, 0x3F, 0])
    strike = bytes([0x1C, 0x22, 0xC2, 8, 5, 0, 0, 6, 0])
    noise = bytes([0x1C, 0x22, 0xC2, 1, 0, 0, 0, 0x3F, 0])
    bus = FakeBus(quiet, quiet, strike, noise, quiet)
    seen = Seen()
    driver = LightningDetector("mast", "/dev/i2c-1", opening=lambda *_: bus)
    with pytest.raises(OSError, match="acknowledgement"):
        await driver.run(seen.accept)
    kinds = [type(each) for each in seen]
    assert kinds == [DeviceEvent, LightningWatch, LightningStrike, LightningWatch]
    assert (seen[1].listening, seen[2].distance_km, seen[3].listening) == (True, 6, False)
    assert bus.written[0] == bytes([0x00, 0x1C])


async def test_a_bus_that_is_not_there_is_a_lost_device(tmp_path):
    with pytest.raises(OSError, match="i2c-9"):
        await LightningDetector("mast", str(tmp_path / "i2c-9")).run(lambda _: None)


def test_weather_sensors_are_built_of_a_configuration(tmp_path):
    text = (
        '[gateway]\nsite = "lfbo"\nname = "roof"\n'
        '[[device]]\nname = "mast"\nkind = "weather_wxt"\nport = "/dev/ttyS0"\n'
        '[[device]]\nname = "roof"\nkind = "tempest_udp"\n'
        '[[device]]\nname = "storms"\nkind = "as3935"\nindoors = true\n'
    )
    drivers = build(parse_config(text, name="agent.toml", folder=tmp_path), lambda _: None).drivers
    assert [type(each) for each in drivers] == [WxtTransmitter, TempestStation, LightningDetector]
