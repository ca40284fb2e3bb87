"""The receiver's driver against a Beast server on loopback, as the gateway meets it."""

import asyncio

import pytest
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.drivers.adsb_beast import BeastReceiver
from aerocast_agent.stands import Stands
from aerocast_protocols.modes import encode
from aerocast_protocols.modes.beast import HEARTBEAT, MLAT_TIMESTAMP, encode_beast
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.observations.aircraft import AircraftState
from aerocast_protocols.observations.gateways import DeviceEvent

from tests.agent.saying import saying

SENDER = encode.Sender("4ca123", on_ground=False)
STREAM = (
    HEARTBEAT
    + b"noise"
    + encode_beast(encode.encode_identification(SENDER, "AFR12AB"), signal=255)
    + encode_beast(
        encode.encode_identification(encode.Sender("aaaaaa", on_ground=False), "MLAT"),
        ticks_12mhz=MLAT_TIMESTAMP,
    )
)


def table():
    return AircraftTable(Position(43.6, 1.4), Stands())


async def test_hears_aircraft_and_raises_when_the_receiver_goes():
    seen = []
    pieces = [STREAM[index : index + 3] for index in range(0, len(STREAM), 3)]
    async with saying(*pieces) as port, asyncio.timeout(60):
        with pytest.raises(ConnectionResetError, match="sky"):
            await BeastReceiver("sky", "127.0.0.1", port, table()).run(seen.append)

    assert [type(each) for each in seen] == [DeviceEvent, AircraftState, AircraftState]
    assert seen[0].event == "connected"
    assert (seen[1].callsign, seen[1].signal_dbfs, seen[1].device) == ("AFR12AB", 0.0, "sky")
    # Computed elsewhere, it says where an aircraft is, and not that this receiver hears it.
    assert (seen[2].callsign, seen[2].signal_dbfs) == ("MLAT", None)


async def test_a_receiver_that_is_not_there_raises():
    async with saying() as port:
        pass
    with pytest.raises(ConnectionRefusedError):
        await BeastReceiver("sky", "127.0.0.1", port, table()).run(lambda _: None)


async def test_a_receiver_silent_for_too_long_raises():
    async with saying(STREAM, hold_open=True) as port, asyncio.timeout(60):
        receiver = BeastReceiver("sky", "127.0.0.1", port, table(), silence_limit_s=0.5)
        with pytest.raises(TimeoutError, match="sky said nothing"):
            await receiver.run(lambda _: None)
