"""Driver for GPS receivers on a serial line that speak NMEA 0183."""

import asyncio

from aerocast_protocols.observations import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.positions import PositionReports
from aerocast_agent.serial_port import SerialPort

SILENCE_LIMIT_S = 30.0  # receivers speak every second, with or without a fix


class GpsSerial:
    """Reads positions from one receiver, at most one a second.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    port, baud
        Where it is plugged in, and its bits a second.
    """

    def __init__(self, name: str, port: str, baud: int = 9600) -> None:
        self.name = name
        self._port, self._baud = port, baud

    async def run(self, accept: Accept) -> None:
        """Read positions until the receiver is lost or silent (``OSError``, ``TimeoutError``)."""
        reports = PositionReports(self.name)
        async with SerialPort(self._port, self._baud) as port:
            accept(
                DeviceEvent(
                    device=self.name, boot_ns=clock.boot_ns(), event="connected", detail=self._port
                )
            )
            while True:
                async with asyncio.timeout(SILENCE_LIMIT_S):
                    received = await port.read()
                for position in reports.feed(received.content, received.boot_ns):
                    accept(position)
