"""The parameters inside LLRP messages: split them, read their fields, write them.

LLRP v1.1 §17.2.1: a parameter is either TV (first bit set, 7 bits type, length fixed by the type)
or TLV (6 bits reserved, 10 bits type, 16 bits length with its own four bytes included). Integers
are big endian; a text is 16 bits of length in bytes, then UTF-8.
"""

import struct
from collections.abc import Iterator

from aerocast_protocols.errors import ProtocolError

# TV type -> bytes after the type byte (LLRP v1.1 §17.2.7.3)
TV_LENGTH = {
    1: 2, 2: 8, 3: 8, 4: 8, 5: 8, 6: 1, 7: 2, 8: 2, 9: 4, 10: 2,
    11: 2, 12: 2, 13: 12, 14: 2, 15: 2, 16: 4, 17: 2, 18: 4, 19: 2, 20: 2,
}  # fmt: skip
CUSTOM = 1023
_TLV_HEADER = struct.Struct("!HH")
_VENDOR_AND_SUBTYPE = struct.Struct("!II")


def split_parameters(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Split a parameter list into (type, content) pairs.

    Raises
    ------
    ProtocolError
        A parameter is cut short, or its TV type has no known length.
    """
    at = 0
    while at < len(body):
        parameter, start, at = parameter_at(body, at)
        yield parameter, body[start:at]


def parameter_at(body: bytes, at: int) -> tuple[int, int, int]:
    """Give the type of the parameter at ``at``, where its content starts, and where it ends.

    Raises
    ------
    ProtocolError
        It is cut short, or its TV type has no known length.
    """
    if body[at] & 0x80:
        parameter, start = body[at] & 0x7F, at + 1
        if parameter not in TV_LENGTH:
            raise ProtocolError(f"LLRP TV parameter {parameter} is unknown")
        end = start + TV_LENGTH[parameter]
    else:
        if len(body) - at < _TLV_HEADER.size:
            raise ProtocolError("LLRP TLV header is cut short")
        parameter, length = _TLV_HEADER.unpack_from(body, at)
        parameter &= 0x3FF
        if length < _TLV_HEADER.size:
            raise ProtocolError(f"LLRP TLV length {length} is impossible")
        start, end = at + _TLV_HEADER.size, at + length
    if end > len(body):
        raise ProtocolError(f"LLRP parameter {parameter} runs past its container")
    return parameter, start, end


def read_fields(layout: struct.Struct, content: bytes, what: str) -> tuple[int, ...]:
    """Read the fixed fields a content starts with.

    Raises
    ------
    ProtocolError
        The content is shorter; the error names ``what``.
    """
    if len(content) < layout.size:
        raise ProtocolError(f"LLRP {what} of {len(content)} bytes is cut short")
    return layout.unpack_from(content)


def read_text(content: bytes, what: str) -> tuple[str, bytes]:
    """Read a counted text; gives it and what follows. Bytes that are no UTF-8 become U+FFFD.

    Raises
    ------
    ProtocolError
        It is cut short; the error names ``what``.
    """
    if len(content) < 2:
        raise ProtocolError(f"LLRP {what} is cut short")
    end = 2 + int.from_bytes(content[:2], "big")
    if end > len(content):
        raise ProtocolError(f"LLRP {what} runs past its container")
    return content[2:end].decode(errors="replace"), content[end:]


def encode_tv(parameter: int, content: bytes) -> bytes:
    """Write a TV parameter.

    Raises
    ------
    ValueError
        The type is no TV type, or the content has not its fixed length.
    """
    if TV_LENGTH.get(parameter) != len(content):
        raise ValueError(f"LLRP TV parameter {parameter} cannot hold {len(content)} bytes")
    return bytes([0x80 | parameter]) + content


def encode_tlv(parameter: int, *contents: bytes) -> bytes:
    """Write a TLV parameter.

    Raises
    ------
    ValueError
        It would be longer than its length field can say.
    """
    content = b"".join(contents)
    length = _TLV_HEADER.size + len(content)
    if length > 0xFFFF:
        raise ValueError(f"LLRP parameter {parameter} of {length} bytes is too long")
    return _TLV_HEADER.pack(parameter, length) + content


def encode_custom(vendor: int, subtype: int, payload: bytes) -> bytes:
    """Write a vendor's own parameter."""
    return encode_tlv(CUSTOM, _VENDOR_AND_SUBTYPE.pack(vendor, subtype), payload)


def encode_text(text: str) -> bytes:
    """Write a counted text.

    Raises
    ------
    ValueError
        It is longer than 65,535 bytes.
    """
    encoded = text.encode()
    if len(encoded) > 0xFFFF:
        raise ValueError(f"LLRP text of {len(encoded)} bytes is too long")
    return len(encoded).to_bytes(2, "big") + encoded
