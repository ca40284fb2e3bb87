"""Say what a scanned text is: a bag's licence plate, a boarding pass, a bag's QR code, no read."""

import re
from typing import Literal, NamedTuple

from aerocast_protocols.barcode.aim import split_aim

Content = Literal["plate", "boarding_pass", "bag_qr", "no_read", "other"]

_PLATE = re.compile(r"[0-9]{10}\Z")
# Ten digits are a licence plate in interleaved 2 of 5 or where the scanner names no symbology.
_PLATE_SYMBOLOGIES = frozenset({"itf", None})
# IATA boarding passes come in four symbologies: the text tells, format code then number of legs.
_BOARDING_PASS = re.compile(r"[MS][1-9]")
_BAG_QR = "IATALP"


class Scan(NamedTuple):
    """What a scanner read.

    Attributes
    ----------
    content
        What the text turned out to be.
    symbology
        From the AIM identifier; None when the scanner sends none.
    licence_plate
        The ten digits, when ``content`` is ``plate``.
    text
        The text without the AIM identifier. None for boarding passes, which carry a passenger's
        name, and where nothing was read.
    """

    content: Content
    symbology: str | None = None
    licence_plate: str | None = None
    text: str | None = None


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
        return Scan("boarding_pass", symbology)
    if _PLATE.match(text) and symbology in _PLATE_SYMBOLOGIES:
        return Scan("plate", symbology, text, text)
    if text.startswith(_BAG_QR):
        return Scan("bag_qr", symbology, None, text)
    return Scan("other", symbology, None, text)
