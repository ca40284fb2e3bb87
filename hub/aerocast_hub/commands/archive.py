"""`aerocast-hub archive make|list|verify|query`: observations of past months as Parquet files."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.database.months import Month, read_month
from aerocast_hub.settings import load_settings
from aerocast_hub.storage.archive import (
    Archived,
    ask_archives,
    list_archives,
    make_archive,
    verify_archive,
)
from aerocast_hub.storage.objects import ObjectError, Objects, open_objects

EXAMPLE = """examples:
  aerocast-hub archive make 2026-10
  aerocast-hub archive verify
  aerocast-hub archive query "SELECT kind, count(*) FROM observations GROUP BY kind" --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    asked_what = parser.add_subparsers(dest="what", required=True)
    made = asked_what.add_parser("make", help="store a month's observations as a file")
    made.add_argument("month", type=_month, help="written like 2026-10")
    asked_what.add_parser("list", help="the months there are")
    verified = asked_what.add_parser("verify", help="fetch files again and check them")
    asked = asked_what.add_parser("query", help="ask the table observations by SQL")
    asked.add_argument("sql")
    for each in (verified, asked):
        each.add_argument(
            "--month", type=_month, action="append", help="only this one; may be repeated"
        )
    for each in asked_what.choices.values():
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; 1 when a file is not what it should be or a question has no answer."""
    objects = open_objects(load_settings())
    try:
        if arguments.what == "make":
            return _make(arguments, objects)
        return asyncio.run(_look(arguments, objects))
    except ObjectError as error:
        complain(str(error))
        return 1


def _make(arguments: argparse.Namespace, objects: Objects) -> int:
    async def make(database: Database) -> Archived | None:
        return await make_archive(database, objects, arguments.month)

    archived = with_database(make)
    if archived is None:
        complain(f"nothing was received in {arguments.month}")
        return 1
    _tell(arguments, archived)
    return 0


async def _look(arguments: argparse.Namespace, objects: Objects) -> int:
    archives = await list_archives(objects)
    if arguments.what != "list" and arguments.month:
        archives = [each for each in archives if each.month in arguments.month]
    if arguments.what == "query":
        async for row in _in_order(ask_archives(objects, archives, arguments.sql)):
            if arguments.json:
                print_json(row)
            else:
                print_line("  ".join(str(value) for value in row.values()))
        return 0
    status = 0
    for each in archives:
        if arguments.what == "list":
            _tell(arguments, each)
            continue
        found = await verify_archive(objects, each)
        status = status if found.problem is None else 1
        _tell(arguments, each, rows=found.rows, problem=found.problem)
    return status


async def _in_order(
    rows: AsyncIterator[Mapping[str, object]],
) -> AsyncIterator[Mapping[str, object]]:
    async for row in rows:
        yield {
            name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()
        }


def _tell(arguments: argparse.Namespace, archived: Archived, **more: object) -> None:
    told = {
        "month": str(archived.month),
        "key": archived.key,
        "sha256": archived.sha256,
        "bytes": archived.size,
    } | more
    if arguments.json:
        print_json(told)
        return
    rows = f", {more['rows']} observations" if more.get("rows") else ""
    problem = f": {more['problem']}" if more.get("problem") else ""
    print_line(f"{archived.month}  {archived.size} bytes{rows}{problem}  {archived.key}")


def _month(text: str) -> Month:
    try:
        return read_month(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
