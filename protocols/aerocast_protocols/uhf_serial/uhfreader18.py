"""The UHFReader18 protocol (Chafon and others): frames ``length address command content crc``.

As the maker's public manual (V2.0) has it: the length counts all bytes behind it; answers carry a
status before their content; the CRC-16 (poly 8408, FFFF in, nothing out) has its low byte first.
Tags come without RSSI, antenna and CRC. 57,600 bits a second.
"""

from enum import IntEnum
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial.framing import NOT_HERE, FrameBuffer
from aerocast_protocols.uhf_serial.tags import ModuleTag

BAUD = 57_600
ANY_ADDRESS = 0xFF
_SHORTEST = 4  # address, command, CRC
_LONGEST = 255
_INFO_BYTES = 8
_LONGEST_EPC = 62

OK, MORE_FOLLOW, ANTENNA_FAULT, NO_TAG = 0x00, 0x03, 0xF8, 0xFB
_WITH_TAGS = frozenset({0x01, 0x02, MORE_FOLLOW, 0x04})
ERRORS = {
    0x05: "wrong access password", 0xF8: "antenna fault", 0xF9: "command failed",
    0xFA: "poor contact to the tag", 0xFB: "no tag", 0xFC: "the tag refused",
    0xFD: "wrong length of a command", 0xFE: "unknown command", 0xFF: "wrong parameter",
}  # fmt: skip
# Band -> region: two bits in the highest frequency's byte, two in the lowest's.
REGIONS = {0: "user", 1: "china", 2: "fcc", 3: "korea", 4: "etsi"}
# Region -> first channel and spacing in kHz, number of channels.
_CHANNELS = {
    "china": (920_125, 250, 20), "fcc": (902_750, 500, 50),
    "korea": (917_100, 200, 32), "etsi": (865_100, 200, 15), "user": (902_600, 400, 63),
}  # fmt: skip


class Command(IntEnum):
    """What a module may be asked for."""

    INVENTORY = 0x01
    INFO = 0x21
    SET_REGION = 0x22
    SET_SCAN_TIME = 0x25
    SET_POWER = 0x2F


class Frame(NamedTuple):
    """One frame; an answer's content begins with its status."""

    address: int
    command: int
    content: bytes


class Info(NamedTuple):
    """What a module says of itself.

    Attributes
    ----------
    firmware
        ``major.minor``.
    region
        Of `REGIONS`; None when the band is none of them.
    lowest, highest
        First and last channel of the region, from 0.
    scan_time_s
        How long an inventory may take.
    """

    firmware: str
    type: int
    region: str | None
    power_dbm: int
    scan_time_s: float
    lowest: int = 0
    highest: int = 0

    @property
    def channels_khz(self) -> tuple[int, ...]:
        """Give the channels it hops on."""
        if self.region is None:
            return ()
        first_khz, step_khz, _ = _CHANNELS[self.region]
        return tuple(first_khz + n * step_khz for n in range(self.lowest, self.highest + 1))


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
        entries.append(crc)
    return tuple(entries)


_CRC = _table()


def checksum(content: bytes | bytearray) -> int:
    """Give the CRC-16 of a frame without its CRC; 0 for a whole one."""
    crc = 0xFFFF
    for byte in content:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def measure(received: bytearray, at: int) -> int:
    """Say whether a frame begins there; see `FrameBuffer`."""
    if received[at] < _SHORTEST:
        return NOT_HERE
    size = received[at] + 1
    if len(received) - at < size:
        return 0
    return NOT_HERE if checksum(received[at : at + size]) else size


def frame_buffer() -> FrameBuffer:
    """Make a buffer that finds this family's frames."""
    return FrameBuffer(measure)


def decode_frame(frame: bytes) -> Frame:
    """Read exactly one frame.

    Raises
    ------
    ProtocolError
        It is none, or its CRC is wrong.
    """
    if not frame or measure(bytearray(frame), 0) != len(frame):
        raise ProtocolError(f"{frame[:16].hex()} is no UHFReader18 frame")
    return Frame(frame[1], frame[2], frame[3:-2])


def encode_frame(frame: Frame) -> bytes:
    """Write one frame.

    Raises
    ------
    ProtocolError
        The content is too long.
    """
    length = len(frame.content) + _SHORTEST
    if length > _LONGEST:
        raise ProtocolError(f"UHFReader18 content of {len(frame.content)} bytes is too long")
    body = bytes([length, frame.address, frame.command]) + frame.content
    return body + checksum(body).to_bytes(2, "little")


def command(kind: Command, content: bytes = b"", address: int = ANY_ADDRESS) -> bytes:
    """Write a command."""
    return encode_frame(Frame(address, kind, content))


def status_of(answer: Frame) -> int:
    """Give an answer's status.

    Raises
    ------
    ProtocolError
        It has none: it is a command.
    """
    if not answer.content:
        raise ProtocolError(f"UHFReader18 answer to {answer.command:02X} without a status")
    return answer.content[0]


def decode_tags(answer: Frame) -> tuple[ModuleTag, ...]:
    """Read an inventory's answer: how many, then each EPC behind its length.

    Raises
    ------
    ProtocolError
        It is none, or its lengths do not fit.
    """
    status = status_of(answer)
    if answer.command != Command.INVENTORY or (status not in _WITH_TAGS and status != NO_TAG):
        raise ProtocolError(f"UHFReader18 answer to {answer.command:02X}, status {status:02X}")
    if status == NO_TAG:
        return ()
    count, rest = answer.content[1:2], answer.content[2:]
    tags = []
    while rest:
        length = rest[0]
        if not 1 <= length <= min(_LONGEST_EPC, len(rest) - 1):
            raise ProtocolError(f"UHFReader18 tag of {length} bytes where {len(rest) - 1} follow")
        tags.append(ModuleTag(epc=rest[1 : 1 + length], antenna=1))
        rest = rest[1 + length :]
    if bytes([len(tags)]) != count:
        raise ProtocolError(f"UHFReader18 inventory announces {count.hex()} tags, has {len(tags)}")
    return tuple(tags)


def encode_tags(epcs: list[bytes], status: int = 0x01, address: int = 0) -> bytes:
    """Write an inventory's answer."""
    content = bytes([status, len(epcs)]) + b"".join(bytes([len(each)]) + each for each in epcs)
    return encode_frame(Frame(address, Command.INVENTORY, content))


def decode_info(answer: Frame) -> Info:
    """Read what a module says of itself.

    Raises
    ------
    ProtocolError
        It is no such answer.
    """
    if (
        answer.command != Command.INFO
        or len(answer.content) != 1 + _INFO_BYTES
        or status_of(answer)
    ):
        raise ProtocolError(f"UHFReader18 answer {answer.content[:16].hex()} is no description")
    major, minor, kind, _, highest, lowest, power_dbm, scan_time = answer.content[1:]
    band = (highest >> 6) << 2 | lowest >> 6
    return Info(
        firmware=f"{major}.{minor}",
        type=kind,
        region=REGIONS.get(band),
        power_dbm=power_dbm,
        scan_time_s=scan_time / 10,
        lowest=lowest & 0x3F,
        highest=highest & 0x3F,
    )


def encode_info(info: Info, address: int = 0) -> bytes:
    """Write what a module says of itself."""
    major, minor = map(int, info.firmware.split("."))
    highest, lowest = _span(info.region or "etsi", info.lowest, info.highest)
    content = bytes([OK, major, minor, info.type, 0x02, highest, lowest, info.power_dbm])
    return encode_frame(
        Frame(address, Command.INFO, content + bytes([round(info.scan_time_s * 10)]))
    )


def encode_region(region: str) -> bytes:
    """Write a region with all its channels, as `Command.SET_REGION` takes it.

    Raises
    ------
    ProtocolError
        The family does not know the region.
    """
    if region not in _CHANNELS or region == "user":
        raise ProtocolError(f"UHFReader18 modules know no region {region!r}")
    return _span(region, 0, _CHANNELS[region][2] - 1)


def encode_channels(channels_khz: tuple[int, ...]) -> bytes:
    """Write channels, as `Command.SET_REGION` takes them.

    Raises
    ------
    ProtocolError
        They are not neighbours in one region.
    """
    channels = sorted(set(channels_khz))
    for region, (first_khz, step_khz, count) in _CHANNELS.items():
        numbers = [(channel - first_khz) // step_khz for channel in channels]
        on_grid = all((channel - first_khz) % step_khz == 0 for channel in channels)
        if not on_grid or not numbers or numbers[0] < 0 or numbers[-1] >= count:
            continue
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            return _span(region, numbers[0], numbers[-1])
    raise ProtocolError(f"UHFReader18 modules take neighbouring channels, not {channels_khz}")


def _span(region: str, lowest: int, highest: int) -> bytes:
    band = next(number for number, name in REGIONS.items() if name == region)
    return bytes([(band >> 2) << 6 | highest, (band & 3) << 6 | lowest])
