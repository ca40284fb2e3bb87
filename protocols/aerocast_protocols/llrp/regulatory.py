"""What the law lets a reader send: powers, channels, modes (LLRP v1.1 §17.2.3.4)."""

import struct

import msgspec

from aerocast_protocols.llrp.parameters import encode_tlv, read_fields, split_parameters

REGULATORY = 143
UHF_BAND, POWER_LEVEL, FREQUENCIES, HOP_TABLE, FIXED_FREQUENCIES = 144, 145, 146, 147, 148
RF_MODE_TABLE, RF_MODE = 328, 329

_COUNTRY = struct.Struct("!HH")
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


def decode_regulatory(content: bytes) -> Regulatory:
    """Decode ``RegulatoryCapabilities``.

    Raises
    ------
    ProtocolError
        A part is cut short.
    """
    country, standard = read_fields(_COUNTRY, content, "regulatory capabilities")
    powers: list[tuple[int, int]] = []
    modes: list[RfMode] = []
    hopping = False
    hop_tables: tuple[HopTable, ...] = ()
    fixed: tuple[int, ...] = ()
    for band, band_content in split_parameters(content[_COUNTRY.size :]):
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


def encode_regulatory(regulatory: Regulatory) -> bytes:
    """Encode the whole parameter, as the reader.

    Raises
    ------
    struct.error
        A value does not fit its field.
    """
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
        _COUNTRY.pack(regulatory.country_code, regulatory.communications_standard),
        encode_tlv(
            UHF_BAND,
            *(encode_tlv(POWER_LEVEL, _POWER.pack(*level)) for level in regulatory.power_levels),
            encode_tlv(FREQUENCIES, _FLAGS.pack(regulatory.hopping << 7), *tables),
            encode_tlv(RF_MODE_TABLE, *modes),
        ),
    )


def _encode_khz(frequencies_khz: tuple[int, ...]) -> bytes:
    return struct.pack(f"!{len(frequencies_khz)}I", *frequencies_khz)
