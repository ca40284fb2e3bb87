"""Vaisala WXT510, 520 and 530 weather transmitters: their ASCII messages (user's guide M210906).

A line such as ``0R0,Dm=236D,Sm=1.8M,Ta=21.4C,Pa=1013.2H``: address, message, values. The letter
behind a value is its unit, ``#`` says that it is not valid. With a small letter (``0r0``) the line
ends in three characters of checksum.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from aerocast_protocols.errors import ProtocolError

LONGEST_LINE = 512
_HEAD = re.compile(rb"([0-9A-Za-z])([Rr])([0-5])(?:,|\Z)")
_VALUE = re.compile(rb"([A-Z][a-z])=(-?[0-9]+(?:\.[0-9]*)?|-?\.[0-9]+|)([A-Za-z#])\Z")


class WxtMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What one line says; None where it says nothing, or that a value is not valid.

    Attributes
    ----------
    wind_direction_deg, wind_speed_mps, wind_gust_mps
        Mean direction and speed, highest speed.
    rain_total_mm
        Since its counter was reset.
    supply_v, heating_v
        Of the supervisor message.
    invalid
        Names of values marked not valid.
    """

    address: str
    number: int
    wind_direction_deg: float | None = None
    wind_speed_mps: float | None = None
    wind_gust_mps: float | None = None
    temperature_c: float | None = None
    humidity_percent: float | None = None
    pressure_hpa: float | None = None
    rain_total_mm: float | None = None
    rain_mm_per_h: float | None = None
    supply_v: float | None = None
    heating_v: float | None = None
    invalid: tuple[str, ...] = ()


class _Meaning(NamedTuple):
    """Which field a value is, by how much its units are multiplied, and between which bounds."""

    field: str
    units: dict[str, float]
    lowest: float
    highest: float


_SPEED = {"M": 1.0, "K": 1 / 3.6, "S": 0.44704, "N": 1852 / 3600}
_MEANINGS = {
    "Dm": _Meaning("wind_direction_deg", {"D": 1.0}, 0, 360),
    "Sm": _Meaning("wind_speed_mps", _SPEED, 0, 150),
    "Sx": _Meaning("wind_gust_mps", _SPEED, 0, 150),
    "Ta": _Meaning("temperature_c", {"C": 1.0, "F": 1.0}, -90, 70),
    "Ua": _Meaning("humidity_percent", {"P": 1.0}, 0, 100),
    "Pa": _Meaning(
        "pressure_hpa", {"H": 1.0, "P": 0.01, "B": 1000.0, "M": 1.33322, "I": 33.8639}, 400, 1200
    ),
    "Rc": _Meaning("rain_total_mm", {"M": 1.0, "I": 25.4}, 0, 1e6),
    "Ri": _Meaning("rain_mm_per_h", {"M": 1.0, "I": 25.4}, 0, 2000),
    "Vs": _Meaning("supply_v", {"V": 1.0}, 0, 60),
    "Vh": _Meaning(
        "heating_v", dict.fromkeys("VNWFT", 1.0), 0, 60
    ),  # its letter tells heating's state
}


class WxtBuffer:
    """Collects bytes as they arrive and gives out whole lines, without their end.

    Attributes
    ----------
    damaged
        Lines that were longer than any can be.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self._skipping = False
        self.damaged = 0

    def feed(self, received: bytes) -> None:
        """Add bytes read from the transmitter."""
        self._received += received

    def lines(self) -> Iterator[bytes]:
        """Give out every line received whole, oldest first; empty ones are passed over."""
        while (end := self._received.find(b"\n")) >= 0:
            line = bytes(self._received[:end]).rstrip(b"\r")
            del self._received[: end + 1]
            if self._skipping or len(line) > LONGEST_LINE:
                self.damaged += not self._skipping
                self._skipping = False
            elif line:
                yield line
        if len(self._received) > LONGEST_LINE:
            self.damaged += not self._skipping
            self._skipping = True
            self._received.clear()


def decode_wxt(line: bytes) -> WxtMessage | None:
    """Read a line; None when it is an answer of another kind, such as to a setting.

    Raises
    ------
    ProtocolError
        Its checksum is wrong, or it holds what is no value.
    """
    head = _HEAD.match(line)
    if head is None:
        return None
    if head[2] == b"r":
        if len(line) < 6 or checksum(line[:-3]) != line[-3:]:
            raise ProtocolError(f"WXT line {line[:40]!r}: its checksum is wrong")
        line = line[:-3]
    known: dict[str, float] = {}
    invalid: list[str] = []
    for text in filter(None, line[head.end() :].split(b",")):
        value = _VALUE.match(text)
        if value is None:
            raise ProtocolError(f"WXT line {line[:40]!r}: {text[:20]!r} is no value")
        name, unit = value[1].decode(), value[3].decode()
        if unit == "#" or not value[2]:
            invalid.append(name)
        elif (meaning := _MEANINGS.get(name)) is not None:
            known[meaning.field] = _converted(name, float(value[2]), unit, meaning)
    return WxtMessage(
        address=head[1].decode(), number=int(head[3]), invalid=tuple(invalid), **known
    )


def poll(address: str = "0", number: int = 0) -> bytes:
    """Give the command that asks for a message; 0 asks for all values at once."""
    return f"{address}R{number}\r\n".encode()


def checksum(content: bytes) -> bytes:
    """Give the three characters that follow a line (CRC-16 of SDI-12 1.4, section 4.4.12)."""
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return bytes([0x40 | crc >> 12, 0x40 | crc >> 6 & 0x3F, 0x40 | crc & 0x3F])


def _converted(name: str, value: float, unit: str, meaning: _Meaning) -> float:
    factor = meaning.units.get(unit)
    if factor is None:
        raise ProtocolError(f"WXT value {name} has the unknown unit {unit!r}")
    value = (value - 32) / 1.8 if name == "Ta" and unit == "F" else value * factor
    if not meaning.lowest <= value <= meaning.highest:
        raise ProtocolError(f"WXT value {name} of {value:g} is impossible")
    return round(value, 6) % 360 if name == "Dm" else round(value, 6)
