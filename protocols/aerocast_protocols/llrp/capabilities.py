"""What a reader can do: ``GET_READER_CAPABILITIES_RESPONSE`` (LLRP v1.1 §17.1.3, §17.2.3).

Hop tables, power indices and modes differ by region and model, so a client asks before it orders.
"""

import struct

import msgspec

from aerocast_protocols.llrp.parameters import (
    encode_text,
    encode_tlv,
    read_fields,
    read_text,
    split_parameters,
)
from aerocast_protocols.llrp.regulatory import (
    REGULATORY,
    Regulatory,
    decode_regulatory,
    encode_regulatory,
)
from aerocast_protocols.llrp.status import Status, decode_status, encode_status

GENERAL, LLRP, GEN2 = 137, 142, 327
SENSITIVITY, AIR_PROTOCOLS, GPIO_CAPABILITIES, SENSITIVITY_RANGE = 139, 140, 141, 149

_GENERAL = struct.Struct("!HHII")
_TWO_SHORTS = struct.Struct("!HH")
_LIMITS = struct.Struct("!BBHIIIII")
_SENSITIVITY = struct.Struct("!Hh")
_SENSITIVITY_RANGE = struct.Struct("!HHH")
_GEN2 = struct.Struct("!BH")


class General(msgspec.Struct, frozen=True, kw_only=True):
    """The device itself.

    Attributes
    ----------
    max_antennas
        Antenna ports, numbered 1 to this.
    manufacturer, model
        IANA private enterprise number (25882 is Impinj), and the maker's own model number.
    gpis, gpos
        Inputs and outputs, numbered from 1.
    sensitivities
        (index, dB above the most sensitive), as the reader lists them.
    sensitivity_ranges
        (antenna, first index, last index) of the sensitivities it has.
    air_protocols
        (antenna, its protocols: 1 is Gen2).
    """

    max_antennas: int
    manufacturer: int
    model: int
    firmware: str = ""
    has_utc_clock: bool = False
    can_set_antenna_properties: bool = False
    gpis: int = 0
    gpos: int = 0
    sensitivities: tuple[tuple[int, int], ...] = ()
    sensitivity_ranges: tuple[tuple[int, int, int], ...] = ()
    air_protocols: tuple[tuple[int, bytes], ...] = ()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What of LLRP the reader supports; ``holds_reports`` is for a client that comes back."""

    holds_reports: bool = False
    warns_of_full_buffer: bool = False
    surveys: bool = False
    asks_client: bool = False
    singulates_by_state: bool = False
    priorities: int = 0
    client_timeout_ms: int = 0
    max_rospecs: int = 0
    max_specs_per_rospec: int = 0
    max_inventories_per_spec: int = 1
    max_accessspecs: int = 0
    max_operations_per_accessspec: int = 0


class Gen2(msgspec.Struct, frozen=True, kw_only=True):
    """What of Gen2 the reader supports.

    Attributes
    ----------
    max_filters
        Filters for one inventory; with 0 of them a client has to sort out tags by itself.
    flags
        Which tag commands it has (LLRP v1.1 §17.3.1.1.1).
    """

    max_filters: int
    flags: int = 0


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """A reader's answer; a part it left out is None."""

    status: Status
    general: General | None = None
    limits: Limits | None = None
    regulatory: Regulatory | None = None
    gen2: Gen2 | None = None


def decode_capabilities(body: bytes) -> Capabilities:
    """Decode the response's body.

    Raises
    ------
    ProtocolError
        There is no status, or a part is cut short.
    """
    found = dict(split_parameters(body))
    return Capabilities(
        status=decode_status(body),
        general=_decode_general(found[GENERAL]) if GENERAL in found else None,
        limits=_decode_limits(found[LLRP]) if LLRP in found else None,
        regulatory=decode_regulatory(found[REGULATORY]) if REGULATORY in found else None,
        gen2=_decode_gen2(found[GEN2]) if GEN2 in found else None,
    )


def encode_capabilities(capabilities: Capabilities) -> bytes:
    """Encode the response's body, as the reader.

    Raises
    ------
    ValueError
        A value does not fit its field.
    """
    parts = [encode_status(capabilities.status)]
    try:
        if capabilities.general is not None:
            parts.append(_encode_general(capabilities.general))
        if capabilities.limits is not None:
            parts.append(_encode_limits(capabilities.limits))
        if capabilities.regulatory is not None:
            parts.append(encode_regulatory(capabilities.regulatory))
        if capabilities.gen2 is not None:
            gen2 = capabilities.gen2
            parts.append(encode_tlv(GEN2, _GEN2.pack(gen2.flags, gen2.max_filters)))
    except struct.error as error:
        raise ValueError(f"capabilities do not fit their fields: {error}") from error
    return b"".join(parts)


def _decode_general(content: bytes) -> General:
    antennas, flags, manufacturer, model = read_fields(_GENERAL, content, "capabilities")
    firmware, rest = read_text(content[_GENERAL.size :], "firmware version")
    gpis = gpos = 0
    sensitivities: list[tuple[int, int]] = []
    ranges: list[tuple[int, int, int]] = []
    protocols: list[tuple[int, bytes]] = []
    for parameter, inner in split_parameters(rest):
        if parameter == GPIO_CAPABILITIES:
            gpis, gpos = read_fields(_TWO_SHORTS, inner, "GPIO capabilities")
        elif parameter == SENSITIVITY:
            index, decibels = read_fields(_SENSITIVITY, inner, "receive sensitivity")
            sensitivities.append((index, decibels))
        elif parameter == SENSITIVITY_RANGE:
            antenna, first, last = read_fields(_SENSITIVITY_RANGE, inner, "sensitivity range")
            ranges.append((antenna, first, last))
        elif parameter == AIR_PROTOCOLS:
            antenna, count = read_fields(_TWO_SHORTS, inner, "air protocols")
            protocols.append((antenna, inner[_TWO_SHORTS.size : _TWO_SHORTS.size + count]))
    return General(
        max_antennas=antennas,
        manufacturer=manufacturer,
        model=model,
        firmware=firmware,
        can_set_antenna_properties=bool(flags & 0x8000),
        has_utc_clock=bool(flags & 0x4000),
        gpis=gpis,
        gpos=gpos,
        sensitivities=tuple(sensitivities),
        sensitivity_ranges=tuple(ranges),
        air_protocols=tuple(protocols),
    )


def _encode_general(general: General) -> bytes:
    flags = general.can_set_antenna_properties << 15 | general.has_utc_clock << 14
    return encode_tlv(
        GENERAL,
        _GENERAL.pack(general.max_antennas, flags, general.manufacturer, general.model),
        encode_text(general.firmware),
        *(encode_tlv(SENSITIVITY, _SENSITIVITY.pack(*each)) for each in general.sensitivities),
        *(
            encode_tlv(SENSITIVITY_RANGE, _SENSITIVITY_RANGE.pack(*each))
            for each in general.sensitivity_ranges
        ),
        encode_tlv(GPIO_CAPABILITIES, _TWO_SHORTS.pack(general.gpis, general.gpos)),
        *(
            encode_tlv(AIR_PROTOCOLS, _TWO_SHORTS.pack(antenna, len(protocols)), protocols)
            for antenna, protocols in general.air_protocols
        ),
    )


def _decode_limits(content: bytes) -> Limits:
    flags, priorities, timeout_ms, *counts = read_fields(_LIMITS, content, "limits")
    rospecs, specs, inventories, accessspecs, operations = counts
    return Limits(
        surveys=bool(flags & 0x80),
        warns_of_full_buffer=bool(flags & 0x40),
        asks_client=bool(flags & 0x20),
        singulates_by_state=bool(flags & 0x10),
        holds_reports=bool(flags & 0x08),
        priorities=priorities,
        client_timeout_ms=timeout_ms,
        max_rospecs=rospecs,
        max_specs_per_rospec=specs,
        max_inventories_per_spec=inventories,
        max_accessspecs=accessspecs,
        max_operations_per_accessspec=operations,
    )


def _encode_limits(limits: Limits) -> bytes:
    switches = (
        limits.surveys,
        limits.warns_of_full_buffer,
        limits.asks_client,
        limits.singulates_by_state,
        limits.holds_reports,
    )
    flags = sum(switch << 7 - place for place, switch in enumerate(switches))
    counts = (
        limits.max_rospecs,
        limits.max_specs_per_rospec,
        limits.max_inventories_per_spec,
        limits.max_accessspecs,
        limits.max_operations_per_accessspec,
    )
    fields = (flags, limits.priorities, limits.client_timeout_ms, *counts)
    return encode_tlv(LLRP, _LIMITS.pack(*fields))


def _decode_gen2(content: bytes) -> Gen2:
    flags, filters = read_fields(_GEN2, content, "Gen2 capabilities")
    return Gen2(max_filters=filters, flags=flags)
