"""What a reader says of its settings: ``GET_READER_CONFIG`` (LLRP v1.1 §17.1.7, §17.2.6)."""

import struct
from enum import IntEnum

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
from aerocast_protocols.llrp.reader_config import (
    EVENTS_AND_REPORTS,
    GPI_STATE,
    KEEPALIVE_SPEC,
)
from aerocast_protocols.llrp.status import Status, decode_status, encode_status
from aerocast_protocols.llrp.tag_report import IMPINJ

IDENTIFICATION, ANTENNA_PROPERTIES = 218, 221
IMPINJ_TEMPERATURE = 37
_MAC, _EPC = 0, 1
_IDENTIFICATION = struct.Struct("!BH")
_PROPERTIES = struct.Struct("!BHh")
_KEEPALIVE = struct.Struct("!BI")
_GPI = struct.Struct("!HBB")
_BYTE = struct.Struct("!B")
_CUSTOM = struct.Struct("!II")
_CELSIUS = struct.Struct("!h")
_PERIODIC = 1


class GpiState(IntEnum):
    """What an input is at (LLRP v1.1 §17.2.6.9)."""

    LOW = 0
    HIGH = 1
    UNKNOWN = 2


class ReaderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A reader's answer; None and empty are what it did not say.

    Attributes
    ----------
    reader_id
        Its MAC address, or an EPC it was given.
    antennas
        Port -> whether an antenna hangs on it.
    orders
        How each antenna is used when an inventory does not say otherwise.
    gpis
        Input -> its state, `GpiState`.
    keepalive_ms
        0: none are sent.
    temperature_c
        Inside the reader (Impinj).
    """

    status: Status
    reader_id: bytes = b""
    antennas: dict[int, bool] = {}
    orders: tuple[AntennaOrder, ...] = ()
    gpis: dict[int, int] = {}
    keepalive_ms: int | None = None
    hold_reports: bool | None = None
    temperature_c: int | None = None


def encode_get_reader_config() -> bytes:
    """Encode the request's body: everything, of every antenna and port."""
    return bytes(7)


def decode_reader_settings(body: bytes) -> ReaderSettings:
    """Decode the response's body.

    Raises
    ------
    ProtocolError
        There is no status, or a part is cut short.
    """
    settings = ReaderSettings(status=decode_status(body))
    replace = msgspec.structs.replace
    antennas, gpis, orders = {}, {}, []
    for parameter, content in split_parameters(body):
        if parameter == ANTENNA_PROPERTIES:
            connected, antenna, _gain = read_fields(_PROPERTIES, content, "antenna properties")
            antennas[antenna] = bool(connected & 0x80)
        elif parameter == ANTENNA_CONFIGURATION:
            orders.append(decode_antenna_order(content))
        elif parameter == GPI_STATE:
            port, _enabled, state = read_fields(_GPI, content, "GPI state")
            gpis[port] = state
        elif parameter == KEEPALIVE_SPEC:
            trigger, period_ms = read_fields(_KEEPALIVE, content, "keepalive specification")
            settings = replace(settings, keepalive_ms=period_ms if trigger == _PERIODIC else 0)
        elif parameter == EVENTS_AND_REPORTS:
            (holding,) = read_fields(_BYTE, content, "events and reports")
            settings = replace(settings, hold_reports=bool(holding & 0x80))
        else:
            settings = _identity(settings, parameter, content)
    return replace(settings, antennas=antennas, orders=tuple(orders), gpis=gpis)


def _identity(settings: ReaderSettings, parameter: int, content: bytes) -> ReaderSettings:
    if parameter == IDENTIFICATION:
        _kind, length = read_fields(_IDENTIFICATION, content, "identification")
        named = content[_IDENTIFICATION.size :]
        if len(named) < length:
            raise ProtocolError(f"LLRP identification of {length} bytes is cut short")
        return msgspec.structs.replace(settings, reader_id=named[:length])
    if parameter == CUSTOM:
        vendor, subtype = read_fields(_CUSTOM, content, "custom parameter")
        if (vendor, subtype) == (IMPINJ, IMPINJ_TEMPERATURE):
            (celsius,) = read_fields(_CELSIUS, content[_CUSTOM.size :], "temperature")
            return msgspec.structs.replace(settings, temperature_c=celsius)
    return settings


def encode_reader_settings(settings: ReaderSettings) -> bytes:
    """Encode the response's body, as the reader.

    Raises
    ------
    ValueError
        A value does not fit its field.
    """
    parts = [encode_status(settings.status)]
    try:
        if settings.reader_id:
            kind = _MAC if len(settings.reader_id) in {6, 8} else _EPC
            head = _IDENTIFICATION.pack(kind, len(settings.reader_id))
            parts.append(encode_tlv(IDENTIFICATION, head + settings.reader_id))
        for antenna, connected in settings.antennas.items():
            properties = _PROPERTIES.pack(connected << 7, antenna, 0)
            parts.append(encode_tlv(ANTENNA_PROPERTIES, properties))
        parts += [encode_antenna_order(order) for order in settings.orders]
        if settings.keepalive_ms is not None:
            keepalive = _KEEPALIVE.pack(bool(settings.keepalive_ms), settings.keepalive_ms)
            parts.append(encode_tlv(KEEPALIVE_SPEC, keepalive))
        for port, state in settings.gpis.items():
            parts.append(encode_tlv(GPI_STATE, _GPI.pack(port, 0x80, state)))
        if settings.hold_reports is not None:
            parts.append(encode_tlv(EVENTS_AND_REPORTS, _BYTE.pack(settings.hold_reports << 7)))
        if settings.temperature_c is not None:
            celsius = _CELSIUS.pack(settings.temperature_c)
            parts.append(encode_custom(IMPINJ, IMPINJ_TEMPERATURE, celsius))
    except struct.error as error:
        raise ValueError(f"reader settings do not fit their fields: {error}") from error
    return b"".join(parts)
