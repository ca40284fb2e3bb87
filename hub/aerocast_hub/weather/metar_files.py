"""Airport reports from files that someone else keeps up to date: read again when they change.

A file or a folder of AWC cache files (``.csv``, ``.csv.gz``) and raw reports and forecasts
(``.txt``). A text or a file nobody can read is kept with its reason and stops nothing.
"""

import asyncio
import gzip
import hashlib
import logging
import re
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.metar import decode_metar
from aerocast_protocols.weather.report_files import RawReport, read_awc_cache, read_noaa_text
from aerocast_protocols.weather.taf import decode_taf, is_taf
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.database.engine import Database
from aerocast_hub.weather.forecasts import ReadForecast, keep_forecasts
from aerocast_hub.weather.store import ReadReport, RefusedReport, keep_reports

Read = ReadReport | ReadForecast | RefusedReport

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
LARGEST_FILE = 64 * 1024 * 1024  # unpacked; the whole world's reports of an hour take 2 MB
LONGEST_KEPT = 2000
_STATION = re.compile(r"\s*(?:(?:METAR|SPECI|TAF|AMD|COR)\s+)*([A-Z][A-Z0-9]{3})(?![A-Z0-9])")


class Version(NamedTuple):
    """What tells one state of a file from another."""

    changed_at_ns: int
    size: int
    inode: int


class MetarFiles:
    """Remembers which state of each file was read."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._read: dict[Path, Version] = {}

    def changed(self) -> list[Path]:
        """Name the files that are new or changed since they were last named."""
        now = dict(self._files())
        changed = [file for file, version in now.items() if self._read.get(file) != version]
        self._read = now
        return changed

    def forget(self) -> None:
        """Name every file again next time: what was read could not be kept."""
        self._read = {}

    def _files(self) -> Iterator[tuple[Path, Version]]:
        files = sorted(self._place.iterdir()) if self._place.is_dir() else [self._place]
        for file in files:
            if file.name.endswith((".csv", ".csv.gz", ".txt")) and file.is_file():
                state = file.stat()
                yield file, Version(state.st_mtime_ns, state.st_size, state.st_ino)


async def follow_files(database: Database, place: Path) -> None:
    """Read the files now and whenever they change, until cancelled."""
    files = MetarFiles(place)
    while True:
        try:
            await read_changed(database, files)
        except (SQLAlchemyError, OSError) as error:
            database.tell_failure("METAR files wait", error)
            files.forget()
        await asyncio.sleep(LOOK_EVERY_S)


async def read_changed(database: Database, files: MetarFiles) -> int:
    """Read the files that changed; say how many reports they held."""
    try:
        changed = await asyncio.to_thread(files.changed)
    except OSError as error:
        log.warning("METAR files cannot be looked at: %s", error)
        return 0
    count = 0
    for file in changed:
        now_us = time.time_ns() // 1000
        read = await asyncio.to_thread(read_file, file, now_us)
        async with database.writing() as session:
            count += await keep_read(session, read, now_us)
        refused = sum(isinstance(each, RefusedReport) for each in read)
        log.info("%s: %d reports, %d refused", file.name, len(read) - refused, refused)
    return count


async def keep_read(session: AsyncSession, read: Sequence[Read], now_us: int) -> int:
    """Keep reports, forecasts and refusals; say how many were readable."""
    forecasts = [each for each in read if isinstance(each, ReadForecast)]
    count = await keep_forecasts(session, forecasts, now_us) if forecasts else 0
    reports = [each for each in read if not isinstance(each, ReadForecast)]
    return count + await keep_reports(session, reports, now_us)


def read_file(file: Path, now_us: int) -> list[Read]:
    """Read one file; a file that cannot be read at all gives one refusal that names it."""
    try:
        text = _text(file)
        reports = read_noaa_text(text) if file.name.endswith(".txt") else read_awc_cache(text)
        return list(read_texts(reports, file.name, now_us))
    except (OSError, EOFError, zlib.error, ProtocolError) as error:
        reason = f"file {file.name} cannot be read: {error}"
        return [RefusedReport(digest=_digest(reason), raw="", reason=reason, source=file.name)]


def _text(file: Path) -> str:
    with file.open("rb") as stream:
        packed = file.name.endswith(".gz")
        content = (gzip.GzipFile(fileobj=stream) if packed else stream).read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ProtocolError(f"over {LARGEST_FILE} bytes")
    return content.decode(errors="replace")


def read_texts(texts: Iterable[RawReport], source: str, now_us: int) -> Iterator[Read]:
    """Read METARs and TAFs; what cannot be read is given back with the reason."""
    for each in texts:
        raw = " ".join(each.raw.replace("\x00", " ").split())[:LONGEST_KEPT]
        try:
            if is_taf(raw):
                taf = decode_taf(raw, each.observed_at_us or now_us)
                yield ReadForecast(digest=_digest(raw), taf=taf)
            else:
                yield _read_report(raw, each.observed_at_us, now_us)
        except ProtocolError as error:
            found = _STATION.match(raw)
            yield RefusedReport(
                digest=_digest(raw),
                station=None if found is None else found[1],
                raw=raw,
                reason=str(error),
                source=source,
            )


def _read_report(raw: str, observed_at_us: int | None, now_us: int) -> ReadReport:
    report = decode_metar(raw, now_us if observed_at_us is None else observed_at_us)
    instant_us = report.observed_at_us if report.observed_at_us is not None else observed_at_us
    if instant_us is None:
        raise ProtocolError(f"report {raw[:60]!r} does not say when it was observed")
    if "NIL" in report.flags:
        raise ProtocolError(f"report {raw[:60]!r} says that there is none (NIL)")
    return ReadReport(digest=_digest(raw), observed_at_us=instant_us, report=report)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]
