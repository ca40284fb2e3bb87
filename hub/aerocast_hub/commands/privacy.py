"""`aerocast-hub privacy export|erase|inventory|rotate-keys`."""

import argparse
import getpass
import sys

from aerocast_hub.commands.output import (
    complain,
    print_json,
    print_line,
    print_table,
    progress_shown,
)
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database

EXAMPLE = """examples:
  aerocast-hub privacy export 0220123456 < surname.txt
  aerocast-hub privacy rotate-keys"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, about in (
        ("export", "print everything that is kept of a passenger, as JSON"),
        ("erase", "erase a passenger's name, reference and messages"),
    ):
        one = actions.add_parser(
            name, help=about, description="The surname is asked for, or read from standard input."
        )
        one.add_argument("plate", help="the ten digits of a bag tag of theirs")
        one.add_argument("--json", action="store_true", help="print JSON lines")
    listing = actions.add_parser("inventory", help="every column with personal data, and why")
    listing.add_argument("--json", action="store_true", help="print JSON lines")
    rotate = actions.add_parser(
        "rotate-keys",
        help="seal names, references and messages anew with a new key",
        description="Makes a new key beside the old ones and seals everything anew; hubs may run. "
        "Restart them, then run it once more with --drop-old: that seals what they wrote meanwhile "
        "and forgets the old keys. Keys that come from DATA_KEYS are changed there, newest first.",
    )
    rotate.add_argument("--drop-old", action="store_true", help="make no key; forget the old ones")
    rotate.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; 1 when it was refused."""
    if arguments.action == "inventory":
        return _inventory(as_json=arguments.json)
    if arguments.action == "rotate-keys":
        return _rotate(arguments)
    return _of_passenger(arguments)


def _of_passenger(arguments: argparse.Namespace) -> int:
    from aerocast_hub.privacy.people import erase, kept_of, passenger_with  # noqa: PLC0415  quick --help

    surname = (
        sys.stdin.readline().strip() if not sys.stdin.isatty() else getpass.getpass("Surname: ")
    )
    plate = "".join(arguments.plate.split())

    async def work(database: Database) -> object | None:
        async with database.writing() as session:
            passenger_id = await passenger_with(session, plate, surname)
            if passenger_id is None:
                return None
            if arguments.action == "export":
                return await kept_of(session, passenger_id)
            erased = await erase(session, passenger_id)
            return None if erased is None else {"passenger_id": passenger_id, **erased._asdict()}

    found = with_database(work)
    if found is None:
        complain("no passenger of this bag tag and surname is known")
        return 1
    print_json(found)
    return 0


def _inventory(*, as_json: bool) -> int:
    from aerocast_hub.privacy.inventory import INVENTORY  # noqa: PLC0415  quick --help

    if as_json:
        for each in INVENTORY:
            print_json(each)
        return 0
    headings = {"column": "COLUMN", "what": "WHAT", "kept": "KEPT", "seen_by": "SEEN BY"}
    print_table(headings, [{name: getattr(each, name) for name in headings} for each in INVENTORY])
    return 0


def _rotate(arguments: argparse.Namespace) -> int:
    from aerocast_hub.data_keys import DataKeyError  # noqa: PLC0415  quick --help
    from aerocast_hub.database.sealed import keys_of  # noqa: PLC0415  likewise
    from aerocast_hub.privacy.rotation import seal_anew  # noqa: PLC0415  likewise

    async def work(database: Database) -> dict[str, int]:
        async with database.reading() as session:
            keys = keys_of(session)
        if not arguments.drop_old and keys.is_in_file:
            keys.add_new()
        with progress_shown() as progress:
            count = await seal_anew(database, lambda rows: progress(f"{rows:,} rows sealed"))
        if arguments.drop_old:
            keys.drop_old()
        return {"sealed": count, "keys": keys.count}

    try:
        done = with_database(work)
    except DataKeyError as error:
        complain(str(error))
        return 1
    if arguments.json:
        print_json(done)
    else:
        print_line(f"{done['sealed']} rows sealed with the newest of {done['keys']} keys")
    return 0
