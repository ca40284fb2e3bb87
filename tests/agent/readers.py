"""A reader on loopback and the driver that reads it, for tests."""

import asyncio
from contextlib import asynccontextmanager, suppress

from aerocast_agent.drivers.llrp import LlrpReader
from aerocast_agent.supervisor import Supervisor
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.bags import TagRead
from aerocast_protocols.observations.gateways import DeviceEvent
from aerocast_simulator.llrp_reader import FakeReader


def epc(number):
    return number.to_bytes(12, "big")


@asynccontextmanager
async def a_reader(**settings):
    reader = FakeReader(**settings)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


@asynccontextmanager
async def driving(driver, accept):
    """Run a driver once."""
    running = asyncio.create_task(driver.run(accept))
    try:
        yield running
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError, OSError, TimeoutError, ProtocolError):
            await running


@asynccontextmanager
async def supervised(driver, accept):
    """Keep a driver running, as the daemon does."""
    supervisor = Supervisor([driver], accept)
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def to(reader, profile, tls=None):
    return LlrpReader("portal-4", "127.0.0.1", reader.port, profile, tls=tls)


def connected(seen):
    return any(isinstance(each, DeviceEvent) and each.event == "connected" for each in seen)


def connections(seen):
    return sum(connected([each]) for each in seen)


def told(seen):
    """Give what was told of the reader itself but for antennas that are as they should be."""
    events_told = [each for each in seen if isinstance(each, DeviceEvent)]
    return [(each.event, each.detail) for each in events_told if each.event != "antenna_connected"]


def reads(seen):
    return [each for each in seen if isinstance(each, TagRead)]
