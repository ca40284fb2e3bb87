"""NDEF messages and the text in them (NFC Forum NDEF 1.0 §3; RTD Text 1.0, URI 1.0, Smart Poster).

A message is a run of records; chunks of one record are put together. Nothing is trusted past the
end of what is there.
"""

from collections.abc import Iterator, Sequence

import msgspec

from aerocast_protocols.errors import ProtocolError

LONGEST_MESSAGE = 32_768
MOST_RECORDS = 64
LONGEST_TEXT = 2048
EMPTY, WELL_KNOWN, MIME, ABSOLUTE_URI, EXTERNAL, UNKNOWN, UNCHANGED = range(7)
_BEGIN, _END, _CHUNK, _SHORT, _HAS_ID = 0x80, 0x40, 0x20, 0x10, 0x08
# URI 1.0 §3.2.2
_PREFIXES = (
    "", "http://www.", "https://www.", "http://", "https://", "tel:", "mailto:",
    "ftp://anonymous:anonymous@", "ftp://ftp.", "ftps://", "sftp://", "smb://", "nfs://", "ftp://",
    "dav://", "news:", "telnet://", "imap:", "rtsp://", "urn:", "pop:", "sip:", "sips:", "tftp:",
    "btspp://", "btl2cap://", "btgoep://", "tcpobex://", "irdaobex://", "file://", "urn:epc:id:",
    "urn:epc:tag:", "urn:epc:pat:", "urn:epc:raw:", "urn:epc:", "urn:nfc:",
)  # fmt: skip


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One record.

    Attributes
    ----------
    name_format
        How ``type`` is to be read: ``WELL_KNOWN`` (``T``, ``U``, ``Sp``), ``MIME`` and so on.
    """

    name_format: int
    type: bytes = b""
    id: bytes = b""
    payload: bytes = b""


def decode_ndef(message: bytes) -> tuple[Record, ...]:
    """Read a message.

    Raises
    ------
    ProtocolError
        It is cut, too long, or its records do not fit together.
    """
    if len(message) > LONGEST_MESSAGE:
        raise ProtocolError(f"NDEF message of {len(message)} bytes is over {LONGEST_MESSAGE}")
    records: list[Record] = []
    open_chunk: Record | None = None
    at, ended = 0, False
    while at < len(message):
        if ended:
            raise ProtocolError(f"{len(message) - at} bytes follow the last NDEF record")
        flags, record, at = _decode_record(message, at)
        if bool(flags & _BEGIN) != (not records and open_chunk is None):
            raise ProtocolError("NDEF records begin twice, or never")
        open_chunk = _joined(open_chunk, record)
        if not flags & _CHUNK:
            records.append(open_chunk)
            open_chunk = None
        ended = bool(flags & _END)
        if len(records) > MOST_RECORDS or (ended and open_chunk is not None):
            raise ProtocolError("NDEF message ends within a record, or has too many")
    if not ended:
        raise ProtocolError("NDEF message has no last record")
    return tuple(records)


def encode_ndef(records: Sequence[Record]) -> bytes:
    """Write a message, each record whole.

    Raises
    ------
    ValueError
        There is no record, or one does not fit.
    """
    if not records:
        raise ValueError("an NDEF message has at least one record")
    encoded = bytearray()
    for number, record in enumerate(records):
        flags = record.name_format
        flags |= _BEGIN if number == 0 else 0
        flags |= _END if number == len(records) - 1 else 0
        flags |= _SHORT if len(record.payload) < 256 else 0
        flags |= _HAS_ID if record.id else 0
        encoded += bytes((flags, len(record.type)))
        encoded += len(record.payload).to_bytes(1 if flags & _SHORT else 4, "big")
        encoded += bytes((len(record.id),)) if record.id else b""
        encoded += record.type + record.id + record.payload
    return bytes(encoded)


def text_record(text: str, language: str = "en") -> Record:
    """Make a text record."""
    code = language.encode("ascii")
    return Record(
        name_format=WELL_KNOWN, type=b"T", payload=bytes((len(code),)) + code + text.encode()
    )


def uri_record(uri: str) -> Record:
    """Make a URI record, with the longest prefix that the standard abbreviates."""
    number, prefix = max(
        ((n, each) for n, each in enumerate(_PREFIXES) if uri.startswith(each)),
        key=lambda found: len(found[1]),
    )
    rest = uri[len(prefix) :].encode()
    return Record(name_format=WELL_KNOWN, type=b"U", payload=bytes((number,)) + rest)


def text_of(records: Sequence[Record]) -> str | None:
    """Give what a person would read, a line each: texts and addresses; None when there are none."""
    found = "\n".join(_texts(records, depth=0))
    return found[:LONGEST_TEXT] or None


def _texts(records: Sequence[Record], depth: int) -> Iterator[str]:
    for record in records:
        if record.name_format == ABSOLUTE_URI:
            yield record.type.decode("utf-8", "replace")
        elif record.name_format == MIME and record.type.lower().startswith(b"text/"):
            yield record.payload.decode("utf-8", "replace")
        elif record.name_format == WELL_KNOWN:
            yield from _well_known(record, depth)


def _well_known(record: Record, depth: int) -> Iterator[str]:
    payload = record.payload
    if record.type == b"T" and payload:
        # RTD Text §3.2.1: bit 7 UTF-16, bits 5-0 length of the language's code
        codec = "utf-16" if payload[0] & 0x80 else "utf-8"
        text = payload[1 + (payload[0] & 0x3F) :]
        if codec == "utf-16" and text[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
            codec = "utf-16-be"
        yield text.decode(codec, "replace")
    elif record.type == b"U" and payload:
        prefix = _PREFIXES[payload[0]] if payload[0] < len(_PREFIXES) else ""
        yield prefix + payload[1:].decode("utf-8", "replace")
    elif record.type == b"Sp" and depth == 0:
        try:
            yield from _texts(decode_ndef(payload), depth + 1)
        except ProtocolError:
            yield ""  # a poster that cannot be read says nothing; the rest of the message does


def _decode_record(message: bytes, at: int) -> tuple[int, Record, int]:
    """Read the record at ``at``: its flags, itself, and where the next begins."""
    header_length = 2 + (1 if message[at] & _SHORT else 4) + bool(message[at] & _HAS_ID)
    header = message[at : at + header_length]
    if len(header) < header_length:
        raise ProtocolError("NDEF record is cut within its header")
    flags, type_length = header[0], header[1]
    size_end = 3 if flags & _SHORT else 6
    size = int.from_bytes(header[2:size_end], "big")
    id_length = header[size_end] if flags & _HAS_ID else 0
    type_at = at + header_length
    id_at, payload_at = type_at + type_length, type_at + type_length + id_length
    end = payload_at + size
    if end > len(message):
        raise ProtocolError(f"NDEF record of {size} bytes is cut")
    record = Record(
        name_format=flags & 7,
        type=message[type_at:id_at],
        id=message[id_at:payload_at],
        payload=message[payload_at:end],
    )
    return flags, record, end


def _joined(chunk: Record | None, record: Record) -> Record:
    if chunk is None:
        if record.name_format == UNCHANGED:
            raise ProtocolError("NDEF chunk goes on with nothing")
        return record
    if record.name_format != UNCHANGED or record.type:
        raise ProtocolError("NDEF chunk is not gone on with")
    return msgspec.structs.replace(chunk, payload=chunk.payload + record.payload)
