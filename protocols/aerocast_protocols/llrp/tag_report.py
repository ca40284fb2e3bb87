"""Tag reports: the body of ``RO_ACCESS_REPORT`` (LLRP v1.1 §17.1.30, §17.2.7).

Impinj's readers add RF phase, fine RSSI and Doppler as Custom parameters (vendor 25882; subtypes
checked against captures of a Speedway and the two open LLRP libraries).
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter, itemgetter
from typing import NamedTuple

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp.parameters import (
    CUSTOM,
    TV_LENGTH,
    encode_custom,
    encode_tlv,
    encode_tv,
    parameter_at,
)

TAG_REPORT_DATA = 240
EPC_DATA = 241
ANTENNA_ID, FIRST_SEEN_UTC, LAST_SEEN_UTC, PEAK_RSSI, CHANNEL_INDEX = 1, 2, 4, 6, 7
TAG_SEEN_COUNT, ROSPEC_ID, C1G2_PC, EPC_96 = 8, 9, 12, 13
IMPINJ = 25882
IMPINJ_PHASE, IMPINJ_PEAK_RSSI, IMPINJ_DOPPLER = 56, 57, 68
LONGEST_EPC = 62  # bytes: the PC word counts at most 31 words (Gen2 v2 §6.3.2.1.2.2)
_PHASE_STEPS = 4096


class TagReport(msgspec.Struct, frozen=True, gc=False):
    """What one antenna saw of one tag. Name the fields: their order is for the decoder alone.

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


class TagReportDecoder:
    """Decodes a reader's tag reports; quicker for remembering how it lays them out.

    A reader writes all its reports alike, so most of a report's bytes say what the others mean and
    never change. Where they are as in an earlier report of this length, the values are where they
    were. What comes out never depends on what is remembered.
    """

    def __init__(self) -> None:
        self._layouts: dict[int, _Layout] = {}
        self._last = _NO_LAYOUT

    def decode(self, body: bytes) -> list[TagReport]:
        """Decode every tag report in an ``RO_ACCESS_REPORT`` body.

        Unknown parameters are skipped: readers send vendor extensions in every report.

        Raises
        ------
        ProtocolError
            A parameter runs past its container, or a report carries no EPC or an impossible one.
        """
        reports = []
        at, total = 0, len(body)
        layout = self._last
        while at < total:
            whole = body[at : at + layout.length]
            if int.from_bytes(whole, "big") & layout.mask != layout.fixed:
                kind, _start, end = parameter_at(body, at)
                if kind != TAG_REPORT_DATA:
                    at = end
                    continue
                whole = body[at:end]
                layout = self._layout(whole)
            reports.append(layout.read(whole))
            at += layout.length
        self._last = layout
        return reports

    def _layout(self, whole: bytes) -> "_Layout":
        """Give how a report is laid out, as remembered or found out."""
        layout = self._layouts.get(len(whole))
        if layout is None or int.from_bytes(whole, "big") & layout.mask != layout.fixed:
            layout = _layout_of(whole)
            if layout.length <= _LONGEST_REMEMBERED:
                if len(self._layouts) >= _MOST_REMEMBERED:
                    self._layouts.clear()
                self._layouts[layout.length] = layout
        return layout


def decode_tag_reports(body: bytes) -> list[TagReport]:
    """Decode a single ``RO_ACCESS_REPORT`` body, as `TagReportDecoder` does."""
    return TagReportDecoder().decode(body)


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


_MOST_REMEMBERED = 64  # EPCs of every length, twice
_LONGEST_REMEMBERED = 1024  # bytes; a report with everything in it has 200
# TV type -> which value it is, and its `struct` code.
_FIELDS = {
    ANTENNA_ID: ("antenna", "H"),
    FIRST_SEEN_UTC: ("first_seen_us", "Q"),
    LAST_SEEN_UTC: ("last_seen_us", "Q"),
    PEAK_RSSI: ("rssi_dbm", "b"),
    CHANNEL_INDEX: ("channel", "H"),
    TAG_SEEN_COUNT: ("seen_count", "H"),
    ROSPEC_ID: ("rospec_id", "I"),
    C1G2_PC: ("pc", "H"),
    EPC_96: ("epc", "12s"),
}
_FINE = "h"  # counts before the coarse value, wherever it stands
_EXTRAS = {
    IMPINJ_PHASE: ("phase_deg", "H"),
    IMPINJ_PEAK_RSSI: ("rssi_dbm", _FINE),
    IMPINJ_DOPPLER: ("doppler_hz", "h"),
}
_SCALES: Mapping[tuple[str, str], Callable[[int], float]] = {
    ("b", "rssi_dbm"): float,
    (_FINE, "rssi_dbm"): lambda hundredths: hundredths / 100,
    ("h", "doppler_hz"): lambda sixteenths: sixteenths / 16,
    ("H", "phase_deg"): lambda steps: steps % _PHASE_STEPS * 360 / _PHASE_STEPS,
}
_TLV_HEADER = 4
_VENDOR_AND_SUBTYPE = struct.Struct("!II")


class _Layout:
    """Where the values of a report stand, and what its other bytes have to be.

    Attributes
    ----------
    length
        Of such a report, its header included.
    mask, fixed
        The report as one number has to equal ``fixed`` where ``mask`` has ones.
    """

    def __init__(self, whole: bytes, fields: "list[_Field]", fixed: list[slice]) -> None:
        mask = bytearray(len(whole))
        for each in fixed:
            mask[each] = b"\xff" * (each.stop - each.start)
        self.length = len(whole)
        self.mask = int.from_bytes(mask, "big")
        self.fixed = int.from_bytes(whole, "big") & self.mask
        layout, at = ["!"], 0
        for field in fields:
            layout.append(f"{field.at - at}x{field.code}")
            at = field.at + struct.calcsize("!" + field.code)
        self._read = struct.Struct("".join(layout)).unpack_from
        # A report's place for each value in the order of `TagReport`; two more for what is absent.
        places = {field.name: place for place, field in enumerate(fields)}
        absent = {"antenna": len(fields) + 1}
        self._pick = itemgetter(
            *(
                places.get(name, absent.get(name, len(fields)))
                for name in TagReport.__struct_fields__
            )
        )
        self._scaled = [
            (place, _SCALES[field.code, field.name])
            for place, field in enumerate(fields)
            if (field.code, field.name) in _SCALES
        ]

    def read(self, whole: bytes) -> TagReport:
        """Read the values of a report laid out like this."""
        values = [*self._read(whole), None, 0]
        for place, scaled in self._scaled:
            values[place] = scaled(values[place])
        return TagReport(*self._pick(values))


class _Field(NamedTuple):
    """A value: which one, where its bytes start, their `struct` code."""

    name: str
    at: int
    code: str


def _layout_of(whole: bytes) -> _Layout:
    """Find out how a report is laid out.

    Raises
    ------
    ProtocolError
        A parameter runs past its container, or there is no EPC or an impossible one.
    """
    fields: dict[str, _Field] = {}
    fixed = [slice(0, _TLV_HEADER)]
    at = _TLV_HEADER
    while at < len(whole):
        if "epc" in fields and _is_unknown(whole[at]):
            fixed.append(slice(at, at + 1))
            break  # how long it is nobody knows; what matters comes before what is new
        kind, start, end = parameter_at(whole, at)
        field = _value_at(whole, kind, start, end)
        means_until = field.at if field else start
        if kind == CUSTOM:
            means_until = min(start + _VENDOR_AND_SUBTYPE.size, end)
        fixed.append(slice(at, means_until))
        if field and (field.name not in fields or field.code == _FINE):
            fields[field.name] = field
        at = end
    if "epc" not in fields:
        raise ProtocolError("LLRP tag report without an EPC")
    return _Layout(whole, sorted(fields.values(), key=attrgetter("at")), fixed)


_NO_LAYOUT = _Layout(b"", [], [])
_NO_LAYOUT.fixed = 1  # which no report is where the mask has no ones


def _is_unknown(first: int) -> bool:
    return bool(first & 0x80) and first & 0x7F not in TV_LENGTH


def _value_at(whole: bytes, kind: int, start: int, end: int) -> _Field | None:
    """Give the value that a parameter holds, if it is one we want."""
    if kind in _FIELDS:
        name, code = _FIELDS[kind]
        return _Field(name, start, code)
    if kind == EPC_DATA:
        return _Field("epc", start + 2, f"{_counted_epc(whole[start:end])}s")
    at = start + _VENDOR_AND_SUBTYPE.size
    if kind == CUSTOM and at + 2 <= end:
        vendor, subtype = _VENDOR_AND_SUBTYPE.unpack_from(whole, start)
        if vendor == IMPINJ and subtype in _EXTRAS:
            name, code = _EXTRAS[subtype]
            return _Field(name, at, code)
    return None


def _counted_epc(content: bytes) -> int:
    """Give the bytes of an EPCData's EPC."""
    bits = int.from_bytes(content[:2], "big")
    length = (bits + 7) // 8
    if length > LONGEST_EPC:
        raise ProtocolError(f"LLRP EPC of {bits} bits is impossible")
    if 2 + length > len(content):
        raise ProtocolError(f"LLRP EPC of {bits} bits runs past its container")
    return length


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
