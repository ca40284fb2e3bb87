"""Driver for barcode scanners on a serial line (RS-232, or USB as CDC-ACM), in ASCII mode."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.programmed_scanner import Line, ProgrammedScanner
from aerocast_agent.scans import PLAIN, ScanReports, ScanRules
from aerocast_agent.serial_port import SerialPort
from aerocast_agent.silence import heard_within

if TYPE_CHECKING:
    from aerocast_agent.profiles import ScannerProfile


class SerialScanner(ProgrammedScanner):
    """Reads codes from one scanner.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    port, baud
        Where it is plugged in, and its bits a second.
    profile
        How it is to be programmed, when somebody asks for that.
    """

    def __init__(
        self,
        name: str,
        port: str,
        baud: int = 9600,
        rules: ScanRules = PLAIN,
        profile: "ScannerProfile | None" = None,
    ) -> None:
        super().__init__(name, profile)
        self._port, self._baud = port, baud
        self._rules = rules

    async def run(self, accept: Accept) -> None:
        """Read until it is lost or misses its heartbeats (``OSError``, ``ProtocolError``)."""
        reports, limit_s = ScanReports(self.name, self._rules), self._rules.silence_limit_s
        async with SerialPort(self._port, self._baud) as port:
            accept(
                DeviceEvent(
                    device=self.name, boot_ns=clock.boot_ns(), event="connected", detail=self._port
                )
            )
            while True:
                received = await heard_within(limit_s, self.name, port.read())
                for observation in reports.feed(received.content, received.boot_ns):
                    accept(observation)

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Open the port, for commands."""
        async with SerialPort(self._port, self._baud) as port:

            async def read() -> bytes:
                return (await port.read()).content

            yield Line(read, port.write)
