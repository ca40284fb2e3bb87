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

GENERAL, LLRP, REGULATORY, GEN2 = 137, 142, 143, 327
SENSITIVITY, AIR_PROTOCOLS, GPIO_CAPABILITIES, SENSITIVITY_RANGE = 139, 140, 141, 149
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
_SENSITIVITY = struct.Struct("!Hh")
_SENSITIVITY_RANGE = struct.Struct("!HHH")
_GEN2 = struct.Struct("!BH")


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
    pie_ratio
        Length of a one to that of a zero from the reader, in thousandths.
    flags, forward_modulation, spectral_mask
        Division ratio and conformance, the reader's modulation, how narrow its spectrum is: as
        the reader codes them (LLRP v1.1 §17.3.1.1.3).
    """

    mode_id: int
    modulation: int
    backscatter_bps: int
    pie_ratio: int = 0
    minimum_tari_ns: int = 0
    maximum_tari_ns: int = 0
    tari_step_ns: int = 0
    flags: int = 0
    forward_modulation: int = 0
    spectral_mask: int = 0


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
        regulatory=_decode_regulatory(found[REGULATORY]) if REGULATORY in found else None,
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
            parts.append(_encode_regulatory(capabilities.regulatory))
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
            mode_id, flags, modulation, forward, mask, bps, pie, least, most, step = read_fields(
                _MODE, inner, "RF mode"
            )
            tari = (least, most, step)
            modes.append(RfMode(mode_id, modulation, bps, pie, *tari, flags, forward, mask))
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
                *(mode.mode_id, mode.flags, mode.modulation),
                *(mode.forward_modulation, mode.spectral_mask),
                *(mode.backscatter_bps, mode.pie_ratio),
                *(mode.minimum_tari_ns, mode.maximum_tari_ns, mode.tari_step_ns),
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
