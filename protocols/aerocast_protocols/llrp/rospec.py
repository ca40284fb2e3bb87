"""What a reader shall do: the ROSpec of ``ADD_ROSPEC`` (LLRP v1.1 §17.2.4).

AeroCast orders one kind: inventory of Gen2 tags on some antennas, for ever, a report for each read.
"""

import struct

import msgspec

from aerocast_protocols.errors import ProtocolError
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
ANTENNA_CONFIGURATION, RF_RECEIVER, RF_TRANSMITTER = 222, 223, 224
RO_REPORT_SPEC, REPORT_CONTENT, EPC_MEMORY_SELECTOR = 237, 238, 348
INVENTORY_COMMAND, FILTER, FILTER_MASK, FILTER_ACTION = 330, 331, 332, 334
RF_CONTROL, SINGULATION = 335, 336
IMPINJ_SEARCH_MODE, IMPINJ_REPORT_CONTENT = 23, 50
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
_TRANSMITTER = struct.Struct("!HHH")
_SINGULATION = struct.Struct("!BHI")
_RF_CONTROL = struct.Struct("!HH")
_REPORT = struct.Struct("!BH")
_MASK = struct.Struct("!BHH")


class TagFilter(msgspec.Struct, frozen=True):
    """Only tags whose memory bank 1 (EPC) holds ``mask`` from bit ``pointer`` on take part.

    Bit 0 is the stored CRC, bit 16 the PC word, bit 32 the EPC itself.
    """

    pointer: int
    mask: bytes


class AntennaOrder(msgspec.Struct, frozen=True, kw_only=True):
    """How to use one antenna; None leaves the reader's own value.

    Attributes
    ----------
    antenna
        Port from 1; 0 for all.
    sensitivity_index, power_index, hop_table_id, channel_index
        From the reader's own tables, never guessed. The transmitter is set when ``power_index``
        is given.
    mode_id, session, tag_population
        How tags are asked; mode from the reader's table, session 0 to 3.
    search_mode
        Impinj: 1 single target, 2 dual target.
    """

    antenna: int = 0
    sensitivity_index: int | None = None
    power_index: int | None = None
    hop_table_id: int = 0
    channel_index: int = 0
    mode_id: int | None = None
    session: int | None = None
    tag_population: int = 32
    search_mode: int | None = None
    filters: tuple[TagFilter, ...] = ()


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
                    *(_encode_order(order) for order in rospec.orders),
                ),
            ),
            _encode_report_spec(rospec),
        )
    except struct.error as error:
        raise ValueError(f"ROSpec does not fit its fields: {error}") from error


def decode_rospec(body: bytes) -> Rospec:
    """Decode an ``ADD_ROSPEC`` body, as the reader; the antennas' orders are passed over.

    Raises
    ------
    ProtocolError
        There is no ROSpec, or a part of it is missing or cut short.
    """
    for parameter, content in split_parameters(body):
        if parameter == ROSPEC:
            rospec_id, _priority, _state = read_fields(_ROSPEC, content, "ROSpec")
            found = dict(split_parameters(content[_ROSPEC.size :]))
            every, extras = _decode_report_spec(found.get(RO_REPORT_SPEC))
            return Rospec(
                rospec_id=rospec_id,
                start=_decode_start(found.get(BOUNDARY)),
                antennas=_decode_antennas(found.get(AISPEC)),
                report_every=every,
                impinj_extras=extras,
            )
    raise ProtocolError("LLRP ADD_ROSPEC without a ROSpec")


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


def _encode_order(order: AntennaOrder) -> bytes:
    parts = [_COUNT.pack(order.antenna)]
    if order.sensitivity_index is not None:
        parts.append(encode_tlv(RF_RECEIVER, _COUNT.pack(order.sensitivity_index)))
    if order.power_index is not None:
        channel = (order.hop_table_id, order.channel_index, order.power_index)
        parts.append(encode_tlv(RF_TRANSMITTER, _TRANSMITTER.pack(*channel)))
    command = [_encode_filter(each) for each in order.filters]
    if order.mode_id is not None:
        command.append(encode_tlv(RF_CONTROL, _RF_CONTROL.pack(order.mode_id, 0)))
    if order.session is not None:
        singulation = _SINGULATION.pack(order.session << 6, order.tag_population, 0)
        command.append(encode_tlv(SINGULATION, singulation))
    if order.search_mode is not None:
        search_mode = _COUNT.pack(order.search_mode)
        command.append(encode_custom(IMPINJ, IMPINJ_SEARCH_MODE, search_mode))
    if command:
        parts.append(encode_tlv(INVENTORY_COMMAND, _TRIGGER.pack(0), *command))
    return encode_tlv(ANTENNA_CONFIGURATION, *parts)


def _encode_filter(tag_filter: TagFilter) -> bytes:
    epc_bank = 1 << 6
    mask = _MASK.pack(epc_bank, tag_filter.pointer, 8 * len(tag_filter.mask)) + tag_filter.mask
    return encode_tlv(
        FILTER,
        _TRIGGER.pack(0),
        encode_tlv(FILTER_MASK, mask),
        encode_tlv(FILTER_ACTION, _TRIGGER.pack(0)),  # matching take part, others do not
    )


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


def _decode_antennas(aispec: bytes | None) -> tuple[int, ...]:
    if aispec is None:
        raise ProtocolError("LLRP ROSpec without an AISpec")
    (count,) = read_fields(_COUNT, aispec, "AISpec")
    antennas = aispec[_COUNT.size :]
    return read_fields(struct.Struct(f"!{count}H"), antennas, "AISpec's antennas")


def _decode_report_spec(content: bytes | None) -> tuple[int, bool]:
    if content is None:
        return 1, False
    _trigger, every = read_fields(_REPORT, content, "report specification")
    inner = split_parameters(content[_REPORT.size :])
    return every, any(parameter == CUSTOM for parameter, _ in inner)
