"""What a reader shall do: the ROSpec of ``ADD_ROSPEC`` (LLRP v1.1 §17.2.4).

AeroCast orders one kind: inventory of Gen2 tags on some antennas, for ever, a report for each read.
"""

import struct

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.antenna_order import (
    ANTENNA_CONFIGURATION,
    AntennaOrder,
    decode_antenna_order,
    encode_antenna_order,
)
from aerocast_protocols.llrp.parameters import (
    CUSTOM,
    encode_custom,
    encode_tlv,
    read_fields,
    split_parameters,
)
from aerocast_protocols.llrp.tag_report import IMPINJ

ROSPEC, BOUNDARY, START_TRIGGER, STOP_TRIGGER = 177, 178, 179, 182
AISPEC, AISPEC_STOP_TRIGGER, INVENTORY = 183, 184, 186
RO_REPORT_SPEC, REPORT_CONTENT, EPC_MEMORY_SELECTOR = 237, 238, 348
IMPINJ_REPORT_CONTENT = 50
IMPINJ_ENABLE_PHASE, IMPINJ_ENABLE_PEAK_RSSI, IMPINJ_ENABLE_DOPPLER = 52, 53, 67
NULL, IMMEDIATE = 0, 1  # start triggers
DISABLED, INACTIVE, ACTIVE = 0, 1, 2  # what a ROSpec is doing
GEN2 = 1

# TagReportContentSelector: ROSpecID, AntennaID, ChannelIndex, PeakRSSI, FirstSeen, LastSeen, count
_CONTENT = 1 << 15 | 1 << 12 | 1 << 11 | 1 << 10 | 1 << 9 | 1 << 8 | 1 << 7
_REPORT_PC = 0x40
_ON_TAGS_OR_END = 1  # report upon N tags or the end of the AISpec

_ROSPEC = struct.Struct("!IBB")
_TRIGGER = struct.Struct("!B")
_TIMED = struct.Struct("!BI")
_COUNT = struct.Struct("!H")
_INVENTORY = struct.Struct("!HB")
_REPORT = struct.Struct("!BH")


class Rospec(msgspec.Struct, frozen=True, kw_only=True):
    """One order.

    Attributes
    ----------
    start
        0: waits for ``START_ROSPEC``; 1: starts as soon as enabled.
    antennas
        Ports from 1; (0,) for all.
    report_every
        Reads gathered in one report message.
    impinj_extras
        Ask for phase, fine RSSI and Doppler: Impinj only, others refuse the order.
    """

    rospec_id: int
    start: int = IMMEDIATE
    antennas: tuple[int, ...] = (0,)
    orders: tuple[AntennaOrder, ...] = ()
    report_every: int = 1
    impinj_extras: bool = False


def encode_rospec(rospec: Rospec) -> bytes:
    """Encode an ``ADD_ROSPEC`` body.

    Raises
    ------
    ValueError
        A value does not fit its field.
    """
    try:
        return encode_tlv(
            ROSPEC,
            _ROSPEC.pack(rospec.rospec_id, 0, 0),
            encode_tlv(
                BOUNDARY,
                encode_tlv(START_TRIGGER, _TRIGGER.pack(rospec.start)),
                encode_tlv(STOP_TRIGGER, _TIMED.pack(NULL, 0)),
            ),
            encode_tlv(
                AISPEC,
                _COUNT.pack(len(rospec.antennas)),
                *(_COUNT.pack(antenna) for antenna in rospec.antennas),
                encode_tlv(AISPEC_STOP_TRIGGER, _TIMED.pack(NULL, 0)),
                encode_tlv(
                    INVENTORY,
                    _INVENTORY.pack(1, GEN2),
                    *(encode_antenna_order(order) for order in rospec.orders),
                ),
            ),
            _encode_report_spec(rospec),
        )
    except struct.error as error:
        raise ValueError(f"ROSpec does not fit its fields: {error}") from error


def decode_rospec(body: bytes) -> Rospec:
    """Decode an ``ADD_ROSPEC`` body, as the reader.

    Raises
    ------
    ProtocolError
        There is no ROSpec, or a part of it is missing or cut short.
    """
    for parameter, content in split_parameters(body):
        if parameter == ROSPEC:
            return _decode_rospec(content)
    raise ProtocolError("LLRP ADD_ROSPEC without a ROSpec")


def decode_active_rospec(body: bytes) -> Rospec | None:
    """Find the order that runs in a ``GET_ROSPECS_RESPONSE``; None when none does.

    Raises
    ------
    ProtocolError
        A part is missing or cut short.
    """
    for parameter, content in split_parameters(body):
        if parameter == ROSPEC and read_fields(_ROSPEC, content, "ROSpec")[2] == ACTIVE:
            return _decode_rospec(content)
    return None


def _decode_rospec(content: bytes) -> Rospec:
    rospec_id, _priority, _state = read_fields(_ROSPEC, content, "ROSpec")
    found = dict(split_parameters(content[_ROSPEC.size :]))
    every, extras = _decode_report_spec(found.get(RO_REPORT_SPEC))
    antennas, orders = _decode_aispec(found.get(AISPEC))
    return Rospec(
        rospec_id=rospec_id,
        start=_decode_start(found.get(BOUNDARY)),
        antennas=antennas,
        orders=orders,
        report_every=every,
        impinj_extras=extras,
    )


def with_state(encoded: bytes, state: int) -> bytes:
    """Give an encoded ROSpec with its current state set, as ``GET_ROSPECS`` is answered."""
    at = 4 + _ROSPEC.size - 1
    return encoded[:at] + bytes([state]) + encoded[at + 1 :]


def decode_rospec_states(body: bytes) -> dict[int, int]:
    """Decode a ``GET_ROSPECS_RESPONSE``: ROSpec id -> 0 disabled, 1 inactive, 2 active.

    Raises
    ------
    ProtocolError
        A part is cut short.
    """
    states = {}
    for parameter, content in split_parameters(body):
        if parameter == ROSPEC:
            rospec_id, _priority, state = read_fields(_ROSPEC, content, "ROSpec")
            states[rospec_id] = state
    return states


def encode_rospec_id(rospec_id: int) -> bytes:
    """Encode the body of ``DELETE``, ``START``, ``STOP``, ``ENABLE`` and ``DISABLE_ROSPEC``.

    0 means every ROSpec, except in ``START`` and ``STOP``.
    """
    return rospec_id.to_bytes(4, "big")


def decode_rospec_id(body: bytes) -> int:
    """Decode it, as the reader.

    Raises
    ------
    ProtocolError
        It is cut short.
    """
    if len(body) < 4:
        raise ProtocolError("LLRP ROSpec id is cut short")
    return int.from_bytes(body[:4], "big")


def _encode_report_spec(rospec: Rospec) -> bytes:
    extras = b""
    if rospec.impinj_extras:
        wanted = (IMPINJ_ENABLE_PHASE, IMPINJ_ENABLE_PEAK_RSSI, IMPINJ_ENABLE_DOPPLER)
        switches = (encode_custom(IMPINJ, subtype, _COUNT.pack(1)) for subtype in wanted)
        extras = encode_custom(IMPINJ, IMPINJ_REPORT_CONTENT, b"".join(switches))
    return encode_tlv(
        RO_REPORT_SPEC,
        _REPORT.pack(_ON_TAGS_OR_END, rospec.report_every),
        encode_tlv(
            REPORT_CONTENT,
            _COUNT.pack(_CONTENT),
            encode_tlv(EPC_MEMORY_SELECTOR, _TRIGGER.pack(_REPORT_PC)),
        ),
        extras,
    )


def _decode_start(boundary: bytes | None) -> int:
    for parameter, content in split_parameters(boundary or b""):
        if parameter == START_TRIGGER:
            (start,) = read_fields(_TRIGGER, content, "start trigger")
            return start
    raise ProtocolError("LLRP ROSpec without a start trigger")


def _decode_aispec(
    aispec: bytes | None,
) -> tuple[tuple[int, ...], tuple[AntennaOrder, ...]]:
    if aispec is None:
        raise ProtocolError("LLRP ROSpec without an AISpec")
    (count,) = read_fields(_COUNT, aispec, "AISpec")
    listed = aispec[_COUNT.size :]
    antennas = read_fields(struct.Struct(f"!{count}H"), listed, "AISpec's antennas")
    orders: list[AntennaOrder] = []
    for parameter, content in split_parameters(listed[_COUNT.size * count :]):
        if parameter == INVENTORY:
            read_fields(_INVENTORY, content, "inventory specification")
            orders += [
                decode_antenna_order(inner)
                for kind, inner in split_parameters(content[_INVENTORY.size :])
                if kind == ANTENNA_CONFIGURATION
            ]
    return antennas, tuple(orders)


def _decode_report_spec(content: bytes | None) -> tuple[int, bool]:
    if content is None:
        return 1, False
    _trigger, every = read_fields(_REPORT, content, "report specification")
    inner = split_parameters(content[_REPORT.size :])
    return every, any(parameter == CUSTOM for parameter, _ in inner)
