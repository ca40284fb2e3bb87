"""Recordings of devices as steps in time: what was seen, and how long after the first moment.

Each format goes through the decoder its live driver uses. Recorded time comes from the recording
itself: a reader's UTC stamps, a Mode S receiver's 12 MHz counter, a GPS receiver's clock.
"""

import gzip
import logging
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.events import GpiEvent, decode_notification
from aerocast_protocols.llrp.framing import Message, MessageBuffer, MessageType
from aerocast_protocols.llrp.tag_report import TagReport, TagReportDecoder
from aerocast_protocols.modes.beast import TICKS_PER_S, BeastBuffer, BeastFrame
from aerocast_protocols.modes.lines import LONGEST_LINE, parse_line
from aerocast_protocols.observations.bags import GpioEdge
from aerocast_protocols.observations.every import Observation

from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.positions import FixReader, PositionReports
from aerocast_agent.scans import ScanReports
from aerocast_agent.tag_reads import tag_read

if TYPE_CHECKING:
    from aerocast_protocols.modes.demodulation import HeardFrame

Format = Literal["llrp", "nmea", "beast", "modes", "scan", "cu8", "cs16", "cf32"]
RADIO_FORMATS: frozenset[Format] = frozenset({"cu8", "cs16", "cf32"})
AIRCRAFT_FORMATS: frozenset[Format] = RADIO_FORMATS.union(("beast", "modes"))

SECOND_NS = 1_000_000_000
# Where a recording has no time of its own, things come this far apart.
UNTIMED_STEP_NS = 10_000_000
_PIECE = 65_536
_COUNTER = 1 << 48
_LONGEST_GAP_TICKS = 3600 * TICKS_PER_S  # further, or back: the receiver was started anew
_GZIP = b"\x1f\x8b"
log = logging.getLogger(__name__)


class Step(NamedTuple):
    """One moment of a recording.

    Attributes
    ----------
    elapsed_ns
        Since the recording's first moment.
    observe
        Gives what is seen, when told at what ``boot_ns`` it is to have happened.
    """

    elapsed_ns: int
    observe: Callable[[int], Sequence[Observation]]


class Radio(NamedTuple):
    """How radio samples were recorded, and are to be worked on.

    Attributes
    ----------
    rate_hz
        Samples a second, 2,000,000 or 2,400,000; None finds out.
    engine, upsample
        Of the demodulator.
    """

    rate_hz: int | None = None
    engine: Literal["numpy", "numba"] = "numpy"
    upsample: int | None = None


def read_recording(
    file: Path,
    kind: Format,
    device: str,
    aircraft: AircraftTable,
    radio: Radio | None = None,
) -> Generator[Step, None, None]:
    """Give a recording step by step; gzip is unpacked on the way.

    Parameters
    ----------
    file
        The recording.
    kind
        ``llrp``: messages with headers; ``nmea``: a receiver's log; ``beast``: a receiver's
        stream; ``modes``: a frame a line; ``scan``: a text a line; ``cu8``, ``cs16``, ``cf32``:
        radio samples (extra ``sdr``).
    device
        The name observations carry.
    aircraft
        Takes the Mode S frames.
    radio
        How radio samples were recorded; None finds out.

    Raises
    ------
    OSError
        The file cannot be read.
    ProtocolError
        It is damaged where the format cannot be picked up again.
    """
    with _opened(file) as source:
        if kind == "llrp":
            yield from _llrp_steps(source, device)
        elif kind == "nmea":
            yield from _nmea_steps(source, device)
        elif kind == "beast":
            yield from _beast_steps(source, device, aircraft)
        elif kind == "modes":
            yield from _modes_steps(source, device, aircraft)
        elif kind in {"cu8", "cs16", "cf32"}:
            yield from _radio_steps(source, kind, radio or Radio(), device, aircraft)
        else:
            yield from _scan_steps(source, device)


def _opened(file: Path) -> BinaryIO:
    plain = file.open("rb")
    packed = plain.read(len(_GZIP)) == _GZIP
    plain.seek(0)
    if not packed:
        return plain
    plain.close()
    return gzip.open(file, "rb")  # type: ignore[return-value]  # GzipFile reads as BinaryIO does


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    try:
        while piece := source.read(_PIECE):
            yield piece
    except (EOFError, zlib.error) as error:
        raise ProtocolError(f"recording is a damaged gzip file: {error}") from error


def _lines(source: BinaryIO) -> Iterator[str]:
    try:
        while line := source.readline(LONGEST_LINE):
            text = line.decode("utf-8", "replace").strip("\ufeff\r\n ")
            if text and not text.startswith("#"):
                yield text
    except (EOFError, zlib.error) as error:
        raise ProtocolError(f"recording is a damaged gzip file: {error}") from error


class _Elapsed:
    """Time since the first stamp; what has no stamp follows a small step after the one before."""

    def __init__(self) -> None:
        self._first_us: int | None = None
        self._elapsed_ns = -UNTIMED_STEP_NS

    def at(self, stamp_us: int | None) -> int:
        if stamp_us is None:
            self._elapsed_ns += UNTIMED_STEP_NS
            return self._elapsed_ns
        if self._first_us is None:
            self._first_us = stamp_us - max(0, self._elapsed_ns) // 1000
        self._elapsed_ns = (stamp_us - self._first_us) * 1000
        return self._elapsed_ns


def _llrp_steps(source: BinaryIO, device: str) -> Iterator[Step]:
    buffer, reports, elapsed = MessageBuffer(), TagReportDecoder(), _Elapsed()
    for piece in _pieces(source):
        buffer.feed(piece)
        for message in buffer.messages():
            yield from _llrp_message(message, device, reports, elapsed)


def _llrp_message(
    message: Message, device: str, reports: TagReportDecoder, elapsed: _Elapsed
) -> Iterator[Step]:
    if message.type == MessageType.RO_ACCESS_REPORT:
        for report in reports.decode(message.body):
            seen_us = report.first_seen_us if report.last_seen_us is None else report.last_seen_us
            yield Step(elapsed.at(seen_us), _tag_read(device, report))
    elif message.type == MessageType.READER_EVENT_NOTIFICATION:
        notification = decode_notification(message.body)
        for event in notification.events:
            if isinstance(event, GpiEvent):
                yield Step(elapsed.at(notification.utc_us), _gpio_edge(device, event))


def _tag_read(device: str, report: TagReport) -> Callable[[int], Sequence[Observation]]:
    return lambda boot_ns: [tag_read(report, device, boot_ns)]


def _gpio_edge(device: str, event: GpiEvent) -> Callable[[int], Sequence[Observation]]:
    return lambda boot_ns: [
        GpioEdge(device=device, boot_ns=boot_ns, pin=event.port, level=int(event.level))
    ]


def _nmea_steps(source: BinaryIO, device: str) -> Iterator[Step]:
    reader, reports, elapsed = FixReader(), PositionReports(device, window=None), _Elapsed()
    for piece in (*_pieces(source), None):
        for fix in reader.flush() if piece is None else reader.feed(piece):
            yield Step(
                elapsed.at(fix.fix_at_us),
                lambda boot_ns, fix=fix: (  # type: ignore[misc]  # a loop's variable, bound
                    [report] if (report := reports.report(fix, boot_ns)) else []
                ),
            )


def _beast_steps(source: BinaryIO, device: str, aircraft: AircraftTable) -> Iterator[Step]:
    buffer, counter = BeastBuffer(), _Counter()
    for piece in _pieces(source):
        buffer.feed(piece)
        for heard in buffer.frames():
            if heard.is_heartbeat:
                continue
            yield Step(counter.elapsed_ns(heard), _frame_heard(aircraft, device, heard))


class _Counter:
    """Follows a receiver's 48-bit 12 MHz counter over its wraps and new starts."""

    def __init__(self) -> None:
        self._before: int | None = None
        self._elapsed_ticks = 0

    def elapsed_ns(self, heard: BeastFrame) -> int:
        if heard.has_time:
            if self._before is not None:
                step = (heard.ticks_12mhz - self._before + _COUNTER // 2) % _COUNTER
                step -= _COUNTER // 2
                if abs(step) <= _LONGEST_GAP_TICKS:
                    self._elapsed_ticks += step
            self._before = heard.ticks_12mhz
        return self._elapsed_ticks * SECOND_NS // TICKS_PER_S


def _frame_heard(
    aircraft: AircraftTable, device: str, heard: BeastFrame
) -> Callable[[int], Sequence[Observation]]:
    return lambda boot_ns: aircraft.update(
        device, heard.frame, boot_ns, heard.signal_dbfs, is_mlat=heard.is_mlat
    )


def _modes_steps(source: BinaryIO, device: str, aircraft: AircraftTable) -> Iterator[Step]:
    elapsed = _Elapsed()
    refused = 0
    for line in _lines(source):
        try:
            recorded = parse_line(line)
        except ProtocolError as error:
            refused += 1
            if refused == 1:
                log.warning("%s: recording has a line without a frame: %s", device, error)
            continue
        yield Step(elapsed.at(recorded.heard_at_us), _line_heard(aircraft, device, recorded.frame))
    if refused:
        log.warning("%s: %d lines of the recording hold no frame", device, refused)


def _line_heard(
    aircraft: AircraftTable, device: str, frame: bytes
) -> Callable[[int], Sequence[Observation]]:
    return lambda boot_ns: aircraft.update(device, frame, boot_ns)


def _radio_steps(
    source: BinaryIO,
    sample_format: Literal["cu8", "cs16", "cf32"],
    radio: Radio,
    device: str,
    aircraft: AircraftTable,
) -> Iterator[Step]:
    try:
        from aerocast_agent.iq_recording import IqReading  # noqa: PLC0415  numpy is an extra
    except ImportError as error:
        raise ProtocolError(f"radio samples need the extra sdr: {error}") from error
    reading = IqReading(sample_format, radio)
    for frames in reading.frames(_pieces(source)):
        for heard in frames:
            elapsed_ns = heard.ticks_12mhz * SECOND_NS // TICKS_PER_S
            yield Step(elapsed_ns, _radio_frame(aircraft, device, heard))
        # Silence passes too, though nothing is seen in it.
        yield Step(round(reading.seconds() * SECOND_NS), lambda _: [])
        if reading.warning is not None:
            log.warning("%s: %s", device, reading.warning)
            reading.warning = None


def _radio_frame(
    aircraft: AircraftTable, device: str, heard: "HeardFrame"
) -> Callable[[int], Sequence[Observation]]:
    return lambda boot_ns: aircraft.update(device, heard.frame, boot_ns, heard.signal_dbfs)


def _scan_steps(source: BinaryIO, device: str) -> Iterator[Step]:
    reports = ScanReports(device)
    for number, text in enumerate(_lines(source)):
        yield Step(
            number * SECOND_NS,
            lambda boot_ns, text=text: (  # type: ignore[misc]  # a loop's variable, bound
                [seen] if (seen := reports.observe(text, boot_ns)) else []
            ),
        )
