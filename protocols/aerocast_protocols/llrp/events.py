"""What a reader tells unasked: ``READER_EVENT_NOTIFICATION`` (LLRP v1.1 §17.1.33, §17.2.7.6)."""

import struct
from collections.abc import Callable, Mapping, Sequence

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.parameters import (
    encode_text,
    encode_tlv,
    read_fields,
    read_text,
    split_parameters,
)

NOTIFICATION_DATA = 246
UTC_TIMESTAMP, UPTIME = 128, 129
GPI, ROSPEC, BUFFER_LEVEL, BUFFER_OVERFLOW, EXCEPTION = 248, 249, 250, 251, 252
ANTENNA, CONNECTION_ATTEMPT, CONNECTION_CLOSE = 255, 256, 257

# ConnectionAttemptEvent's status (LLRP v1.1 §17.2.7.6.14)
CONNECTED, READER_CONNECTION_EXISTS, CLIENT_CONNECTION_EXISTS = 0, 1, 2
CONNECTION_FAILED, ANOTHER_CONNECTION_ATTEMPTED = 3, 4
# ROSpecEvent's type (LLRP v1.1 §17.2.7.6.5)
ROSPEC_STARTED, ROSPEC_ENDED, ROSPEC_PREEMPTED = 0, 1, 2


class GpiEvent(msgspec.Struct, frozen=True, tag="gpi"):
    """An input changed; ports count from 1, level is 0 or 1."""

    port: int
    level: int


class RospecEvent(msgspec.Struct, frozen=True, tag="rospec"):
    """An inventory started (0), ended (1) or was preempted (2)."""

    change: int
    rospec_id: int


class BufferLevelEvent(msgspec.Struct, frozen=True, tag="buffer_level"):
    """The reader's report buffer fills up."""

    percent: int


class BufferOverflowEvent(msgspec.Struct, frozen=True, tag="buffer_overflow"):
    """The reader's report buffer overflowed: reports are lost."""


class ExceptionEvent(msgspec.Struct, frozen=True, tag="exception"):
    """Something went wrong inside the reader."""

    message: str


class AntennaEvent(msgspec.Struct, frozen=True, tag="antenna"):
    """An antenna was plugged in or lost."""

    antenna: int
    connected: bool


class ConnectionAttemptEvent(msgspec.Struct, frozen=True, tag="connection_attempt"):
    """The first thing a reader says: whether it takes this client.

    Attributes
    ----------
    status
        0 taken; 1 and 2 another session (opened by the reader, by a client) exists; 3 refused for
        another reason; 4 somebody else has just tried to connect.
    """

    status: int


class ConnectionCloseEvent(msgspec.Struct, frozen=True, tag="connection_close"):
    """The reader is about to close the connection."""


ReaderEvent = (
    GpiEvent
    | RospecEvent
    | BufferLevelEvent
    | BufferOverflowEvent
    | ExceptionEvent
    | AntennaEvent
    | ConnectionAttemptEvent
    | ConnectionCloseEvent
)


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One notification.

    Attributes
    ----------
    utc_us
        Reader's UTC clock, microseconds since 1970-01-01; None when it has none.
    uptime_us
        Microseconds since the reader started, where that is what it reports.
    events
        Those AeroCast knows; others are passed over.
    """

    utc_us: int | None = None
    uptime_us: int | None = None
    events: tuple[ReaderEvent, ...] = ()


_TIME = struct.Struct("!Q")
_GPI = struct.Struct("!HB")
_ROSPEC = struct.Struct("!BI")
_BYTE = struct.Struct("!B")
_ANTENNA = struct.Struct("!BH")
_STATUS = struct.Struct("!H")


def decode_notification(body: bytes) -> Notification:
    """Decode a ``READER_EVENT_NOTIFICATION`` body.

    Raises
    ------
    ProtocolError
        It holds no notification, or a part of it is cut short.
    """
    for parameter, content in split_parameters(body):
        if parameter == NOTIFICATION_DATA:
            return _decode_content(content)
    raise ProtocolError("LLRP event notification is empty")


def encode_notification(events: Sequence[ReaderEvent], *, utc_us: int) -> bytes:
    """Encode a ``READER_EVENT_NOTIFICATION`` body, as the reader.

    Raises
    ------
    ValueError
        A value does not fit its field.
    """
    try:
        timestamp = encode_tlv(UTC_TIMESTAMP, _TIME.pack(utc_us))
        return encode_tlv(NOTIFICATION_DATA, timestamp, *(_encode_event(e) for e in events))
    except struct.error as error:
        raise ValueError(f"reader event does not fit its fields: {error}") from error


def _decode_content(content: bytes) -> Notification:
    utc_us = uptime_us = None
    events: list[ReaderEvent] = []
    for parameter, inner in split_parameters(content):
        if parameter == UTC_TIMESTAMP:
            (utc_us,) = read_fields(_TIME, inner, "timestamp")
        elif parameter == UPTIME:
            (uptime_us,) = read_fields(_TIME, inner, "uptime")
        elif parameter in _DECODERS:
            events.append(_DECODERS[parameter](inner))
    return Notification(utc_us=utc_us, uptime_us=uptime_us, events=tuple(events))


def _decode_gpi(content: bytes) -> GpiEvent:
    port, level = read_fields(_GPI, content, "GPI event")
    return GpiEvent(port, level >> 7)


def _decode_rospec(content: bytes) -> RospecEvent:
    change, rospec_id = read_fields(_ROSPEC, content, "ROSpec event")
    return RospecEvent(change, rospec_id)


def _decode_antenna(content: bytes) -> AntennaEvent:
    connected, antenna = read_fields(_ANTENNA, content, "antenna event")
    return AntennaEvent(antenna, connected == 1)


_DECODERS: Mapping[int, Callable[[bytes], ReaderEvent]] = {
    GPI: _decode_gpi,
    ROSPEC: _decode_rospec,
    BUFFER_LEVEL: lambda content: BufferLevelEvent(*read_fields(_BYTE, content, "buffer level")),
    BUFFER_OVERFLOW: lambda _content: BufferOverflowEvent(),
    EXCEPTION: lambda content: ExceptionEvent(read_text(content, "exception message")[0]),
    ANTENNA: _decode_antenna,
    CONNECTION_ATTEMPT: lambda content: ConnectionAttemptEvent(
        *read_fields(_STATUS, content, "connection attempt")
    ),
    CONNECTION_CLOSE: lambda _content: ConnectionCloseEvent(),
}


_PARAMETERS: Mapping[type, int] = {
    GpiEvent: GPI,
    RospecEvent: ROSPEC,
    BufferLevelEvent: BUFFER_LEVEL,
    BufferOverflowEvent: BUFFER_OVERFLOW,
    ExceptionEvent: EXCEPTION,
    AntennaEvent: ANTENNA,
    ConnectionAttemptEvent: CONNECTION_ATTEMPT,
    ConnectionCloseEvent: CONNECTION_CLOSE,
}


def _encode_event(event: ReaderEvent) -> bytes:
    content = b""
    match event:
        case GpiEvent(port, level):
            content = _GPI.pack(port, level << 7)
        case RospecEvent(change, rospec_id):
            content = _ROSPEC.pack(change, rospec_id) + bytes(4)  # preempted by none
        case BufferLevelEvent(percent):
            content = _BYTE.pack(percent)
        case ExceptionEvent(message):
            content = encode_text(message)
        case AntennaEvent(antenna, connected):
            content = _ANTENNA.pack(connected, antenna)
        case ConnectionAttemptEvent(status):
            content = _STATUS.pack(status)
    return encode_tlv(_PARAMETERS[type(event)], content)
