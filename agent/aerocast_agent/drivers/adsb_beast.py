"""Driver for Mode S receivers that serve Beast frames over TCP: readsb, dump1090 (port 30005)."""

from collections.abc import Iterator

from aerocast_protocols.modes.beast import BeastBuffer
from aerocast_protocols.observations import Observation

from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.driver import Accept
from aerocast_agent.receiver_link import SILENCE_LIMIT_S, ReceiverLink


class BeastReceiver:
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
        buffer = BeastBuffer()

        def read(received: bytes, now_ns: int) -> Iterator[Observation]:
            buffer.feed(received)
            for heard in buffer.frames():
                yield from self._aircraft.update(
                    self.name, heard.frame, now_ns, heard.signal_dbfs, is_mlat=heard.is_mlat
                )

        await self._link.run(accept, read)
