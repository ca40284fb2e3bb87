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
from aerocast_protocols.llrp.status import Status, decode_status, encode_status

GENERAL, LLRP, REGULATORY = 137, 142, 143
GPIO_CAPABILITIES = 141
UHF_BAND, POWER_LEVEL, FREQUENCIES, HOP_TABLE, FIXED_FREQUENCIES = 144, 145, 146, 147, 148
RF_MODE_TABLE, RF_MODE = 328, 329

_GENERAL = struct.Struct("!HHII")
_TWO_SHORTS = struct.Struct("!HH")
_LIMITS = struct.Struct("!BBHIIIII")
_POWER = struct.Struct("!Hh")
_FLAGS = struct.Struct("!B")
_HOP_TABLE = struct.Struct("!BBH")
_COUNT = struct.Struct("!H")
_MODE = struct.Struct("!IBBBBIIIII")


class RfMode(msgspec.Struct, frozen=True):
    """One way to talk to tags: reader and tag data rates, coding.

    Attributes
    ----------
    mode_id
        What RF control refers to.
    modulation
        Tag's coding: 0 FM0, 1 Miller 2, 2 Miller 4, 3 Miller 8.
    backscatter_bps
        Tag's data rate, bit/s.
    """

    mode_id: int
    modulation: int
    backscatter_bps: int
    pie_ratio: int = 0
    minimum_tari_ns: int = 0
    maximum_tari_ns: int = 0


class HopTable(msgspec.Struct, frozen=True):
    """Frequencies the reader hops over, kHz, in order; a channel index counts them from 1."""

    hop_table_id: int
    frequencies_khz: tuple[int, ...]


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
    """

    max_antennas: int
    manufacturer: int
    model: int
    firmware: str = ""
    has_utc_clock: bool = False
    can_set_antenna_properties: bool = False
    gpis: int = 0
    gpos: int = 0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What of LLRP the reader supports; ``holds_reports`` is for a client that comes back."""

    holds_reports: bool = False
    warns_of_full_buffer: bool = False
    max_rospecs: int = 0
    max_specs_per_rospec: int = 0


class Regulatory(msgspec.Struct, frozen=True, kw_only=True):
    """What the law of its country lets the reader send.

    Attributes
    ----------
    country_code, communications_standard
        ISO 3166 number; 1 FCC part 15, 2 ETSI 302 208 ... (LLRP v1.1 §17.2.3.4).
    power_levels
        (index, power in 1/100 dBm), as the reader lists them.
    hopping
        True where the law demands hopping; then ``hop_tables`` count, else
        ``fixed_frequencies_khz``, with channel indices from 1.
    """

    country_code: int = 0
    communications_standard: int = 0
    power_levels: tuple[tuple[int, int], ...] = ()
    hopping: bool = False
    hop_tables: tuple[HopTable, ...] = ()
    fixed_frequencies_khz: tuple[int, ...] = ()
    rf_modes: tuple[RfMode, ...] = ()


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """A reader's answer; a part it left out is None."""

    status: Status
    general: General | None = None
    limits: Limits | None = None
    regulatory: Regulatory | None = None


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
        regulatory=_decode_regulatory(found[REGULATORY]) if REGULATORY in found else None,
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
            parts.append(_encode_regulatory(capabilities.regulatory))
    except struct.error as error:
        raise ValueError(f"capabilities do not fit their fields: {error}") from error
    return b"".join(parts)


def _decode_general(content: bytes) -> General:
    antennas, flags, manufacturer, model = read_fields(_GENERAL, content, "capabilities")
    firmware, rest = read_text(content[_GENERAL.size :], "firmware version")
    gpis = gpos = 0
    for parameter, inner in split_parameters(rest):
        if parameter == GPIO_CAPABILITIES:
            gpis, gpos = read_fields(_TWO_SHORTS, inner, "GPIO capabilities")
    return General(
        max_antennas=antennas,
        manufacturer=manufacturer,
        model=model,
        firmware=firmware,
        can_set_antenna_properties=bool(flags & 0x8000),
        has_utc_clock=bool(flags & 0x4000),
        gpis=gpis,
        gpos=gpos,
    )


def _encode_general(general: General) -> bytes:
    flags = general.can_set_antenna_properties << 15 | general.has_utc_clock << 14
    return encode_tlv(
        GENERAL,
        _GENERAL.pack(general.max_antennas, flags, general.manufacturer, general.model),
        encode_text(general.firmware),
        encode_tlv(GPIO_CAPABILITIES, _TWO_SHORTS.pack(general.gpis, general.gpos)),
    )


def _decode_limits(content: bytes) -> Limits:
    flags, _priority, _timeout, rospecs, specs, *_ = read_fields(_LIMITS, content, "limits")
    return Limits(
        holds_reports=bool(flags & 0x08),
        warns_of_full_buffer=bool(flags & 0x40),
        max_rospecs=rospecs,
        max_specs_per_rospec=specs,
    )


def _encode_limits(limits: Limits) -> bytes:
    flags = limits.holds_reports << 3 | limits.warns_of_full_buffer << 6
    counts = (limits.max_rospecs, limits.max_specs_per_rospec, 1, 0, 0)
    return encode_tlv(LLRP, _LIMITS.pack(flags, 0, 0, *counts))


def _decode_regulatory(content: bytes) -> Regulatory:
    country, standard = read_fields(_TWO_SHORTS, content, "regulatory capabilities")
    powers: list[tuple[int, int]] = []
    modes: list[RfMode] = []
    hopping = False
    hop_tables: tuple[HopTable, ...] = ()
    fixed: tuple[int, ...] = ()
    for band, band_content in split_parameters(content[_TWO_SHORTS.size :]):
        if band != UHF_BAND:
            continue
        for parameter, inner in split_parameters(band_content):
            if parameter == POWER_LEVEL:
                index, power = read_fields(_POWER, inner, "power level")
                powers.append((index, power))
            elif parameter == FREQUENCIES:
                hopping, hop_tables, fixed = _decode_frequencies(inner)
            elif parameter == RF_MODE_TABLE:
                modes += _decode_modes(inner)
    return Regulatory(
        country_code=country,
        communications_standard=standard,
        power_levels=tuple(powers),
        hopping=hopping,
        hop_tables=hop_tables,
        fixed_frequencies_khz=fixed,
        rf_modes=tuple(modes),
    )


def _decode_frequencies(content: bytes) -> tuple[bool, tuple[HopTable, ...], tuple[int, ...]]:
    (flags,) = read_fields(_FLAGS, content, "frequency information")
    hop_tables: list[HopTable] = []
    fixed: tuple[int, ...] = ()
    for parameter, inner in split_parameters(content[_FLAGS.size :]):
        if parameter == HOP_TABLE:
            table_id, _reserved, count = read_fields(_HOP_TABLE, inner, "hop table")
            hop_tables.append(HopTable(table_id, _decode_khz(inner[_HOP_TABLE.size :], count)))
        elif parameter == FIXED_FREQUENCIES:
            (count,) = read_fields(_COUNT, inner, "fixed frequency table")
            fixed = _decode_khz(inner[_COUNT.size :], count)
    return bool(flags & 0x80), tuple(hop_tables), fixed


def _decode_khz(content: bytes, count: int) -> tuple[int, ...]:
    return read_fields(struct.Struct(f"!{count}I"), content, f"table of {count} frequencies")


def _decode_modes(content: bytes) -> list[RfMode]:
    modes = []
    for parameter, inner in split_parameters(content):
        if parameter == RF_MODE:
            mode_id, _flags, modulation, _forward, _mask, bps, pie, least, most, _step = (
                read_fields(_MODE, inner, "RF mode")
            )
            modes.append(RfMode(mode_id, modulation, bps, pie, least, most))
    return modes


def _encode_regulatory(regulatory: Regulatory) -> bytes:
    tables = [
        encode_tlv(
            HOP_TABLE,
            _HOP_TABLE.pack(table.hop_table_id, 0, len(table.frequencies_khz)),
            _encode_khz(table.frequencies_khz),
        )
        for table in regulatory.hop_tables
    ]
    if regulatory.fixed_frequencies_khz:
        fixed = regulatory.fixed_frequencies_khz
        tables.append(encode_tlv(FIXED_FREQUENCIES, _COUNT.pack(len(fixed)), _encode_khz(fixed)))
    modes = [
        encode_tlv(
            RF_MODE,
            _MODE.pack(
                *(mode.mode_id, 0, mode.modulation, 0, 0, mode.backscatter_bps, mode.pie_ratio),
                *(mode.minimum_tari_ns, mode.maximum_tari_ns, 0),
            ),
        )
        for mode in regulatory.rf_modes
    ]
    return encode_tlv(
        REGULATORY,
        _TWO_SHORTS.pack(regulatory.country_code, regulatory.communications_standard),
        encode_tlv(
            UHF_BAND,
            *(encode_tlv(POWER_LEVEL, _POWER.pack(*level)) for level in regulatory.power_levels),
            encode_tlv(FREQUENCIES, _FLAGS.pack(regulatory.hopping << 7), *tables),
            encode_tlv(RF_MODE_TABLE, *modes),
        ),
    )


def _encode_khz(frequencies_khz: tuple[int, ...]) -> bytes:
    return struct.pack(f"!{len(frequencies_khz)}I", *frequencies_khz)
