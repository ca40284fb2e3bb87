"""The 2D bag tag: a QR code with licence plate, UUID and flights, after ``IATALP``.

"IATA Draft for 2D Barcoded Bag Tag" (H. Martiker, Fraport, CC0, 2025-01-09): a header of 8 bits,
the plate in BCD, the UUID, 88 bits for each flight leg; written in Base45 (RFC 9285). It is a
draft: the legs of its own published example do not follow its table. Such a leg is given as None.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec

from aerocast_protocols.errors import ProtocolError

PREFIX = "IATALP"
MOST_LEGS = 8
NEWEST_VERSION = 1

_BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_LETTERS = " ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS_AND_DIGITS = _LETTERS + "0123456789"
_PLATE = re.compile(r"[0-9]{10}\Z", re.ASCII)
_AIRPORT = re.compile(r"[A-Z]{3}\Z", re.ASCII)
_DESIGNATOR = re.compile(r"[A-Z]{2}[A-Z0-9]?\Z", re.ASCII)
# Widths of a leg's fields in bits: designator's three characters, flight, year, month, day - 1,
# three letters for each airport, and a reserve.
_LEG_BITS = (5, 5, 6, 14, 14, 4, 5, 5, 5, 5, 5, 5, 5, 5)
_LEG_BYTES = sum(_LEG_BITS) // 8


class BagLeg(NamedTuple):
    """One flight of a bag; ``designator`` has two letters, or three characters."""

    designator: str
    flight_number: int
    date: date
    departure_airport: str
    arrival_airport: str


class BagQr(msgspec.Struct, frozen=True, kw_only=True):
    """What a 2D bag tag says.

    Attributes
    ----------
    version
        Of the draft, 0 or 1.
    licence_plate, uuid
        None where the tag has none.
    legs
        One to eight; None in place of one that is impossible.
    """

    version: int
    licence_plate: str | None
    uuid: UUID | None
    legs: tuple[BagLeg | None, ...]


def decode_bag_qr(text: str) -> BagQr:
    """Read the text of a 2D bag tag.

    Raises
    ------
    ProtocolError
        It is none, is cut short or goes on after its end, or its plate is impossible.
    """
    if not text.startswith(PREFIX):
        raise ProtocolError(f"a 2D bag tag begins with {PREFIX}")
    content = decode_base45(text[len(PREFIX) :])
    if not content:
        raise ProtocolError("a 2D bag tag is empty")
    version, has_plate, has_uuid = content[0] >> 5, content[0] & 0x10, content[0] & 0x08
    if version > NEWEST_VERSION:
        raise ProtocolError(f"2D bag tag of version {version} is not known")
    legs_at = 1 + (5 if has_plate else 0) + (16 if has_uuid else 0)
    expected = legs_at + _LEG_BYTES * ((content[0] & 7) + 1)
    if len(content) != expected:
        raise ProtocolError(f"2D bag tag of {len(content)} bytes announces {expected}")
    plate = content[1:6].hex() if has_plate else None
    if plate is not None and not _PLATE.match(plate):
        raise ProtocolError(f"2D bag tag's licence plate {plate} is not ten digits")
    return BagQr(
        version=version,
        licence_plate=plate,
        uuid=UUID(bytes=content[legs_at - 16 : legs_at]) if has_uuid else None,
        legs=tuple(
            _leg(content[at : at + _LEG_BYTES]) for at in range(legs_at, expected, _LEG_BYTES)
        ),
    )


def encode_bag_qr(tag: BagQr) -> str:
    """Write a 2D bag tag's text.

    Raises
    ------
    ValueError
        The draft has no room for it: no leg or more than eight, a designator that begins with a
        digit or has one in second place, a flight number over 9999 ...
    """
    if not (0 <= tag.version <= NEWEST_VERSION and 1 <= len(tag.legs) <= MOST_LEGS):
        raise ValueError(f"2D bag tag of version {tag.version} with {len(tag.legs)} legs")
    header = tag.version << 5 | len(tag.legs) - 1
    content = b""
    if tag.licence_plate is not None:
        if not _PLATE.match(tag.licence_plate):
            raise ValueError(f"licence plate {tag.licence_plate!r} is not ten digits")
        header |= 0x10
        content += bytes.fromhex(tag.licence_plate)
    if tag.uuid is not None:
        header |= 0x08
        content += tag.uuid.bytes
    for leg in tag.legs:
        content += _leg_bytes(leg)
    return PREFIX + encode_base45(bytes([header]) + content)


def decode_base45(text: str) -> bytes:
    """Read Base45 (RFC 9285).

    Raises
    ------
    ProtocolError
        A character or a group of three is none of Base45, or one character is left over.
    """
    values = [_BASE45.find(character) for character in text]
    if -1 in values or len(values) % 3 == 1:
        raise ProtocolError("text is no Base45")
    content = bytearray()
    for at in range(0, len(values), 3):
        group = values[at : at + 3]
        number = sum(value * 45**place for place, value in enumerate(group))
        if number >> 8 * (len(group) - 1):
            raise ProtocolError("text is no Base45: a group is too large")
        content += number.to_bytes(len(group) - 1, "big")
    return bytes(content)


def encode_base45(content: bytes) -> str:
    """Write bytes in Base45 (RFC 9285)."""
    text = ""
    for at in range(0, len(content), 2):
        pair = content[at : at + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            text += _BASE45[digit]
    return text


def _leg(content: bytes) -> BagLeg | None:
    number, fields = int.from_bytes(content, "big"), list[int]()
    for width in reversed(_LEG_BITS):
        fields.insert(0, number & (1 << width) - 1)
        number >>= width
    try:
        designator = (
            _LETTERS[fields[0]] + _LETTERS[fields[1]] + _LETTERS_AND_DIGITS[fields[2]]
        ).rstrip()
        departure, arrival = (
            "".join(_LETTERS[each] for each in fields[at : at + 3]) for at in (7, 10)
        )
        flown = date(fields[4], fields[5], fields[6] + 1)
    except (IndexError, ValueError):
        return None
    leg = BagLeg(designator, fields[3], flown, departure, arrival)
    return leg if _is_possible(leg) else None


def _leg_bytes(leg: BagLeg | None) -> bytes:
    if leg is None or not _is_possible(leg):
        raise ValueError(f"leg {leg} cannot be written on a 2D bag tag")
    designator = leg.designator.ljust(3)
    fields = (
        *(_LETTERS.index(letter) for letter in designator[:2]),
        _LETTERS_AND_DIGITS.index(designator[2]),
        *(leg.flight_number, leg.date.year, leg.date.month, leg.date.day - 1),
        *(_LETTERS.index(letter) for letter in leg.departure_airport + leg.arrival_airport),
        0,
    )
    return _packed(fields).to_bytes(_LEG_BYTES, "big")


def _packed(fields: Sequence[int]) -> int:
    number = 0
    for width, field in zip(_LEG_BITS, fields, strict=True):
        number = number << width | field
    return number


def _is_possible(leg: BagLeg) -> bool:
    return (
        _DESIGNATOR.match(leg.designator) is not None
        and 0 <= leg.flight_number <= 9999
        and _AIRPORT.match(leg.departure_airport) is not None
        and _AIRPORT.match(leg.arrival_airport) is not None
    )
