"""Impinj R700 and kin: events of the IoT device interface, version 1.

As Impinj's public examples and clients have them: one JSON object an event, told apart by which
``...Event`` member it has; a line each on the HTTP stream, an array in webhooks.
EPCs come as base64 (``epc``), as hexadecimal (``epcHex``), or both, as the reader's preset says.
"""

from typing import Annotated, Literal

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.network_readers.reports import (
    BROKEN_JSON,
    AntennaReport,
    InputReport,
    InventoryReport,
    OverflowReport,
    Report,
    TagReport,
    epc_from,
    epc_from_base64,
    epc_from_hex,
    events_in,
    time_us,
)

STREAM_PATH = "/api/v1/data/stream"
STATUS_PATH = "/api/v1/status"
_Port = Annotated[int, msgspec.Meta(ge=1, le=256)]
_Text = Annotated[str, msgspec.Meta(max_length=256)]


class _Tag(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    epc: _Text | None = None
    epc_hex: _Text | None = None
    pc: Annotated[str, msgspec.Meta(max_length=8)] | None = None
    antenna_port: _Port | None = None
    peak_rssi_cdbm: Annotated[float, msgspec.Meta(ge=-20_000, le=10_000)] | None = None
    frequency: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] | None = None
    phase_angle: Annotated[float, msgspec.Meta(ge=-3600, le=3600)] | None = None
    last_seen_time: _Text | None = None


class _Antenna(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    antenna_port: _Port


class _Input(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    gpi: Annotated[int, msgspec.Meta(ge=1, le=64)]
    transition: Literal["low-to-high", "high-to-low"]


class _Inventory(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    status: Annotated[str, msgspec.Meta(max_length=32)]


class _Nothing(msgspec.Struct, frozen=True):
    """An event of which only the name counts."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    timestamp: _Text | None = None
    tag_inventory_event: _Tag | None = None
    antenna_connected_event: _Antenna | None = None
    antenna_disconnected_event: _Antenna | None = None
    gpi_transition_event: _Input | None = None
    inventory_status_event: _Inventory | None = None
    inventory_terminated_event: _Nothing | None = None
    overflow_event: _Nothing | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the reader does: ``status`` is ``running``, ``idle``, ``armed`` or ``paused``."""

    status: Annotated[str, msgspec.Meta(max_length=32)]
    serial_number: Annotated[str, msgspec.Meta(max_length=64)] | None = None


_event = msgspec.json.Decoder(_Event)
_status = msgspec.json.Decoder(Status)


def start_path(preset: str) -> str:
    """Give where to POST to begin the inventory that a preset describes."""
    return f"/api/v1/profiles/inventory/presets/{preset}/start"


def decode_events(message: bytes) -> list[Report]:
    """Read a message: one event, or an array of them; events of other kinds are passed over.

    Raises
    ------
    ProtocolError
        It is none.
    """
    return [report for raw in events_in(message) if (report := _report(raw)) is not None]


def decode_status(message: bytes) -> Status:
    """Read the answer to ``STATUS_PATH``.

    Raises
    ------
    ProtocolError
        It is none.
    """
    try:
        return _status.decode(message)
    except BROKEN_JSON as error:
        raise ProtocolError(f"status {message[:60]!r}: {error}") from None


def _report(raw: msgspec.Raw) -> Report | None:
    try:
        event = _event.decode(raw)
    except BROKEN_JSON as error:
        raise ProtocolError(f"event {bytes(raw)[:60]!r}: {error}") from None
    if event.tag_inventory_event is not None:
        return _tag(event.tag_inventory_event, event.timestamp)
    return _happening(event)


def _happening(event: _Event) -> Report | None:
    if (antenna := event.antenna_connected_event) is not None:
        return AntennaReport(antenna=antenna.antenna_port, connected=True)
    if (antenna := event.antenna_disconnected_event) is not None:
        return AntennaReport(antenna=antenna.antenna_port, connected=False)
    if (change := event.gpi_transition_event) is not None:
        return InputReport(pin=change.gpi, level=int(change.transition == "low-to-high"))
    if (inventory := event.inventory_status_event) is not None:
        return InventoryReport(status=inventory.status)
    if event.inventory_terminated_event is not None:
        return InventoryReport(status="terminated")
    return None if event.overflow_event is None else OverflowReport()


def _tag(tag: _Tag, timestamp: str | None) -> TagReport:
    return TagReport(
        epc=epc_from(tag.epc_hex, tag.epc),
        pc=None if tag.pc is None else _pc(tag.pc),
        antenna=tag.antenna_port,
        rssi_dbm=None if tag.peak_rssi_cdbm is None else tag.peak_rssi_cdbm / 100,
        phase_deg=None if tag.phase_angle is None else tag.phase_angle % 360,
        frequency_khz=tag.frequency,
        seen_at_us=time_us(tag.last_seen_time or timestamp),
    )


def _pc(text: str) -> int:
    """Read a PC word: base64 as its EPC, or four hexadecimal digits."""
    is_hex = len(text) == 4 and not text.endswith("=")
    word = epc_from_hex(text) if is_hex else epc_from_base64(text)
    if len(word) != 2:
        raise ProtocolError(f"PC word {text!r} is not two bytes")
    return int.from_bytes(word, "big")
