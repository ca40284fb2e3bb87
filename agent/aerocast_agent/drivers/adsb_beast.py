"""Driver for Mode S receivers that serve Beast frames over TCP: readsb, dump1090 (port 30005)."""

from collections.abc import Iterator

from aerocast_protocols.modes.beast import BeastBuffer
from aerocast_protocols.observations.every import Observation

from aerocast_agent.receiver import Read, Receiver


class BeastReceiver(Receiver):
    """Hears aircraft through one receiver."""

    def reading(self) -> Read:
        """Begin to read a stream of frames."""
        buffer = BeastBuffer()

        def read(received: bytes, now_ns: int) -> Iterator[Observation]:
            buffer.feed(received)
            for heard in buffer.frames():
                yield from self.aircraft.update(
                    self.name, heard.frame, now_ns, heard.signal_dbfs, is_mlat=heard.is_mlat
                )

        return read
