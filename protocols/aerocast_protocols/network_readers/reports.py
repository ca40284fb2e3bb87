"""What a reader tells in JSON, whatever its maker, and the texts that makers have in common."""

import base64
import binascii
import re
from datetime import UTC, datetime

import msgspec

from aerocast_protocols.errors import ProtocolError

LARGEST_BYTES = 1024 * 1024  # of one message: thousands of tags
MOST_EVENTS = 10_000  # in one message
LONGEST_EPC = 62
BROKEN_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not the JSON it was told to expect."""
_LONGEST_TIME = 48
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")


class TagReport(msgspec.Struct, frozen=True, kw_only=True, tag="tag"):
    """A tag was read.

    Attributes
    ----------
    antenna
        Port, from 1; None when the reader was not told to say it.
    seen_at_us
        The reader's own clock, microseconds UTC.
    """

    epc: bytes
    pc: int | None = None
    antenna: int | None = None
    rssi_dbm: float | None = None
    phase_deg: float | None = None
    frequency_khz: int | None = None
    seen_at_us: int | None = None
    seen_count: int = 1


class AntennaReport(msgspec.Struct, frozen=True, kw_only=True, tag="antenna"):
    """An antenna was connected or lost."""

    antenna: int
    connected: bool


class InputReport(msgspec.Struct, frozen=True, kw_only=True, tag="input"):
    """An input changed."""

    pin: int
    level: int


class InventoryReport(msgspec.Struct, frozen=True, kw_only=True, tag="inventory"):
    """The reader began or ended to read; ``status`` in its own word."""

    status: str


class OverflowReport(msgspec.Struct, frozen=True, kw_only=True, tag="overflow"):
    """The reader lost reports."""


Report = TagReport | AntennaReport | InputReport | InventoryReport | OverflowReport


def epc_from_hex(text: str) -> bytes:
    """Read an EPC written in hexadecimal.

    Raises
    ------
    ProtocolError
        It is not, or longer than any tag's.
    """
    if not _HEX.fullmatch(text) or len(text) > 2 * LONGEST_EPC:
        raise ProtocolError(
            f"EPC {text[:140]!r} is no hexadecimal text of 0 to {LONGEST_EPC} bytes"
        )
    return bytes.fromhex(text)


def epc_from_base64(text: str) -> bytes:
    """Read an EPC written in base64, of either alphabet, padded or not.

    Raises
    ------
    ProtocolError
        It is not, or longer than any tag's.
    """
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        epc = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ProtocolError(f"EPC {text[:140]!r} is no base64") from None
    if len(epc) > LONGEST_EPC:
        raise ProtocolError(f"EPC of {len(epc)} bytes is too long")
    return epc


def epc_from(hexadecimal: str | None, encoded: str | None) -> bytes:
    """Read an EPC from whichever text a reader gives.

    Raises
    ------
    ProtocolError
        It gives none, or two that differ.
    """
    if hexadecimal is None and encoded is None:
        raise ProtocolError("tag without an EPC: neither base64 nor hexadecimal")
    epc = epc_from_base64(encoded) if encoded is not None else b""
    if hexadecimal is None:
        return epc
    plain = epc_from_hex(hexadecimal)
    if encoded is not None and plain != epc:
        raise ProtocolError(f"tag with two EPCs: {plain.hex()} and {epc.hex()}")
    return plain


def time_us(text: str | None) -> int | None:
    """Read an ISO 8601 time, UTC where it names no zone; microseconds since 1970-01-01.

    Raises
    ------
    ProtocolError
        It is none.
    """
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text[:_LONGEST_TIME])
    except ValueError:
        raise ProtocolError(f"time {text[:_LONGEST_TIME]!r} is not ISO 8601") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def events_in(message: bytes) -> list[msgspec.Raw]:
    """Split a message into its events: one object, an array of them, or an object a line.

    Raises
    ------
    ProtocolError
        It is too large, or no JSON of that kind.
    """
    if len(message) > LARGEST_BYTES:
        raise ProtocolError(f"message of {len(message)} bytes is too large")
    try:
        if message.lstrip()[:1] == b"[":
            events = msgspec.json.decode(message, type=list[msgspec.Raw])
        elif b"}" in (head := message[: message.find(b"\n") + 1]) and b"{" in message[len(head) :]:
            lines = (line for line in message.splitlines() if line.strip())
            events = [msgspec.json.decode(line, type=msgspec.Raw) for line in lines]
        else:
            events = [msgspec.json.decode(message, type=msgspec.Raw)]
    except BROKEN_JSON as error:
        raise ProtocolError(f"message {message[:60]!r}: {error}") from None
    if len(events) > MOST_EVENTS:
        raise ProtocolError(f"message with {len(events)} events")
    return events
