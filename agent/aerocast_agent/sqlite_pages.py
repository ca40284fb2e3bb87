"""Find rows in the raw pages of an SQLite file that SQLite itself no longer reads.

"Database File Format", sqlite.org/fileformat2.html: §1.6 b-tree pages, §2.1 records, §4.1 the
write-ahead log. Every page is taken for itself, whatever the tree above it looks like; nothing is
ever written. What comes out may be old or wrong: the caller must know a good row when it sees one.
"""

import mmap
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

LEAF_OF_A_TABLE = 0x0D
FILE_HEAD = 100
_LOG_HEAD, _FRAME_HEAD = 32, 24
_LOG_MAGIC = (0x377F0682, 0x377F0683)
LARGEST_PAYLOAD = 1024 * 1024
"""Ours: a batch takes 64 kB. A length beyond this is damage."""

Value = int | float | bytes | str | None
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class _Broken(Exception):  # noqa: N818  seen only in this file: a cell that is none
    """Bytes that are no cell, or whose rest cannot be found."""


class _Page(NamedTuple):
    """Where a version of a page is: in the log or in the file."""

    in_log: bool
    offset: int


class Pages:
    """The pages of a file and of the log beside it, in every version there is.

    Parameters
    ----------
    default_page_size
        Taken when the file's first bytes, which say it, are destroyed.
    """

    def __init__(self, path: Path, default_page_size: int) -> None:
        self._file = _mapped(path)
        log = path.with_name(path.name + "-wal")
        self._log = _mapped(log) if log.exists() else b""
        self._size = _page_size(self._file, default_page_size)
        # An overflow page is looked for as the log has it last, in the file, in older logs.
        current, older = self._log_pages()
        self._views: Sequence[dict[int, _Page]] = (current, {}, older)

    def __enter__(self) -> Self:
        """Use it in a ``with`` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the files."""
        for each in (self._file, self._log):
            if isinstance(each, mmap.mmap):
                each.close()

    def rows(self, columns: int) -> Iterator[list[tuple[Value, ...]]]:
        """Give every row of ``columns`` columns on a leaf page of any table.

        Each comes as its possible readings: they differ when a page it runs over into has changed
        since.
        """
        for page in self._every_page():
            held = self._bytes(page)
            start = FILE_HEAD if not page.in_log and page.offset == 0 else 0
            if len(held) < self._size or held[start] != LEAF_OF_A_TABLE:
                continue
            count = int.from_bytes(held[start + 3 : start + 5], "big")
            if start + 8 + 2 * count > self._size:
                continue
            for number in range(count):
                at = start + 8 + 2 * number
                readings = self._readings(held, int.from_bytes(held[at : at + 2], "big"), columns)
                if readings:
                    yield readings

    def _readings(self, held: bytes, at: int, columns: int) -> list[tuple[Value, ...]]:
        readings: list[tuple[Value, ...]] = []
        for view in self._views:
            try:
                row = _record(self._payload(held, at, view), columns)
            except _Broken:
                continue
            if row not in readings:
                readings.append(row)
        return readings

    def _payload(self, held: bytes, at: int, view: dict[int, _Page]) -> bytes:
        size, at = _varint(held, at)
        _, at = _varint(held, at)
        if not 0 < size <= LARGEST_PAYLOAD:
            raise _Broken
        most_here = self._size - 35
        if size <= most_here:
            here = size
        else:  # the rest is on a chain of overflow pages
            least = (self._size - 12) * 32 // 255 - 23
            here = least + (size - least) % (self._size - 4)
            here = here if here <= most_here else least
        payload = bytearray(held[at : at + here])
        following = int.from_bytes(held[at + here : at + here + 4], "big") if here < size else 0
        while len(payload) < size:
            more = self._bytes(view.get(following) or _in_file((following - 1) * self._size))
            if following < 1 or len(more) < self._size:
                raise _Broken
            payload += more[4 : 4 + size - len(payload)]
            following = int.from_bytes(more[:4], "big")
        return bytes(payload)

    def _bytes(self, page: _Page) -> bytes:
        source = self._log if page.in_log else self._file
        return source[page.offset : page.offset + self._size] if page.offset >= 0 else b""

    def _every_page(self) -> Iterator[_Page]:
        for offset in range(0, len(self._file), self._size):
            yield _in_file(offset)
        for view in self._views:
            yield from view.values()

    def _log_pages(self) -> tuple[dict[int, _Page], dict[int, _Page]]:
        """Give the newest version of each page in the log, and in what is left of older logs."""
        current: dict[int, _Page] = {}
        older: dict[int, _Page] = {}
        log = self._log
        if len(log) < _LOG_HEAD or int.from_bytes(log[:4], "big") not in _LOG_MAGIC:
            return current, older
        salts = log[16:24]
        step = _FRAME_HEAD + self._size
        for at in range(_LOG_HEAD, len(log) - step + 1, step):
            number = int.from_bytes(log[at : at + 4], "big")
            pages = current if log[at + 8 : at + 16] == salts else older
            pages[number] = _Page(in_log=True, offset=at + _FRAME_HEAD)
        return current, older


def _in_file(offset: int) -> _Page:
    return _Page(in_log=False, offset=offset)


def _mapped(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _page_size(file: mmap.mmap | bytes, default: int) -> int:
    """Read the page size (§1.3.2: 512 to 65536, a power of two; 1 says 65536)."""
    said = int.from_bytes(file[16:18], "big")
    size = 65536 if said == 1 else said
    sound = file[:16] == b"SQLite format 3\0" and 512 <= size <= 65536 and size & (size - 1) == 0
    return size if sound else default


def _varint(held: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number in range(9):
        if at >= len(held):
            raise _Broken
        byte = held[at]
        at += 1
        if number == 8:
            return value << 8 | byte, at
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, at


def _record(payload: bytes, columns: int) -> tuple[Value, ...]:
    head, at = _varint(payload, 0)
    if not at < head <= len(payload):
        raise _Broken
    types: list[int] = []
    while at < head:
        serial_type, at = _varint(payload, at)
        types.append(serial_type)
    if len(types) != columns:
        raise _Broken
    values: list[Value] = []
    at = head
    for serial_type in types:
        value, size = _value(serial_type, payload, at)
        values.append(value)
        at += size
    if at > len(payload):
        raise _Broken
    return tuple(values)


def _value(serial_type: int, payload: bytes, at: int) -> tuple[Value, int]:
    """Read one column (§2.1): its value and how many bytes it takes."""
    if serial_type in _INTEGER_BYTES:
        size = _INTEGER_BYTES[serial_type]
        return int.from_bytes(payload[at : at + size], "big", signed=True), size
    if serial_type in {0, 8, 9}:
        return {0: None, 8: 0, 9: 1}[serial_type], 0
    if serial_type == 7:
        if at + 8 > len(payload):
            raise _Broken
        return float(struct.unpack_from(">d", payload, at)[0]), 8
    if serial_type < 12:
        raise _Broken
    size = (serial_type - 12) // 2
    held = payload[at : at + size]
    return (held if serial_type % 2 == 0 else held.decode("utf-8", "replace")), size
