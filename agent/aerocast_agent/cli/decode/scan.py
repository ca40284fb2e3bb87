"""``decode scan``, ``bcbp`` and ``bag-qr``: what scanners sent."""

import argparse
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import BinaryIO

import msgspec
from aerocast_protocols.barcode.aim import split_aim
from aerocast_protocols.barcode.bag_qr import BagLeg, decode_bag_qr
from aerocast_protocols.barcode.boarding_pass import (
    BoardingPass,
    BoardingPassError,
    decode_boarding_pass,
)
from aerocast_protocols.barcode.content import recognise
from aerocast_protocols.barcode.framing import LONGEST_SCAN
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.bags import ScannedLeg

from aerocast_agent.cli.decode.kinds import Kind, Line, Refused

_SHOWN = 80  # of a refused line, in characters
_CONTROLS = "\x02\x03\r\n\0"  # framing a capture may have kept


def _texts(source: BinaryIO) -> Iterator[str | Refused]:
    """Give the lines of a capture without their framing, and refuse those that are no scan."""
    lines = io.TextIOWrapper(source, encoding="latin-1", newline=None)
    try:
        for line in iter(lambda: lines.readline(LONGEST_SCAN + 2), ""):
            text = line.strip(_CONTROLS)
            if len(text) > LONGEST_SCAN:
                rest = line
                while rest and not rest.endswith("\n"):
                    rest = lines.readline(LONGEST_SCAN)
                yield Refused(f"scan is longer than {LONGEST_SCAN} bytes", text[:_SHOWN])
            elif not text:
                yield Refused("scan is empty", "")
            else:
                yield _from_latin_1(text)
    finally:
        lines.detach()


def _from_latin_1(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def _decode_scans(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    for text in _texts(source):
        yield text if isinstance(text, Refused) else _scan(text, options)


def _scan(text: str, options: argparse.Namespace) -> Line:
    scan = recognise(text, options.no_read)
    if scan is None:
        return Refused("scan is empty", "")
    line: dict[str, object] = {"symbology": scan.symbology, "content": scan.content}
    if scan.content == "other":
        line["text"] = split_aim(text).text
    if scan.content in {"plate", "bag_qr"}:
        line["licence_plate"] = scan.licence_plate
    if scan.content == "bag_qr":
        line["uuid"] = scan.bag_uuid
    if scan.content in {"boarding_pass", "bag_qr"}:
        line["legs"] = [_leg(leg) for leg in scan.legs]
        line["problem"] = scan.problem
    if scan.content == "boarding_pass":
        line["bag_tags"] = list(scan.bag_tags)
    return line


def _leg(leg: ScannedLeg) -> dict[str, object]:
    return msgspec.structs.asdict(leg)


def _add_scan_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-read", metavar="TEXT", default="NoRead", help="what the scanner sends for no read"
    )


def _decode_boarding_passes(source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    for text in _texts(source):
        if isinstance(text, Refused):
            yield text
            continue
        try:
            yield _boarding_pass(decode_boarding_pass(split_aim(text).text), options.year)
        except BoardingPassError as error:
            kept = error.mandatory
            rest: dict[str, object] = (
                {} if kept is None else {"mandatory": _boarding_pass(kept, options.year)}
            )
            yield Refused(str(error), text, rest)


def _boarding_pass(read: BoardingPass, year: int) -> dict[str, object]:
    """Give every item by its name, without padding; blank and absent ones are null."""
    line: dict[str, object] = {"format_code": "M", "number_of_legs": len(read.legs)}
    line |= _items(read)
    version = line.pop("version")
    line["version_number_indicator"] = None if read.version is None else ">"
    line["version_number"] = int(str(version)) if str(version).isdecimal() else None
    line["security_data_indicator"] = None if read.security_data is None else "^"
    line["issuance_date"] = _issued(read.issuance_date or "", year)
    line["legs"] = [
        _items(leg)
        | {
            "flight_date": _day(year, leg.day_of_year),
            "fast_track": {"Y": True, "N": False}.get(leg.fast_track or ""),
        }
        for leg in read.legs
    ]
    return line


def _items(read: msgspec.Struct) -> dict[str, object]:
    return {
        name: (each.strip() or None) if isinstance(each, str) else None
        for name in read.__struct_fields__
        if (each := getattr(read, name)) is None or isinstance(each, str)
    }


def _issued(text: str, year: int) -> str | None:
    """Give the date of issue: the last year so far that ends in its first digit."""
    if not (text.isascii() and text.isdecimal()):
        return None
    return _day(year - (year - int(text[0])) % 10, int(text[1:]))


def _day(year: int, day_of_year: int | None) -> str | None:
    if day_of_year is None or not 1 <= day_of_year <= 366:
        return None
    return f"{date(year, 1, 1) + timedelta(day_of_year - 1)}T00:00:00.000Z"


def _add_year(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--year",
        type=int,
        choices=range(2000, 2100),
        metavar="YYYY",
        default=datetime.now(UTC).year,
        help="in which the flights are, as the pass does not say; this year",
    )


def _decode_bag_qrs(source: BinaryIO, _options: argparse.Namespace) -> Iterator[Line]:
    for text in _texts(source):
        if isinstance(text, Refused):
            yield text
            continue
        try:
            tag = decode_bag_qr(split_aim(text).text)
        except ProtocolError as error:
            yield Refused(str(error), text)
            continue
        yield {
            "version": tag.version,
            "licence_plate": tag.licence_plate,
            "uuid": None if tag.uuid is None else str(tag.uuid),
            "legs": [None if leg is None else _bag_leg(leg) for leg in tag.legs],
        }


def _bag_leg(leg: BagLeg) -> dict[str, object]:
    return leg._asdict() | {"date": leg.date.isoformat()}


KINDS = {
    "scan": Kind("a text a line as a scanner sends it", _decode_scans, _add_scan_arguments),
    "bcbp": Kind("a boarding pass a line", _decode_boarding_passes, _add_year),
    "bag-qr": Kind("a 2D bag tag's text a line", _decode_bag_qrs),
}
