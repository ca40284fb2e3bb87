"""Vendors' own messages: Impinj readers give phase and fine RSSI only once asked for extensions.

``CUSTOM_MESSAGE`` (LLRP v1.1 §17.1.2): u32 vendor, u8 subtype, payload. Impinj (vendor 25882):
subtype 21 enables extensions (payload u32 reserved), 22 answers with an LLRPStatus.
"""

import struct

from aerocast_protocols.llrp.parameters import read_fields
from aerocast_protocols.llrp.status import Status, decode_status, encode_status
from aerocast_protocols.llrp.tag_report import IMPINJ

ENABLE_EXTENSIONS, ENABLE_EXTENSIONS_RESPONSE = 21, 22
_HEADER = struct.Struct("!IB")


def encode_enable_extensions() -> bytes:
    """Encode the body of Impinj's request for extensions."""
    return _HEADER.pack(IMPINJ, ENABLE_EXTENSIONS) + bytes(4)


def asks_for_extensions(body: bytes) -> bool:
    """Say whether a custom message is that request, as the reader.

    Raises
    ------
    ProtocolError
        It is cut short.
    """
    return read_fields(_HEADER, body, "custom message") == (IMPINJ, ENABLE_EXTENSIONS)


def encode_extensions_response(status: Status) -> bytes:
    """Encode the reader's answer."""
    return _HEADER.pack(IMPINJ, ENABLE_EXTENSIONS_RESPONSE) + encode_status(status)


def decode_extensions_response(body: bytes) -> Status:
    """Decode the reader's answer.

    Raises
    ------
    ProtocolError
        It is cut short, or holds no status.
    """
    read_fields(_HEADER, body, "custom message")
    return decode_status(body[_HEADER.size :])
