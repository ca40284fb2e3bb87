"""The LLRP driver against a reader that somebody else wrote: the emulator of llrpkit."""

from contextlib import asynccontextmanager

import msgspec
import pytest
from aerocast_agent.profiles import ANY_READER
from aerocast_protocols.observations.bags import GpioEdge
from aerocast_protocols.observations.gateways import DeviceEvent

from tests.agent.readers import connected, connections, driving, reads, supervised, to, told
from tests.servers import find_peer
from tests.waiting import until

AMERICAN = msgspec.structs.replace(
    ANY_READER, region="fcc", power_dbm=27.0, antenna_gain_dbi=6.0, keepalive_s=0.2, rf_mode=1002
)


@asynccontextmanager
async def an_emulator(**settings):
    emulator = find_peer("llrpkit.emulator").LLRPEmulator(reads_per_sec=1000, **settings)
    async with emulator:
        yield emulator
        # Its server does not wait for its clients' tasks: let them find the connection closed.
        await until(lambda: emulator._writer is None)


async def test_its_tags_are_read_with_everything_it_measures():
    seen = []
    async with an_emulator() as emulator:
        async with driving(to(emulator, AMERICAN), seen.append):
            await until(lambda: len(reads(seen)) >= 300 and emulator.keepalive_acks >= 3)
        tags = {tag.epc for tag in emulator.tags}
    assert {each.epc for each in reads(seen)} <= tags
    for each in reads(seen):
        assert 1 <= each.antenna <= 4
        assert -90 < each.rssi_dbm < -30
        assert 0 <= each.phase_deg < 360
        assert -20 <= each.doppler_hz <= 20
        assert 1 <= each.channel <= 50
    assert [event for event, _ in told(seen)] == ["connected"]


async def test_its_order_is_made_of_its_own_tables():
    seen = []
    async with an_emulator() as emulator, driving(to(emulator, AMERICAN), seen.append):
        await until(lambda: connected(seen))
        ((rospec, state),) = emulator._rospecs.values()
        assert state == "Active"
        (aispec,) = rospec.spec_parameters
        (inventory,) = aispec.inventory_parameter_specs
        (antenna,) = inventory.antenna_configurations
        (command,) = antenna.air_protocol_inventory_command_settings
        power = antenna.rf_transmitter
        assert (power.hop_table_id, power.channel_index, power.transmit_power) == (1, 0, 18)
        assert command.c1_g2_rf_control.mode_index == 1002
        assert command.c1_g2_singulation_control.session == 0


async def test_its_inputs_and_antennas_are_told():
    seen = []
    async with an_emulator() as emulator, driving(to(emulator, AMERICAN), seen.append):
        await until(lambda: connected(seen))
        await emulator.set_gpi(2, high=True)
        await emulator.set_antenna_connected(3, connected=False)
        await until(lambda: len(told(seen)) == 2)
    (edge,) = [each for each in seen if isinstance(each, GpioEdge)]
    assert (edge.pin, edge.level) == (2, 1)
    assert told(seen)[1] == ("antenna_disconnected", "antenna 3")


async def test_it_takes_one_client_and_the_next_once_that_is_gone():
    seen = []
    async with an_emulator() as emulator, supervised(to(emulator, AMERICAN), seen.append) as first:
        await until(lambda: connected(seen))
        second = to(emulator, AMERICAN).run([].append)
        with pytest.raises(ConnectionRefusedError, match="already serves another client"):
            await second
        emulator._writer.transport.abort()
        await until(lambda: connections(seen) == 2)
        assert first.errors == {}
    assert [each.event for each in seen if isinstance(each, DeviceEvent)] == [
        "connected",
        "lost",
        "connected",
    ]


async def test_only_tags_whose_epc_bank_says_bag_answer_its_filter():
    bags = msgspec.structs.replace(AMERICAN, only_bag_tags=True)
    seen = []
    async with an_emulator() as emulator, driving(to(emulator, bags), seen.append):
        await until(lambda: connected(seen))
        (filters,) = [
            command.c1_g2_filters
            for rospec, _ in emulator._rospecs.values()
            for inventory in rospec.spec_parameters[0].inventory_parameter_specs
            for antenna in inventory.antenna_configurations
            for command in antenna.air_protocol_inventory_command_settings
        ]
    mask = filters[0].c1_g2_tag_inventory_mask
    family = find_peer("llrpkit.protocol.codec").BitStr.from_bytes(b"\xc1")
    assert (int(mask.mb), mask.pointer, mask.tag_mask) == (1, 24, family)


async def test_what_it_says_of_itself_is_told():
    async with an_emulator() as emulator:
        emulator.set_temperature(83.0)
        report = await to(emulator, AMERICAN).probe()
        await until(lambda: emulator._writer is None)
    assert (report.says["model"], report.says["firmware"]) == (700, "llrpkit-emu 0.1")
    assert (report.says["region"], report.says["most_power_dbm"]) == ("fcc", 30.0)
    assert [each.found for each in report.faults] == ["it is 83 °C hot"]
