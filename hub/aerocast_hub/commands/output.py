"""What commands print: text for people, or one JSON object a line."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from shutil import get_terminal_size

import msgspec

_TO_LINE_START = "\r\033[K"


def print_line(line: str) -> None:
    """Print one line."""
    sys.stdout.write(line + "\n")


def print_json(value: object) -> None:
    """Print one value as a line of JSON."""
    print_line(msgspec.json.encode(value).decode())


def print_table(headings: Mapping[str, str], rows: Iterable[Mapping[str, object]]) -> None:
    """Print columns (key -> heading) lined up; unknown values as ``-``."""
    cells = [list(headings.values())]
    cells += [["-" if row[key] is None else str(row[key]) for key in headings] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(headings))]
    for line in cells:
        print_line(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


@contextmanager
def progress_shown() -> Iterator[Callable[[str], None]]:
    """Give what tells how far long work is: to a person who looks on, on a line gone at the end."""

    def show(line: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"{_TO_LINE_START}{line[: get_terminal_size().columns - 1]}")
            sys.stderr.flush()

    try:
        yield show
    finally:
        show("")


def complain(message: str) -> None:
    """Print one line on standard error."""
    sys.stderr.write(f"aerocast-hub: {message}\n")
