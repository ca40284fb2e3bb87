"""The Indy R2000 family, protocol 'A0': frames ``A0 length address command content check``.

As the makers' public protocol descriptions (V3.x) and captured frames have it: the length counts
all bytes behind it, and a whole frame sums to 0 modulo 256. The RSSI of a tag is raw; the makers'
table is dBm = raw - 129, which was not checked with a signal generator. 115,200 bits a second.
"""

from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial.framing import NOT_HERE, FrameBuffer
from aerocast_protocols.uhf_serial.tags import ModuleTag, split_bank

BAUD = 115_200
HEAD = 0xA0
ANY_ADDRESS = 0xFF
FIRST_ADDRESS = 0x01
_SHORTEST, _LONGEST = 3, 255  # address, command, check
_RSSI_OFFSET_DB = 129
_END_BYTES = 7  # of an inventory's last frame: antenna, reads a second (2), reads (4)
_OTHER_GROUP = 0x80  # of the RSSI's byte: antennas 5 to 8

SUCCESS, ANTENNA_MISSING, NO_TAG = 0x10, 0x22, 0x36
ERRORS = {
    0x11: "failed", 0x20: "processor reset", 0x21: "carrier not switched on",
    0x22: "antenna missing", 0x23: "flash not written", 0x24: "flash not read",
    0x25: "power not set", 0x31: "inventory failed", 0x36: "no tag", 0x38: "buffer empty",
    0x41: "wrong parameter", 0x48: "antenna out of range", 0x49: "frequency region out of range",
    0x4A: "power out of range", 0x53: "return loss not measured", 0x54: "power not reached",
}  # fmt: skip
REGIONS = {0x01: "fcc", 0x02: "etsi", 0x03: "china"}
# First and last channel of a region, in the module's own numbering; under FCC rules without the two
# that would reach over the band's ends.
SPANS = {"fcc": (0x08, 0x3A), "china": (0x2B, 0x35)}
# The module's own European channels are not those of EN 302 208: they are named one by one.
ETSI_KHZ = (865_700, 866_300, 866_900, 867_500)
_NAMED_ONE_BY_ONE = 0x04
_BANDS_KHZ = {"etsi": (865_000, 868_000), "fcc": (902_000, 928_000)}


class Command(IntEnum):
    """What a module may be asked for."""

    VERSION = 0x72
    SET_ANTENNA = 0x74
    GET_ANTENNA = 0x75
    SET_POWER = 0x76
    GET_POWER = 0x77
    SET_REGION = 0x78
    GET_REGION = 0x79
    TEMPERATURE = 0x7B
    INVENTORY = 0x89
    SESSION_INVENTORY = 0x8B
    GET_POWER_OF_EIGHT = 0x97


_INVENTORIES = frozenset({Command.INVENTORY, Command.SESSION_INVENTORY})


class Frame(NamedTuple):
    """One frame; ``command`` may be one that `Command` does not list."""

    address: int
    command: int
    content: bytes


class InventoryEnd(NamedTuple):
    """What closes an inventory: how many reads a second, and how many in all."""

    antenna: int
    reads_per_s: int
    reads: int


def measure(received: bytearray, at: int) -> int:
    """Say whether a frame begins there; see `FrameBuffer`."""
    if received[at] != HEAD:
        return NOT_HERE
    if len(received) - at < 2:
        return 0
    length = received[at + 1]
    if length < _SHORTEST:
        return NOT_HERE
    size = length + 2
    if len(received) - at < size:
        return 0
    return NOT_HERE if sum(received[at : at + size]) & 0xFF else size


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
        raise ProtocolError(f"{frame[:16].hex()} is no A0 frame")
    return Frame(frame[2], frame[3], frame[4:-1])


def encode_frame(frame: Frame) -> bytes:
    """Write one frame.

    Raises
    ------
    ProtocolError
        The content is too long.
    """
    length = len(frame.content) + _SHORTEST
    if length > _LONGEST:
        raise ProtocolError(f"A0 content of {len(frame.content)} bytes is too long")
    body = bytes([HEAD, length, frame.address, frame.command]) + frame.content
    return body + bytes([-sum(body) & 0xFF])


def command(kind: Command, content: bytes = b"", address: int = FIRST_ADDRESS) -> bytes:
    """Write a command."""
    return encode_frame(Frame(address, kind, content))


def error_of(frame: Frame) -> int | None:
    """Give what an answer of one byte says: ``SUCCESS`` or an error; None for longer ones.

    A `Command.VERSION`, `Command.GET_ANTENNA` or `Command.GET_POWER` answered in one byte may be a
    value as well: whoever asked knows.
    """
    return frame.content[0] if len(frame.content) == 1 else None


def is_tag(frame: Frame) -> bool:
    """Say whether a frame brings a tag."""
    return frame.command in _INVENTORIES and len(frame.content) not in {0, 1, 2, _END_BYTES}


def decode_inventory_end(frame: Frame) -> InventoryEnd | None:
    """Read an inventory's last frame; None when it is none."""
    if frame.command not in _INVENTORIES or len(frame.content) != _END_BYTES:
        return None
    content = frame.content
    return InventoryEnd(
        content[0] + 1, int.from_bytes(content[1:3], "big"), int.from_bytes(content[3:], "big")
    )


def decode_tag(frame: Frame) -> ModuleTag:
    """Read a tag: frequency and antenna, PC word, EPC, RSSI. The frame does not carry its CRC.

    Raises
    ------
    ProtocolError
        It is no such frame, or the EPC's length is not what the PC word says.
    """
    if not is_tag(frame):
        raise ProtocolError(f"A0 frame {frame.command:02X} brings no tag")
    place, raw = frame.content[0], frame.content[-1]
    pc, epc = split_bank(frame.content[1:-1])
    return ModuleTag(
        epc=epc,
        pc=pc,
        rssi_dbm=(raw & 0x7F) - _RSSI_OFFSET_DB,
        antenna=(place & 3) + 1 + (4 if raw & _OTHER_GROUP else 0),
        channel=place >> 2,
    )


def encode_tag(tag: ModuleTag, address: int = FIRST_ADDRESS) -> bytes:
    """Write what a module says of a tag; needs ``pc``, ``rssi_dbm`` and ``antenna``.

    Raises
    ------
    ProtocolError
        One of them is missing or out of range.
    """
    if tag.pc is None or tag.rssi_dbm is None or tag.antenna is None:
        raise ProtocolError("an A0 tag has PC word, RSSI and antenna")
    raw = round(tag.rssi_dbm) + _RSSI_OFFSET_DB
    if not (0 <= raw < _OTHER_GROUP and 1 <= tag.antenna <= 8 and 0 <= (tag.channel or 0) < 64):
        raise ProtocolError(f"A0 tag at {tag.rssi_dbm} dBm, antenna {tag.antenna}: out of range")
    group, port = divmod(tag.antenna - 1, 4)
    place = (tag.channel or 0) << 2 | port
    content = bytes([place]) + tag.pc.to_bytes(2, "big") + tag.epc
    return encode_frame(
        Frame(address, Command.INVENTORY, content + bytes([raw | (_OTHER_GROUP if group else 0)]))
    )


def encode_inventory_end(end: InventoryEnd, address: int = FIRST_ADDRESS) -> bytes:
    """Write an inventory's last frame."""
    content = bytes([end.antenna - 1]) + end.reads_per_s.to_bytes(2, "big")
    return encode_frame(Frame(address, Command.INVENTORY, content + end.reads.to_bytes(4, "big")))


def decode_powers(content: bytes) -> tuple[int, ...]:
    """Read powers, dBm: one for all antennas, or one each.

    Raises
    ------
    ProtocolError
        They are not 1, 4 or 8, or above 33 dBm.
    """
    if len(content) not in {1, 4, 8} or max(content) > 33:
        raise ProtocolError(f"A0 powers {content.hex()} are impossible")
    return tuple(content)


class Region(NamedTuple):
    """Where a module transmits; ``name`` is None where it is none of ours."""

    name: str | None
    channels_khz: tuple[int, ...]


def decode_region(content: bytes) -> Region:
    """Read the answer to `Command.GET_REGION`.

    Raises
    ------
    ProtocolError
        It is none.
    """
    if len(content) == 3 and content[0] in REGIONS and content[1] <= content[2] <= 0x3B:
        numbers = range(content[1], content[2] + 1)
        return Region(REGIONS[content[0]], tuple(_khz(number) for number in numbers))
    if len(content) == 6 and content[0] == _NAMED_ONE_BY_ONE:
        step_khz, start_khz = 10 * content[1], int.from_bytes(content[3:], "big")
        channels = tuple(start_khz + number * step_khz for number in range(content[2]))
        inside = (
            name
            for name, (lowest, highest) in _BANDS_KHZ.items()
            if channels and lowest < min(channels) and max(channels) < highest
        )
        return Region(next(inside, None), channels)
    raise ProtocolError(f"A0 region {content.hex()} is none")


def encode_region(region: str) -> bytes:
    """Write a region, as `Command.SET_REGION` takes it.

    Raises
    ------
    ProtocolError
        The family does not know the region.
    """
    if region == "etsi":
        return encode_channels(ETSI_KHZ)
    for code, name in REGIONS.items():
        if name == region:
            return bytes([code, *SPANS[region]])
    raise ProtocolError(f"R2000 modules know no region {region!r}")


def encode_channels(channels_khz: tuple[int, ...]) -> bytes:
    """Write channels, as `Command.SET_REGION` takes them.

    Raises
    ------
    ProtocolError
        They are not evenly spaced by a multiple of 10 kHz, up to 2,550 kHz.
    """
    channels = sorted(set(channels_khz))
    steps = {after - before for before, after in pairwise(channels)}
    step_khz = steps.pop() if len(steps) == 1 else 500
    fits = channels and not steps and step_khz % 10 == 0 and step_khz <= 2550
    if not fits or len(channels) > 255 or not 0 < channels[0] < 1 << 24:
        raise ProtocolError(f"R2000 modules take evenly spaced channels, not {channels_khz}")
    start = channels[0].to_bytes(3, "big")
    return bytes([_NAMED_ONE_BY_ONE, step_khz // 10, len(channels)]) + start


def _khz(number: int) -> int:
    """Give the frequency of one of the module's own channels."""
    return 865_000 + 500 * number if number < 7 else 902_000 + 500 * (number - 7)
