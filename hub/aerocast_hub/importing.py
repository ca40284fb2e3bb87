"""Reading files people bring: JSON lines, or CSV with the same headings.

Every line that cannot be taken in gives one message that names the line, the key and the value;
the others are taken in all the same.
"""

import csv
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO, TypeVar

import msgspec

Row = TypeVar("Row", bound=msgspec.Struct)
Made = TypeVar("Made")
Line = dict[str, object]

LONGEST_SHOWN = 500


class RefusedRow(msgspec.Struct, frozen=True):
    """A line that was not taken in: what is wrong with it, and the line."""

    error: str
    input: str


class UnusableInputError(ValueError):
    """Nothing can be taken in: what is missing, or what it is instead."""


class WrongValueError(ValueError):
    """A value of a line means nothing; raised by what makes something of the line.

    Parameters
    ----------
    key
        The heading.
    value
        What stands there.
    expected
        What should, in a few words.
    """

    def __init__(self, key: str, value: object, expected: str) -> None:
        super().__init__(f"{key} {str(value)[:LONGEST_SHOWN]!r}: expected {expected}")


class Names:
    """Headings whose values are personal and are never shown, not even to explain a refusal."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)
        either = "|".join(map(re.escape, names)) or r"(?!)"
        self._json = re.compile(rf'("(?:{either})"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^,}}]*)')

    def hide(self, row: Line | str) -> str:
        """Give a line as it may be shown."""
        if isinstance(row, str):
            return self._json.sub(r'\1"..."', row)[:LONGEST_SHOWN]
        shown = ("..." if name in self._names else str(text) for name, text in row.items())
        return ",".join(shown)[:LONGEST_SHOWN]

    def is_hidden(self, key: str) -> bool:
        """Say whether a heading's values are personal."""
        return key in self._names


NOTHING_PERSONAL = Names()


def read_rows(
    file: Path, row_type: type[Row], make: Callable[[Row], Made], personal: Names = NOTHING_PERSONAL
) -> Iterator[Made | RefusedRow]:
    """Make something of each line of a file, or say why not; blank lines are passed over.

    A file whose name ends in ``.csv`` is CSV, and so is one whose first line holds no brace; any
    other is JSON lines. An empty CSV field is unknown (left at its default).

    Parameters
    ----------
    file
        UTF-8, with or without byte order mark.
    row_type
        What a line holds.
    make
        Makes something of it, or raises `WrongValueError`.
    personal
        Headings not to be shown.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        for number, shown, row in _lines(file, lines):
            try:
                yield make(_convert(row, row_type, personal))
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                where = f"line {number}: "
                yield RefusedRow(where + _explain(error, row), personal.hide(shown))


def _lines(file: Path, lines: TextIO) -> Iterator[tuple[int, Line | str, Line | str]]:
    """Give each line's number, how it may be shown, and what it holds; text is not read yet."""
    first = next(lines, "")
    if file.suffix.lower() == ".csv" or ("{" not in first and "}" not in first and "," in first):
        yield from _csv_lines(chain([first], lines))
        return
    for number, line in enumerate(chain([first], lines), start=1):
        text = line.strip()
        if text:
            yield number, text, text


def _csv_lines(lines: Iterator[str]) -> Iterator[tuple[int, Line | str, Line | str]]:
    reader = csv.reader(lines)
    headings: list[str] | None = None
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"({error})", f"({error})"
            continue
        if headings is None:
            headings = [heading.strip() for heading in fields]
        elif len(fields) > len(headings):
            text = f"{len(fields)} fields under {len(headings)} headings"
            yield reader.line_num, text, text
        elif any(fields):
            named = {name: text.strip() for name, text in zip(headings, fields, strict=False)}
            shown: Line = dict(named)
            row: Line = {name: text for name, text in named.items() if text}
            yield reader.line_num, shown, row


def _convert(row: Line | str, row_type: type[Row], personal: Names) -> Row:
    if isinstance(row, dict):
        return _checked(row, row_type, personal)
    found = msgspec.json.decode(row)
    if not isinstance(found, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004  one kind of refusal
    return _checked(found, row_type, personal)


def _checked(row: Line, row_type: type[Row], personal: Names) -> Row:
    for name, text in row.items():
        if "\x00" in f"{name}{text}":  # PostgreSQL keeps no such text
            raise WrongValueError(name.replace("\x00", "?"), "...", "text without NUL characters")
    try:
        return msgspec.convert(row, row_type, strict=False)
    except msgspec.ValidationError as error:
        key = _key_of(error)
        if key is None or key not in row:
            raise
        value = "..." if personal.is_hidden(key) else row[key]
        expected = str(error).partition(" - at")[0].removeprefix("Expected ").replace("`", "")
        raise WrongValueError(key, value, expected) from None


def _explain(error: Exception, row: Line | str) -> str:
    if isinstance(error, WrongValueError):
        return str(error)
    if isinstance(error, msgspec.ValidationError):
        missing = re.search(r"missing required field `([^`]+)`", str(error))
        return f"{missing[1]} is missing" if missing else str(error).replace("`", "")
    if isinstance(row, str) and not row.lstrip().startswith("{"):
        return "expected a JSON object" if "fields under" not in row else row
    return f"not readable as JSON: {error}"


def _key_of(error: msgspec.ValidationError) -> str | None:
    found = re.search(r"at `\$\.([^`.\[]+)", str(error))
    return None if found is None else found[1]
