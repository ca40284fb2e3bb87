"""`aerocast-hub user add|list|disable`. A password is never an argument: others could read it."""

import argparse
import getpass
import os
import sys
import time
from datetime import UTC, datetime

from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import (
    NewUser,
    User,
    UserError,
    add_user,
    disable_user,
    list_users,
)
from aerocast_hub.commands.output import complain, print_json, print_table
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database

PASSWORD_VARIABLE = "AEROCAST_HUB_USER_PASSWORD"  # noqa: S105  a variable's name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser(
        "add",
        help="let somebody log in",
        description="The password is asked for, or read from standard input (its first line), "
        f"or taken from the environment variable {PASSWORD_VARIABLE}.",
    )
    add.add_argument("name")
    add.add_argument(
        "--role", default="viewer", help="one of `aerocast-hub role list`; viewer is the default"
    )
    disable = actions.add_parser("disable", help="lock somebody out")
    disable.add_argument("name")
    listing = actions.add_parser("list", help="everybody who may or might log in")
    for each in (add, disable, listing):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; 1 when it was refused."""
    password = _password() if arguments.action == "add" else ""

    async def work(database: Database) -> list[User]:
        now_us = time.time_ns() // 1000
        async with database.writing() as session:
            if arguments.action == "add":
                await seed_roles(session)
                new = NewUser(arguments.name, password, arguments.role)
                return [await add_user(session, Passwords(), new, now_us=now_us)]
            if arguments.action == "disable":
                return [await disable_user(session, name=arguments.name, now_us=now_us)]
            return await list_users(session)

    try:
        users = with_database(work)
    except UserError as error:
        if arguments.json:
            print_json({"error": str(error), "input": arguments.name})
        else:
            complain(str(error))
        return 1
    if arguments.json:
        for user in users:
            print_json(user)
    else:
        headings = {"name": "NAME", "roles": "ROLES", "since": "SINCE", "state": "MAY LOG IN"}
        print_table(headings, [_row(user) for user in users])
    return 0


def _row(user: User) -> dict[str, object]:
    since = datetime.fromtimestamp(user.created_at_us / 1_000_000, UTC)
    return {
        "name": user.name,
        "roles": ", ".join(user.roles),
        "since": f"{since:%Y-%m-%d}",
        "state": "yes" if user.disabled_at_us is None else "disabled",
    }


def _password() -> str:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    # Mistyped, it would lock its owner out: asked twice, and never shown.
    if getpass.getpass("Again: ") != password:
        raise SystemExit("aerocast-hub: the two differ; nothing was done")
    return password
