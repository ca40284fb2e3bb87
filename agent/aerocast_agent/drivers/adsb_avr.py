"""Driver for Mode S receivers that serve AVR text over TCP: dump1090's raw output (port 30002)."""

from collections.abc import Iterator

from aerocast_protocols.modes.avr import avr_buffer, decode_avr
from aerocast_protocols.observations.every import Observation

from aerocast_agent.receiver import Read, Receiver, decoded


class AvrReceiver(Receiver):
    """Hears aircraft through one receiver."""

    def reading(self) -> Read:
        """Begin to read lines of frames."""
        frames = decoded(self.name, avr_buffer(), decode_avr)

        def read(received: bytes, now_ns: int) -> Iterator[Observation]:
            for heard in frames(received):
                yield from self.aircraft.update(
                    self.name, heard.frame, now_ns, heard.signal_dbfs, is_mlat=heard.is_mlat
                )

        return read
