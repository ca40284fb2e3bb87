"""The IATA bag tag's RFID memory (RP 1740c): licence plate and flight day.

Layout of the EPC bank behind its PC word, as read from public tags and demonstrations (the text
itself is sold, so variants seen in the field are taken too): one byte DSFID ``0C`` (ISO/IEC 15962
no-directory access, data format 12: baggage), then objects of a precursor (bit 7 offset, bits 6-4
compaction, bits 3-0 relative object id), a length and that many bytes, up to a ``00``. Object 1 is
the ten-digit plate, object 2 the flight's day of year as three digits with a pad before or behind.
"""

import msgspec

from aerocast_protocols.errors import ProtocolError

DSFID = 0x0C
AFI = 0xC1  # application family: air baggage
PLATE_DIGITS = 10
LAST_DAY = 366
_PLATE, _DAY = 1, 2
_INTEGER, _NUMERIC = 1, 2
_OFFSET, _LONG_ID = 0x80, 0x0F
_TOGGLE = 0x0100  # PC bit 17h: the low byte is an AFI, not EPC attributes
_USER_MEMORY = 0x0400  # PC bit 15h


class BagTag(msgspec.Struct, frozen=True):
    """What a bag tag says.

    Attributes
    ----------
    licence_plate
        Ten digits.
    day_of_year
        Day of the flight, 1 to 366, without its year; None when the tag leaves it out.
    """

    licence_plate: str
    day_of_year: int | None = None


def claims_bag_tag(epc: bytes, pc: int | None = None) -> bool:
    """Say whether a tag calls itself a bag tag.

    Where the reader reports the PC word its AFI must be C1; the toggle bit may be either (tags in
    use leave it at 0, which the air interface would read as "no AFI").
    """
    return epc[:1] == bytes([DSFID]) and (pc is None or pc & 0xFF == AFI)


def decode_bag_tag(epc: bytes, pc: int | None = None) -> BagTag:
    """Decode a bag tag.

    Parameters
    ----------
    epc
        EPC memory without the PC word. What follows plate and day is not looked at.
    pc
        The PC word, where the reader reports it.

    Raises
    ------
    ProtocolError
        It is no bag tag, or one with a plate or day that cannot be.
    """
    if not claims_bag_tag(epc, pc):
        raise ProtocolError("tag is no bag tag: it does not start with 0C under AFI C1")
    plate: str | None = None
    day: int | None = None
    at = 1
    while at < len(epc) and epc[at] != 0 and (plate is None or day is None):
        object_id, compaction, content, at = _next_object(epc, at)
        if object_id == _PLATE:
            plate = _plate(compaction, content)
        elif object_id == _DAY:
            day = _day(compaction, content)
    if plate is None:
        raise ProtocolError("bag tag without a licence plate")
    return BagTag(plate, day)


def encode_bag_tag(tag: BagTag, *, pad_before: bool = False) -> bytes:
    """Encode a bag tag's EPC memory, without the PC word: 12 bytes, 8 without a day.

    Parameters
    ----------
    pad_before
        Write the day as ``0ddd``; default is ``dddF``. Both are in use.

    Raises
    ------
    ValueError
        The plate is not ten digits, or the day not 1 to 366.
    """
    plate, day = tag.licence_plate, tag.day_of_year
    if len(plate) != PLATE_DIGITS or not (plate.isascii() and plate.isdigit()):
        raise ValueError(f"licence plate {plate!r} is not ten digits")
    encoded = bytes([DSFID, _NUMERIC << 4 | _PLATE, 5]) + bytes.fromhex(plate)
    if day is not None:
        if not 1 <= day <= LAST_DAY:
            raise ValueError(f"day of year {day} is not 1 to {LAST_DAY}")
        digits = f"0{day:03d}" if pad_before else f"{day:03d}F"
        encoded += bytes([_NUMERIC << 4 | _DAY, 2]) + bytes.fromhex(digits)
    return encoded if len(encoded) % 2 == 0 else encoded + b"\0"


def bag_tag_pc(epc: bytes, *, user_memory: bool = True) -> int:
    """Give the PC word of a bag tag that holds ``epc``: its words, toggle and AFI set."""
    words = (len(epc) + 1) // 2
    return words << 11 | (_USER_MEMORY if user_memory else 0) | _TOGGLE | AFI


def _next_object(epc: bytes, at: int) -> tuple[int, int, bytes, int]:
    """Give id, compaction and content of the object at ``at``, and where the next one starts."""
    precursor = epc[at]
    object_id, compaction = precursor & 0x0F, precursor >> 4 & 7
    at += 1
    head = epc[at : at + (object_id == _LONG_ID) + bool(precursor & _OFFSET) + 1]
    at += len(head)
    if len(head) < (object_id == _LONG_ID) + bool(precursor & _OFFSET) + 1:
        raise ProtocolError("bag tag is cut short")
    if object_id == _LONG_ID:
        object_id += head[0]
    pad = head[-2] if precursor & _OFFSET else 0
    length = head[-1]
    if not 1 <= length <= len(epc) - at:
        raise ProtocolError(f"bag tag's object {object_id} of {length} bytes runs past the tag")
    return object_id, compaction, epc[at : at + length], at + length + pad


def _plate(compaction: int, content: bytes) -> str:
    if compaction == _INTEGER:
        digits = f"{int.from_bytes(content, 'big'):010d}"
    elif compaction == _NUMERIC:
        digits = content.hex()
    else:
        raise ProtocolError(f"bag tag's licence plate in compaction {compaction}")
    if len(digits) != PLATE_DIGITS or not digits.isdecimal():
        raise ProtocolError("bag tag's licence plate is not ten digits")
    return digits


def _day(compaction: int, content: bytes) -> int:
    if compaction == _INTEGER:
        digits = str(int.from_bytes(content[:3], "big"))
    elif compaction == _NUMERIC:
        digits = content.hex().rstrip("f")
    else:
        raise ProtocolError(f"bag tag's day in compaction {compaction}")
    # Three digits; a fourth before them is a pad or the year's last digit.
    if len(content) > 2 or len(digits) > 4 or not digits.isdecimal():
        raise ProtocolError("bag tag's day is not three digits")
    day = int(digits[-3:])
    if not 1 <= day <= LAST_DAY:
        raise ProtocolError(f"bag tag's day {day} is not 1 to {LAST_DAY}")
    return day
