"""What goes wrong between a gateway and its reader, and what must not be lost by it."""

import asyncio
import random
import ssl
import time

import msgspec
import pytest
from aerocast_agent.profiles import ANY_READER
from aerocast_protocols.llrp import events
from aerocast_protocols.llrp.framing import MessageBuffer, MessageType, encode_message
from aerocast_protocols.llrp.reader_config import ReaderConfig, encode_reader_config
from aerocast_simulator.llrp_reader import FakeReader

from tests.agent.certificates import certify
from tests.agent.readers import (
    a_reader,
    connected,
    connections,
    driving,
    epc,
    reads,
    supervised,
    to,
    told,
)
from tests.waiting import until

BRISK = msgspec.structs.replace(ANY_READER, keepalive_s=0.5)
LEISURELY = msgspec.structs.replace(ANY_READER, keepalive_s=20.0)


async def test_forty_thousand_reports_come_through_however_the_network_cuts_them():
    pieces, seen, reports = random.Random(7), [], 40_000
    async with a_reader(hold_limit=reports, piece=lambda: pieces.randint(1, 4000)) as reader:
        many = msgspec.structs.replace(LEISURELY, report_every=8)
        async with driving(to(reader, many), seen.append):
            await until(lambda: connected(seen))
            for number in range(reports):
                assert reader.report(epc(number), 1 + number % 4, -50.0)
                if number % 500 == 0:
                    await asyncio.sleep(0)
            await until(lambda: len(seen) >= reports + 5, 60)
    assert [each.epc for each in reads(seen)] == [epc(number) for number in range(reports)]
    assert reader.lost == 0


async def test_a_reader_that_sends_byte_by_byte_is_understood():
    seen = []
    async with a_reader(piece=lambda: 1) as reader, driving(to(reader, BRISK), seen.append):
        await until(lambda: connected(seen))
        reader.report(epc(7), 2, -61.25, phase_deg=90.0)
        await until(lambda: reads(seen))
    assert (reads(seen)[0].epc, reads(seen)[0].phase_deg) == (epc(7), 90.0)


async def test_after_each_of_ten_flaps_the_reader_is_back():
    seen = []
    async with a_reader() as reader, supervised(to(reader, BRISK), seen.append):
        await until(lambda: connections(seen) == 1)
        for flap in range(10):
            await reader.drop(abort=flap % 2 == 0)
            await until(lambda flap=flap: connections(seen) == flap + 2)
    assert [event for event, _ in told(seen)].count("lost") == 10


async def test_a_reader_that_was_away_for_a_while_is_back_after_its_return():
    seen = []
    async with a_reader() as reader, supervised(to(reader, BRISK), seen.append) as supervisor:
        await until(lambda: connections(seen) == 1)
        await reader.stop()
        await until(lambda: supervisor.states == {"portal-4": "lost"})
        await reader.start(port=reader.port)
        await until(lambda: connections(seen) == 2)


async def test_a_half_open_connection_is_found_within_two_missed_keepalives():
    seen = []
    async with a_reader() as reader, driving(to(reader, BRISK), seen.append) as running:
        await until(lambda: reader.acknowledged_keepalives >= 1)
        reader.go_silent()
        with pytest.raises(TimeoutError, match=r"silent for 1\.1 s"):  # two of 0.5 s, and a tenth
            await running


async def test_a_gateway_that_stood_still_does_not_take_its_reader_for_lost():
    seen = []
    async with a_reader() as reader, driving(to(reader, BRISK), seen.append) as running:
        await until(lambda: reader.acknowledged_keepalives >= 1)
        before = reader.acknowledged_keepalives
        time.sleep(1.1)  # noqa: ASYNC251  nothing else runs: as when the disk does not answer
        await until(lambda: reader.acknowledged_keepalives > before)
        assert not running.done()


async def test_a_session_left_over_from_a_dead_client_ends_and_nothing_held_is_lost():
    seen = []
    async with a_reader() as reader:
        async with driving(to(reader, BRISK), seen.append):
            await until(lambda: connected(seen))
        await until(lambda: reader._session is None)
        ghost = await a_ghost(reader)
        for number in range(50):
            assert reader.report(epc(number), 1, -50.0)
        seen.clear()
        async with supervised(to(reader, BRISK), seen.append) as supervisor:
            await until(lambda: "already serves another client" in str(supervisor.errors))
            await until(lambda: len(reads(seen)) == 50)
        ghost.close()
    assert [each.epc for each in reads(seen)] == [epc(number) for number in range(50)]
    assert reader.refused >= 1


async def a_ghost(reader):
    """Open a session that hears nothing and says nothing any more, with the connection open."""
    received, writer = await asyncio.open_connection("127.0.0.1", reader.port)
    buffer = MessageBuffer()
    while not (messages := list(buffer.messages())):
        buffer.feed(await received.read(4096))
    (taken,) = events.decode_notification(messages[0].body).events
    assert taken == events.ConnectionAttemptEvent(events.CONNECTED)
    wants = encode_reader_config(ReaderConfig(keepalive_ms=100))
    writer.write(encode_message(MessageType.SET_READER_CONFIG, 1, wants))
    return writer


async def test_a_reader_that_stops_by_itself_is_started_again_within_the_session():
    seen = []
    async with a_reader() as reader, driving(to(reader, BRISK), seen.append) as running:
        await until(lambda: connected(seen) and not reader._session.holding)
        reader.stop_reading()
        with pytest.raises(ConnectionResetError, match="keeps stopping"):
            await running  # at once after it began: something is wrong with it
        assert reader.is_reading


async def test_reading_is_neither_interrupted_nor_ordered_anew_by_what_was_held():
    seen = []
    async with a_reader() as reader:
        async with driving(to(reader, BRISK), seen.append):
            await until(lambda: connected(seen))
        await until(lambda: reader._session is None)
        order = reader.state.active_rospec
        reader.stop_reading()  # told to the next client, for whom it reads again by then
        async with driving(to(reader, BRISK), seen.append) as running:
            await until(lambda: connections(seen) == 2 and not reader._session.holding)
            reader.report(epc(1), 1, -50.0)
            await until(lambda: reads(seen))
            assert not running.done()
        assert reader.state.active_rospec == order
    assert [event for event, _ in told(seen)] == ["connected", "connected"]


async def test_a_fault_inside_the_reader_is_told():
    seen = []
    async with a_reader() as reader, driving(to(reader, BRISK), seen.append):
        await until(lambda: connected(seen))
        reader._tell(events.ExceptionEvent("Antenna 2: VSWR too high"))
        await until(lambda: len(told(seen)) == 2)
    assert told(seen)[1] == ("configuration", "the reader says: Antenna 2: VSWR too high")


async def test_tags_that_nobody_asked_for_are_not_read():
    bags = msgspec.structs.replace(BRISK, only_bag_tags=True, antennas=(1, 2))
    seen = []
    async with a_reader() as reader, driving(to(reader, bags), seen.append):
        await until(lambda: connected(seen) and reader.is_reading)
        assert not reader.report(epc(1), 1, -50.0, pc=0x3000)  # a shirt in a suitcase
        assert not reader.report(epc(2), 3, -50.0, pc=0x35C1)  # an antenna of another belt
        assert reader.report(epc(3), 2, -50.0, pc=0x35C1)
        await until(lambda: reads(seen))
    assert [each.epc for each in reads(seen)] == [epc(3)]


async def test_readers_are_spoken_to_over_tls_and_their_certificate_is_checked(tmp_path):
    certify(tmp_path, "reader", issuer=certify(tmp_path, "authority"))
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(tmp_path / "reader.pem", tmp_path / "reader.key")
    trusting = ssl.create_default_context(cafile=tmp_path / "authority.pem")
    seen = []
    reader = FakeReader()
    await reader.start(tls=serving)
    try:
        async with driving(to(reader, BRISK, trusting), seen.append):
            await until(lambda: connected(seen))
            reader.report(epc(1), 1, -50.0)
            await until(lambda: reads(seen))
        with pytest.raises(ssl.SSLCertVerificationError):
            await to(reader, BRISK, ssl.create_default_context()).run(seen.append)
    finally:
        await reader.stop()
