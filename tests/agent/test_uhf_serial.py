"""Serial UHF modules on pseudo-terminals: what a technician may rely on, for every family."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest
from aerocast_agent import clock
from aerocast_agent.driver import Adjustable, Probeable
from aerocast_agent.drivers.uhf_serial import UhfSerial
from aerocast_agent.profile_files import load_profile
from aerocast_agent.profiles import UhfProfile
from aerocast_agent.supervisor import Supervisor
from aerocast_agent.uhf_modules import line
from aerocast_agent.uhf_modules import m100 as m100_session
from aerocast_agent.uhf_modules import mercury as mercury_session
from aerocast_agent.uhf_modules import r2000 as r2000_session
from aerocast_agent.uhf_modules import uhfreader18 as uhfreader18_session
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial import m100, mercury, r2000
from aerocast_simulator.uhf_modules import PtyM100, PtyMercury, PtyR2000, PtyUhfReader18

from tests.agent.seen import TagsSeen
from tests.waiting import until

FAMILIES = {
    "m100": PtyM100,
    "r2000": PtyR2000,
    "uhfreader18": PtyUhfReader18,
    "mercury": PtyMercury,
}
SESSIONS = {
    "m100": m100_session,
    "r2000": r2000_session,
    "uhfreader18": uhfreader18_session,
    "mercury": mercury_session,
}
ETSI = UhfProfile(vendor="any", model="any", region="etsi", antennas=(1,))


@pytest.fixture(autouse=True)
def _modules_fall_silent_at_once(monkeypatch):
    monkeypatch.setattr(line, "QUIET_S", 0.03)


def epc(number):
    return number.to_bytes(12, "big")


async def ended(task):
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled() or isinstance(task.exception(), Exception)


@asynccontextmanager
async def serving(module):
    with module:
        running = asyncio.create_task(module.run())
        try:
            yield module
        finally:
            await ended(running)


@asynccontextmanager
async def reading(module, protocol, profile=ETSI):
    seen = TagsSeen()
    driver = UhfSerial("desk", module.path, protocol, profile=profile)
    async with serving(module):
        running = asyncio.create_task(driver.run(seen.accept))
        try:
            await seen.connected()
            yield seen, driver, running
        finally:
            await ended(running)


@pytest.mark.parametrize("protocol", FAMILIES)
async def test_every_tag_is_read_once_with_what_the_module_measured(protocol):
    module = FAMILIES[protocol]()
    async with reading(module, protocol) as (seen, _, _running):
        before_ns = clock.boot_ns()
        for number in range(300):
            module.see(epc(number), rssi_dbm=-55)
            if number % 50 == 0:
                await asyncio.sleep(0)
        await seen.holds(lambda: len(seen.tags) >= 300)
    assert [tag.epc for tag in seen.tags] == [epc(number) for number in range(300)]
    tag = seen.tags[0]
    assert before_ns < tag.boot_ns < clock.boot_ns()
    measured = (tag.device, tag.antenna, tag.rssi_dbm, tag.pc)
    if protocol == "uhfreader18":
        assert measured == ("desk", 1, None, None)
    else:
        assert measured == ("desk", 1, -55, 0x3000)


@pytest.mark.parametrize("protocol", FAMILIES)
async def test_the_module_is_set_as_the_profile_says_and_only_where_it_differs(protocol):
    profile = UhfProfile(vendor="any", model="any", region="etsi", power_dbm=25.0, antennas=(1,))
    setting = {
        "m100": {m100.Command.SET_POWER, m100.Command.SET_REGION},
        "r2000": {r2000.Command.SET_POWER, r2000.Command.SET_REGION},
        "uhfreader18": {0x2F, 0x22},
        "mercury": {mercury.Opcode.SET_POWER, mercury.Opcode.SET_REGION},
    }[protocol]
    module = FAMILIES[protocol]()
    seen = TagsSeen()
    async with serving(module):
        for time, expected in enumerate((setting, set())):
            module.orders.clear()
            driver = UhfSerial("desk", module.path, protocol, profile=profile)
            running = asyncio.create_task(driver.run(seen.accept))
            await seen.holds(lambda time=time: len(seen.events("connected")) > time)
            await ended(running)
            assert set(module.orders) & setting == expected
    for event in seen.events("connected"):
        assert "etsi, 25 dBm" in event.detail


@pytest.mark.parametrize("protocol", FAMILIES)
async def test_the_channels_of_the_profile_are_used(protocol):
    profile = msgspec.structs.replace(ETSI, channels_khz=(866_300,))
    module = FAMILIES[protocol]()
    async with reading(module, protocol, profile) as (_, driver, _running):
        report = await driver.probe()
    assert report.says["region"] == "etsi"
    present = {
        "m100": lambda: (865_100 + 200 * module.channel,),
        "r2000": lambda: r2000.decode_region(module.region).channels_khz,
        "uhfreader18": lambda: module.info.channels_khz,
        "mercury": lambda: module.channels_khz,
    }
    assert present[protocol]() == (866_300,)


@pytest.mark.parametrize("protocol", FAMILIES)
async def test_noise_on_the_line_costs_no_tag(protocol):
    module = FAMILIES[protocol]()
    async with reading(module, protocol) as (seen, _, running):
        for number in range(3):
            module.noise(bytes([0xBB, 0xA0, 0xFF, 0x07, number]))
            module.see(epc(number))
            await seen.holds(lambda number=number: len(seen.tags) > number)
        assert not running.done()
    assert [tag.epc for tag in seen.tags] == [epc(number) for number in range(3)]


@pytest.mark.parametrize("protocol", FAMILIES)
async def test_a_module_that_answers_nothing_is_named(protocol, monkeypatch):
    monkeypatch.setattr(SESSIONS[protocol], "ANSWER_LIMIT_S", 0.05)
    module = FAMILIES[protocol]()
    module.silent = True
    async with serving(module):
        driver = UhfSerial("desk", module.path, protocol)
        with pytest.raises(TimeoutError, match=r"desk: no .* module answers"):
            async with asyncio.timeout(60):
                await driver.run([].append)


@pytest.mark.parametrize("protocol", FAMILIES)
async def test_a_module_that_falls_silent_is_lost_and_comes_back_by_itself(protocol, monkeypatch):
    monkeypatch.setattr(m100_session, "SILENCE_LIMIT_S", 0.2)
    monkeypatch.setattr(r2000_session, "ROUND_LIMIT_S", 0.3)
    monkeypatch.setattr(uhfreader18_session, "ANSWER_LIMIT_S", 0.3)
    monkeypatch.setattr(mercury_session, "SILENCE_LIMIT_S", 0.4)
    module = FAMILIES[protocol]()
    seen = TagsSeen()
    driver = UhfSerial("desk", module.path, protocol, profile=ETSI)
    async with serving(module):
        watching = asyncio.create_task(Supervisor([driver], seen.accept).run())
        await seen.connected()
        module.silent = True
        await seen.holds(lambda: seen.events("lost"))
        assert "TimeoutError" in seen.events("lost")[0].detail
        module.silent = False
        await seen.holds(lambda: len(seen.events("connected")) >= 2)
        module.see(epc(7))
        await seen.holds(lambda: seen.tags)
        await ended(watching)


@pytest.mark.parametrize("protocol", FAMILIES)
async def test_pulling_the_cable_is_noticed(protocol):
    module = FAMILIES[protocol]()
    async with reading(module, protocol) as (_, _, running):
        asyncio.get_running_loop().remove_reader(module._master)
        module.unplug()
        with pytest.raises(OSError, match=r"."):
            async with asyncio.timeout(60):
                await running


@pytest.mark.parametrize("protocol", ["r2000", "uhfreader18", "mercury"])
async def test_an_antenna_that_is_lost_and_found_is_told_once(protocol, monkeypatch):
    for session in (r2000_session, uhfreader18_session):
        monkeypatch.setattr(session, "DEAD_ANTENNA_REST_S", 0.05)
    module = FAMILIES[protocol]()
    async with reading(module, protocol) as (seen, _, _running):
        module.missing.add(1)
        await seen.holds(lambda: seen.events("antenna_disconnected"))
        await asyncio.sleep(0.1)
        module.missing.clear()
        if protocol != "r2000":
            module.see(epc(1))
        else:
            await seen.holds(lambda: seen.events("antenna_connected"))
            module.see(epc(1))
        await seen.holds(lambda: seen.tags and seen.events("antenna_connected"))
    (lost,) = seen.events("antenna_disconnected")
    assert (lost.antenna, lost.detail) == (1, "antenna 1")
    assert seen.events("antenna_connected")[-1].antenna == 1


async def test_four_antennas_are_read_in_turn_and_a_dead_one_does_not_hold_up_the_others():
    module = PtyR2000()
    module.missing.add(3)
    profile = UhfProfile(vendor="any", model="any", antennas=(1, 2, 3, 4))
    async with reading(module, "r2000", profile) as (seen, _, _running):
        for antenna in (4, 2, 1):
            module.see(epc(antenna), antenna=antenna)
        await seen.holds(lambda: len(seen.tags) == 3)
        assert {(tag.epc, tag.antenna) for tag in seen.tags} == {(epc(n), n) for n in (1, 2, 4)}
        (lost,) = seen.events("antenna_disconnected")
        assert lost.antenna == 3


async def test_a_poll_that_came_to_its_end_is_begun_again(monkeypatch):
    monkeypatch.setattr(m100_session, "SILENCE_LIMIT_S", 1.0)
    module = PtyM100(rounds_limit=3)
    async with reading(module, "m100") as (seen, _, running):
        for number in range(2):
            module.see(epc(number))
            await seen.holds(lambda number=number: len(seen.tags) > number)
            begun = module.orders.count(m100.Command.MULTI_POLL)
            await until(lambda begun=begun: module.orders.count(m100.Command.MULTI_POLL) > begun)
        assert not running.done()


async def test_a_module_that_reads_is_not_asked_to_begin_again(monkeypatch):
    monkeypatch.setattr(m100_session, "SILENCE_LIMIT_S", 2.0)
    module = PtyM100()
    async with reading(module, "m100") as (_, _, running):
        await asyncio.sleep(2.5)  # it tells of rounds without a tag too
        assert not running.done()
    assert module.orders.count(m100.Command.MULTI_POLL) == 1


async def test_a_tag_whose_own_crc_is_wrong_reaches_nobody():
    module = PtyM100()
    async with reading(module, "m100") as (seen, driver, _running):
        frame = m100.decode_frame(m100.encode_tag(epc(1), 0x3000, -60))
        broken = frame._replace(payload=frame.payload[:9] + b"\xee" + frame.payload[10:])
        module.noise(m100.encode_frame(broken))
        module.see(epc(2))
        await seen.holds(lambda: seen.tags)
        assert driver.corrupt == 1
    assert [tag.epc for tag in seen.tags] == [epc(2)]


async def test_a_module_in_its_boot_loader_is_started_and_an_m5e_is_asked_in_rounds():
    module = PtyMercury(streams=False)
    assert module.boot_loader
    async with reading(module, "mercury") as (seen, _, _running):
        assert not module.boot_loader
        for number in range(10):
            module.see(epc(number))
        await seen.holds(lambda: len(seen.tags) == 10)
        assert mercury.Opcode.TAG_BUFFER in module.orders
    assert [tag.epc for tag in seen.tags] == [epc(number) for number in range(10)]


async def test_channels_that_the_law_forbids_are_found_by_probing():
    module = PtyR2000()
    module.region = b"\x02\x00\x06"  # its own European plan
    async with serving(module):
        report = await UhfSerial("desk", module.path, "r2000").probe()
        (fault,) = report.faults
        assert "channels_khz 865000: ETSI EN 302 208" in fault.found
        profile = load_profile("r2000-etsi", UhfProfile)
        await UhfSerial("desk", module.path, "r2000").apply(profile.wanted())
        assert (await UhfSerial("desk", module.path, "r2000").probe()).faults == ()


async def test_a_module_without_a_region_says_what_is_missing():
    module = PtyMercury()
    async with serving(module):
        driver = UhfSerial("desk", module.path, "mercury")
        report = await driver.probe()
        assert report.says["model"] == "M6e Nano"
        assert [fault.found for fault in report.faults] == [
            "the module has no region, so it does not transmit"
        ]
        with pytest.raises(ProtocolError, match="region"):
            async with asyncio.timeout(60):
                await driver.run([].append)


@pytest.mark.parametrize("protocol", FAMILIES)
async def test_a_module_can_be_probed_read_back_and_set(protocol):
    module = FAMILIES[protocol]()
    driver = UhfSerial("desk", module.path, protocol)
    assert isinstance(driver, Probeable)
    assert isinstance(driver, Adjustable)
    async with serving(module):
        report = await driver.probe()
        assert report.says["power_dbm"] == 20
        assert "firmware" in report.says
        await driver.apply({"power_dbm": 23.0})
        settings = await driver.read_back()
        assert settings["power_dbm"] == 23
        with pytest.raises(ProtocolError, match=r"channels?"):
            await driver.apply({"channels_khz": tuple(range(865_000, 868_000, 7))})
        with pytest.raises(ProtocolError, match=r"power|refused"):
            await driver.apply({"power_dbm": 35.0})
        if "session" in settings:
            await driver.apply({"session": 2, "q": 6})
            assert {"session": 2, "q": 6}.items() <= (await driver.read_back()).items()


@pytest.mark.parametrize(
    ("protocol", "name"),
    [
        ("m100", "m100-etsi"),
        ("r2000", "r2000-etsi"),
        ("uhfreader18", "uhfreader18-etsi"),
        ("mercury", "thingmagic-m6e-etsi"),
    ],
)
async def test_the_profiles_that_come_along_are_taken_whole(protocol, name):
    module = FAMILIES[protocol]()
    profile = load_profile(name, UhfProfile)
    if protocol == "mercury":
        profile = msgspec.structs.replace(profile, power_dbm=27.0)  # the simulated one is a Nano
    driver, seen = UhfSerial("desk", module.path, protocol, profile=profile), TagsSeen()
    async with serving(module):
        running = asyncio.create_task(driver.run(seen.accept))
        await seen.connected()
        await ended(running)
        present = await driver.read_back()
    untold = {"m100": {"channels_khz"}, "r2000": {"session"}}.get(protocol, set()) | {"antennas"}
    wanted = {key: each for key, each in profile.wanted().items() if key not in untold}
    assert {key: present[key] for key in wanted} == wanted


@pytest.mark.parametrize("protocol", FAMILIES)
async def test_probing_does_not_disturb_a_module_that_reads(protocol):
    module = FAMILIES[protocol]()
    async with reading(module, protocol) as (seen, driver, running):
        report = await driver.probe()
        module.see(epc(1))
        await seen.holds(lambda: seen.tags)
        assert not running.done()
    assert report.says["region"] == "etsi"
    assert all("hops" in fault.found for fault in report.faults)
