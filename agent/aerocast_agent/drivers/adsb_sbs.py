"""Driver for programs that serve decoded aircraft as SBS lines over TCP (port 30003)."""

from collections.abc import Iterator

from aerocast_protocols.modes.sbs import decode_sbs, sbs_buffer
from aerocast_protocols.observations.every import Observation

from aerocast_agent.receiver import Read, Receiver, decoded


class SbsReceiver(Receiver):
    """Hears aircraft through one program.

    There are no winds in it: the lines carry neither airspeed nor heading.
    """

    def reading(self) -> Read:
        """Begin to read lines of reports."""
        messages = decoded(self.name, sbs_buffer(), decode_sbs)

        def read(received: bytes, now_ns: int) -> Iterator[Observation]:
            for message in messages(received):
                report = message.report()
                if report is not None:
                    yield from self.aircraft.report(self.name, report, now_ns)

        return read
