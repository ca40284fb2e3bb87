"""`aerocast-hub role list|put|remove|give|of`: roles, and what accounts are given."""

import argparse
import time
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from aerocast_hub.audit.acting import COMMAND_LINE
from aerocast_hub.auth.bindings import Binding, Given, bind, binding_of
from aerocast_hub.auth.permissions import EVERYTHING, Role
from aerocast_hub.auth.roles import (
    KnownRole,
    RoleError,
    list_roles,
    put_role,
    remove_role,
    seed_roles,
)
from aerocast_hub.auth.users import UserError
from aerocast_hub.commands.output import complain, print_json, print_table
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.sight.designators import DesignatorError, read_airlines, read_stations

ALL = frozenset({EVERYTHING})  # whoever has a shell here may do anything


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="roles and what they allow")
    put = actions.add_parser("put", help="add a role of your own, or change it")
    put.add_argument("name")
    put.add_argument("--about", default="", help="what it is for, in a few words")
    put.add_argument(
        "--permission", action="append", default=[], metavar="SERVICE:VERB", help="again for more"
    )
    put.add_argument(
        "--own-only", action="store_true", help="sees the rows of its accounts' airlines alone"
    )
    remove = actions.add_parser("remove", help="remove a role of your own that nobody has")
    remove.add_argument("name")
    give = actions.add_parser(
        "give",
        help="give an account roles, airlines and airports in place of those it had",
        description="Without --airline and --station the account sees every row, unless one of "
        "its roles sees its own only. Holds from the next token on: within 15 minutes.",
    )
    give.add_argument("name", help="the account's")
    give.add_argument("--role", action="append", required=True, help="again for more")
    give.add_argument("--airline", action="append", default=[], help="AF or AFR; again for more")
    give.add_argument("--station", action="append", default=[], help="TLS or LFBO; again for more")
    of = actions.add_parser("of", help="what an account may do, and whose rows it sees")
    of.add_argument("name", help="the account's")
    for each in (listing, put, remove, give, of):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; 1 when it was refused."""

    async def work(database: Database) -> Sequence[KnownRole | Binding]:
        async with database.writing() as session:
            await seed_roles(session)
            return await _act(session, arguments)

    try:
        found = with_database(work)
    except (RoleError, UserError, DesignatorError) as error:
        if arguments.json:
            print_json({"error": str(error), "input": arguments.name})
        else:
            complain(str(error))
        return 1
    if arguments.json:
        for each in found:
            print_json(each)
    elif arguments.action in {"give", "of"}:
        _print_bindings([each for each in found if isinstance(each, Binding)])
    else:
        _print_roles([each for each in found if isinstance(each, KnownRole)])
    return 0


async def _act(
    session: AsyncSession, arguments: argparse.Namespace
) -> Sequence[KnownRole | Binding]:
    now_us = time.time_ns() // 1000
    if arguments.action == "put":
        role = Role(arguments.about[:200], frozenset(arguments.permission), arguments.own_only)
        name = arguments.name
        return [await put_role(session, name, role, may=ALL, now_us=now_us, actor=COMMAND_LINE)]
    if arguments.action == "remove":
        await remove_role(session, arguments.name, may=ALL, now_us=now_us, actor=COMMAND_LINE)
    elif arguments.action == "give":
        given = Given(
            frozenset(arguments.role),
            read_airlines(arguments.airline),
            read_stations(arguments.station),
        )
        name = arguments.name
        return [await bind(session, name, given, may=ALL, now_us=now_us, actor=COMMAND_LINE)]
    elif arguments.action == "of":
        return [await binding_of(session, arguments.name)]
    return await list_roles(session)


def _print_roles(roles: Sequence[KnownRole]) -> None:
    headings = {"name": "NAME", "sees": "SEES", "allows": "ALLOWS", "about": "FOR"}
    rows = [
        {
            "name": each.name,
            "sees": "own airlines" if each.sees_own_only else "every row",
            "allows": " ".join(each.permissions),
            "about": each.about,
        }
        for each in roles
    ]
    print_table(headings, rows)


def _print_bindings(bindings: Sequence[Binding]) -> None:
    headings = {"name": "NAME", "roles": "ROLES", "sees": "SEES"}
    rows = [
        {
            "name": each.name,
            "roles": " ".join(each.roles),
            "sees": " ".join((*each.airlines, *each.stations)) or f"{each.sees} row",
        }
        for each in bindings
    ]
    print_table(headings, rows)
