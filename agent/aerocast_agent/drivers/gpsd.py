"""Driver for GPS receivers that gpsd looks after."""

import logging

from aerocast_protocols.gpsd.fixes import FixAssembler
from aerocast_protocols.gpsd.reports import (
    GpsdError,
    ReportBuffer,
    Version,
    decode_report,
    encode_watch,
)
from aerocast_protocols.observations.gateways import DeviceEvent

from aerocast_agent import clock
from aerocast_agent.driver import Accept
from aerocast_agent.positions import PositionReports
from aerocast_agent.silence import heard_within
from aerocast_agent.tcp_link import connect

log = logging.getLogger(__name__)

# gpsd says nothing while its receiver is unplugged or switched off.
SILENCE_LIMIT_S = 60.0


class GpsdClient:
    """Reads positions from gpsd, at most one a second.

    Parameters
    ----------
    name
        The device's name in the gateway's configuration.
    host, port
        Where gpsd serves.
    receiver
        Which of its receivers, by the path gpsd knows it by; None: all of them.
    """

    def __init__(self, name: str, host: str, port: int, receiver: str | None = None) -> None:
        self.name = name
        self._host, self._port, self._receiver = host, port, receiver

    async def run(self, accept: Accept) -> None:
        """Read positions until gpsd is lost or silent (``OSError``, ``ProtocolError``)."""
        buffer, fixes = ReportBuffer(), FixAssembler()
        reports = PositionReports(self.name, clock.time_window)
        stream, writer = await connect(self._host, self._port)
        try:
            writer.write(encode_watch(self._receiver))
            while True:
                received = await heard_within(SILENCE_LIMIT_S, self.name, stream.read(65_536))
                if not received:
                    raise ConnectionResetError(f"{self.name}: gpsd closed the connection")
                seen_ns = clock.boot_ns()
                buffer.feed(received)
                for line in buffer.lines():
                    report = decode_report(line)
                    if isinstance(report, Version):
                        accept(self._connected(report, seen_ns))
                    elif isinstance(report, GpsdError):
                        log.warning("%s: gpsd: %s", self.name, report.message)
                    for fix in fixes.add(report):
                        position = reports.report(fix, seen_ns)
                        if position is not None:
                            accept(position)
        finally:
            writer.close()

    def _connected(self, version: Version, seen_ns: int) -> DeviceEvent:
        where = f"{self._host}:{self._port} gpsd {version.release}"
        return DeviceEvent(
            device=self.name, boot_ns=seen_ns, event="connected", detail=where[-512:]
        )
