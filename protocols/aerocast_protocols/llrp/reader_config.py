"""How the session behaves: ``SET_READER_CONFIG`` (LLRP v1.1 §17.1.9, §17.2.5 to §17.2.7)."""

import struct
from enum import IntEnum

import msgspec

from aerocast_protocols.llrp.antenna_order import (
    ANTENNA_CONFIGURATION,
    AntennaOrder,
    decode_antenna_order,
    encode_antenna_order,
)
from aerocast_protocols.llrp.parameters import encode_tlv, read_fields, split_parameters

KEEPALIVE_SPEC, GPI_STATE, EVENTS_AND_REPORTS = 220, 225, 226
NOTIFICATION_SPEC, NOTIFICATION_STATE = 244, 245
_FLAGS = struct.Struct("!B")
_KEEPALIVE = struct.Struct("!BI")
_STATE = struct.Struct("!HB")
_GPI = struct.Struct("!HBB")
_PERIODIC = 1


class EventType(IntEnum):
    """Events a client can ask for (LLRP v1.1 §17.2.5.6)."""

    HOPPING = 0
    GPI = 1
    ROSPEC = 2
    BUFFER_LEVEL = 3
    EXCEPTION = 4
    RF_SURVEY = 5
    AISPEC = 6
    AISPEC_DETAILS = 7
    ANTENNA = 8


class ReaderConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What AeroCast sets; everything else keeps the reader's own value.

    Attributes
    ----------
    keepalive_ms
        Period of the reader's keepalives; 0 for none, None to leave it alone.
    hold_reports
        After a new connection, hold events and reports until the client enables them.
    events
        Event type -> wanted.
    gpis
        Inputs to switch on, from 1.
    orders
        How antennas are used when an inventory does not say otherwise.
    reset
        Go back to factory settings first.
    """

    keepalive_ms: int | None = None
    hold_reports: bool | None = None
    events: tuple[tuple[int, bool], ...] = ()
    gpis: tuple[int, ...] = ()
    orders: tuple[AntennaOrder, ...] = ()
    reset: bool = False


def encode_reader_config(config: ReaderConfig) -> bytes:
    """Encode a ``SET_READER_CONFIG`` body.

    Raises
    ------
    ValueError
        A value does not fit its field.
    """
    try:
        parts = [_FLAGS.pack(config.reset << 7)]
        if config.events:
            states = (
                encode_tlv(NOTIFICATION_STATE, _STATE.pack(kind, wanted << 7))
                for kind, wanted in config.events
            )
            parts.append(encode_tlv(NOTIFICATION_SPEC, *states))
        parts += [encode_antenna_order(order) for order in config.orders]
        if config.keepalive_ms is not None:
            trigger = _PERIODIC if config.keepalive_ms else 0
            parts.append(encode_tlv(KEEPALIVE_SPEC, _KEEPALIVE.pack(trigger, config.keepalive_ms)))
        # The state field means nothing in a request: 2, "unknown".
        parts += [encode_tlv(GPI_STATE, _GPI.pack(port, 0x80, 2)) for port in config.gpis]
        if config.hold_reports is not None:
            parts.append(encode_tlv(EVENTS_AND_REPORTS, _FLAGS.pack(config.hold_reports << 7)))
    except struct.error as error:
        raise ValueError(f"reader configuration does not fit its fields: {error}") from error
    return b"".join(parts)


def decode_reader_config(body: bytes) -> ReaderConfig:
    """Decode a ``SET_READER_CONFIG`` body, as the reader.

    Raises
    ------
    ProtocolError
        A part is cut short.
    """
    (flags,) = read_fields(_FLAGS, body, "reader configuration")
    keepalive_ms = hold = None
    events: list[tuple[int, bool]] = []
    gpis: list[int] = []
    orders: list[AntennaOrder] = []
    for parameter, content in split_parameters(body[_FLAGS.size :]):
        if parameter == KEEPALIVE_SPEC:
            trigger, period_ms = read_fields(_KEEPALIVE, content, "keepalive specification")
            keepalive_ms = period_ms if trigger == _PERIODIC else 0
        elif parameter == EVENTS_AND_REPORTS:
            (holding,) = read_fields(_FLAGS, content, "events and reports")
            hold = bool(holding & 0x80)
        elif parameter == NOTIFICATION_SPEC:
            events += _decode_states(content)
        elif parameter == ANTENNA_CONFIGURATION:
            orders.append(decode_antenna_order(content))
        elif parameter == GPI_STATE:
            port, enabled, _state = read_fields(_GPI, content, "GPI state")
            gpis += [port] if enabled & 0x80 else []
    return ReaderConfig(
        keepalive_ms=keepalive_ms,
        hold_reports=hold,
        events=tuple(events),
        gpis=tuple(gpis),
        orders=tuple(orders),
        reset=bool(flags & 0x80),
    )


def _decode_states(content: bytes) -> list[tuple[int, bool]]:
    states = []
    for parameter, inner in split_parameters(content):
        if parameter == NOTIFICATION_STATE:
            kind, wanted = read_fields(_STATE, inner, "event notification state")
            states.append((kind, bool(wanted & 0x80)))
    return states
