"""``aerocast-agent decode KIND [FILE|-]``: read a capture; needs no daemon and no hub.

One JSON object a line when standard output is no terminal (or with ``--json``), a readable line
otherwise. A refused item gives its error in its place: lines in are lines out.
"""

import argparse
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from aerocast_protocols.errors import ProtocolError

from aerocast_agent.cli import REFUSED, WELL, WRONG_USAGE, nearest
from aerocast_agent.cli.decode.kinds import Kind, Line, Refused


class _Place(NamedTuple):
    subject: str
    help: str


KINDS = {
    "llrp": _Place("rfid", "binary stream of LLRP messages, headers included"),
    "epc": _Place("rfid", "hex a line: an EPC bank with or without the PC word"),
    "uhf-serial": _Place("uhf_serial", "frames of a serial UHF module, hex a line; --protocol P"),
    "reader-json": _Place("reader_json", "JSON of an R700 or Zebra reader, a line; --maker M"),
    "passages": _Place("rfid", "JSON lines of tag reads and photo-eye edges; --config agent.toml"),
    "iq": _Place("radio", "radio samples around 1090 MHz (needs the extra sdr)"),
    "beast": _Place("sky", "Beast stream of a Mode S receiver"),
    "avr": _Place("receivers", "AVR text of a Mode S receiver (dump1090's raw output)"),
    "sbs": _Place("receivers", "SBS (BaseStation) lines of a Mode S receiver"),
    "modes": _Place("sky", "a Mode S message a line: hex, or timestamp,...,hex"),
    "aircraft": _Place("sky", "as modes: aircraft states and ground events"),
    "wind": _Place("sky", "as modes: wind and temperature where aircraft fly"),
    "scan": _Place("scan", "a text a line as a scanner sends it"),
    "bcbp": _Place("scan", "a boarding pass a line"),
    "bag-qr": _Place("scan", "a 2D bag tag's text a line"),
    "nmea": _Place("gps", "log of a GPS receiver"),
    "ubx": _Place("gps", "stream of a u-blox receiver, alone or mixed with NMEA"),
    "gpsd": _Place("gps", "JSON lines of gpsd"),
    "ble": _Place("ble", "Bluetooth advertising data, hex a line"),
    "bim": _Place("baggage", "baggage messages (RP1745), in Type B envelopes or without"),
    "metar": _Place("weather", "a METAR report a line"),
    "taf": _Place("weather", "a TAF forecast a line; --at TIME says what it comes to"),
}
_NUMBER = re.compile(r"-[0-9.]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT|\d{9,}(?:\.\d+)?\Z")


def run(arguments: Sequence[str]) -> int:
    """Decode one input and give the exit status: 1 when anything in it was refused."""
    given = _joined(arguments)
    known, _ = _first_parser().parse_known_args(given)
    if known.kind is None:
        _parser(None, None).print_help(sys.stdout if known.help else sys.stderr)
        return WELL if known.help else WRONG_USAGE
    if known.kind == "list":
        return _list(as_json=known.json or not sys.stdout.isatty())
    try:
        kind = _load(known.kind)
    except LookupError as error:
        sys.stderr.write(f"aerocast-agent decode: {error.args[0]}\n")
        sys.stderr.write("Next: 'aerocast-agent decode list' names the kinds.\n")
        return WRONG_USAGE
    options = _parser(known.kind, kind).parse_intermixed_args(given)
    try:
        source = (
            nullcontext(sys.stdin.buffer) if options.file == "-" else Path(options.file).open("rb")  # noqa: SIM115  entered below
        )
    except OSError as error:
        sys.stderr.write(f"aerocast-agent decode: {options.file}: {error.strerror}\n")
        sys.stderr.write("Next: name a file that can be read, or - for standard input.\n")
        return WRONG_USAGE
    with source as opened:
        return _decode(kind, opened, options)


def _decode(kind: Kind, source: BinaryIO, options: argparse.Namespace) -> int:
    as_json = options.json or not sys.stdout.isatty()
    fields = options.fields.split(",") if options.fields else None
    seen: set[str] = set()
    status = WELL
    for line in _lines(kind, source, options):
        if isinstance(line, Refused):
            status = REFUSED
            shown: dict[str, object] = {"error": line.error, "input": line.input, **line.more}
        else:
            seen.update(line)
            shown = line if fields is None else {key: line[key] for key in fields if key in line}
        sys.stdout.write(_as_json(shown) if as_json else _readable(shown))
    for field in sorted(set(fields or ()) - seen) if seen else ():
        sys.stderr.write(f"no line had a field {field!r}{nearest(field, sorted(seen))}\n")
    return status


def _lines(kind: Kind, source: BinaryIO, options: argparse.Namespace) -> Iterator[Line]:
    try:
        yield from kind.decode(source, options)
    except ProtocolError as error:  # a stream that cannot be read any further
        yield Refused(str(error), options.file)


def _load(name: str) -> Kind:
    place = KINDS.get(name)
    if place is None:
        raise LookupError(f"no kind {name!r}{nearest(name, list(KINDS))}")
    module = f"aerocast_agent.cli.decode.{place.subject}"
    if importlib.util.find_spec(module) is None:
        raise LookupError(f"kind {name!r} is not available in this version")
    kinds: dict[str, Kind] = importlib.import_module(module).KINDS
    if name not in kinds:
        raise LookupError(f"kind {name!r} is not available in this version")
    return kinds[name]


def _list(*, as_json: bool) -> int:
    for name, place in KINDS.items():
        shown: dict[str, object] = {"kind": name, "input": place.help}
        sys.stdout.write(_as_json(shown) if as_json else f"{name:<12}{place.help}\n")
    return WELL


def _as_json(line: dict[str, object]) -> str:
    return msgspec.json.encode(line).decode() + "\n"


def _readable(line: dict[str, object]) -> str:
    if {"error", "input"} <= set(line):
        return f"refused: {line['error']}: {line['input']}\n"
    known = ((key, each) for key, each in line.items() if each is not None)
    return "  ".join(f"{key} {_plain(each)}" for key, each in known) + "\n"


def _plain(each: object) -> str:
    if isinstance(each, float):
        return f"{each:.6g}" if abs(each) < 1e6 else f"{each:.3f}"
    return each if isinstance(each, str) else msgspec.json.encode(each).decode()


def _joined(arguments: Sequence[str]) -> list[str]:
    """Write options with their values as one word where argparse would take them wrong.

    ``--reference -33.9,151.2``: the value looks like an option. ``--at TIME TIME FILE``: the file
    would be taken for a third time.
    """
    joined: list[str] = []
    for argument in arguments:
        before = joined[-1] if joined else ""
        if before == "--at" or (
            _NUMBER.match(argument) and before.startswith("--") and "=" not in before
        ):
            joined[-1] = f"{before}={argument}"
        elif before.startswith("--at=") and _TIME.match(argument):
            joined.append(f"--at={argument}")
        else:
            joined.append(argument)
    return joined


def _first_parser() -> argparse.ArgumentParser:
    """Find the kind before its own options are known."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("kind", nargs="?")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--fields")
    return parser


def _parser(name: str | None, kind: Kind | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aerocast-agent decode",
        allow_abbrev=False,
        description=kind.help if kind else "Read a capture of a device, or of the air.",
        epilog=f"Example: aerocast-agent decode {name or 'scan'} capture --json",
    )
    parser.add_argument("kind", metavar=name or "KIND", help="what it is; 'list' names the kinds")
    parser.add_argument("file", nargs="?", default="-", help="the capture; - is standard input")
    parser.add_argument("--json", action="store_true", help="JSON lines also on a terminal")
    parser.add_argument("--fields", metavar="A,B,C", help="only these fields of each line")
    if kind is not None and kind.add_arguments is not None:
        kind.add_arguments(parser)
    return parser
