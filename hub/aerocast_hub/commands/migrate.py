"""`aerocast-hub migrate`."""

import argparse

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.database.timescale import TimescaleError, take_over

EXAMPLE = "example: AEROCAST_HUB_DATABASE_URL=postgresql://hub@db/hub aerocast-hub migrate"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--timescale",
        action="store_true",
        help="let TimescaleDB keep observations (before the first one is stored)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Upgrade the database to this version's tables; 2 when TimescaleDB cannot be had."""
    try:
        with_database(_choose_timescale if arguments.timescale else _nothing_more)
    except TimescaleError as error:
        complain(str(error))
        return 2
    if arguments.json:
        print_json({"migrated": True})
    else:
        print_line("the database is up to date")
    return 0


async def _choose_timescale(database: Database) -> None:
    async with database.writing() as session:
        await (await session.connection()).run_sync(take_over)


async def _nothing_more(_database: Database) -> None:
    """Do nothing: opening the database through `with_database` has migrated it."""
