"""Advertising data: a row of (length, type, data), Bluetooth Core 5.4 Vol 3 Part C §11.

What follows a zero length is padding. Types come from the Assigned Numbers, §2.3.
"""

from collections.abc import Iterator

import msgspec

from aerocast_protocols.errors import ProtocolError

LONGEST = 1650
"""Extended advertising, chained (Core 5.4 Vol 4 Part E §7.8.54)."""
SHORT_NAME, NAME, TX_POWER, SERVICE_DATA_16, MANUFACTURER = 0x08, 0x09, 0x0A, 0x16, 0xFF


class Advertisement(msgspec.Struct, frozen=True, kw_only=True):
    """What an advertisement carries, as far as beacons use it.

    Attributes
    ----------
    manufacturer
        Company identifier -> its data.
    service
        16-bit service -> its data.
    """

    manufacturer: dict[int, bytes] = {}
    service: dict[int, bytes] = {}
    name: str | None = None
    tx_power_dbm: int | None = None


def decode_advertisement(data: bytes) -> Advertisement:
    """Read advertising data.

    Raises
    ------
    ProtocolError
        A part is cut, or all of it is longer than can be.
    """
    manufacturer: dict[int, bytes] = {}
    service: dict[int, bytes] = {}
    name, tx_power_dbm = None, None
    for kind, content in _parts(data):
        if kind == MANUFACTURER and len(content) >= 2:
            manufacturer[int.from_bytes(content[:2], "little")] = content[2:]
        elif kind == SERVICE_DATA_16 and len(content) >= 2:
            service[int.from_bytes(content[:2], "little")] = content[2:]
        elif kind in {SHORT_NAME, NAME}:
            name = content.decode("utf-8", "replace")
        elif kind == TX_POWER and len(content) == 1:
            tx_power_dbm = int.from_bytes(content, "big", signed=True)
    return Advertisement(
        manufacturer=manufacturer, service=service, name=name, tx_power_dbm=tx_power_dbm
    )


def encode_part(kind: int, content: bytes) -> bytes:
    """Write one part.

    Raises
    ------
    ValueError
        It does not fit in 254 bytes.
    """
    return bytes((len(content) + 1, kind)) + content


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    if len(data) > LONGEST:
        raise ProtocolError(f"advertising data of {len(data)} bytes is over {LONGEST}")
    at = 0
    while at < len(data) and data[at]:
        end = at + 1 + data[at]
        if end > len(data):
            raise ProtocolError(f"advertising data is cut: a part of {data[at]} bytes at {at}")
        yield data[at + 1], data[at + 2 : end]
        at = end
