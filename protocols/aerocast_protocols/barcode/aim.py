"""Read the AIM identifier a scanner may put before a text: which symbology the code was.

ISO/IEC 15424: ``]``, a letter for the symbology, a modifier. Letters as listed by scanner makers'
manuals.
"""

import re
from typing import NamedTuple

_IDENTIFIER = re.compile(r"\]([A-Za-z])([0-9A-Za-z])")
_SYMBOLOGIES = {
    "A": "code39",
    "C": "code128",
    "E": "ean",
    "F": "codabar",
    "G": "code93",
    "I": "itf",
    "L": "pdf417",
    "Q": "qr",
    "U": "maxicode",
    "d": "datamatrix",
    "e": "gs1_databar",
    "z": "aztec",
}
_BY_MODIFIER = {"C1": "gs1_128"}


class Scanned(NamedTuple):
    """A text and the symbology it came in; None when the scanner does not say."""

    symbology: str | None
    text: str


def split_aim(scan: str) -> Scanned:
    """Take the AIM identifier off a scan; one we have no name for is given as ``aim_`` + code."""
    identifier = _IDENTIFIER.match(scan)
    if identifier is None:
        return Scanned(None, scan)
    letter, modifier = identifier.groups()
    code = letter + modifier
    symbology = _BY_MODIFIER.get(code) or _SYMBOLOGIES.get(letter) or f"aim_{code}"
    return Scanned(symbology, scan[identifier.end() :])
