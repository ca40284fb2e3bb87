"""UBX messages that read and write a receiver's settings: CFG-VALSET, CFG-VALGET.

u-blox interface description (UBX-21031777 R02), "UBX-CFG" and "Configuration interface":
generation 9 and later. A setting's key says in bits 28 to 30 how long its value is.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.ubx.framing import Frame

CFG_VALSET, CFG_VALGET = (0x06, 0x8A), (0x06, 0x8B)
IN_RAM, IN_BATTERY_RAM, IN_FLASH = 1, 2, 4  # CFG-VALSET's layers, to be added
RAM, BATTERY_RAM, FLASH, DEFAULT = 0, 1, 2, 7  # CFG-VALGET's layer
MOST_KEYS = 64

_LENGTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}  # bytes; 1 is a single bit in a byte


class Values(NamedTuple):
    """Settings of a layer from one CFG-VALGET answer: key -> value as an unsigned number."""

    layer: int
    position: int
    values: dict[int, int]


def length_of(key: int) -> int:
    """Give the bytes a setting's value takes.

    Raises
    ------
    ProtocolError
        The key is none.
    """
    length = _LENGTHS.get(key >> 28 & 7)
    if length is None or not 0 <= key < 1 << 32:
        raise ProtocolError(f"UBX configuration key {key:#010x} says no length")
    return length


def encode_valset(values: Mapping[int, int], layers: int) -> Frame:
    """Write settings to some layers (``IN_RAM`` ...); negative values as two's complement.

    Raises
    ------
    ValueError
        There are none, more than 64, or one does not fit its key.
    ProtocolError
        A key is none.
    """
    return Frame(CFG_VALSET, bytes((0, layers, 0, 0)) + _pairs(values))


def encode_ask(keys: Iterable[int], layer: int = RAM, position: int = 0) -> Frame:
    """Ask for settings of a layer; a key that ends in 0xFFFF stands for a whole group.

    Raises
    ------
    ValueError
        There are none, or more than 64.
    """
    asked = list(keys)
    if not 1 <= len(asked) <= MOST_KEYS:
        raise ValueError(f"{len(asked)} UBX configuration keys in one message")
    head = bytes((0, layer)) + position.to_bytes(2, "little")
    return Frame(CFG_VALGET, head + b"".join(key.to_bytes(4, "little") for key in asked))


def encode_values(said: Values) -> Frame:
    """Write CFG-VALGET's answer as a receiver does (errors as `encode_valset`)."""
    head = bytes((1, said.layer)) + said.position.to_bytes(2, "little")
    return Frame(CFG_VALGET, head + _pairs(said.values))


def decode_values(payload: bytes) -> Values:
    """Read CFG-VALGET's answer.

    Raises
    ------
    ProtocolError
        It is of another version, cut short, or holds a key that is none.
    """
    if len(payload) < 4 or payload[0] != 1:
        raise ProtocolError(f"CFG-VALGET of {len(payload)} bytes is no answer of version 1")
    position = int.from_bytes(payload[2:4], "little")
    return Values(payload[1], position, _decode_pairs(payload[4:]))


def decode_valset(payload: bytes) -> tuple[int, dict[int, int]]:
    """Read CFG-VALSET as a receiver does: layers, and settings.

    Raises
    ------
    ProtocolError
        It is of an unknown version, cut short, or holds a key that is none.
    """
    if len(payload) < 4 or payload[0] > 1:
        raise ProtocolError(f"CFG-VALSET of {len(payload)} bytes")
    return payload[1], _decode_pairs(payload[4:])


def decode_ask(payload: bytes) -> tuple[int, tuple[int, ...]]:
    """Read the question of CFG-VALGET as a receiver does: layer, and keys.

    Raises
    ------
    ProtocolError
        It is no question, or cut short.
    """
    if len(payload) < 8 or payload[0] != 0 or len(payload) % 4:
        raise ProtocolError(f"CFG-VALGET of {len(payload)} bytes is no question")
    keys = range(4, len(payload), 4)
    return payload[1], tuple(int.from_bytes(payload[at : at + 4], "little") for at in keys)


def _pairs(values: Mapping[int, int]) -> bytes:
    if not 1 <= len(values) <= MOST_KEYS:
        raise ValueError(f"{len(values)} UBX settings in one message")
    content = b""
    for key, value in values.items():
        length = length_of(key)
        try:
            content += key.to_bytes(4, "little") + value.to_bytes(length, "little")
        except OverflowError as error:
            raise ValueError(f"{value} does not fit UBX setting {key:#010x}") from error
    return content


def _decode_pairs(content: bytes) -> dict[int, int]:
    values: dict[int, int] = {}
    at = 0
    while at < len(content):
        key = int.from_bytes(content[at : at + 4], "little")
        length = length_of(key)
        if at + 4 + length > len(content):
            raise ProtocolError("UBX settings are cut short")
        values[key] = int.from_bytes(content[at + 4 : at + 4 + length], "little")
        at += 4 + length
    return values
