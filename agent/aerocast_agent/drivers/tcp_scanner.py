"""Driver for fixed-mount scanners that wait for a connection: tunnels, gates, sorter heads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.programmed_scanner import Line, ProgrammedScanner
from aerocast_agent.scanner_link import read_scans
from aerocast_agent.scans import PLAIN, ScanRules
from aerocast_agent.tcp_link import connect

if TYPE_CHECKING:
    from aerocast_agent.profiles import ScannerProfile


class TcpScanner(ProgrammedScanner):
    """Connects to one scanner and reads its codes.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    host, port
        Where it listens.
    profile
        How it is to be programmed, when somebody asks for that.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        rules: ScanRules = PLAIN,
        profile: "ScannerProfile | None" = None,
    ) -> None:
        super().__init__(name, profile)
        self._host, self._port, self._rules = host, port, rules

    async def run(self, accept: Accept) -> None:
        """Read until it is lost or misses its heartbeats (``OSError``, ``ProtocolError``)."""
        reader, writer = await connect(self._host, self._port)
        try:
            where = f"{self._host}:{self._port}"
            accept(
                DeviceEvent(
                    device=self.name, boot_ns=clock.boot_ns(), event="connected", detail=where
                )
            )
            await read_scans(self.name, reader, self._rules, accept)
        finally:
            writer.close()

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Connect to it, for commands."""
        reader, writer = await connect(self._host, self._port)

        async def read() -> bytes:
            received = await reader.read(4096)
            if not received:
                raise ConnectionResetError(f"{self.name} closed the connection")
            return received

        async def write(sent: bytes) -> None:
            writer.write(sent)
            await writer.drain()

        try:
            yield Line(read, write)
        finally:
            writer.close()
