"""GS1 keys in one form: EPC URNs and Digital Link addresses as canonical Digital Link addresses.

EPC Tag Data Standard 2.0 (URNs), GS1 Digital Link 1.2 (addresses). Two names of one thing compare
equal here: ``urn:epc:id:sscc:4012345.0000000111`` is ``https://id.gs1.org/00/040123450000001112``.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_ROOT = "https://id.gs1.org"
_ENCODED = {each: f"%{ord(each):02X}" for each in "!()*+,:"}
_AI = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017",
    "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402",
    "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10", "ser": "21",
}  # fmt: skip
_KEYS = r"01|8006|8010|414|417|8017|8018|255|00|253|401|402|8003|8004"
_CHARS = r"[\"'\-.0-9;<=>?A-Z_a-z%]"
_URN = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):(\d{6,12})\.(.*)", re.DOTALL)
_ADDRESS = re.compile(rf"https?://[^?#]*?/((?:{_KEYS}|{'|'.join(_AI)})/[^?#]+?)/?(?:[?#].*)?")
_CANONICAL = re.compile(
    rf"00/\d{{18}}|01/\d{{14}}(/(21|10)/{_CHARS}{{0,20}}|/235/{_CHARS}{{0,28}})?"
    rf"|253/\d{{13}}{_CHARS}{{0,17}}|255/\d{{13,25}}|401/{_CHARS}{{0,30}}|402/\d{{17}}"
    rf"|414/\d{{13}}(/254/{_CHARS}{{0,20}})?|417/\d{{13}}|8003/\d{{14}}{_CHARS}{{0,16}}"
    rf"|8004/{_CHARS}{{0,30}}|8006/\d{{18}}(/(21|10)/{_CHARS}{{0,20}})?"
    r"|8010/[#\-/0-9A-Z]{0,30}(/8011/\d{0,12})?|801[78]/\d{18}"
)


class _Key(NamedTuple):
    """How a URN's parts become a key.

    Attributes
    ----------
    digits
        Of company prefix and reference together; 0 as many as there are.
    write
        Makes the path of company prefix, reference and the rest.
    """

    digits: int
    write: Callable[[str, str, str], str]


def check_digit(digits: str) -> str:
    """Give the check digit of a GS1 key (General Specifications §7.9.1)."""
    weighted = sum(int(digit) * (3, 1)[i % 2] for i, digit in enumerate(reversed(digits)))
    return str(-weighted % 10)


def canonical(uri: str) -> str:
    """Give the canonical Digital Link address of a GS1 key; anything else as it is."""
    found = _URN.fullmatch(uri)
    if found is not None:
        return _of_urn(*found.groups()) or uri
    address = _ADDRESS.fullmatch(uri)
    return (_of_path(address[1]) or uri) if address is not None else uri


def _of_urn(form: str, scheme: str, company: str, rest: str) -> str | None:
    key = _SCHEMES.get((form, scheme))
    if key is None:
        return None
    if form == "idpat":
        if not rest.endswith(".*"):
            return None
        rest = rest.removesuffix(".*")
    length = key.digits - len(company) if key.digits else None
    reference, _, serial = rest.partition(".") if length is not None else (rest, "", "")
    if length is not None and (len(reference) != length or not (reference + "0").isdecimal()):
        return None
    path = key.write(company, reference, serial)
    return f"{_ROOT}/{''.join(_ENCODED.get(each, each) for each in path)}" if path else None


def _of_path(path: str) -> str | None:
    parts = [_AI.get(part, part) if i % 2 == 0 else part for i, part in enumerate(path.split("/"))]
    if len(parts) > 4 and parts[2] in ("10", "22"):  # a serial number says more than its lot
        parts = parts[:2] + parts[4:]
    elif len(parts) > 2 and parts[2] == "22":
        parts = parts[:2]
    joined = "/".join(parts)
    return f"{_ROOT}/{joined}" if _CANONICAL.fullmatch(joined) else None


def _gtin(company: str, reference: str) -> str:
    digits = reference[:1] + company + reference[1:]
    return digits + check_digit(digits)


def _plain(company: str, reference: str) -> str:
    return company + reference + check_digit(company + reference)


def _sgln(company: str, reference: str, extension: str) -> str:
    gln = f"414/{_plain(company, reference)}"
    return gln if extension == "0" else f"{gln}/254/{extension}"


def _itip(company: str, reference: str, rest: str) -> str:
    piece, _, after = rest.partition(".")
    total, _, serial = after.partition(".")
    path = f"8006/{_gtin(company, reference)}{piece}{total}"
    return f"{path}/21/{serial}" if serial else path


def _cpi(company: str, reference: str, _none: str) -> str:
    part, _, serial = reference.rpartition(".")
    return f"8010/{company}{part}/8011/{serial}"


_SCHEMES: Mapping[tuple[str, str], _Key] = {
    ("id", "sgtin"): _Key(13, lambda c, r, s: f"01/{_gtin(c, r)}/21/{s}"),
    ("id", "sscc"): _Key(17, lambda c, r, _: f"00/{_gtin(c, r)}"),
    ("id", "sgln"): _Key(12, _sgln),
    ("id", "grai"): _Key(12, lambda c, r, s: f"8003/{_plain('0' + c, r)}{s}"),
    ("id", "giai"): _Key(0, lambda c, r, _: f"8004/{c}{r}"),
    ("id", "gsrn"): _Key(17, lambda c, r, _: f"8018/{_plain(c, r)}"),
    ("id", "gsrnp"): _Key(17, lambda c, r, _: f"8017/{_plain(c, r)}"),
    ("id", "gdti"): _Key(12, lambda c, r, s: f"253/{_plain(c, r)}{s}"),
    ("id", "cpi"): _Key(0, _cpi),
    ("id", "sgcn"): _Key(12, lambda c, r, s: f"255/{_plain(c, r)}{s}"),
    ("id", "ginc"): _Key(0, lambda c, r, _: f"401/{c}{r}"),
    ("id", "gsin"): _Key(16, lambda c, r, _: f"402/{_plain(c, r)}"),
    ("id", "itip"): _Key(13, _itip),
    ("id", "upui"): _Key(13, lambda c, r, s: f"01/{_gtin(c, r)}/235/{s}"),
    ("id", "pgln"): _Key(12, lambda c, r, _: f"417/{_plain(c, r)}"),
    ("class", "lgtin"): _Key(13, lambda c, r, s: f"01/{_gtin(c, r)}/10/{s}"),
    ("idpat", "sgtin"): _Key(13, lambda c, r, _: f"01/{_gtin(c, r)}"),
    ("idpat", "grai"): _Key(12, lambda c, r, _: f"8003/{_plain('0' + c, r)}"),
    ("idpat", "gdti"): _Key(12, lambda c, r, _: f"253/{_plain(c, r)}"),
    ("idpat", "sgcn"): _Key(12, lambda c, r, _: f"255/{_plain(c, r)}"),
    ("idpat", "cpi"): _Key(0, lambda c, r, _: f"8010/{c}{r}"),
    ("idpat", "itip"): _Key(13, _itip),
    ("idpat", "upui"): _Key(13, lambda c, r, _: f"01/{_gtin(c, r)}"),
}
