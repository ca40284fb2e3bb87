"""Driver for fixed-mount scanners that wait for a connection: tunnels, gates, sorter heads."""

from aerocast_protocols.observations import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.scanner_link import read_scans
from aerocast_agent.scans import PLAIN, ScanRules
from aerocast_agent.tcp_link import connect


class TcpScanner:
    """Connects to one scanner and reads its codes.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    host, port
        Where it listens.
    """

    def __init__(self, name: str, host: str, port: int, rules: ScanRules = PLAIN) -> None:
        self.name = name
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
