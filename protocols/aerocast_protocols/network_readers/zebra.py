"""Zebra FX and ATR readers: tag data events of the IoT Connector.

As Zebra's public examples show them: ``{"data": {...}, "timestamp", "type"}``, one object or an
array of them; handheld readers gather several tags in ``data.tagData``. Which members a tag has
depends on the reader's operating mode, so all but the EPC may be missing. Heartbeats and other
management events come on other topics; here they are passed over.
"""

from typing import Annotated

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.network_readers.reports import (
    BROKEN_JSON,
    Report,
    TagReport,
    epc_from_hex,
    events_in,
    time_us,
)

_Text = Annotated[str, msgspec.Meta(max_length=256)]


class _Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag, under the reader's own names; ``channel`` is in MHz."""

    id_hex: _Text | None = msgspec.field(name="idHex", default=None)
    epc: _Text | None = msgspec.field(name="EPC", default=None)
    epc_id: _Text | None = msgspec.field(name="EPCid", default=None)
    pc: Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{4}$")] | None = msgspec.field(
        name="PC", default=None
    )
    antenna: Annotated[int, msgspec.Meta(ge=0, le=256)] | None = None
    peak_rssi: Annotated[float, msgspec.Meta(ge=-200, le=100)] | None = msgspec.field(
        name="peakRssi", default=None
    )
    phase: Annotated[float, msgspec.Meta(ge=-3600, le=3600)] | None = None
    channel: Annotated[float, msgspec.Meta(ge=0, le=10_000)] | None = None
    reads: Annotated[int, msgspec.Meta(ge=0, le=1 << 31)] | None = None
    seen_count: Annotated[int, msgspec.Meta(ge=0, le=1 << 31)] | None = msgspec.field(
        name="seenCount", default=None
    )


class _Content(_Tag, frozen=True, kw_only=True):
    tag_data: Annotated[tuple[_Tag, ...], msgspec.Meta(max_length=1000)] | None = msgspec.field(
        name="tagData", default=None
    )


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    data: _Content | None = None
    timestamp: _Text | None = None
    component: _Text | None = None  # only management events name who tells


_event = msgspec.json.Decoder(_Event)


def decode_events(message: bytes) -> list[Report]:
    """Read a message: one event, or an array of them; events without a tag are passed over.

    Raises
    ------
    ProtocolError
        It is none.
    """
    found: list[Report] = []
    for raw in events_in(message):
        try:
            event = _event.decode(raw)
        except BROKEN_JSON as error:
            raise ProtocolError(f"event {bytes(raw)[:60]!r}: {error}") from None
        if event.data is None or event.component is not None:
            continue
        tags = (event.data,) if event.data.tag_data is None else event.data.tag_data
        found += [report for tag in tags if (report := _tag(tag, event.timestamp)) is not None]
    return found


def _tag(tag: _Tag, timestamp: str | None) -> TagReport | None:
    text = tag.id_hex or tag.epc or tag.epc_id
    if text is None:
        return None
    counted = tag.reads if tag.seen_count is None else tag.seen_count
    return TagReport(
        epc=epc_from_hex(text),
        pc=None if tag.pc is None else int(tag.pc, 16),
        antenna=tag.antenna or None,
        rssi_dbm=tag.peak_rssi,
        phase_deg=None if tag.phase is None else tag.phase % 360,
        frequency_khz=None if tag.channel is None else round(tag.channel * 1000),
        seen_at_us=time_us(timestamp),
        seen_count=1 if counted is None else counted,
    )
