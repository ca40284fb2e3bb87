"""`aerocast-hub import flights|bags|stands|runways FILE`, `import places FILE|FOLDER`."""

import argparse
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import cast

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.importing import RefusedRow, UnusableInputError

EXAMPLE = """examples:
  aerocast-hub import flights flights.jsonl
  aerocast-hub import places gtfs/ --airport TLS"""
FILES = (
    "JSON lines or CSV; GeoJSON for stands; for places a folder of GTFS-Pathways or IMDF, "
    "or a file in .zip, .toml or .osm"
)

IMPORTS = {
    "flights": "aerocast_hub.flights.imports:import_flights",
    "bags": "aerocast_hub.baggage.imports:import_bags",
    "stands": "aerocast_hub.flights.imports:import_stands",
    "runways": "aerocast_hub.weather.runways:import_runways",
    "places": "aerocast_hub.orientation.places.imports:import_places",
}
"""What can be imported, and the function that does it: ``async (Database, Path)`` -> one value for
each line of the file: the thing taken in, or a `RefusedRow`. A map is one thing."""

Import = Callable[[Database, Path], Awaitable[Iterable[object]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("what", choices=sorted(IMPORTS))
    parser.add_argument("file", type=Path, help=FILES)
    parser.add_argument("--airport", help="of places; default: as the file says, else the nearest")
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Import a file; 1 when any line was refused."""
    import_file = _import(arguments)

    async def work(database: Database) -> list[object]:
        return list(await import_file(database, arguments.file))

    try:
        results = with_database(work, change=f"import {arguments.what}: {arguments.file.name}")
    except OSError as error:
        complain(f"{arguments.file} cannot be read: {error.strerror}")
        return 2
    except UnusableInputError as error:
        complain(str(error))
        if arguments.json:
            print_json(RefusedRow(str(error), str(arguments.file)))
        return 2
    refused = [each for each in results if isinstance(each, RefusedRow)]
    _tell(arguments, results, refused)
    return 1 if refused else 0


def _import(arguments: argparse.Namespace) -> Import:
    module, _, function = IMPORTS[arguments.what].partition(":")
    found: Import = getattr(import_module(module), function)
    if arguments.what != "places":
        return found
    of_airport = cast("Callable[..., Awaitable[Iterable[object]]]", found)
    return partial(of_airport, airport_code=arguments.airport)


def _tell(arguments: argparse.Namespace, results: list[object], refused: list[RefusedRow]) -> None:
    if arguments.json:
        for each in results:
            print_json(each)
        return
    for row in refused:
        complain(f"refused: {row.error}: {row.input}")
    taken = [each for each in results if not isinstance(each, RefusedRow)]
    if arguments.what == "places":
        for each in taken:
            print_line(str(each))
    else:
        print_line(f"{len(taken)} {arguments.what} imported")
