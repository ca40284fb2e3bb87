"""What a licence plate says by itself: what kind of tag it is on, and which airline issued it.

IATA Resolution 740: a leading digit, the issuer's three-digit code, six digits of serial number;
no check digit. Numbers of airlines are shared by some, so there may be several issuers.
"""

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal["interline", "fallback", "rush", "own"]
_KINDS: Mapping[str, Kind] = {"0": "interline", "1": "fallback", "2": "rush"}
HEADINGS = ("num", "iata2", "icao3", "name")  # as the open list of OpenTravelData has them


class Airline(msgspec.Struct, frozen=True, kw_only=True):
    """An airline and its codes; "" where it has none.

    Attributes
    ----------
    numeric
        Three digits, as in licence plates and tickets.
    """

    numeric: str
    iata: str = ""
    icao: str = ""
    name: str = ""


class Plate(msgspec.Struct, frozen=True, kw_only=True):
    """A licence plate, read.

    Attributes
    ----------
    kind
        ``interline`` (0), ``fallback`` (1: sort information, never matched to messages), ``rush``
        (2), else the carrier's ``own`` numbering.
    issuer
        Three digits; of a fallback tag they are no airline's.
    airlines
        Who has that number, where a list of airlines is set.
    """

    licence_plate: str
    kind: Kind
    issuer: str
    serial: str
    airlines: tuple[Airline, ...] = ()


def read_airlines(lines: Iterable[str]) -> dict[str, tuple[Airline, ...]]:
    """Read a list of airlines: CSV with the headings num, iata2, icao3, name (others ignored).

    Raises
    ------
    ValueError
        A heading is missing, or a number is not three digits; the message names the line.
    """
    table = csv.DictReader(lines)
    missing = [each for each in HEADINGS if each not in (table.fieldnames or ())]
    if missing:
        raise ValueError(f"airlines: no column {', '.join(missing)}")
    found: dict[str, list[Airline]] = {}
    for row in table:
        numeric = (row["num"] or "").strip().zfill(3)
        if len(numeric) != 3 or not numeric.isdigit():
            raise ValueError(f"airlines, line {table.line_num}: {numeric!r} is not three digits")
        iata, icao, name = ((row[heading] or "").strip() for heading in HEADINGS[1:])
        airline = Airline(numeric=numeric, iata=iata, icao=icao, name=name)
        found.setdefault(numeric, []).append(airline)
    return {numeric: tuple(airlines) for numeric, airlines in found.items()}


@cache
def airlines_of(file: Path | None) -> Mapping[str, tuple[Airline, ...]]:
    """Read a list of airlines once; none where no file is set.

    Raises
    ------
    OSError, ValueError
        It cannot be read, or is no such list.
    """
    if file is None:
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        return read_airlines(lines)


def read_plate(licence_plate: str, airlines: Mapping[str, tuple[Airline, ...]]) -> Plate:
    """Read a licence plate of ten digits.

    Raises
    ------
    ValueError
        It is none.
    """
    if len(licence_plate) != 10 or not (licence_plate.isascii() and licence_plate.isdigit()):
        raise ValueError(f"{licence_plate[:32]!r} is no licence plate: ten digits are")
    kind = _KINDS.get(licence_plate[0], "own")
    issuer = licence_plate[1:4]
    return Plate(
        licence_plate=licence_plate,
        kind=kind,
        issuer=issuer,
        serial=licence_plate[4:],
        airlines=() if kind == "fallback" else airlines.get(issuer, ()),
    )
