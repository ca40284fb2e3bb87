"""The M100 family (M100, QM100, YRM100, R200): frames ``BB type command length payload sum 7E``.

As the chip's public command descriptions and captured frames have it: the length is two bytes, big
endian; the sum is that of all bytes from type to payload, modulo 256. ``BB`` and ``7E`` occur
inside payloads, so frames are found by their length, never by their ends. 115,200 bits a second.
"""

from enum import IntEnum
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial.framing import NOT_HERE, FrameBuffer
from aerocast_protocols.uhf_serial.tags import ModuleTag, split_checked_bank, tag_crc

BAUD = 115_200
HEAD, END = 0xBB, 0x7E
COMMAND, REPLY, NOTIFICATION = 0, 1, 2
LONGEST_PAYLOAD = 512  # a tag's longest bank is 66 bytes; ours, in bytes
_AROUND = 7  # head, type, command, length (2), sum, end

NO_TAG = 0x15
ERRORS = {
    0x09: "no tag answered the read", 0x10: "no tag answered the write",
    0x13: "no tag answered the lock", 0x15: "no tag", 0x16: "wrong access password",
    0x17: "unknown command", 0x20: "no free channel",
}  # fmt: skip
REGIONS = {0x01: "china", 0x02: "fcc", 0x03: "etsi", 0x04: "china_800", 0x06: "korea"}


# Region -> first channel and spacing in kHz, number of channels.
CHANNELS = {
    "china": (920_125, 250, 20), "fcc": (902_250, 500, 52), "etsi": (865_100, 200, 15),
    "china_800": (840_125, 250, 20), "korea": (917_100, 200, 32),
}  # fmt: skip
ON, OFF = b"\xff", b"\0"


class Command(IntEnum):
    """What a module may be asked for."""

    VERSION = 0x03
    SET_REGION = 0x07
    GET_REGION = 0x08
    GET_QUERY = 0x0D
    SET_QUERY = 0x0E
    SINGLE_POLL = 0x22
    MULTI_POLL = 0x27
    STOP = 0x28
    SET_CHANNEL = 0xAB
    SET_HOPPING = 0xAD
    SET_POWER = 0xB6
    GET_POWER = 0xB7
    ERROR = 0xFF


class Query(NamedTuple):
    """How a round begins: Gen2 session, slot count 2^q, and the two bytes they are part of."""

    session: int
    q: int
    content: int = 0x1020


class Frame(NamedTuple):
    """One frame; ``command`` may be one that `Command` does not list."""

    type: int
    command: int
    payload: bytes


def measure(received: bytearray, at: int) -> int:
    """Say whether a frame begins there; see `FrameBuffer`."""
    if received[at] != HEAD:
        return NOT_HERE
    if len(received) - at < 5:
        return 0 if len(received) - at < 2 or received[at + 1] <= NOTIFICATION else NOT_HERE
    length = received[at + 3] << 8 | received[at + 4]
    if received[at + 1] > NOTIFICATION or length > LONGEST_PAYLOAD:
        return NOT_HERE
    size = length + _AROUND
    if len(received) - at < size:
        return 0
    end = at + size - 1
    right = received[end] == END and sum(received[at + 1 : end - 1]) & 0xFF == received[end - 1]
    return size if right else NOT_HERE


def frame_buffer() -> FrameBuffer:
    """Make a buffer that finds this family's frames."""
    return FrameBuffer(measure)


def decode_frame(frame: bytes) -> Frame:
    """Read exactly one frame.

    Raises
    ------
    ProtocolError
        It is none, or its sum is wrong.
    """
    if not frame or measure(bytearray(frame), 0) != len(frame):
        raise ProtocolError(f"{frame[:16].hex()} is no M100 frame")
    return Frame(frame[1], frame[2], frame[5:-2])


def encode_frame(frame: Frame) -> bytes:
    """Write one frame.

    Raises
    ------
    ProtocolError
        The payload is too long.
    """
    if len(frame.payload) > LONGEST_PAYLOAD:
        raise ProtocolError(f"M100 payload of {len(frame.payload)} bytes is too long")
    body = bytes([frame.type, frame.command]) + len(frame.payload).to_bytes(2, "big")
    body += frame.payload
    return bytes([HEAD]) + body + bytes([sum(body) & 0xFF, END])


def command(kind: Command, payload: bytes = b"") -> bytes:
    """Write a command."""
    return encode_frame(Frame(COMMAND, kind, payload))


def multi_poll(rounds: int = 0xFFFF) -> bytes:
    """Write the command to read again and again, 1 to 65,535 rounds."""
    return command(Command.MULTI_POLL, b"\x22" + rounds.to_bytes(2, "big"))


def is_tag(frame: Frame) -> bool:
    """Say whether a frame brings a tag."""
    return frame.type == NOTIFICATION and frame.command == Command.SINGLE_POLL


def error_of(frame: Frame) -> int | None:
    """Give a frame's error code, None when it is no error; ``NO_TAG`` is one of them."""
    if frame.type == REPLY and frame.command == Command.ERROR and frame.payload:
        return frame.payload[0]
    return None


def decode_tag(frame: Frame) -> ModuleTag:
    """Read a tag: RSSI (dBm, signed), PC word, EPC, the tag's CRC.

    Raises
    ------
    ProtocolError
        It is no such frame, or the EPC's length is not what the PC word says.
    """
    if not is_tag(frame) or not frame.payload:
        raise ProtocolError(f"M100 frame {frame.command:02X} brings no tag")
    pc, epc, crc_ok = split_checked_bank(frame.payload[1:])
    rssi_dbm = int.from_bytes(frame.payload[:1], "big", signed=True)
    return ModuleTag(epc=epc, pc=pc, rssi_dbm=rssi_dbm, antenna=1, crc_ok=crc_ok)


def encode_tag(epc: bytes, pc: int, rssi_dbm: int) -> bytes:
    """Write the notification of a tag."""
    bank = pc.to_bytes(2, "big") + epc
    payload = rssi_dbm.to_bytes(1, "big", signed=True) + bank + tag_crc(bank).to_bytes(2, "big")
    return encode_frame(Frame(NOTIFICATION, Command.SINGLE_POLL, payload))


def encode_power(power_dbm: float) -> bytes:
    """Write a power as payload: hundredths of dBm.

    Raises
    ------
    ProtocolError
        It does not fit.
    """
    if not 0 <= power_dbm <= 655:
        raise ProtocolError(f"{power_dbm} dBm is no power of a module")
    return round(power_dbm * 100).to_bytes(2, "big")


def decode_power(payload: bytes) -> float:
    """Read a power, dBm.

    Raises
    ------
    ProtocolError
        The payload is not two bytes.
    """
    if len(payload) != 2:
        raise ProtocolError(f"M100 power of {len(payload)} bytes")
    return int.from_bytes(payload, "big", signed=True) / 100


def decode_query(payload: bytes) -> Query:
    """Read how rounds begin: DR, M (2), TRext, Sel (2), session (2), target, Q (4), three bits.

    Raises
    ------
    ProtocolError
        The payload is not two bytes.
    """
    if len(payload) != 2:
        raise ProtocolError(f"M100 query of {len(payload)} bytes")
    content = int.from_bytes(payload, "big")
    return Query(content >> 8 & 3, content >> 3 & 15, content)


def encode_query(query: Query) -> bytes:
    """Write how rounds shall begin; all but session and Q is kept as in ``content``."""
    kept = query.content & ~(3 << 8 | 15 << 3)
    return (kept | (query.session & 3) << 8 | (query.q & 15) << 3).to_bytes(2, "big")


def encode_channel(region: str, channel_khz: int) -> bytes:
    """Write the number of a region's channel.

    Raises
    ------
    ProtocolError
        The region has no such channel.
    """
    first_khz, step_khz, count = CHANNELS.get(region, (0, 1, 0))
    number, off = divmod(channel_khz - first_khz, step_khz)
    if off or not 0 <= number < count:
        raise ProtocolError(f"M100 modules have no channel {channel_khz} kHz in region {region}")
    return bytes([number])
