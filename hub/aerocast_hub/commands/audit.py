"""`aerocast-hub audit verify|export`: is the trail whole, and take it away."""

import argparse
from collections.abc import Awaitable, Callable
from typing import BinaryIO

from aerocast_hub.commands.destination import DestinationError, add_destination, put_to
from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database

EXAMPLE = """examples:
  aerocast-hub audit verify --head "$(cat kept-head)"
  aerocast-hub audit export > trail.jsonl
  aerocast-hub audit export --after 41200 --to store:exports/trail-2026-11.jsonl"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser(
        "verify",
        help="look at every line; names the first that is not as it was written",
        description="Exit status 1 when the trail was changed, cut, or the database no longer "
        "refuses changes. Keep the head it prints elsewhere: with it a cut end is noticed.",
    )
    verify.add_argument("--head", metavar="NUMBER:HASH", help="a line known from before")
    export = actions.add_parser("export", help="hand on the trail, a JSON object a line")
    export.add_argument("--after", type=int, default=0, metavar="NUMBER", help="lines after this")
    add_destination(export)
    for each in (verify, export):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions."""
    return _export(arguments) if arguments.action == "export" else _verify(arguments)


def _verify(arguments: argparse.Namespace) -> int:
    from aerocast_hub.audit.controller import read_head  # noqa: PLC0415  quick --help
    from aerocast_hub.audit.trail import Verdict, verify  # noqa: PLC0415  likewise

    try:
        known = None if arguments.head is None else read_head(arguments.head)
    except ValueError as error:
        complain(f"--head {error}")
        return 2

    async def work(database: Database) -> Verdict:
        return await verify(database, known)

    verdict = with_database(work)
    if arguments.json:
        print_json(verdict)
    elif verdict.is_whole:
        print_line(
            f"lines {verdict.first} to {verdict.last} are as they were written; "
            f"head {verdict.last}:{verdict.head}"
        )
    else:
        if verdict.broken is not None:
            complain(f"line {verdict.broken.number} of the trail: {verdict.broken.why}")
        if verdict.unguarded:
            complain(f"the database refuses changes no more: no {', '.join(verdict.unguarded)}")
    return 0 if verdict.is_whole else 1


def _export(arguments: argparse.Namespace) -> int:
    from aerocast_hub.audit.controller import as_lines  # noqa: PLC0415  quick --help
    from aerocast_hub.audit.trail import every_line, record  # noqa: PLC0415  likewise

    def work(out: BinaryIO) -> Callable[[Database], Awaitable[None]]:
        async def write(database: Database) -> None:
            async with database.writing() as session:
                await record(session, "trail_exported", subject=f"after {arguments.after}")
            async for some in every_line(database, arguments.after):
                out.write(as_lines(some))

        return write

    try:
        with put_to(arguments.to) as out:
            with_database(work(out))
    except DestinationError as error:
        complain(str(error))
        return 2
    return 0
