"""Reading elements: the fields after ``.F/``, ``.N/`` ... as values.

IATA RP1745; what facts of its dictionary could not be confirmed is kept as fields, not guessed.
An element that cannot be read raises `ProtocolError` here, costs its message nothing else, and
stays in the message as it was sent.
"""

import re
from collections.abc import Callable
from typing import Any, Literal, cast

from aerocast_protocols.baggage.elements import (
    DAYS,
    Handling,
    Irregularity,
    Leg,
    Passenger,
    Processing,
    Reconciliation,
    Screening,
    Stowage,
    TagRange,
    Version,
    Weight,
)
from aerocast_protocols.errors import ProtocolError

Fields = tuple[str, ...]

LONGEST_FIELD = 200  # a line has 64 characters (RP1707b); some senders write longer remarks

_flight = re.compile(r"([A-Z]{3}|[A-Z][A-Z0-9]|[0-9][A-Z])([0-9]{1,5}[A-Z]?)").fullmatch
_version = re.compile(r"([0-9])([LTXR])([A-Z]{3})").fullmatch
_part = re.compile(r"PART([1-9][0-9]{0,2})").fullmatch
_reference = re.compile(r"[A-Z0-9]{1,10}").fullmatch
_tag = re.compile(r"([0-9]{10})([0-9]{3})?").fullmatch
_clock = re.compile(r"((?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9])?)([LZ])?").fullmatch
_party = re.compile(r"([1-9])([^0-9].*)").fullmatch
_airport = re.compile(r"[A-Z]{3}").fullmatch
_letter = re.compile(r"[A-Z]").fullmatch
_code = re.compile(r"[A-Z]{2,4}").fullmatch
_count = re.compile(r"[0-9]{1,5}").fullmatch


def _clean(fields: Fields) -> list[str | None]:
    """Give the fields without blanks, in upper case; the empty ones as None."""
    return [field.strip().upper() or None for field in fields]


def _said(fields: Fields, most: int) -> list[str | None]:
    """Give ``most`` fields, None where there is none."""
    said = _clean(fields[:most])
    return said + [None] * (most - len(said))


def read_version(fields: Fields) -> Version:
    """Read ``.V/1LOSL/PART1/REF/A/KEY``; some leave PART's field out before a reference."""
    first, part, reference, wants, key = _said(fields, 5)
    match = _version(first or "")
    if match is None:
        raise ProtocolError(f".V says {_shown(first)}, not like 1LOSL")
    numbered = _part(part or "")
    if part is not None and numbered is None:
        part, reference, wants, key = None, *_said(fields[1:], 3)
    if reference is not None and not _reference(reference):
        raise ProtocolError(f".V says {_shown(reference)}, no reference")
    if wants not in {None, "A"}:
        raise ProtocolError(f".V says {_shown(wants)}, where A asks for an acknowledgement")
    return Version(
        cast("Literal['L', 'T', 'X', 'R']", match[2]),
        match[3],
        None if numbered is None else int(numbered[1]),
        reference,
        wants is not None,
        key,
        match[1],
    )


def read_leg(fields: Fields) -> Leg:
    """Read ``.F/SK4416/05FEB/TOS/C``: a flight, its day, an airport, a class."""
    text, day, airport, travel_class = _said(fields, 4)
    match = _flight(text or "")
    if day is not None and " " in day:
        day = day.replace(" ", "")
    if match is None:
        raise ProtocolError(f"{_shown(text)} is no flight")
    if day is not None and day not in DAYS:
        raise ProtocolError(f"{_shown(day)} is no day")
    if airport is not None and not _airport(airport):
        raise ProtocolError(f"{_shown(airport)} is no airport")
    if travel_class is not None and not _letter(travel_class):
        raise ProtocolError(f"{_shown(travel_class)} is no class of travel")
    return Leg(match[1], match[2], day, airport, travel_class)


def read_tag(fields: Fields) -> TagRange:
    """Read ``.N/0117814872001``: ten digits, and how many plates follow each other."""
    text = fields[0].strip()
    match = _tag(text)
    if match is None or any(map(str.strip, fields[1:])):
        raise ProtocolError(f".N says {_shown('/'.join(fields))}, not ten digits and a count")
    count = int(match[2] or 1)
    if not count:
        raise ProtocolError(f".N says {_shown(text)}: a count of none")
    return TagRange(match[1], count)


def read_reconciliation(fields: Fields) -> Reconciliation:
    """Read ``.S/N/05A/C/051/051//N/I``."""
    load, seat, status, sequence, security, profile, transport, tag = _said(fields, 8)
    if status is not None and not _letter(status):
        raise ProtocolError(f".S says passenger status {_shown(status)}")
    return Reconciliation(
        _yes_or_no(load), seat, status, sequence, security, profile, _yes_or_no(transport), tag
    )


def _yes_or_no(said: str | None) -> bool | None:
    if said is None:
        return None
    if said not in {"Y", "N"}:
        raise ProtocolError(f".S says {_shown(said)}, neither Y nor N")
    return said == "Y"


def read_weight(fields: Fields) -> Weight:
    """Read ``.W/K/1/23``."""
    unit, *figures = _said(fields, 4)
    if unit not in {"K", "L", "P"}:
        raise ProtocolError(f".W says unit {_shown(unit)}")
    for figure in figures:
        if figure is not None and not _count(figure):
            raise ProtocolError(f".W says {_shown(figure)}, no number")
    pieces, checked, unchecked = (None if each is None else int(each) for each in figures)
    return Weight(cast("Literal['K', 'L', 'P']", unit), pieces, checked, unchecked)


def read_passenger(fields: Fields) -> Passenger:
    """Read ``.P/2SMITH/JOHN``."""
    surname, *given = _clean(fields)
    if surname is None:
        raise ProtocolError(".P says no surname")
    party = _party(surname)
    names = tuple(each for each in given if each is not None)
    if party is None:
        return Passenger(surname, names)
    return Passenger(party[2], names, int(party[1]))


def read_processing(fields: Fields) -> Processing:
    """Read ``.J/S/BGFUSION/CI621/05FEB/1059L/LB9/LB9``."""
    code, agent, scanner, day, clock = _said(fields, 5)
    if code is not None and not _letter(code):
        raise ProtocolError(f".J says {_shown(code)}, no code of one letter")
    if day is not None and day not in DAYS:
        raise ProtocolError(f".J says {_shown(day)}, no day")
    match = None if clock is None else _clock(clock)
    if clock is not None and match is None:
        raise ProtocolError(f".J says {_shown(clock)}, no time")
    time, zone = (None, None) if match is None else (match[1], match[2])
    locations = tuple(each for each in _clean(fields[5:]) if each is not None)
    return Processing(
        code, agent, scanner, day, time, cast("Literal['L', 'Z'] | None", zone), locations
    )


def read_screening(fields: Fields) -> Screening:
    """Read ``.X//CLR///HBS302/HBSLEVEL1``; the fourth field's meaning is not known here."""
    instruction, result, reason, _, screener, method = _said(fields, 6)
    if result is not None and not _code(result):
        raise ProtocolError(f".X says result {_shown(result)}")
    return Screening(instruction, result, reason, screener, method)


def read_irregularity(fields: Fields) -> Irregularity:
    """Read ``.B/OFF/...``."""
    code, *details = _clean(fields)
    if code is None or not _code(code):
        raise ProtocolError(f".B says {_shown(code)}, no code")
    return Irregularity(code, tuple(each or "" for each in details))


def read_stowage(fields: Fields) -> Stowage:
    """Read ``.U/AKE12345BA/...``."""
    device, compartment, *details = _clean(fields) + ([None] if len(fields) < 2 else [])
    if device is None:
        raise ProtocolError(".U names no container")
    return Stowage(device, compartment, tuple(each or "" for each in details))


def read_handling(fields: Fields) -> Handling:
    """Read ``.H/terminal/bay/gate``."""
    return Handling(*_said(fields, 3))


def read_exceptions(fields: Fields) -> Fields:
    """Read ``.E/PRIO``."""
    codes = tuple(each for each in _clean(fields) if each is not None)
    for code in codes:
        if not _code(code):
            raise ProtocolError(f".E says {_shown(code)}, no word of letters")
    return codes


def read_text(fields: Fields) -> str:
    """Read an element that is one text, as `pnr` or a printer's id."""
    text = "/".join(fields).strip()
    if not text or len(text) > LONGEST_FIELD:
        raise ProtocolError(f"a text of {len(text)} characters")
    return text


def read_fields(fields: Fields) -> Fields:
    """Give the fields of an element whose meaning is not settled."""
    return tuple(each or "" for each in _clean(fields))


def _shown(said: str | None) -> str:
    return repr((said or "")[:24])


ONE: dict[str, tuple[str, Callable[[Fields], Any]]] = {
    "I": ("inbound", read_leg),
    "F": ("outbound", read_leg),
    "S": ("reconciliation", read_reconciliation),
    "W": ("weight", read_weight),
    "L": ("pnr", read_text),
    "H": ("handling", read_handling),
    "D": ("check_in", read_fields),
    "G": ("delivery", read_fields),
    "U": ("stowage", read_stowage),
    "Q": ("load_sequence", read_text),
    "Y": ("frequent_traveller", read_text),
    "C": ("group_name", read_text),
    "T": ("printer", read_text),
}
"""Elements that stand once: their letter, what of `Bags` they fill, how they are read."""

MANY: dict[str, tuple[str, Callable[[Fields], Any]]] = {
    "O": ("onward", read_leg),
    "N": ("tags", read_tag),
    "P": ("passengers", read_passenger),
    "J": ("processing", read_processing),
    "X": ("screening", read_screening),
    "B": ("irregularities", read_irregularity),
    "R": ("internal", read_text),
}
"""Elements that may repeat; ``.E`` does too, and may hold several words."""
