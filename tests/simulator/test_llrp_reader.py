"""The simulated reader, asked as a client on the wire asks."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aerocast_protocols.llrp import events, rospec
from aerocast_protocols.llrp.capabilities import decode_capabilities
from aerocast_protocols.llrp.extensions import encode_enable_extensions
from aerocast_protocols.llrp.framing import MessageBuffer, MessageType, encode_message
from aerocast_protocols.llrp.reader_config import (
    EventType,
    ReaderConfig,
    decode_reader_config,
    encode_reader_config,
)
from aerocast_protocols.llrp.status import decode_status
from aerocast_protocols.llrp.tag_report import decode_tag_reports
from aerocast_simulator.llrp_answers import DEFAULT_CAPABILITIES
from aerocast_simulator.llrp_reader import MOST_UNSENT, FakeReader

EPC = bytes(range(12))


class Client:
    """A bare client: writes messages, gives what comes back."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._buffer = MessageBuffer()
        self._waiting = []

    async def next(self):
        while not self._waiting:
            received = await self._reader.read(65536)
            if not received:
                return None
            self._buffer.feed(received)
            self._waiting += self._buffer.messages()
        return self._waiting.pop(0)

    async def ask(self, kind, body=b"", message_id=9):
        self.send(kind, body, message_id)
        while (message := await self.next()) is not None:
            if message.id == message_id:
                return message
        return None

    def send(self, kind, body=b"", message_id=9):
        self._writer.write(encode_message(kind, message_id, body))

    async def events(self):
        message = await self.next()
        assert message.type == MessageType.READER_EVENT_NOTIFICATION
        return events.decode_notification(message.body).events

    async def close(self):
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def a_reader(**settings):
    reader = FakeReader(**settings)
    await reader.start()
    try:
        async with asyncio.timeout(60):
            yield reader
    finally:
        await reader.stop()


@asynccontextmanager
async def a_client(reader, *, is_taken=True):
    client = Client(*await asyncio.open_connection("127.0.0.1", reader.port))
    try:
        if is_taken:
            assert await client.events() == (events.ConnectionAttemptEvent(events.CONNECTED),)
        yield client
    finally:
        await client.close()


async def succeeds(client, kind, body=b""):
    return decode_status((await client.ask(kind, body)).body).succeeded


def order(rospec_id=1, start=rospec.IMMEDIATE, **more):
    return rospec.encode_rospec(rospec.Rospec(rospec_id=rospec_id, start=start, **more))


async def start_reading(client):
    assert await succeeds(client, MessageType.ADD_ROSPEC, order())
    assert await succeeds(client, MessageType.ENABLE_ROSPEC, rospec.encode_rospec_id(1))


async def test_a_second_client_is_told_why_and_the_first_that_it_came():
    async with a_reader() as reader, a_client(reader) as first:
        async with a_client(reader, is_taken=False) as second:
            assert await second.events() == (
                events.ConnectionAttemptEvent(events.CLIENT_CONNECTION_EXISTS),
            )
            assert await second.next() is None
        assert await first.events() == (
            events.ConnectionAttemptEvent(events.ANOTHER_CONNECTION_ATTEMPTED),
        )


async def test_capabilities_are_told():
    async with a_reader() as reader, a_client(reader) as client:
        message = await client.ask(MessageType.GET_READER_CAPABILITIES, b"\0")
        assert decode_capabilities(message.body) == DEFAULT_CAPABILITIES


async def test_an_order_runs_through_its_states():
    one = rospec.encode_rospec_id(1)
    async with a_reader() as reader, a_client(reader) as client:
        assert await succeeds(client, MessageType.ADD_ROSPEC, order(start=rospec.NULL))
        assert not await succeeds(client, MessageType.START_ROSPEC, one)  # not enabled
        assert await succeeds(client, MessageType.ENABLE_ROSPEC, one)
        assert not reader.is_reading
        assert await succeeds(client, MessageType.START_ROSPEC, one)
        assert reader.is_reading
        answer = await client.ask(MessageType.GET_ROSPECS)
        assert rospec.decode_rospec_states(answer.body) == {1: rospec.ACTIVE}
        assert await succeeds(client, MessageType.ENABLE_ROSPEC, one)  # changes nothing
        assert reader.is_reading
        assert await succeeds(client, MessageType.STOP_ROSPEC, one)
        assert not reader.is_reading
        assert await succeeds(client, MessageType.DISABLE_ROSPEC, one)
        assert not await succeeds(client, MessageType.STOP_ROSPEC, one)
        assert await succeeds(client, MessageType.DELETE_ROSPEC, rospec.encode_rospec_id(0))
        assert not await succeeds(client, MessageType.DELETE_ROSPEC, one)
        assert await succeeds(client, MessageType.DELETE_ROSPEC, rospec.encode_rospec_id(0))


async def test_an_immediate_order_starts_when_enabled_and_only_then_are_tags_seen():
    async with a_reader() as reader, a_client(reader) as client:
        assert not reader.report(EPC, 1, -50.0)
        await start_reading(client)
        assert reader.report(EPC, 1, -50.0)
        message = await client.next()
        (report,) = decode_tag_reports(message.body)
        assert (report.epc, report.antenna, report.rssi_dbm) == (EPC, 1, -50.0)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (MessageType.ADD_ROSPEC, order(rospec_id=0)),
        (MessageType.ADD_ROSPEC, order(impinj_extras=True)),
        (MessageType.ADD_ROSPEC, b"\x00\xb1\x00\x05\x01"),
        (MessageType.ENABLE_ROSPEC, b"\x00"),
        (MessageType.CUSTOM_MESSAGE, b"\x00\x00\x00\xa1\x01"),
        (999, b""),
    ],
)
async def test_what_a_reader_cannot_do_is_refused_and_the_session_goes_on(kind, body):
    async with a_reader() as reader, a_client(reader) as client:
        assert not await succeeds(client, kind, body)
        await start_reading(client)
        assert not await succeeds(client, MessageType.ADD_ROSPEC, order(rospec_id=2))  # only one


async def test_extras_come_only_once_extensions_are_enabled():
    async with a_reader() as reader, a_client(reader) as client:
        await client.ask(MessageType.CUSTOM_MESSAGE, encode_enable_extensions())
        extras = order(impinj_extras=True)
        assert await succeeds(client, MessageType.ADD_ROSPEC, extras)
        assert await succeeds(client, MessageType.ENABLE_ROSPEC, rospec.encode_rospec_id(0))
        reader.report(EPC, 1, -50.0, phase_deg=45.0)
        (report,) = decode_tag_reports((await client.next()).body)
        assert report.phase_deg == 45.0


async def test_settings_are_kept_and_only_wanted_events_are_told():
    config = ReaderConfig(
        keepalive_ms=60_000, hold_reports=False, events=((EventType.ANTENNA, True),)
    )
    async with a_reader() as reader, a_client(reader) as client:
        assert await succeeds(client, MessageType.SET_READER_CONFIG, encode_reader_config(config))
        answer = await client.ask(MessageType.GET_READER_CONFIG, bytes(7))
        told = decode_reader_config(b"\0" + answer.body[8:])
        assert (told.keepalive_ms, told.hold_reports, told.events) == (60_000, False, config.events)
        reader.gpio(1, 1)
        reader.antenna(2, connected=False)
        assert await client.events() == (events.AntennaEvent(2, connected=False),)


async def test_a_returning_client_gets_what_was_held_once_it_asks_for_it():
    hold = encode_reader_config(ReaderConfig(hold_reports=True))
    async with a_reader(hold_limit=3) as reader:
        async with a_client(reader) as client:
            assert await succeeds(client, MessageType.SET_READER_CONFIG, hold)
            await start_reading(client)
            assert (await client.ask(MessageType.CLOSE_CONNECTION)).type == 4
            assert await client.next() is None
        for number in range(5):
            reader.report(EPC, number + 1, -50.0)
        async with a_client(reader) as client:
            assert await succeeds(client, MessageType.SET_READER_CONFIG, hold)
            assert reader.held == 3
            client.send(MessageType.ENABLE_EVENTS_AND_REPORTS)
            assert await client.events() == (events.BufferOverflowEvent(),)
            antennas = [decode_tag_reports((await client.next()).body)[0].antenna for _ in range(3)]
            assert antennas == [1, 2, 3]


async def test_keepalives_come_at_the_period_asked_for():
    config = encode_reader_config(ReaderConfig(keepalive_ms=20))
    async with a_reader() as reader, a_client(reader) as client:
        assert await succeeds(client, MessageType.SET_READER_CONFIG, config)
        for _ in range(3):
            message = await client.next()
            assert message.type == MessageType.KEEPALIVE
            client.send(MessageType.KEEPALIVE_ACK, message_id=message.id)
        assert reader.acknowledged_keepalives >= 2


async def test_a_slow_client_gets_every_report_in_the_end():
    async with a_reader(hold_limit=50_000) as reader, a_client(reader) as client:
        await start_reading(client)
        sent = 0
        while reader.held < 100:  # until neither the network nor the reader's own queue takes more
            reader.report(EPC, 1, -50.0)
            sent += 1
            if sent % 500 == 0:
                await asyncio.sleep(0)
            assert sent < 50 * MOST_UNSENT
        for _ in range(sent):
            assert (await client.next()).type == MessageType.RO_ACCESS_REPORT


async def test_a_client_that_speaks_no_llrp_is_let_go():
    async with a_reader() as reader:
        async with a_client(reader) as client:
            client._writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await client.next() is None
        async with a_client(reader):
            assert reader.sessions == 2


async def test_an_aborted_connection_makes_room_for_the_next():
    async with a_reader() as reader:
        async with a_client(reader) as client:
            await reader.drop(abort=True)
            assert await client.next() is None
        async with a_client(reader):
            assert reader.sessions == 2
