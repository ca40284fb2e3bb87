"""What a reader says of itself, and its settings read back, compared, written and undone."""

import msgspec
import pytest
from aerocast_agent.adjusting import Adjusted, adjust
from aerocast_agent.build import build
from aerocast_agent.config import Config, Gateway, Llrp
from aerocast_agent.config_file import ConfigError
from aerocast_agent.profile_files import load_profile
from aerocast_agent.profiles import ANY_READER, ReaderProfile
from aerocast_agent.reader_order import doubts, rospec_for
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.capabilities import Gen2
from aerocast_protocols.llrp.regulatory import HopTable
from aerocast_simulator.llrp_answers import DEFAULT_CAPABILITIES, FIELD_ERROR, ReaderState, Status

from tests.agent.readers import a_reader, connected, driving, epc, reads, to
from tests.waiting import until

R700 = load_profile("impinj-r700-etsi", ReaderProfile)
REGULATORY = DEFAULT_CAPABILITIES.regulatory
AMERICAN = msgspec.structs.replace(
    DEFAULT_CAPABILITIES,
    regulatory=msgspec.structs.replace(
        REGULATORY,
        communications_standard=1,
        hopping=True,
        hop_tables=(HopTable(3, tuple(range(902_750, 927_750, 500))),),
        fixed_frequencies_khz=(),
    ),
)
NAMED = Adjusted(device="portal-4", profile="impinj-r700-etsi")


def changed(profile, **settings):
    return msgspec.structs.replace(profile, **settings)


async def test_a_reader_tells_about_itself_within_the_session_that_reads():
    seen = []
    async with a_reader() as reader:
        driver = to(reader, changed(R700, antennas=(1, 2)))
        async with driving(driver, seen.append):
            await until(lambda: connected(seen) and not reader._session.holding)
            reader.antenna(2, connected=False)
            report = await driver.probe()
            reader.report(epc(1), 1, -50.0)
            await until(lambda: reads(seen))
        assert reader.sessions == 1
    assert report.antennas == {1: True, 2: False}  # those the profile uses
    assert report.faults == ()
    assert report.says["reading"] is True
    assert report.says["vendor"] == "Impinj"
    assert report.says["firmware"] == "7.6.1.240"
    assert report.says["reader_id"] == "00:16:25:ff:fe:10:00:01"
    assert (report.says["region"], report.says["temperature_c"]) == ("etsi", 41)
    assert (report.says["least_power_dbm"], report.says["most_power_dbm"]) == (10.0, 30.0)


async def test_a_reader_that_nobody_reads_is_left_as_it_was_by_a_probe():
    async with a_reader() as reader:
        report = await to(reader, R700).probe()
        await until(lambda: reader._session is None)
        assert not reader.is_reading
        assert reader.state.keepalive_ms == 0
        for port in (1, 2, 3, 4):
            reader.antenna(port, connected=False)
        without = await to(reader, R700).probe()
    assert (report.says["reading"], report.faults) == (False, ())
    assert [each.found for each in without.faults] == ["no antenna is connected"]


async def test_what_a_probe_reads_is_not_taken_from_the_session_that_reads():
    seen = []
    async with a_reader() as reader:
        driver = to(reader, R700)
        async with driving(driver, seen.append):
            await until(lambda: connected(seen))
        await until(lambda: reader._session is None)
        for number in range(30):
            reader.report(epc(number), 1, -50.0)
        await driver.probe()
        await driver.read_back()
        async with driving(driver, seen.append):
            await until(lambda: len(reads(seen)) == 30)


async def test_settings_are_read_back_from_the_inventory_that_runs():
    seen = []
    async with a_reader() as reader:
        profile = changed(R700, antennas=(1, 2), channels_khz=(865_700, 867_500), report_every=4)
        driver = to(reader, profile)
        async with driving(driver, seen.append):
            await until(lambda: connected(seen))
        await until(lambda: reader._session is None)
        found = await driver.read_back()
    wanted = {**profile.wanted(), "region": "etsi"}
    assert found == wanted


async def test_a_reader_is_brought_to_its_profile_and_goes_on_reading():
    seen = []
    async with a_reader() as reader:
        driver = to(reader, changed(R700, power_dbm=20.0, session=1))
        async with driving(driver, seen.append):
            await until(lambda: connected(seen))
        await until(lambda: reader._session is None)
        wanted = R700.wanted()
        compared = await adjust(driver, wanted, NAMED, region="etsi", dry_run=True)
        assert {each.key for each in compared.differences} == {"power_dbm", "session"}
        assert (await driver.read_back())["power_dbm"] == 20.0
        adjusted = await adjust(driver, wanted, NAMED, region="etsi")
        assert (adjusted.applied, adjusted.error) == (True, None)
        found = await driver.read_back()
        assert (found["power_dbm"], found["session"], found["rf_mode"]) == (30.0, 0, 1000)
        assert reader.is_reading
        (own, *_others) = reader.state.antenna_orders
        assert own.session == 0  # what it does by itself is set as well


async def test_a_reader_that_does_not_read_is_set_and_not_started():
    async with a_reader() as reader:
        adjusted = await adjust(to(reader, R700), R700.wanted(), NAMED, region="etsi")
        assert adjusted.applied
        assert set(adjusted.untold) == {"report_every", "extras", "only_bag_tags", "search_mode"}
        assert not reader.is_reading
        assert reader.state.keepalive_ms == 10_000


class HalfDeaf(ReaderState):
    """A reader that says yes to a mode of its own table, and does not take it."""

    def configure(self, config):
        modes = [order.mode_id for order in config.orders]
        if 1000 in modes:
            return Status(FIELD_ERROR, "mode not licensed")
        return super().configure(config)


async def test_what_a_reader_refuses_is_undone():
    async with a_reader() as reader:
        reader.state = HalfDeaf()
        driver = to(reader, R700)
        before = await driver.read_back()
        adjusted = await adjust(driver, R700.wanted(), NAMED, region="etsi")
        assert not adjusted.applied
        assert adjusted.rolled_back
        assert "refused SET_READER_CONFIG: status 101 mode not licensed" in adjusted.error
        assert await driver.read_back() == before


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"rf_mode": 4711}, "rf_mode 4711: the reader does not have it"),
        ({"power_dbm": 3.0}, "power_dbm 3: the reader cannot send so little"),
        ({"channels_khz": (865_700, 916_300)}, "channels_khz .* does not have all of them"),
    ],
)
async def test_what_a_reader_does_not_have_is_named(settings, says):
    async with a_reader() as reader:
        with pytest.raises(ProtocolError, match=says):
            await to(reader, R700).apply(settings)


async def test_a_reader_of_another_region_is_left_alone():
    async with a_reader(capabilities=AMERICAN) as reader:
        adjusted = await adjust(to(reader, R700), R700.wanted(), NAMED, region="etsi")
    assert adjusted.error == (
        "the device is set to region fcc, the profile is for etsi: nothing is written"
    )


def test_channels_are_the_readers_own_numbers():
    profile = changed(R700, channels_khz=(866_900, 865_700))
    (order,) = rospec_for(DEFAULT_CAPABILITIES, profile, extras=True).orders
    assert (order.channels, order.channel_index) == ((1, 3), 1)
    (order,) = rospec_for(DEFAULT_CAPABILITIES, profile, extras=False).orders
    assert (order.channels, order.channel_index) == (None, 1)
    (order,) = rospec_for(DEFAULT_CAPABILITIES, R700, extras=True).orders
    assert order.channels == ()  # the reader chooses
    (order,) = rospec_for(DEFAULT_CAPABILITIES, ANY_READER, extras=True).orders
    assert (order.power_index, order.channels) == (None, None)  # nothing was said of radio


def test_power_is_never_more_than_the_law_allows_whatever_a_profile_says():
    careless = changed(R700, power_dbm=30.0, antenna_gain_dbi=9.0, cable_loss_db=0.0)
    (order,) = rospec_for(DEFAULT_CAPABILITIES, careless, extras=True).orders
    assert dict(REGULATORY.power_levels)[order.power_index] == 2600  # 33 dBm ERP less 9 dBi


def test_what_a_reader_lacks_is_said_with_what_to_do():
    american = changed(R700, region="fcc", channels_khz=(902_750,), power_dbm=5.0)
    found = [each.found for each in doubts(AMERICAN, american)]
    assert found == [
        "the reader cannot send as low as 5 dBm: 10 dBm is used",
        "the reader hops by its own plan: channels_khz is passed over",
    ]
    plain = msgspec.structs.replace(
        DEFAULT_CAPABILITIES,
        gen2=Gen2(max_filters=0),
        general=msgspec.structs.replace(
            DEFAULT_CAPABILITIES.general, manufacturer=161, sensitivities=((1, 0), (2, 10))
        ),
    )
    asks = changed(
        R700,
        only_bag_tags=True,
        sensitivity_index=9,
        channels_khz=(865_700, 866_300, 916_300),
    )
    found = [each.found for each in doubts(plain, asks)]
    assert rospec_for(plain, asks, extras=False).orders[0].sensitivity_index is None
    assert found == [
        "the reader has no sensitivity 9: its own is used",
        "the reader cannot filter tags: all are reported",
        "the reader has no channels at [916300] kHz",
    ]
    two = changed(R700, channels_khz=(865_700, 866_300))
    assert [each.found for each in doubts(plain, two)] == [
        "the reader takes one channel of channels_khz, the first"
    ]


def test_an_authority_that_is_not_there_is_named():
    reader = Llrp(name="portal", host="192.0.2.40", tls=True, ca="/nowhere/authority.pem")
    with pytest.raises(ConfigError, match=r"device portal: ca: /nowhere/authority\.pem"):
        build(Config(gateway=Gateway(site="lfbo", name="hall-1"), devices=(reader,)), print)
