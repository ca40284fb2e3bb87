"""Driver for barcode scanners on a serial line (RS-232, or USB as CDC-ACM), in ASCII mode."""

from aerocast_protocols.barcode.framing import Framing
from aerocast_protocols.observations import CustodyPoint, DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.scans import ScanReports
from aerocast_agent.serial_port import SerialPort


class SerialScanner:
    """Reads codes from one scanner.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    port, baud
        Where it is plugged in, and its bits a second.
    framing, no_read, heartbeat, point, belt
        As `ScanReports` takes them.
    """

    def __init__(  # noqa: PLR0913  agent.toml's keys of this device
        self,
        name: str,
        port: str,
        baud: int = 9600,
        *,
        framing: Framing = "auto",
        no_read: str | None = "NoRead",
        heartbeat: str | None = None,
        point: CustodyPoint | None = None,
        belt: str | None = None,
    ) -> None:
        self.name = name
        self._port, self._baud = port, baud
        self._framing: Framing = framing
        self._no_read, self._heartbeat = no_read, heartbeat
        self._point: CustodyPoint | None = point
        self._belt = belt

    async def run(self, accept: Accept) -> None:
        """Read codes until the scanner is lost (``OSError``, ``ProtocolError``)."""
        reports = ScanReports(
            self.name,
            framing=self._framing,
            no_read=self._no_read,
            heartbeat=self._heartbeat,
            point=self._point,
            belt=self._belt,
        )
        async with SerialPort(self._port, self._baud) as port:
            accept(
                DeviceEvent(
                    device=self.name, boot_ns=clock.boot_ns(), event="connected", detail=self._port
                )
            )
            while True:
                received = await port.read()
                for observation in reports.feed(received.content, received.boot_ns):
                    accept(observation)
