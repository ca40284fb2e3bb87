"""`aerocast-hub migrate`."""

import argparse

from aerocast_hub.commands.output import print_json, print_line
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database

EXAMPLE = "example: AEROCAST_HUB_DATABASE_URL=postgresql://hub@db/hub aerocast-hub migrate"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Upgrade the database to this version's tables."""
    with_database(_nothing_more)
    if arguments.json:
        print_json({"migrated": True})
    else:
        print_line("the database is up to date")
    return 0


async def _nothing_more(_database: Database) -> None:
    """Do nothing: opening the database through `with_database` has migrated it."""
