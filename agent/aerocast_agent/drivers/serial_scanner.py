"""Driver for barcode scanners on a serial line (RS-232, or USB as CDC-ACM), in ASCII mode."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept, Settings
from aerocast_agent.scans import PLAIN, ScanReports, ScanRules
from aerocast_agent.serial_port import SerialPort
from aerocast_agent.silence import heard_within

if TYPE_CHECKING:
    from aerocast_agent.profiles import ScannerProfile
    from aerocast_agent.scanner_programming import ScannerProgramming


class SerialScanner:
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
        self.name = name
        self._port, self._baud = port, baud
        self._rules, self._profile = rules, profile

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

    async def read_back(self) -> Settings:
        """Give the settings that its profile names, as the scanner has them."""
        async with self._programming() as programming:
            return await programming.read_back()

    async def apply(self, settings: Settings) -> None:
        """Write settings, and have the scanner keep them.

        Raises
        ------
        ProtocolError
            It refused one.
        """
        async with self._programming() as programming:
            await programming.apply(settings)

    @asynccontextmanager
    async def _programming(self) -> "AsyncIterator[ScannerProgramming]":
        from aerocast_agent.scanner_programming import (  # noqa: PLC0415  rarely asked for
            ScannerProgramming,
        )

        if self._profile is None:
            raise ProtocolError(f"{self.name}: agent.toml names no profile for it")
        async with SerialPort(self._port, self._baud) as port:

            async def read() -> bytes:
                return (await port.read()).content

            yield ScannerProgramming(self.name, self._profile, read, port.write)
