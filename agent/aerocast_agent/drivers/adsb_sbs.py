"""Driver for programs that serve decoded aircraft as SBS lines over TCP (port 30003)."""

import logging
from collections.abc import Iterator

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.sbs import decode_sbs, sbs_buffer
from aerocast_protocols.observations import Observation

from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept
from aerocast_agent.receiver_link import SILENCE_LIMIT_S, ReceiverLink

log = logging.getLogger(__name__)


class SbsReceiver:
    """Hears aircraft through one program; parameters as `ReceiverLink`.

    There are no winds in it: the registers they are made of are not in the lines.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        aircraft: AircraftTable,
        *,
        silence_limit_s: float = SILENCE_LIMIT_S,
    ) -> None:
        self.name = name
        self._aircraft = aircraft
        self._link = ReceiverLink(name, host, port, aircraft, silence_limit_s=silence_limit_s)

    async def run(self, accept: Accept) -> None:
        """Hear aircraft until the program is lost (``OSError``, ``TimeoutError``)."""
        buffer, refused = sbs_buffer(), 0

        def read(received: bytes, now_ns: int) -> Iterator[Observation]:
            nonlocal refused
            buffer.feed(received)
            for line in buffer.lines():
                try:
                    report = decode_sbs(line).report()
                except ProtocolError as error:
                    refused += 1
                    if refused == 1:
                        log.warning("%s: %s", self.name, error)
                    continue
                if report is not None:
                    yield from self._aircraft.report(self.name, report, now_ns)

        await self._link.run(accept, read)
