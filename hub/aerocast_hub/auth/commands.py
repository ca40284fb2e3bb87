"""`aerocast-hub user add|list|disable|enable|reset`.

A password is never an argument: others could read it.
"""

import argparse
import time
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.acting import COMMAND_LINE
from aerocast_hub.auth.accounts.administration import (
    By,
    NewPassword,
    enable,
    find_user,
    remove_factors,
    reset_password,
    unlock_user,
)
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.permissions import EVERYTHING
from aerocast_hub.auth.roles import seed_roles
from aerocast_hub.auth.users import (
    NewUser,
    User,
    UserError,
    add_user,
    disable_user,
    list_users,
    normal_name,
)
from aerocast_hub.commands.asking import asked_secret
from aerocast_hub.commands.output import complain, print_json, print_table
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.settings import load_settings

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
    enable = actions.add_parser("enable", help="let somebody in again who was disabled or locked")
    enable.add_argument("name")
    reset = actions.add_parser(
        "reset",
        help="for who lost password and second factor",
        description="Gives a password that is good for three days, to be changed at the first "
        "login, and forgets the second factors. Every session of the account ends.",
    )
    reset.add_argument("name")
    listing = actions.add_parser("list", help="everybody who may or might log in")
    for each in (add, disable, enable, reset, listing):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; 1 when it was refused."""
    password = asked_secret(PASSWORD_VARIABLE, "Password") if arguments.action == "add" else ""

    async def work(database: Database) -> list[User] | NewPassword:
        async with database.writing() as session:
            return await _do(session, arguments, password)

    try:
        done = with_database(work)
    except UserError as error:
        if arguments.json:
            print_json({"error": str(error), "input": arguments.name})
        else:
            complain(str(error))
        return 1
    if arguments.json:
        for each in done if isinstance(done, list) else [done]:
            print_json(each)
    elif isinstance(done, list):
        headings = {"name": "NAME", "roles": "ROLES", "since": "SINCE", "state": "MAY LOG IN"}
        print_table(headings, [_row(user) for user in done])
    else:
        print_table({"name": "NAME", "password": "FIRST PASSWORD"}, [_given(done)])
    return 0


async def _do(
    session: AsyncSession, arguments: argparse.Namespace, password: str
) -> list[User] | NewPassword:
    now_us = time.time_ns() // 1000
    if arguments.action == "add":
        await seed_roles(session)
        new = NewUser(arguments.name, password, arguments.role)
        passwords = Passwords(load_settings().password_list)
        return [await add_user(session, passwords, new, now_us=now_us)]
    if arguments.action == "disable":
        return [await disable_user(session, name=arguments.name, now_us=now_us)]
    if arguments.action in ("enable", "reset"):
        return await _rescue(session, arguments.action, arguments.name, now_us)
    return await list_users(session)


async def _rescue(
    session: AsyncSession, action: str, name: str, now_us: int
) -> list[User] | NewPassword:
    """Do what an administrator does, from the machine itself: for when none gets in."""
    name = normal_name(name)
    found = [user for user in await list_users(session) if user.name == name]
    if not found:
        raise UserError(f"there is no user {name!r}")
    by = By(COMMAND_LINE, frozenset({EVERYTHING}), now_us)
    if action == "enable":
        await enable(session, found[0].id, by)
        await unlock_user(session, found[0].id, by)
        return [await find_user(session, found[0].id)]
    await remove_factors(session, found[0].id, by)
    return await reset_password(session, Passwords(), found[0].id, by)


def _given(given: NewPassword) -> dict[str, object]:
    return {"name": given.user.name, "password": given.password}


def _row(user: User) -> dict[str, object]:
    since = datetime.fromtimestamp(user.created_at_us / 1_000_000, UTC)
    return {
        "name": user.name,
        "roles": ", ".join(user.roles),
        "since": f"{since:%Y-%m-%d}",
        "state": _state(user),
    }


def _state(user: User) -> str:
    if user.disabled_at_us is not None:
        return "disabled"
    if user.locked_at_us is not None:
        return "locked"
    return "yes" if user.change_by_us is None else "to choose a password"
