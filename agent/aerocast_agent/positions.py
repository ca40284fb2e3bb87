"""From what a GPS receiver sends to the positions a gateway reports, at most one a second."""

from collections.abc import Iterator
from datetime import UTC, datetime

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.nmea.fixes import (
    ROLLOVER_US,
    Fix,
    FixAssembler,
    TimeWindow,
    is_time_plausible,
)
from aerocast_protocols.nmea.sentences import SentenceBuffer, decode_sentence
from aerocast_protocols.observations import PositionFix

_RELEASED_US = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
# No receiver of this release can see an earlier time, and one 1024 weeks later is a rolled-over
# week number; the upper end is one microsecond short of that.
PLAUSIBLE = TimeWindow(_RELEASED_US, _RELEASED_US + ROLLOVER_US - 1)
INTERVAL_NS = 1_000_000_000
_JITTER_NS = 200_000_000  # a receiver's seconds arrive early or late by this much


class PositionReports:
    """Turns a receiver's bytes into `PositionFix`.

    Parameters
    ----------
    device
        The receiver's name.
    window
        Between what instants the present surely lies; None when its time is never to be believed
        (a recording).

    Attributes
    ----------
    refused
        Sentences so far that were damaged or impossible.
    """

    def __init__(self, device: str, window: TimeWindow | None = PLAUSIBLE) -> None:
        self._device = device
        self._window = window
        self._buffer = SentenceBuffer()
        self._assembler = FixAssembler()
        self._due_ns: int | None = None
        self.refused = 0

    def feed(self, received: bytes, boot_ns: int) -> list[PositionFix]:
        """Take bytes read at ``boot_ns``; give the position they completed, if one is due."""
        return [
            report
            for fix in self.fixes(received)
            if (report := self.report(fix, boot_ns)) is not None
        ]

    def fixes(self, received: bytes) -> Iterator[Fix]:
        """Take bytes; give every fix they completed."""
        self._buffer.feed(received)
        for line in self._buffer.lines():
            try:
                fix = self._assembler.add(decode_sentence(line))
            except ProtocolError:  # a damaged sentence: the next is a second away
                self.refused += 1
                continue
            if fix is not None:
                yield fix

    def flush(self) -> list[Fix]:
        """Give what has come of the last fix; at the end of a recording."""
        fix = self._assembler.flush()
        return [] if fix is None else [fix]

    def report(self, fix: Fix, boot_ns: int) -> PositionFix | None:
        """Give a fix as an observation; None when the last was less than a second ago."""
        due_ns = boot_ns if self._due_ns is None else self._due_ns
        if boot_ns < due_ns - _JITTER_NS:
            return None
        self._due_ns = max(due_ns, boot_ns - _JITTER_NS) + INTERVAL_NS
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
            time_trusted=self._window is not None and is_time_plausible(fix, self._window),
        )
