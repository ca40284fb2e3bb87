"""From what a GPS receiver says to the positions a gateway reports, at most one a second."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gnss import Fix, TimeWindow, doubt_about_time
from aerocast_protocols.nmea.fixes import FixAssembler
from aerocast_protocols.nmea.sentences import decode_sentence
from aerocast_protocols.observations.gateways import PositionFix
from aerocast_protocols.ubx.framing import Frame, ReceiverBuffer
from aerocast_protocols.ubx.navigation import NAV_PVT, decode_nav_pvt, fix_of

INTERVAL_NS = 1_000_000_000
_JITTER_NS = 200_000_000  # a receiver's seconds arrive early or late by this much
NEVER = "a recording"


class Refusal(NamedTuple):
    """A sentence or message that was damaged or impossible, and why."""

    error: str
    content: bytes


class FixReader:
    """Turns a receiver's bytes, NMEA and UBX in any mixture, into fixes.

    Attributes
    ----------
    refused
        Sentences and messages so far that were damaged or impossible.
    """

    def __init__(self) -> None:
        self._buffer = ReceiverBuffer()
        self._sentences = FixAssembler()
        self.refused = 0

    def feed(self, received: bytes) -> Iterator[Fix]:
        """Take bytes; give every fix they completed."""
        return (each for each in self.outcomes(received) if isinstance(each, Fix))

    def outcomes(self, received: bytes) -> Iterator[Fix | Refusal]:
        """Take bytes; give every fix they completed, and what had to be refused, in order."""
        self._buffer.feed(received)
        damaged = self._buffer.damaged
        for message in self._buffer.messages():
            try:
                fix = self._fix(message)
            except ProtocolError as error:  # a damaged sentence: the next is a second away
                self.refused += 1
                yield Refusal(str(error), message if isinstance(message, bytes) else b"")
                continue
            if fix is not None:
                yield fix
        for _ in range(damaged, self._buffer.damaged):
            self.refused += 1
            yield Refusal("UBX checksum is wrong", b"")

    def flush(self) -> list[Fix]:
        """Give what has come of the last fix; at the end of a recording."""
        fix = self._sentences.flush()
        return [] if fix is None else [fix]

    def _fix(self, message: Frame | bytes) -> Fix | None:
        if isinstance(message, bytes):
            return self._sentences.add(decode_sentence(message))
        if message.message == NAV_PVT:
            return fix_of(decode_nav_pvt(message.payload))
        return None


class PositionReports:
    """Turns fixes into `PositionFix`.

    Parameters
    ----------
    device
        The receiver's name.
    window
        Gives between what instants the present surely lies; None when the receiver's time is never
        to be believed (a recording).
    """

    def __init__(self, device: str, window: Callable[[], TimeWindow] | None) -> None:
        self._device = device
        self._window = window
        self._due_ns: int | None = None

    def report(self, fix: Fix, boot_ns: int) -> PositionFix | None:
        """Give a fix as an observation; None when the last was less than a second ago."""
        due_ns = boot_ns if self._due_ns is None else self._due_ns
        if boot_ns < due_ns - _JITTER_NS:
            return None
        self._due_ns = max(due_ns, boot_ns - _JITTER_NS) + INTERVAL_NS
        doubt = NEVER if self._window is None else doubt_about_time(fix, self._window())
        return PositionFix(
            device=self._device,
            boot_ns=boot_ns,
            mode=fix.mode,
            latitude_deg=fix.latitude_deg,
            longitude_deg=fix.longitude_deg,
            altitude_m=fix.altitude_m,
            speed_mps=fix.speed_mps,
            track_deg=fix.track_deg,
            satellites=fix.satellites,
            hdop=fix.hdop,
            fix_at_us=fix.fix_at_us,
            time_trusted=doubt is None,
            source=fix.source,
            time_error_ns=fix.time_error_ns,
            time_doubt=doubt,
        )
