"""Driver for Mode S receivers that serve AVR text over TCP: dump1090's raw output (port 30002)."""

import logging
from collections.abc import Iterator

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.avr import avr_buffer, decode_avr
from aerocast_protocols.observations import Observation

from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept
from aerocast_agent.receiver_link import SILENCE_LIMIT_S, ReceiverLink

log = logging.getLogger(__name__)


class AvrReceiver:
    """Hears aircraft through one receiver; parameters as `ReceiverLink`."""

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
        """Hear aircraft until the receiver is lost (``OSError``, ``TimeoutError``)."""
        buffer, refused = avr_buffer(), 0

        def read(received: bytes, now_ns: int) -> Iterator[Observation]:
            nonlocal refused
            buffer.feed(received)
            for line in buffer.lines():
                try:
                    heard = decode_avr(line)
                except ProtocolError as error:
                    refused += 1
                    if refused == 1:
                        log.warning("%s: %s", self.name, error)
                    continue
                yield from self._aircraft.update(
                    self.name, heard.frame, now_ns, heard.signal_dbfs, is_mlat=heard.is_mlat
                )

        await self._link.run(accept, read)
