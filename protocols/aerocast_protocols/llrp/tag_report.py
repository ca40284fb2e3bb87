"""Tag reports: the body of ``RO_ACCESS_REPORT`` (LLRP v1.1 §17.1.30, §17.2.7).

Impinj's readers add RF phase, fine RSSI and Doppler as Custom parameters (vendor 25882; subtypes
checked against captures of a Speedway and the two open LLRP libraries).
"""

import struct
from collections.abc import Iterable

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.parameters import (
    CUSTOM,
    TV_LENGTH,
    encode_custom,
    encode_tlv,
    encode_tv,
    split_parameters,
)

TAG_REPORT_DATA = 240
EPC_DATA = 241
ANTENNA_ID, FIRST_SEEN_UTC, LAST_SEEN_UTC, PEAK_RSSI, CHANNEL_INDEX = 1, 2, 4, 6, 7
TAG_SEEN_COUNT, ROSPEC_ID, C1G2_PC, EPC_96 = 8, 9, 12, 13
IMPINJ = 25882
IMPINJ_PHASE, IMPINJ_PEAK_RSSI, IMPINJ_DOPPLER = 56, 57, 68
LONGEST_EPC = 62  # bytes: the PC word counts at most 31 words (Gen2 v2 §6.3.2.1.2.2)
_PHASE_STEPS = 4096


class TagReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one antenna saw of one tag.

    Attributes
    ----------
    epc
        The tag's EPC or UII memory as read, 0 to 62 bytes, without the PC word.
    antenna
        LLRP antenna id, from 1; 0 when the reader did not report it.
    rssi_dbm
        Strongest backscatter, dBm: the vendor's fine value where there is one.
    first_seen_us, last_seen_us
        Reader's UTC clock, microseconds since 1970-01-01; None when it has no UTC clock.
    seen_count
        Reads folded into this report; None when not reported (then at least one).
    channel
        Index into the reader's hop table, from 1.
    phase_deg
        RF phase, [0, 360).
    pc
        Protocol-control word.
    """

    epc: bytes
    antenna: int = 0
    rssi_dbm: float | None = None
    first_seen_us: int | None = None
    last_seen_us: int | None = None
    seen_count: int | None = None
    channel: int | None = None
    phase_deg: float | None = None
    doppler_hz: float | None = None
    pc: int | None = None
    rospec_id: int | None = None


def decode_tag_reports(body: bytes) -> list[TagReport]:
    """Decode every tag report in an ``RO_ACCESS_REPORT`` body.

    Unknown parameters are skipped: readers send vendor extensions in every report.

    Raises
    ------
    ProtocolError
        A parameter runs past its container, or a report carries no EPC or an impossible one.
    """
    return [
        _decode_tag_report(content)
        for parameter, content in split_parameters(body)
        if parameter == TAG_REPORT_DATA
    ]


def encode_tag_reports(reports: Iterable[TagReport], *, impinj_extras: bool = True) -> bytes:
    """Encode an ``RO_ACCESS_REPORT`` body, as the reader.

    Parameters
    ----------
    impinj_extras
        Write phase, fine RSSI and Doppler; without, RSSI is rounded to 1 dB.

    Raises
    ------
    ValueError
        A value does not fit its field.
    """
    return b"".join(_encode_tag_report(report, impinj_extras=impinj_extras) for report in reports)


# Reports are most of what a reader sends, so they are read in one pass without cutting out each
# parameter. First byte of a TV parameter -> its size with that byte, and how to read its value.
_FIELDS = {
    0x80 | kind: (1 + TV_LENGTH[kind], struct.Struct(layout).unpack_from)
    for kind, layout in (
        (ANTENNA_ID, "!H"),
        (FIRST_SEEN_UTC, "!Q"),
        (LAST_SEEN_UTC, "!Q"),
        (PEAK_RSSI, "!b"),
        (CHANNEL_INDEX, "!H"),
        (TAG_SEEN_COUNT, "!H"),
        (ROSPEC_ID, "!I"),
        (C1G2_PC, "!H"),
    )
}
_EPC_96_FIRST = 0x80 | EPC_96
_EPC_96_SIZE = 1 + TV_LENGTH[EPC_96]
_TLV = struct.Struct("!HH")
_EXTRA = struct.Struct("!HHIIH")  # a Custom parameter whose payload starts with 16 bits
_EXTRAS = {IMPINJ_PHASE, IMPINJ_PEAK_RSSI, IMPINJ_DOPPLER}


def _decode_tag_report(body: bytes) -> TagReport:
    epc: bytes | None = None
    found: dict[int, int] = {}  # by first byte, extras by subtype (below 0x80)
    at, total = 0, len(body)
    while at < total:
        first = body[at]
        field = _FIELDS.get(first)
        if field is not None:
            size, read = field
            if at + size <= total:
                (found[first],) = read(body, at + 1)
            at += size
        elif first == _EPC_96_FIRST:
            epc = body[at + 1 : at + _EPC_96_SIZE]
            at += _EPC_96_SIZE
        elif first & 0x80:
            at += _size_of(first & 0x7F)
        else:
            at, counted = _read_tlv(body, at, found)
            epc = counted if epc is None else epc
    if at > total:
        raise ProtocolError("LLRP tag report is cut short")
    if epc is None:
        raise ProtocolError("LLRP tag report without an EPC")
    return _tag_report(epc, found)


def _size_of(kind: int) -> int:
    if kind not in TV_LENGTH:
        raise ProtocolError(f"LLRP TV parameter {kind} is unknown")
    return 1 + TV_LENGTH[kind]


def _read_tlv(body: bytes, at: int, found: dict[int, int]) -> tuple[int, bytes | None]:
    """Read the TLV parameter at ``at``; give where the next one starts, and an EPCData's EPC."""
    if len(body) - at < _TLV.size:
        raise ProtocolError("LLRP TLV header is cut short")
    kind, length = _TLV.unpack_from(body, at)
    kind &= 0x3FF
    if not _TLV.size <= length <= len(body) - at:
        raise ProtocolError(f"LLRP parameter {kind} of {length} bytes is impossible here")
    if kind == EPC_DATA:
        return at + length, _counted_epc(body[at + _TLV.size : at + length])
    if kind == CUSTOM and length >= _EXTRA.size:
        _, _, vendor, subtype, extra = _EXTRA.unpack_from(body, at)
        if vendor == IMPINJ and subtype in _EXTRAS:
            found[subtype] = extra
    return at + length, None


def _counted_epc(content: bytes) -> bytes:
    bits = int.from_bytes(content[:2], "big")
    length = (bits + 7) // 8
    if length > LONGEST_EPC:
        raise ProtocolError(f"LLRP EPC of {bits} bits is impossible")
    if 2 + length > len(content):
        raise ProtocolError(f"LLRP EPC of {bits} bits runs past its container")
    return content[2 : 2 + length]


def _tag_report(epc: bytes, found: dict[int, int]) -> TagReport:
    get = found.get
    phase, doppler, fine = get(IMPINJ_PHASE), get(IMPINJ_DOPPLER), get(IMPINJ_PEAK_RSSI)
    coarse = get(0x80 | PEAK_RSSI)
    if fine is not None:
        rssi_dbm: float | None = _signed(fine) / 100
    else:
        rssi_dbm = None if coarse is None else float(coarse)
    return TagReport(
        epc=epc,
        antenna=get(0x80 | ANTENNA_ID, 0),
        rssi_dbm=rssi_dbm,
        first_seen_us=get(0x80 | FIRST_SEEN_UTC),
        last_seen_us=get(0x80 | LAST_SEEN_UTC),
        seen_count=get(0x80 | TAG_SEEN_COUNT),
        channel=get(0x80 | CHANNEL_INDEX),
        phase_deg=None if phase is None else phase % _PHASE_STEPS * 360 / _PHASE_STEPS,
        doppler_hz=None if doppler is None else _signed(doppler) / 16,
        pc=get(0x80 | C1G2_PC),
        rospec_id=get(0x80 | ROSPEC_ID),
    )


def _signed(sixteen_bits: int) -> int:
    return sixteen_bits - 0x10000 if sixteen_bits & 0x8000 else sixteen_bits


def _encode_tag_report(report: TagReport, *, impinj_extras: bool) -> bytes:
    try:
        extras = _encoded_extras(report) if impinj_extras else []
        return encode_tlv(TAG_REPORT_DATA, *_encoded_parameters(report), *extras)
    except struct.error as error:
        raise ValueError(f"tag report does not fit its fields: {error}") from error


def _encoded_parameters(report: TagReport) -> list[bytes]:
    if len(report.epc) > LONGEST_EPC:
        raise ValueError(f"EPC of {len(report.epc)} bytes is over {LONGEST_EPC}")
    if len(report.epc) == TV_LENGTH[EPC_96]:
        parts = [encode_tv(EPC_96, report.epc)]
    else:
        parts = [encode_tlv(EPC_DATA, struct.pack("!H", 8 * len(report.epc)), report.epc)]
    fields: list[tuple[int, str, int | None]] = [
        (ROSPEC_ID, "!I", report.rospec_id),
        (ANTENNA_ID, "!H", report.antenna or None),
        (PEAK_RSSI, "!b", None if report.rssi_dbm is None else round(report.rssi_dbm)),
        (CHANNEL_INDEX, "!H", report.channel),
        (FIRST_SEEN_UTC, "!Q", report.first_seen_us),
        (LAST_SEEN_UTC, "!Q", report.last_seen_us),
        (TAG_SEEN_COUNT, "!H", report.seen_count),
        (C1G2_PC, "!H", report.pc),
    ]
    return parts + [encode_tv(kind, struct.pack(f, v)) for kind, f, v in fields if v is not None]


def _encoded_extras(report: TagReport) -> list[bytes]:
    customs: list[tuple[int, str, float | None, float]] = [
        (IMPINJ_PHASE, "!H", report.phase_deg, _PHASE_STEPS / 360),
        (IMPINJ_PEAK_RSSI, "!h", report.rssi_dbm, 100),
        (IMPINJ_DOPPLER, "!h", report.doppler_hz, 16),
    ]
    return [
        encode_custom(IMPINJ, subtype, struct.pack(layout, round(value * scale)))
        for subtype, layout, value, scale in customs
        if value is not None
    ]
