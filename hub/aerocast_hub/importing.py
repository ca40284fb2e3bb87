"""Reading files people bring: JSON lines, or CSV with the same headings."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

Row = TypeVar("Row", bound=msgspec.Struct)


class RefusedRow(msgspec.Struct, frozen=True):
    """A line that was not taken in: what is wrong with it, and the line."""

    error: str
    input: str


def read_rows(file: Path, row_type: type[Row]) -> Iterator[Row | RefusedRow]:
    """Give each line of a file as a ``row_type``, or as refused; blank lines are passed over.

    A file that starts with ``{`` is JSON lines, any other CSV; an empty CSV field is unknown
    (left at its default).

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        start = lines.read(256).lstrip()
        lines.seek(0)
        if start.startswith("{"):
            for line in lines:
                if line.strip():
                    yield _from_json(line.strip(), row_type)
            return
        reader = csv.DictReader(lines)
        for fields in reader:
            yield _from_csv(fields, row_type)


def _from_json(line: str, row_type: type[Row]) -> Row | RefusedRow:
    try:
        return msgspec.json.decode(line, type=row_type, strict=False)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return RefusedRow(str(error), line[:1000])


def _from_csv(
    fields: dict[str | None, str | list[str] | None], row_type: type[Row]
) -> Row | RefusedRow:
    known = {name: text for name, text in fields.items() if name is not None and text}
    try:
        return msgspec.convert(known, row_type, strict=False)
    except msgspec.MsgspecError as error:
        return RefusedRow(str(error), ",".join(str(text) for text in known.values())[:1000])
