"""The dongle's driver against a simulated rtl_tcp: aircraft out of samples, losses survived."""

import asyncio
import contextlib
import logging

import pytest
from aerocast_agent import clock, sample_link
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.device_watch import CONNECTED, LOST
from aerocast_agent.drivers.adsb_rtl_tcp import RtlTcpReceiver
from aerocast_agent.stands import Stands
from aerocast_agent.supervisor import Supervisor
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.rtl_tcp import Command, Greeting, encode_greeting
from aerocast_protocols.observations.aircraft import AircraftState
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_simulator.radio_sky import RadioSky, crowd
from aerocast_simulator.rtl_tcp_server import RtlTcpServer

from tests.agent.saying import saying
from tests.waiting import running, until

HERE = Position(43.6293, 1.3638)


def air(rate):
    return RadioSky(
        crowd(HERE, 40.0), rate, seed=3, messages_a_second=40.0, snr_db=(20.0, 30.0),
        offset_sigma_hz=5e4,
    )  # fmt: skip


def table():
    return AircraftTable(HERE, Stands())


@contextlib.asynccontextmanager
async def dongle():
    server = RtlTcpServer(air)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.mark.parametrize("rate", [2_000_000, 2_400_000])
async def test_aircraft_are_heard_in_the_samples_of_a_dongle(rate):
    seen = []
    began_ns = clock.boot_ns()
    async with dongle() as server:
        driver = RtlTcpReceiver("sky", "127.0.0.1", server.port, table(), rate=rate, gain_db=40.2)
        async with running(driver.run(seen.append)):
            await until(lambda: any(getattr(each, "latitude_deg", None) for each in seen))
        assert (Command.SAMPLE_RATE, rate) in server.orders
        assert (Command.TUNER_GAIN, 402) in server.orders

    assert seen[0].event == "connected"
    assert "R820T" in seen[0].detail
    states = [each for each in seen if isinstance(each, AircraftState)]
    assert all(began_ns <= each.boot_ns <= clock.boot_ns() for each in states)
    assert all(-30.0 < each.signal_dbfs <= 0.0 for each in states)
    assert {each.icao for each in states} <= {flight.icao for flight in crowd(HERE, 40.0)}


async def test_a_dongle_pulled_out_is_lost_and_found_again():
    seen = []
    async with dongle() as server:
        supervisor = Supervisor(
            [RtlTcpReceiver("sky", "127.0.0.1", server.port, table())], seen.append
        )
        async with running(supervisor.run()):
            await until(lambda: supervisor.states["sky"] == CONNECTED)
            server.unplug()
            await until(lambda: supervisor.states["sky"] == LOST)
            await until(lambda: supervisor.states["sky"] == CONNECTED)
    events = [each.event for each in seen if isinstance(each, DeviceEvent)]
    assert events[:3] == ["connected", "lost", "connected"]


async def test_who_is_no_rtl_tcp_is_silent_or_hangs_up_is_lost():
    greeting = encode_greeting(Greeting(5, 29))
    async with asyncio.timeout(60):
        async with saying(b"HTTP/1.1 400 Bad Request\r\n", hold_open=True) as port:
            with pytest.raises(ProtocolError, match="no greeting"):
                await RtlTcpReceiver("sky", "127.0.0.1", port, table()).run(lambda _: None)
        async with saying(greeting, hold_open=True) as port:
            silent = RtlTcpReceiver("sky", "127.0.0.1", port, table(), silence_limit_s=0.2)
            with pytest.raises(TimeoutError, match="sky sent nothing"):
                await silent.run(lambda _: None)
        async with saying(greeting + b"\x7f" * 5) as port:
            with pytest.raises(ConnectionResetError, match="sky closed"):
                await RtlTcpReceiver("sky", "127.0.0.1", port, table()).run(lambda _: None)


async def test_a_machine_too_slow_drops_the_oldest_samples_and_says_so_once():
    seen = []
    waiting = sample_link.Waiting("sky", seen.append)
    for number in range(sample_link.MOST_WAITING + 5):
        waiting.put(sample_link.Piece(bytes(2), number))
    waiting.fail(ConnectionResetError("gone"))

    assert (await waiting.get()).boot_ns == 5
    assert [each.event for each in seen] == ["overflow"]
    for _ in range(sample_link.MOST_WAITING - 1):
        await waiting.get()
    with pytest.raises(ConnectionResetError):
        await waiting.get()


def test_samples_without_aircraft_are_wondered_at_aloud(caplog):
    silence = sample_link.Silence("sky", 2_400_000)
    with caplog.at_level(logging.WARNING):
        for second in range(200):
            silence.add(second * 1_000_000_000, 1 if second < 10 else 0)
    assert caplog.text.count("is its rate really 2400000") == 1
