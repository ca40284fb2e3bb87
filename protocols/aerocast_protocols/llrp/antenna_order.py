"""How to use an antenna, in an order or as the reader's own setting: AntennaConfiguration.

LLRP v1.1 §17.2.6.6, with the Gen2 parameters of §17.3.1. Impinj's search mode and list of channels
are Custom parameters within it (vendor 25882; checked against the two open LLRP libraries).
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

ANTENNA_CONFIGURATION, RF_RECEIVER, RF_TRANSMITTER = 222, 223, 224
INVENTORY_COMMAND, FILTER, FILTER_MASK, FILTER_ACTION = 330, 331, 332, 334
RF_CONTROL, SINGULATION = 335, 336
IMPINJ_SEARCH_MODE, IMPINJ_CHANNELS = 23, 26
_AUTO_SELECT, _CHANNEL_LIST = 1, 2
_EPC_BANK = 1 << 6
_LONGEST_MASK = 8192  # bits; the EPC bank has fewer

_BYTE = struct.Struct("!B")
_SHORT = struct.Struct("!H")
_TRANSMITTER = struct.Struct("!HHH")
_SINGULATION = struct.Struct("!BHI")
_RF_CONTROL = struct.Struct("!HH")
_MASK = struct.Struct("!BHH")
_CUSTOM = struct.Struct("!II")
_CHANNELS = struct.Struct("!HHH")


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
    channels
        Impinj, where the law does not demand hopping: indices of the channels to change between;
        none of them means that the reader chooses.
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
    channels: tuple[int, ...] | None = None
    filters: tuple[TagFilter, ...] = ()


def encode_antenna_order(order: AntennaOrder) -> bytes:
    """Write an AntennaConfiguration parameter.

    Raises
    ------
    struct.error
        A value does not fit its field.
    """
    parts = [_SHORT.pack(order.antenna)]
    if order.sensitivity_index is not None:
        parts.append(encode_tlv(RF_RECEIVER, _SHORT.pack(order.sensitivity_index)))
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
        search_mode = _SHORT.pack(order.search_mode)
        command.append(encode_custom(IMPINJ, IMPINJ_SEARCH_MODE, search_mode))
    if order.channels is not None:
        command.append(encode_custom(IMPINJ, IMPINJ_CHANNELS, _encode_channels(order.channels)))
    if command:
        parts.append(encode_tlv(INVENTORY_COMMAND, _BYTE.pack(0), *command))
    return encode_tlv(ANTENNA_CONFIGURATION, *parts)


def decode_antenna_order(content: bytes) -> AntennaOrder:
    """Decode an AntennaConfiguration's content; what AeroCast never orders is passed over.

    Raises
    ------
    ProtocolError
        A part is cut short.
    """
    (antenna,) = read_fields(_SHORT, content, "antenna configuration")
    order = AntennaOrder(antenna=antenna)
    replace = msgspec.structs.replace
    for parameter, inner in split_parameters(content[_SHORT.size :]):
        if parameter == RF_RECEIVER:
            (index,) = read_fields(_SHORT, inner, "RF receiver")
            order = replace(order, sensitivity_index=index)
        elif parameter == RF_TRANSMITTER:
            table, channel, power = read_fields(_TRANSMITTER, inner, "RF transmitter")
            order = replace(order, hop_table_id=table, channel_index=channel, power_index=power)
        elif parameter == INVENTORY_COMMAND:
            order = _decode_command(order, inner)
    return order


def _decode_command(order: AntennaOrder, content: bytes) -> AntennaOrder:
    replace = msgspec.structs.replace
    read_fields(_BYTE, content, "inventory command")
    for parameter, inner in split_parameters(content[_BYTE.size :]):
        if parameter == FILTER:
            order = replace(order, filters=(*order.filters, *_decode_filter(inner)))
        elif parameter == RF_CONTROL:
            mode, _tari = read_fields(_RF_CONTROL, inner, "RF control")
            order = replace(order, mode_id=mode)
        elif parameter == SINGULATION:
            session, population, _transit = read_fields(_SINGULATION, inner, "singulation")
            order = replace(order, session=session >> 6, tag_population=population)
        elif parameter == CUSTOM:
            order = _decode_custom(order, inner)
    return order


def _decode_custom(order: AntennaOrder, content: bytes) -> AntennaOrder:
    vendor, subtype = read_fields(_CUSTOM, content, "custom parameter")
    payload = content[_CUSTOM.size :]
    if (vendor, subtype) == (IMPINJ, IMPINJ_SEARCH_MODE):
        (search_mode,) = read_fields(_SHORT, payload, "search mode")
        return msgspec.structs.replace(order, search_mode=search_mode)
    if (vendor, subtype) == (IMPINJ, IMPINJ_CHANNELS):
        _mode, _reserved, count = read_fields(_CHANNELS, payload, "list of channels")
        listed = payload[_CHANNELS.size :]
        channels = read_fields(struct.Struct(f"!{count}H"), listed, f"list of {count} channels")
        return msgspec.structs.replace(order, channels=channels)
    return order


def _encode_channels(channels: tuple[int, ...]) -> bytes:
    mode = _CHANNEL_LIST if channels else _AUTO_SELECT
    return _CHANNELS.pack(mode, 0, len(channels)) + struct.pack(f"!{len(channels)}H", *channels)


def _encode_filter(tag_filter: TagFilter) -> bytes:
    mask = _MASK.pack(_EPC_BANK, tag_filter.pointer, 8 * len(tag_filter.mask)) + tag_filter.mask
    return encode_tlv(
        FILTER,
        _BYTE.pack(0),
        encode_tlv(FILTER_MASK, mask),
        encode_tlv(FILTER_ACTION, _BYTE.pack(0)),  # matching take part, others do not
    )


def _decode_filter(content: bytes) -> tuple[TagFilter, ...]:
    """Give the filter, if it is of the kind that AeroCast orders."""
    read_fields(_BYTE, content, "filter")
    for parameter, inner in split_parameters(content[_BYTE.size :]):
        if parameter == FILTER_MASK:
            bank, pointer, bits = read_fields(_MASK, inner, "filter mask")
            mask = inner[_MASK.size :]
            if bits > _LONGEST_MASK or len(mask) < (bits + 7) // 8:
                raise ProtocolError(f"LLRP filter mask of {bits} bits is cut short")
            if bank == _EPC_BANK and bits % 8 == 0:
                return (TagFilter(pointer, mask[: bits // 8]),)
    return ()
