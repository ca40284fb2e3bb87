"""Say what a scanned text is: a bag's licence plate, a boarding pass, a bag's QR code, no read.

Of a boarding pass only what guidance needs leaves this file: flights, and licence plates of bags.
Name, booking, ticket, seat and sequence number stay behind (docs/decisions/0009).
"""

import re
from typing import Literal, NamedTuple

from aerocast_protocols.barcode.aim import split_aim
from aerocast_protocols.barcode.bag_qr import PREFIX, decode_bag_qr
from aerocast_protocols.barcode.boarding_pass import (
    BoardingPass,
    BoardingPassError,
    Leg,
    decode_boarding_pass,
)
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.bags import ScannedLeg

Content = Literal["plate", "boarding_pass", "bag_qr", "no_read", "other"]

_PLATE = re.compile(r"[0-9]{10}\Z", re.ASCII)
# Ten digits are a licence plate in interleaved 2 of 5 or where the scanner names no symbology.
_PLATE_SYMBOLOGIES = frozenset({"itf", None})
# IATA boarding passes come in four symbologies: the text tells, format code then number of legs.
# A lower-case one is damaged, and still holds a name.
_BOARDING_PASS = re.compile(r"[MSms][1-9]", re.ASCII)
# A code of a place, a container, a label: one word with a digit in it. A name, a passport, a
# visiting card or a boarding pass that lost its beginning is not.
_HARMLESS = re.compile(r"(?=[^0-9]*[0-9])[0-9A-Za-z._:+#-]{1,64}\Z", re.ASCII)
# Carrier, flight number, airports from and to, day of the year.
_FLIGHT = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"[A-Z0-9]{2,3}\Z",
        r"[0-9]{1,4}[A-Z]?\Z",
        r"[A-Z]{3}\Z",
        r"[A-Z]{3}\Z",
        r"[0-9]{3}\Z",
    )
)


class Scan(NamedTuple):
    """What a scanner read.

    Attributes
    ----------
    content
        What the text turned out to be.
    symbology
        From the AIM identifier; None when the scanner sends none.
    licence_plate
        The ten digits of a ``plate``, or those on a bag's QR code.
    text
        The text without the AIM identifier, where it can hold nothing about a person: never of a
        boarding pass, and of ``other`` only when it is one word with a digit in it.
    legs
        Flights of a boarding pass or a bag's QR code.
    bag_tags
        Of a boarding pass, 13 digits each: a licence plate, and how many from there.
    bag_uuid
        Of a bag's QR code.
    problem
        Why a boarding pass or a bag's QR code could be read in part only, or not at all; repeats
        none of its text.
    """

    content: Content
    symbology: str | None = None
    licence_plate: str | None = None
    text: str | None = None
    legs: tuple[ScannedLeg, ...] = ()
    bag_tags: tuple[str, ...] = ()
    bag_uuid: str | None = None
    problem: str | None = None


def recognise(
    scan: str, no_read: str | None = "NoRead", heartbeat: str | None = None
) -> Scan | None:
    """Say what one text from a scanner is; None when it is the scanner's heartbeat.

    Parameters
    ----------
    scan
        As the scanner sent it; an AIM identifier may come first.
    no_read, heartbeat
        What the scanner is set to send when a bag passed and no code could be read, and when
        nothing happens; compared without regard to case.

    Notes
    -----
    Interleaved 2 of 5 has no check digit of its own, so part of a code may pass for a whole one:
    only exactly ten digits are a plate, shorter and longer numbers are ``other``.
    """
    if heartbeat is not None and scan.casefold() == heartbeat.casefold():
        return None
    if no_read is not None and scan.casefold() == no_read.casefold():
        return Scan("no_read")
    symbology, text = split_aim(scan)
    if _BOARDING_PASS.match(text):
        return _boarding_pass(symbology, text)
    if _PLATE.match(text) and symbology in _PLATE_SYMBOLOGIES:
        return Scan("plate", symbology, text, text)
    if text.startswith(PREFIX):
        return _bag_qr(symbology, text)
    return Scan("other", symbology, None, text if _HARMLESS.match(text) else None)


def _boarding_pass(symbology: str | None, text: str) -> Scan:
    problem = None
    read: BoardingPass | None
    try:
        read = decode_boarding_pass(text)
    except BoardingPassError as error:
        read, problem = error.mandatory, str(error)
    if read is None:
        return Scan("boarding_pass", symbology, problem=problem)
    legs = [flight for leg in read.legs if (flight := _flight(leg)) is not None]
    if len(legs) < len(read.legs):
        problem = problem or "a leg of a boarding pass names no flight"
    return Scan(
        "boarding_pass", symbology, legs=tuple(legs), bag_tags=read.bag_tags, problem=problem
    )


def _flight(leg: Leg) -> ScannedLeg | None:
    """Give a leg's flight; None when an item cannot be what it should be.

    A text that lost a character, or whose name is too long, has parts of the name in later items.
    """
    items = (
        leg.operating_carrier_designator,
        leg.flight_number,
        leg.departure_airport,
        leg.arrival_airport,
        leg.flight_date,
    )
    said = [item.strip() or None for item in items]
    pairs = zip(said, _FLIGHT, strict=True)
    if not all(item is None or pattern.match(item) for item, pattern in pairs):
        return None
    carrier, number, departure, arrival, day = said
    if number is None and day is None:
        return None
    return ScannedLeg(
        carrier=carrier,
        flight_number=number,
        departure=departure,
        arrival=arrival,
        day_of_year=leg.day_of_year,
    )


def _bag_qr(symbology: str | None, text: str) -> Scan:
    try:
        tag = decode_bag_qr(text)
    except ProtocolError as error:
        return Scan("bag_qr", symbology, problem=str(error))
    legs = tuple(
        ScannedLeg(
            carrier=leg.designator,
            flight_number=f"{leg.flight_number:04d}",
            departure=leg.departure_airport,
            arrival=leg.arrival_airport,
            day_of_year=leg.date.timetuple().tm_yday,
            date=leg.date.isoformat(),
        )
        for leg in tag.legs
        if leg is not None
    )
    return Scan(
        "bag_qr",
        symbology,
        tag.licence_plate,
        text,
        legs,
        bag_uuid=None if tag.uuid is None else str(tag.uuid),
    )
