"""Read the files METARs are published in: AWC's cache file (CSV) and NOAA's text files.

Only the raw reports are taken, with the time the file itself gives them; what a provider decoded is
left where it is.
"""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

_DATE_LINE = re.compile(r"(\d{4})/(\d{2})/(\d{2}) (\d{2}):(\d{2})\s*\Z", re.ASCII)
_PREAMBLE_LINES = 10  # AWC writes five, then the header


class RawReport(NamedTuple):
    """A report as the station wrote it, and when the file says it was observed (UTC, µs)."""

    raw: str
    observed_at_us: int | None = None


def read_awc_cache(text: str) -> Iterator[RawReport]:
    """Give every report of an AWC ``metars.cache.csv``, with or without its preamble.

    Some column names come several times; the first of each counts. A row without a report (a file
    cut short) is passed over.

    Raises
    ------
    ProtocolError
        There is no header with ``raw_text``, or the text is no CSV.
    """
    rows = csv.reader(text.splitlines())
    try:
        header = _header(rows)
        report, observed = header.index("raw_text"), _position(header, "observation_time")
        for row in rows:
            if len(row) > report and row[report].strip():
                instant = row[observed] if observed is not None and len(row) > observed else ""
                yield RawReport(row[report].strip(), _instant_us(instant))
    except csv.Error as error:
        raise ProtocolError(f"METAR cache file is no CSV: {error}") from error


def read_noaa_text(text: str) -> Iterator[RawReport]:
    """Give every report of a NOAA station or cycle file, or of a plain list of reports.

    A line with a date holds for the reports up to the next empty line; a line that begins with a
    space goes on with the report before.
    """
    observed_at_us: int | None = None
    report = ""
    for line in [*text.splitlines(), ""]:
        if report and line.startswith((" ", "\t")) and line.strip():
            report += " " + line.strip()
            continue
        if report:
            yield RawReport(report, observed_at_us)
            report = ""
        date = _DATE_LINE.match(line)
        if date is not None:
            observed_at_us = _date_us(*(int(part) for part in date.groups()))
        elif line.strip():
            report = line.strip()
        else:
            observed_at_us = None


def _header(rows: Iterator[list[str]]) -> list[str]:
    for _, row in zip(range(_PREAMBLE_LINES), rows, strict=False):
        if "raw_text" in row:
            return row
    raise ProtocolError("METAR cache file has no header with raw_text")


def _position(header: list[str], name: str) -> int | None:
    return header.index(name) if name in header else None


def _instant_us(text: str) -> int | None:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        return int(instant.timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        return None


def _date_us(year: int, month: int, day: int, hour: int, minute: int) -> int | None:
    try:
        instant = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None
    return int(instant.timestamp()) * 1_000_000
