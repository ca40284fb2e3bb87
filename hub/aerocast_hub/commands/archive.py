"""`aerocast-hub archive make|list|verify|query`: observations of past months as Parquet files."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from aerocast_hub.commands.output import complain, print_json, print_line, progress_shown
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.database.months import Month, read_month
from aerocast_hub.settings import load_settings
from aerocast_hub.storage.archive import (
    Archived,
    list_archives,
    make_archive,
    verify_archive,
)
from aerocast_hub.storage.archive_bounds import Bounds
from aerocast_hub.storage.archive_question import Row, ask_archives
from aerocast_hub.storage.keys import ObjectError
from aerocast_hub.storage.objects import Objects, open_objects

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
    asked = asked_what.add_parser(
        "query",
        help="ask the table observations by SQL",
        description="One SELECT, as DuckDB understands it, over the archives' table observations: "
        "site, gateway, gateway_id, epoch, lane, sequence, kind, device, boot_ns, seen_at_us, "
        "clock_quality, received_at_us, body (bytes), observation (JSON). It reads nothing else "
        "of this machine. Archives in S3 are first copied to TMPDIR. Without --json: the columns' "
        "names, then the rows, apart by tabs.",
        epilog="example: aerocast-hub archive query --month 2026-10 --json "
        '"SELECT kind, count(*) AS n FROM observations GROUP BY kind"',
    )
    asked.add_argument("sql", help="one SELECT")
    bounds = Bounds()
    for name, most, about in (
        ("memory_mb", 262_144, "MB of memory"),
        ("seconds", 86_400, "seconds"),
        ("rows", 2**31, "rows of the answer"),
    ):
        asked.add_argument(
            f"--{name.replace('_', '-')}",
            type=_up_to(most),
            default=getattr(bounds, name),
            metavar="N",
            help=f"{about} it may take (%(default)s)",
        )
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
    with progress_shown() as progress:

        async def make(database: Database) -> Archived | None:
            return await make_archive(
                database,
                objects,
                arguments.month,
                lambda rows: progress(f"{rows:,} observations of {arguments.month}"),
            )

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
        bounds = Bounds(
            memory_mb=arguments.memory_mb, seconds=arguments.seconds, rows=arguments.rows
        )
        await _print(arguments, ask_archives(objects, archives, arguments.sql, bounds))
        return 0
    status = 0
    for each in archives:
        if arguments.what == "list":
            _tell(arguments, each)
            continue
        with progress_shown() as progress:
            progress(f"fetching {each.month}, {each.size / 1e6:,.0f} MB")
            found = await verify_archive(objects, each)
        status = status if found.problem is None else 1
        _tell(arguments, each, rows=found.rows, problem=found.problem)
    return status


async def _print(arguments: argparse.Namespace, rows: AsyncGenerator[Row, None]) -> None:
    headed = arguments.json
    async with aclosing(rows) as asked:
        async for row in asked:
            if not headed:
                print_line("\t".join(row))
                headed = True
            if arguments.json:
                print_json(row)
            else:
                told = ("-" if value is None else str(value) for value in row.values())
                print_line("\t".join(told))


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


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {most}")
        return int(text)

    return number
