"""Which airframe has an address: a file of registrations and types, kept small in memory.

Half a million airframes take about 12 MB: sorted addresses, and one text of all the rest.
"""

import csv
import gzip
import re
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TextIO

_GZIP = b"\x1f\x8b"
_LONGEST_TEXT = 16
_ADDRESS = re.compile(r"\s*[0-9A-Fa-f]{6}\s*")
# Headings understood: ours first, then those of dump1090-fa's published file.
_ICAO, _REGISTRATION, _TYPE = ("icao24", "icao", "hex"), ("registration", "r"), ("type", "t")


class Airframe(NamedTuple):
    """Registration and ICAO type designator (``A320``); None where unknown."""

    registration: str | None
    aircraft_type: str | None


UNKNOWN = Airframe(None, None)


class AircraftDatabase:
    """Answers which airframe has an address."""

    def __init__(self, rows: Iterable[tuple[int, str, str]] = ()) -> None:
        icaos, starts, texts = array("I"), array("I"), bytearray()
        for icao, registration, aircraft_type in rows:
            icaos.append(icao)
            starts.append(len(texts))
            texts += f"{registration}\t{aircraft_type}\n".encode()
        if any(one > other for one, other in pairwise(icaos)):
            order = sorted(range(len(icaos)), key=icaos.__getitem__)
            icaos = array("I", (icaos[each] for each in order))
            starts = array("I", (starts[each] for each in order))
        self._icaos, self._starts, self._texts = icaos, starts, bytes(texts)

    @classmethod
    def from_csv(cls, file: Path) -> "AircraftDatabase":
        """Read a CSV file, plain or gzip, with a heading line: ``icao24,registration,type``.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            It is no such file; the message says where.
        """
        with file.open("rb") as found:
            is_packed = found.read(len(_GZIP)) == _GZIP
        open_text = gzip.open if is_packed else open
        with open_text(file, "rt", encoding="utf-8-sig", newline="") as lines:
            try:
                return cls(_rows(lines))
            except (UnicodeDecodeError, EOFError, zlib.error, csv.Error) as error:
                raise ValueError(f"no CSV file of aircraft: {error}") from error

    def __len__(self) -> int:
        return len(self._icaos)

    def airframe(self, icao: str) -> Airframe:
        """Give what is known of an address (six hex digits; others are unknown)."""
        if len(icao) != 6 or not self._icaos:
            return UNKNOWN
        wanted = int(icao, 16)
        index = bisect_left(self._icaos, wanted)
        if index == len(self._icaos) or self._icaos[index] != wanted:
            return UNKNOWN
        start = self._starts[index]
        text = self._texts[start : self._texts.index(b"\n", start)].decode()
        registration, aircraft_type = text.split("\t")
        return Airframe(registration or None, aircraft_type or None)


def _rows(lines: TextIO) -> Iterator[tuple[int, str, str]]:
    reader = csv.reader(lines)
    headings = [each.strip().lower() for each in next(reader, [])]
    icao_at, registration_at, type_at = (
        next((headings.index(each) for each in names if each in headings), None)
        for names in (_ICAO, _REGISTRATION, _TYPE)
    )
    if icao_at is None or registration_at is None:
        raise ValueError(f"a heading line icao24,registration,type is wanted, not {headings[:8]}")
    for row in reader:
        if not any(row):
            continue
        if not _ADDRESS.fullmatch(row[icao_at] if icao_at < len(row) else ""):
            raise ValueError(f"line {reader.line_num}: no 24-bit address in {row[:8]}")
        yield int(row[icao_at], 16), _text(row, registration_at), _text(row, type_at)


def _text(row: list[str], at: int | None) -> str:
    if at is None or at >= len(row):
        return ""
    return " ".join(row[at].split())[:_LONGEST_TEXT]
