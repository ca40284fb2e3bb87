"""The LLRP driver against a reader on loopback, as a gateway meets it."""

import asyncio
from contextlib import suppress

import msgspec
import pytest
from aerocast_agent.clock import boot_ns
from aerocast_agent.drivers.llrp import LlrpReader
from aerocast_agent.profiles import ANY_READER
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp import events
from aerocast_protocols.llrp.framing import MessageType, encode_message
from aerocast_protocols.llrp.rospec import decode_rospec
from aerocast_protocols.llrp.status import Status, encode_status
from aerocast_protocols.observations.bags import GpioEdge, TagRead
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_simulator.llrp_answers import DEFAULT_CAPABILITIES, ReaderState

from tests.agent import readers
from tests.agent.readers import a_reader, connected, connections, epc, reads, to, told
from tests.waiting import until

BRISK = msgspec.structs.replace(ANY_READER, keepalive_s=0.5, power_dbm=30.0, rf_mode=1000)


def driving(reader, seen, profile=BRISK):
    return readers.driving(to(reader, profile), seen.append)


async def test_tags_come_with_everything_the_reader_measured():
    seen = []
    async with a_reader(clock_us=lambda: 1_600_000_000_000_000) as reader:
        async with driving(reader, seen):
            await until(lambda: connected(seen))
            before = boot_ns()
            assert reader.report(epc(7), 2, -61.25, pc=0x34C1, phase_deg=90.0, channel=3)
            await until(lambda: reads(seen))
        assert seen[0] == DeviceEvent(device="portal-4", boot_ns=seen[0].boot_ns, event="connected")
        (read,) = reads(seen)
        assert before <= read.boot_ns <= boot_ns()
        assert read == TagRead(
            device="portal-4",
            boot_ns=read.boot_ns,
            epc=epc(7),
            antenna=2,
            pc=0x34C1,
            rssi_dbm=-61.25,
            phase_deg=90.0,
            channel=3,
            reader_seen_at_us=1_600_000_000_000_000,
        )


async def test_the_order_is_drawn_from_what_the_reader_can_do():
    seen = []
    async with a_reader() as reader, driving(reader, seen):
        await until(lambda: connected(seen) and reader.is_reading)
        assert reader.state.hold_reports
        assert reader.state.keepalive_ms == 500
        assert reader.state.sends_extras
        assert len(reader.state.orders) == 1


async def test_a_reader_of_another_make_gets_no_vendor_extras():
    general = msgspec.structs.replace(DEFAULT_CAPABILITIES.general, manufacturer=161, gpis=0)
    limits = msgspec.structs.replace(DEFAULT_CAPABILITIES.limits, holds_reports=False)
    plain = msgspec.structs.replace(DEFAULT_CAPABILITIES, general=general, limits=limits)
    seen = []
    async with a_reader(capabilities=plain) as reader, driving(reader, seen):
        await until(lambda: connected(seen) and reader.is_reading)
        assert not reader.state.sends_extras
        assert not reader.state.hold_reports


class WithoutEvents(ReaderState):
    """A reader that knows keepalives and nothing else."""

    def configure(self, config):
        return Status(100, "no events") if config.events else super().configure(config)


async def test_a_reader_that_tells_no_events_still_reads():
    seen = []
    async with a_reader() as reader:
        reader.state = WithoutEvents()
        async with driving(reader, seen):
            await until(lambda: connected(seen))
            assert (reader.state.keepalive_ms, reader.is_reading) == (500, True)
    assert seen[0].event == "configuration"
    assert "refused SET_READER_CONFIG: status 100 no events" in seen[0].detail


class Fussy(ReaderState):
    """A reader that refuses every order with a setting it does not know."""

    def add(self, encoded):
        order = decode_rospec(encoded)
        if any(each.mode_id is not None for each in order.orders):
            return Status(200, "unexpected parameter")
        return super().add(encoded)


async def test_a_reader_that_refuses_the_order_reads_with_its_own_settings():
    seen = []
    async with a_reader() as reader:
        reader.state = Fussy()
        for connection in (1, 2):
            async with driving(reader, seen):
                await until(lambda connection=connection: connections(seen) == connection)
                assert reader.is_reading
        ((order, *_),) = reader.state.orders.values()
    powers = dict(DEFAULT_CAPABILITIES.regulatory.power_levels)
    assert powers[order.orders[0].power_index] == 3000
    assert told(seen)[0] == (
        "configuration",
        (
            "portal-4 refused ADD_ROSPEC: status 200 unexpected parameter; going on with power,"
            " channel and antennas alone"
        ),
    )
    assert [event for event, _ in told(seen)[1:]] == ["connected", "connected"]  # said once


async def test_inputs_antennas_and_overflow_are_told():
    seen = []
    async with a_reader() as reader, driving(reader, seen):
        await until(lambda: connected(seen))
        reader.gpio(1, 1)
        reader.gpio(1, 0)
        reader.antenna(3, connected=False)
        reader.antenna(3, connected=True)
        await until(lambda: len(seen) == 9)
    assert [(each.pin, each.level) for each in seen if isinstance(each, GpioEdge)] == [
        (1, 1),
        (1, 0),
    ]
    antennas = [(each.event, each.antenna) for each in seen if isinstance(each, DeviceEvent)]
    assert antennas == [
        ("connected", None),
        *(("antenna_connected", port) for port in (1, 2, 3, 4)),
        ("antenna_disconnected", 3),
        ("antenna_connected", 3),
    ]


async def test_an_antenna_that_died_while_nobody_looked_is_told_upon_connecting():
    seen = []
    profile = msgspec.structs.replace(BRISK, antennas=(1, 2))
    async with a_reader() as reader:
        reader.antenna(2, connected=False)
        reader.antenna(3, connected=False)  # nobody wants it
        async with driving(reader, seen, profile):
            await until(lambda: len(seen) >= 4)
        reader.antenna(1, connected=False)
        async with driving(reader, seen, profile):
            await until(lambda: len(seen) >= 8)
    assert [(each.event[:12], each.antenna) for each in seen] == [
        ("connected", None),
        ("antenna_conn", 1),
        ("antenna_disc", 2),
        ("antenna_conn", 4),
        ("connected", None),
        ("antenna_disc", 1),
        ("antenna_disc", 2),
        ("antenna_conn", 4),
    ]


async def test_keepalives_are_answered():
    seen = []
    async with a_reader() as reader, driving(reader, seen) as running:
        await until(lambda: reader.acknowledged_keepalives >= 2)
        assert not running.done()


async def test_a_reader_that_serves_another_client_says_so():
    first, second = [], []
    async with a_reader() as reader, driving(reader, first) as holder:
        await until(lambda: connected(first))
        async with driving(reader, second) as running:
            with pytest.raises(ConnectionRefusedError, match="already serves another client"):
                await running
        assert (reader.sessions, reader.refused) == (1, 1)
        assert not holder.done()


async def test_a_session_is_given_back_so_that_the_next_one_is_taken_at_once():
    seen = []
    async with a_reader() as reader:
        for number in range(3):
            seen.clear()
            async with driving(reader, seen):
                await until(lambda: connected(seen))
            await until(lambda: reader._session is None)
            assert reader.sessions == number + 1


async def test_a_reader_out_of_reach_is_an_error():
    async with a_reader() as reader:
        port = reader.port
    with pytest.raises(ConnectionRefusedError):
        await LlrpReader("portal-4", "127.0.0.1", port).run([].append)


async def test_nothing_is_lost_or_doubled_over_twenty_disconnects():
    seen, sent = [], 0
    async with a_reader() as reader:
        for round_ in range(1, 21):
            async with driving(reader, seen) as running:
                await until(lambda round_=round_: connections(seen) == round_)
                await until(lambda: not reader._session.holding)
                for _ in range(25):
                    assert reader.report(epc(sent), 1, -50.0)
                    sent += 1
                await reader.drop()
                with pytest.raises(ConnectionResetError):
                    await running
            for _ in range(25):  # nobody is listening: the reader holds them
                assert reader.report(epc(sent), 1, -50.0)
                sent += 1
        async with driving(reader, seen):
            await until(lambda: len(reads(seen)) >= sent)
            await asyncio.sleep(0.05)
    assert [each.epc for each in reads(seen)] == [epc(number) for number in range(sent)]
    assert reader.sessions == 21
    assert not any(each.event == "overflow" for each in seen if isinstance(each, DeviceEvent))


async def test_reading_is_not_interrupted_by_a_reconnection():
    seen = []
    async with a_reader() as reader:
        async with driving(reader, seen):
            await until(lambda: connected(seen))
        order = reader.state.active_rospec
        async with driving(reader, seen):
            assert reader.is_reading
            await until(lambda: sum(connected([each]) for each in seen) == 2)
        assert reader.state.active_rospec == order


async def test_an_overflow_of_the_readers_buffer_is_told():
    seen = []
    async with a_reader(hold_limit=10) as reader:
        async with driving(reader, seen):
            await until(lambda: connected(seen))
        await until(lambda: reader._session is None)
        for number in range(15):
            reader.report(epc(number), 1, -50.0)
        seen.clear()
        async with driving(reader, seen):
            await until(lambda: len(reads(seen)) == 10)
    assert reader.lost == 5
    assert [event for event, _ in told(seen)] == ["connected", "overflow"]


async def talk(sends, driver_profile=BRISK):
    """Run the driver against a peer that sends these bytes, then listens."""

    closed = asyncio.Event()

    async def be_a_peer(reader, writer):
        writer.write(sends)
        with suppress(ConnectionError):
            while await reader.read(4096):
                pass
        writer.close()
        closed.set()

    server = await asyncio.start_server(be_a_peer, "127.0.0.1", 0)
    async with server, asyncio.timeout(60):
        driver = LlrpReader("p", "127.0.0.1", server.sockets[0].getsockname()[1], driver_profile)
        try:
            await driver.run([].append)
        finally:
            await closed.wait()


CONNECTED = encode_message(
    MessageType.READER_EVENT_NOTIFICATION,
    0,
    events.encode_notification([events.ConnectionAttemptEvent(0)], utc_us=0),
)


@pytest.mark.parametrize(
    ("sends", "says"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "LLRP"),
        (encode_message(MessageType.KEEPALIVE, 1) + encode_message(61, 2), "type 61"),
        (encode_message(63, 0, events.encode_notification([], utc_us=0)), "did not say"),
        (
            CONNECTED + encode_message(MessageType.ERROR_MESSAGE, 1, encode_status(Status(109))),
            "refused GET_READER_CAPABILITIES: status 109",
        ),
        (
            CONNECTED + encode_message(11, 1, encode_status(Status(401, "too hot"))),
            "refused GET_READER_CAPABILITIES: status 401 too hot",
        ),
        (CONNECTED + encode_message(61, 0, b"\x00\xf0\x00\x05\x01"), "LLRP"),
    ],
)
async def test_a_peer_that_breaks_the_protocol_is_named_with_what_it_did(sends, says):
    with pytest.raises(ProtocolError, match=says):
        await talk(sends)


async def test_a_reader_that_is_closing_is_lost():
    closing = events.encode_notification([events.ConnectionCloseEvent()], utc_us=0)
    with pytest.raises(ConnectionResetError, match="closing"):
        await talk(CONNECTED + encode_message(63, 0, closing))
