"""Boarding passes: the text in their PDF417, QR, Aztec or Data Matrix code (BCBP).

IATA Resolution 792, versions 1 to 8, format M. Mandatory items have fixed places; after those of
each leg comes a block whose size is stated in two hex digits, and which may end after any item.

A boarding pass holds a person's name, booking and ticket. No message of an error here repeats any
of its text, and the values show nothing of it when printed: both may end up in a log.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from aerocast_protocols.errors import ProtocolError

MOST_LEGS = 9
SERIALS = 1_000_000  # of one issuer and leading digit: after the last comes the first

_LEGS = re.compile(r"[1-9]\Z", re.ASCII)
_SIZE = re.compile(r"[0-9A-Fa-f]{2}\Z", re.ASCII)
_DAY = re.compile(r"[0-9]{3}\Z", re.ASCII)
_BAG_TAGS = re.compile(r"[0-9]{13}\Z", re.ASCII)

_Items = tuple[tuple[str, int], ...]
_NAME: _Items = (("passenger_name", 20), ("electronic_ticket_indicator", 1))
_LEG: _Items = (
    ("operating_carrier_pnr", 7),
    ("departure_airport", 3),
    ("arrival_airport", 3),
    ("operating_carrier_designator", 3),
    ("flight_number", 5),
    ("flight_date", 3),
    ("compartment_code", 1),
    ("seat_number", 4),
    ("check_in_sequence_number", 5),
    ("passenger_status", 1),
)
_ONCE: _Items = (
    ("passenger_description", 1),
    ("check_in_source", 1),
    ("boarding_pass_issuance_source", 1),
    ("issuance_date", 4),
    ("document_type", 1),
    ("boarding_pass_issuer_designator", 3),
    ("baggage_tag_number", 13),
    ("first_baggage_tag_number", 13),
    ("second_baggage_tag_number", 13),
)
_EACH_LEG: _Items = (
    ("airline_numeric_code", 3),
    ("serial_number", 10),
    ("selectee_indicator", 1),
    ("international_documentation_verification", 1),
    ("marketing_carrier_designator", 3),
    ("frequent_flyer_airline_designator", 3),
    ("frequent_flyer_number", 16),
    ("id_indicator", 1),
    ("free_baggage_allowance", 3),
    ("fast_track", 1),
)


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One flight of a boarding pass.

    Attributes
    ----------
    flight_date
        Day of the year, 001 to 366, with leading zeros; the year is not said.
    serial_number
        Of the ticket, after ``airline_numeric_code``.
    airline_info
        What the airline keeps for itself; None where the leg has no conditional items at all.

    Notes
    -----
    Every item is the text as printed, padded with blanks; None where the pass ends before it.
    """

    operating_carrier_pnr: str
    departure_airport: str
    arrival_airport: str
    operating_carrier_designator: str
    flight_number: str
    flight_date: str
    compartment_code: str
    seat_number: str
    check_in_sequence_number: str
    passenger_status: str
    airline_numeric_code: str | None = None
    serial_number: str | None = None
    selectee_indicator: str | None = None
    international_documentation_verification: str | None = None
    marketing_carrier_designator: str | None = None
    frequent_flyer_airline_designator: str | None = None
    frequent_flyer_number: str | None = None
    id_indicator: str | None = None
    free_baggage_allowance: str | None = None
    fast_track: str | None = None
    airline_info: str | None = None

    @property
    def day_of_year(self) -> int | None:
        """Give the day of the flight, 1 to 366; None when the pass does not say."""
        day = int(self.flight_date) if _DAY.match(self.flight_date) else 0
        return day if 1 <= day <= 366 else None

    def __repr__(self) -> str:
        return "<leg of a boarding pass>"


class BoardingPass(msgspec.Struct, frozen=True, kw_only=True):
    """A boarding pass; items as `Leg` gives them.

    Attributes
    ----------
    version
        Of the standard, one character; None when the pass has mandatory items alone.
    issuance_date
        Last digit of the year and day of the year.
    baggage_tag_number, first_baggage_tag_number, second_baggage_tag_number
        A licence plate and, in three digits, how many follow each other from there.
    security_data
        What follows ``^``; None without.
    """

    passenger_name: str
    electronic_ticket_indicator: str
    legs: tuple[Leg, ...]
    version: str | None = None
    passenger_description: str | None = None
    check_in_source: str | None = None
    boarding_pass_issuance_source: str | None = None
    issuance_date: str | None = None
    document_type: str | None = None
    boarding_pass_issuer_designator: str | None = None
    baggage_tag_number: str | None = None
    first_baggage_tag_number: str | None = None
    second_baggage_tag_number: str | None = None
    security_data_type: str | None = None
    security_data: str | None = None

    @property
    def bag_tags(self) -> tuple[str, ...]:
        """Give the bag tags as printed, 13 digits each; `plates_of` counts them out."""
        said = (
            self.baggage_tag_number,
            self.first_baggage_tag_number,
            self.second_baggage_tag_number,
        )
        return tuple(each for each in said if each is not None and _BAG_TAGS.match(each))

    def __repr__(self) -> str:
        return f"<boarding pass of {len(self.legs)} legs>"


class BoardingPassError(ProtocolError):
    """A boarding pass that is not as the standard says.

    Attributes
    ----------
    mandatory
        The pass with the mandatory items of every leg that could be read, and nothing else; None
        when not even the first leg could.
    """

    def __init__(self, message: str, mandatory: BoardingPass | None = None) -> None:
        super().__init__(message)
        self.mandatory = mandatory


def decode_boarding_pass(text: str) -> BoardingPass:
    """Read the text of a boarding pass's code.

    Raises
    ------
    BoardingPassError
        It is none, or its sizes lie; what can be relied on is in ``mandatory``.
    """
    reading = _Reading(text)
    try:
        return reading.whole()
    except _Wrong as wrong:
        raise BoardingPassError(str(wrong), reading.mandatory()) from None


def encode_boarding_pass(boarding_pass: BoardingPass) -> str:
    """Write a boarding pass as its code's text.

    Raises
    ------
    ValueError
        An item has the wrong length, or one is given that comes after one that is not.
    """
    text = f"M{len(boarding_pass.legs)}" + _written(boarding_pass, _NAME, whole=True)
    for number, leg in enumerate(boarding_pass.legs):
        block = ""
        if number == 0 and boarding_pass.version is not None:
            once = _written(boarding_pass, _ONCE)
            block = f">{boarding_pass.version}{len(once):02X}{once}"
        each = _written(leg, _EACH_LEG)
        if each or leg.airline_info is not None:
            block += f"{len(each):02X}{each}{leg.airline_info or ''}"
        if len(block) > 0xFF:
            raise ValueError(f"the conditional items of leg {number + 1} are too long")
        text += _written(leg, _LEG, whole=True) + f"{len(block):02X}{block}"
    if boarding_pass.security_data is not None:
        kind, said = boarding_pass.security_data_type or " ", boarding_pass.security_data
        text += f"^{kind}{len(said):02X}{said}"
    return text


def plates_of(bag_tags: str) -> tuple[str, ...]:
    """Count out the licence plates of a 13-digit bag tag item: ten digits, and how many.

    Serial numbers wrap within their six digits. A count of 000 means the one plate.

    Raises
    ------
    ProtocolError
        It is not thirteen digits.
    """
    if _BAG_TAGS.match(bag_tags) is None:
        raise ProtocolError("a bag tag item is not thirteen digits")
    issuer, serial, count = bag_tags[:4], int(bag_tags[4:10]), int(bag_tags[10:])
    return tuple(f"{issuer}{(serial + n) % SERIALS:06d}" for n in range(max(1, count)))


class _Wrong(Exception):  # noqa: N818  never leaves this file
    """What is wrong with a pass, in words that repeat none of its text."""


class _Reading:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._end = len(text)
        self._once: dict[str, str | None] = {}
        self._legs: list[dict[str, str | None]] = []
        self._mandatory: list[dict[str, str | None]] = []

    def whole(self) -> BoardingPass:
        if self._take(1, "format code") != "M":
            raise _Wrong("a boarding pass of a format other than M")
        if not _LEGS.match(count := self._take(1, "number of legs")):
            raise _Wrong("the number of legs of a boarding pass is no digit from 1 to 9")
        self._once |= self._items(_NAME)
        for number in range(int(count)):
            self._leg(number)
        self._security()
        if self._at != len(self._text):
            raise _Wrong(f"a boarding pass goes on after its end at character {self._at + 1}")
        if not (self._text.isascii() and self._text.isprintable()):
            raise _Wrong("a boarding pass holds characters other than printable ASCII")
        return _pass(self._once, self._legs)

    def mandatory(self) -> BoardingPass | None:
        once = {name: self._once.get(name) for name, _ in _NAME}
        return _pass(once, self._mandatory) if self._mandatory else None

    def _leg(self, number: int) -> None:
        leg = self._items(_LEG)
        self._mandatory.append(leg)
        begins, size = self._at, self._size(f"conditional items of leg {number + 1}")
        self._end = self._at + size
        if self._end > len(self._text):
            raise _Wrong(f"size {size} at character {begins + 1} goes beyond the boarding pass")
        leg = dict(leg)
        if number == 0 and size:
            if self._take(1, "version mark") != ">":
                raise _Wrong("the conditional items of a boarding pass begin without >")
            self._once["version"] = self._take(1, "version")
            self._once |= self._block(_ONCE)
        if self._at < self._end:
            leg |= self._block(_EACH_LEG)
            leg["airline_info"] = self._text[self._at : self._end]
        self._legs.append(leg)
        self._at, self._end = self._end, len(self._text)

    def _security(self) -> None:
        if self._at == len(self._text):
            return
        if self._take(1, "security mark") != "^":
            raise _Wrong("the security data of a boarding pass begin without ^")
        self._once["security_data_type"] = self._take(1, "security data type")
        self._once["security_data"] = self._take(self._size("security data"), "security data")

    def _block(self, items: _Items) -> dict[str, str | None]:
        """Read as many items as the block's size says; of longer blocks the known part."""
        size = self._size("a block of items")
        begins, ends = self._at, self._at + size
        if ends > self._end:
            raise _Wrong(f"size {size} at character {begins - 1} goes beyond what holds it")
        found: dict[str, str | None] = {}
        for name, length in items:
            if self._at == ends:
                break
            if self._at + length > ends:
                raise _Wrong(f"a block of a boarding pass ends within {name}")
            found[name] = self._take(length, name)
        self._at = ends
        return found

    def _items(self, items: _Items) -> dict[str, str | None]:
        return {name: self._take(length, name) for name, length in items}

    def _size(self, what: str) -> int:
        size = self._take(2, f"size of {what}")
        if not _SIZE.match(size):
            raise _Wrong(f"the size of {what} of a boarding pass is no hex number")
        return int(size, 16)

    def _take(self, length: int, what: str) -> str:
        if self._at + length > self._end:
            raise _Wrong(f"a boarding pass ends before its {what}")
        taken = self._text[self._at : self._at + length]
        self._at += length
        return taken


def _pass(once: Mapping[str, str | None], legs: Iterable[Mapping[str, str | None]]) -> BoardingPass:
    return msgspec.convert(
        {**once, "legs": [msgspec.convert(leg, Leg) for leg in legs]},
        BoardingPass,
        from_attributes=True,
    )


def _written(said: msgspec.Struct, items: _Items, *, whole: bool = False) -> str:
    text, ended = "", False
    for name, length in items:
        value: str | None = getattr(said, name)
        if value is None:
            ended = True
        elif ended or len(value) != length:
            raise ValueError(f"{name} has the wrong length, or comes after an item that is absent")
        else:
            text += value
    if whole and ended:
        raise ValueError("a mandatory item of a boarding pass is absent")
    return text
