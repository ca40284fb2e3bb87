"""`aerocast-hub import flights|bags|stands FILE`."""

import argparse
from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module
from pathlib import Path

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.importing import RefusedRow

EXAMPLE = "example: aerocast-hub import flights flights.jsonl"

IMPORTS = {
    "flights": "aerocast_hub.flights.imports:import_flights",
    "bags": "aerocast_hub.baggage.imports:import_bags",
    "stands": "aerocast_hub.flights.imports:import_stands",
}
"""What can be imported, and the function that does it: ``async (Database, Path)`` -> one value for
each line of the file: the thing taken in, or a `RefusedRow`."""

Import = Callable[[Database, Path], Awaitable[Iterable[object]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("what", choices=sorted(IMPORTS))
    parser.add_argument("file", type=Path, help="JSON lines or CSV; GeoJSON for stands")
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Import a file; 1 when any line was refused."""
    module, _, function = IMPORTS[arguments.what].partition(":")
    import_file: Import = getattr(import_module(module), function)

    async def work(database: Database) -> list[object]:
        return list(await import_file(database, arguments.file))

    try:
        results = with_database(work)
    except OSError as error:
        complain(f"{arguments.file} cannot be read: {error.strerror}")
        return 2
    refused = [each for each in results if isinstance(each, RefusedRow)]
    if arguments.json:
        for each in results:
            print_json(each)
    else:
        for row in refused:
            complain(f"refused: {row.error}: {row.input}")
        print_line(f"{len(results) - len(refused)} {arguments.what} imported")
    return 1 if refused else 0
