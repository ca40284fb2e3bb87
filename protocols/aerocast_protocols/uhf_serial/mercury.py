"""ThingMagic's Mercury protocol (M5e, M6e, M7e): ``FF length opcode content crc``.

As ThingMagic's public API and captured frames have it: the length counts the content alone;
answers carry a status of two bytes before it. The CRC runs over all bytes behind ``FF``, with data
shifted in at the low end (poly 1021, FFFF in, nothing out). After power-on a module may sit in its
boot loader, which answers everything but a few opcodes with status 0101. 115,200 bits a second.
"""

from binascii import crc_hqx
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial.framing import NOT_HERE, FrameBuffer
from aerocast_protocols.uhf_serial.tags import ModuleTag, split_checked_bank, tag_crc

BAUD = 115_200
HEAD = 0xFF
LONGEST_CONTENT = 250
MOST_CHANNELS = 62
SESSION, Q = b"\x05\x00", b"\x05\x12"  # settings of Gen2
FIXED_Q = b"\x01"  # else the module finds Q by itself
_GEN2 = 0x0005
_SEEDED = 0x1D0F  # FFFF shifted by the two bytes that the CRC leaves out at the end

OK, UNKNOWN_OPCODE, NOT_IMPLEMENTED, NO_TAG = 0x0000, 0x0101, 0x0109, 0x0400
NO_ANTENNA, TOO_HOT, HIGH_RETURN_LOSS = 0x0503, 0x0504, 0x0505
ERRORS = {
    0x0100: "wrong length", 0x0101: "unknown opcode", 0x0103: "power too high",
    0x0104: "frequency not allowed", 0x0105: "value out of range", 0x0106: "power too low",
    0x0109: "not implemented", 0x010B: "region not allowed", 0x0400: "no tag",
    0x0401: "no protocol set", 0x0500: "no frequency: is a region set?",
    0x0503: "antenna not connected", 0x0504: "too hot", 0x0505: "antenna reflects too much",
}  # fmt: skip
REGIONS = {
    0x00: "none", 0x01: "fcc", 0x02: "etsi", 0x03: "korea", 0x04: "india", 0x05: "japan",
    0x06: "china", 0x07: "etsi", 0x08: "etsi", 0x09: "korea", 0x0B: "australia",
    0x0C: "new_zealand", 0xFF: "open",
}  # fmt: skip
# The code to set: of Europe's three, EU3 is the present EN 302 208.
REGION_CODES = {
    "fcc": 0x01, "etsi": 0x08, "korea": 0x09, "india": 0x04, "japan": 0x05, "china": 0x06,
    "australia": 0x0B, "new_zealand": 0x0C,
}  # fmt: skip


class Opcode(IntEnum):
    """What a module may be asked for."""

    VERSION = 0x03
    BOOT = 0x04
    PROGRAM = 0x0C
    READ_SINGLE = 0x21
    READ_MULTIPLE = 0x22
    TAG_BUFFER = 0x29
    CLEAR_TAG_BUFFER = 0x2A
    CONTINUOUS = 0x2F
    GET_ANTENNAS = 0x61
    GET_POWER = 0x62
    GET_CHANNELS = 0x65
    GET_REGION = 0x67
    GET_SETTING = 0x6B
    TEMPERATURE = 0x72
    SET_ANTENNAS = 0x91
    SET_POWER = 0x92
    SET_PROTOCOL = 0x93
    SET_CHANNELS = 0x95
    SET_REGION = 0x97
    SET_SETTING = 0x9B


class Request(NamedTuple):
    """What is asked; ``opcode`` may be one that `Opcode` does not list."""

    opcode: int
    content: bytes


class Answer(NamedTuple):
    """What is answered."""

    opcode: int
    status: int
    content: bytes


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What a module says of itself; versions as dotted bytes, the firmware's date as YYYY-MM-DD."""

    bootloader: str
    hardware: str
    firmware_date: str
    firmware: str
    protocols: int


def checksum(content: bytes | bytearray) -> int:
    """Give the CRC of at least two bytes behind ``FF``."""
    return crc_hqx(content[:-2], _SEEDED) ^ (content[-2] << 8 | content[-1])


def _measure(received: bytearray, at: int, around: int) -> int:
    if received[at] != HEAD:
        return NOT_HERE
    if len(received) - at < 2:
        return 0
    if received[at + 1] > LONGEST_CONTENT:
        return NOT_HERE
    size = received[at + 1] + around
    if len(received) - at < size:
        return 0
    stated = received[at + size - 2] << 8 | received[at + size - 1]
    return size if checksum(received[at + 1 : at + size - 2]) == stated else NOT_HERE


def measure(received: bytearray, at: int) -> int:
    """Say whether an answer begins there; see `FrameBuffer`."""
    return _measure(received, at, 7)


def measure_request(received: bytearray, at: int) -> int:
    """Say whether a request begins there; see `FrameBuffer`."""
    return _measure(received, at, 5)


def frame_buffer() -> FrameBuffer:
    """Make a buffer that finds answers."""
    return FrameBuffer(measure)


def request_buffer() -> FrameBuffer:
    """Make a buffer that finds requests."""
    return FrameBuffer(measure_request)


def decode_answer(frame: bytes) -> Answer:
    """Read exactly one answer.

    Raises
    ------
    ProtocolError
        It is none, or its CRC is wrong.
    """
    if not frame or measure(bytearray(frame), 0) != len(frame):
        raise ProtocolError(f"{frame[:16].hex()} is no answer of a Mercury module")
    return Answer(frame[2], frame[3] << 8 | frame[4], frame[5:-2])


def decode_request(frame: bytes) -> Request:
    """Read exactly one request.

    Raises
    ------
    ProtocolError
        It is none, or its CRC is wrong.
    """
    if not frame or measure_request(bytearray(frame), 0) != len(frame):
        raise ProtocolError(f"{frame[:16].hex()} is no request to a Mercury module")
    return Request(frame[2], frame[3:-2])


def encode_answer(answer: Answer) -> bytes:
    """Write one answer.

    Raises
    ------
    ProtocolError
        The content is too long.
    """
    return _encode(answer.opcode, answer.status.to_bytes(2, "big"), answer.content)


def request(opcode: Opcode, content: bytes = b"") -> bytes:
    """Write one request.

    Raises
    ------
    ProtocolError
        The content is too long.
    """
    return _encode(opcode, b"", content)


def _encode(opcode: int, status: bytes, content: bytes) -> bytes:
    if len(content) > LONGEST_CONTENT:
        raise ProtocolError(f"Mercury content of {len(content)} bytes is too long")
    body = bytes([len(content), opcode]) + status + content
    return bytes([HEAD]) + body + checksum(body).to_bytes(2, "big")


def use_gen2() -> bytes:
    """Write the request to read Gen2 tags."""
    return request(Opcode.SET_PROTOCOL, _GEN2.to_bytes(2, "big"))


def use_antennas(ports: tuple[int, ...]) -> bytes:
    """Write the request to search on these ports, 1 to 15."""
    return request(
        Opcode.SET_ANTENNAS, b"\x02" + bytes(each for port in ports for each in (port,) * 2)
    )


def use_channels(channels_khz: tuple[int, ...]) -> bytes:
    """Write the request to hop on these channels, at most 62.

    Raises
    ------
    ProtocolError
        They are too many.
    """
    if len(channels_khz) > MOST_CHANNELS:
        raise ProtocolError(
            f"Mercury modules take {MOST_CHANNELS} channels, not {len(channels_khz)}"
        )
    return request(
        Opcode.SET_CHANNELS, b"".join(channel.to_bytes(4, "big") for channel in channels_khz)
    )


def decode_channels(content: bytes) -> tuple[int, ...]:
    """Read the channels of an answer to `Opcode.GET_CHANNELS`, kHz; a cut one is left out."""
    whole = len(content) // 4 * 4
    return tuple(int.from_bytes(content[at : at + 4], "big") for at in range(0, whole, 4))


def decode_version(answer: Answer) -> Version:
    """Read what a module says of itself: five fields of four bytes.

    Raises
    ------
    ProtocolError
        It is no such answer.
    """
    content = answer.content
    if answer.status or len(content) < 20:
        raise ProtocolError(f"Mercury version of {len(content)} bytes, status {answer.status:04X}")

    def dotted(at: int) -> str:
        return ".".join(f"{byte:02x}" for byte in content[at : at + 4])

    date = content[8:12].hex()
    return Version(
        bootloader=dotted(0),
        hardware=dotted(4),
        firmware_date=f"{date[:4]}-{date[4:6]}-{date[6:]}",
        firmware=dotted(12),
        protocols=int.from_bytes(content[16:20], "big"),
    )


def start_reading(cycle_ms: int = 1000) -> bytes:
    """Write the request to read without end, with all that is known of each read.

    Content as ThingMagic's own tools send it: no timeout, option 1 (go on), then the search to
    repeat: multiple read of Gen2, option 10 (with what is known: 01FF), search flags 001B.
    """
    search = b"\x22\x10\x00\x1b" + cycle_ms.to_bytes(2, "big") + _ALL_KNOWN.to_bytes(2, "big")
    inner = bytes([len(search) - 1]) + search
    return request(Opcode.CONTINUOUS, b"\x00\x00\x01\x22\x00\x00\x05" + inner)


def stop_reading() -> bytes:
    """Write the request to end `start_reading`."""
    return request(Opcode.CONTINUOUS, b"\x00\x00\x02")


def read_into_buffer(limit_ms: int) -> bytes:
    """Write the request to read for a while: tags wait in the module for `fetch_buffer`."""
    return request(Opcode.READ_MULTIPLE, b"\x00\x00\x13" + limit_ms.to_bytes(2, "big"))


def fetch_buffer() -> bytes:
    """Write the request for the next tags that wait in the module."""
    return request(Opcode.TAG_BUFFER, _ALL_KNOWN.to_bytes(2, "big") + b"\x00")


def decode_streamed(answer: Answer) -> ModuleTag:
    """Read a tag that comes unasked after `start_reading`.

    Raises
    ------
    ProtocolError
        It is no such answer.
    """
    content = answer.content
    if (
        answer.opcode != Opcode.READ_MULTIPLE
        or answer.status
        or len(content) < 7
        or content[5] != 1
    ):
        raise ProtocolError(f"Mercury answer {answer.opcode:02X} brings no streamed tag")
    tag, end = _record(content, 6, known=content[3] << 8 | content[4])
    if end != len(content):
        raise ProtocolError(f"Mercury tag of {end} bytes in {len(content)}")
    return tag


def decode_buffered(answer: Answer) -> Iterator[ModuleTag]:
    """Read the tags of an answer to `fetch_buffer`.

    Raises
    ------
    ProtocolError
        It is no such answer, or the tags run past its end.
    """
    content = answer.content
    if answer.opcode != Opcode.TAG_BUFFER or answer.status or len(content) < 4:
        raise ProtocolError(f"Mercury answer {answer.opcode:02X} brings no buffered tags")
    known, count, at = content[0] << 8 | content[1], content[3], 4
    tags = []
    for _ in range(count):
        tag, at = _record(content, at, known=known)
        tags.append(tag)
    if at != len(content):
        raise ProtocolError(f"Mercury tags of {at} bytes in {len(content)}")
    return iter(tags)


def encode_streamed(tag: ModuleTag) -> bytes:
    """Write a tag as it comes after `start_reading`."""
    head = b"\x10\x00\x1b" + _ALL_KNOWN.to_bytes(2, "big") + b"\x01"
    return encode_answer(Answer(Opcode.READ_MULTIPLE, OK, head + _encode_record(tag)))


def encode_buffered(tags: list[ModuleTag]) -> bytes:
    """Write the answer to `fetch_buffer`."""
    content = _ALL_KNOWN.to_bytes(2, "big") + bytes([0, len(tags)])
    content += b"".join(map(_encode_record, tags))
    return encode_answer(Answer(Opcode.TAG_BUFFER, OK, content))


# What is known of a read, in the order in which it comes: flag, bytes.
_COUNT, _RSSI, _ANTENNA, _FREQUENCY = 0x0001, 0x0002, 0x0004, 0x0008
_TIME, _PHASE, _PROTOCOL, _CONTENT, _GPIO = 0x0010, 0x0020, 0x0040, 0x0080, 0x0100
_ALL_KNOWN = 0x01FF
_BEFORE = (
    (_COUNT, 1), (_RSSI, 1), (_ANTENNA, 1), (_FREQUENCY, 3), (_TIME, 4), (_PHASE, 2),
    (_PROTOCOL, 1),
)  # fmt: skip


def _record(content: bytes, at: int, *, known: int) -> tuple[ModuleTag, int]:
    """Read one tag at ``at``, and give where the next one begins."""
    if known & ~_ALL_KNOWN:
        raise ProtocolError(f"Mercury tag with unknown facts {known:04X}")
    fields: dict[int, int] = {}
    for flag, size in _BEFORE:
        if known & flag:
            fields[flag], at = _number(content, at, size), at + size
    if known & _CONTENT:
        at += 2 + (_number(content, at, 2) + 7) // 8
    at += bool(known & _GPIO)
    bits, at = _number(content, at, 2), at + 2
    if bits % 8 or at + bits // 8 > len(content):
        raise ProtocolError(f"Mercury tag of {bits} bits where {len(content) - at} bytes follow")
    pc, epc, crc_ok = split_checked_bank(content[at : at + bits // 8])
    rssi, place, phase = fields.get(_RSSI), fields.get(_ANTENNA), fields.get(_PHASE)
    tag = ModuleTag(
        epc=epc,
        pc=pc,
        rssi_dbm=None if rssi is None else rssi - (256 if rssi > 127 else 0),
        antenna=(place & 0x0F or None) if place is not None else None,
        frequency_khz=fields.get(_FREQUENCY),
        phase_deg=None if phase is None else phase % 360,
        seen_count=fields.get(_COUNT, 1),
        crc_ok=crc_ok,
    )
    return tag, at + bits // 8


def _number(content: bytes, at: int, size: int) -> int:
    if at + size > len(content):
        raise ProtocolError("Mercury tag is cut short")
    return int.from_bytes(content[at : at + size], "big")


def _encode_record(tag: ModuleTag) -> bytes:
    port = tag.antenna or 1
    bank = (tag.pc or 0).to_bytes(2, "big") + tag.epc
    return b"".join(
        (
            bytes([tag.seen_count, round(tag.rssi_dbm or 0) & 0xFF, port << 4 | port]),
            (tag.frequency_khz or 0).to_bytes(3, "big"),
            bytes(4),
            round(tag.phase_deg or 0).to_bytes(2, "big"),
            b"\x05\x00\x00\x00",
            (8 * (len(bank) + 2)).to_bytes(2, "big"),
            bank,
            tag_crc(bank).to_bytes(2, "big"),
        )
    )
