"""`aerocast-hub badge assign|list|revoke`. A PIN is never an argument: others could read it."""

import argparse
import time
from datetime import UTC, datetime

from aerocast_hub.auth.badges import Badge, Place, assign_badge, list_badges, revoke_badges
from aerocast_hub.auth.passwords import Passwords
from aerocast_hub.auth.users import UserError
from aerocast_hub.commands.asking import asked_secret
from aerocast_hub.commands.output import complain, print_json, print_table
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database

PIN_VARIABLE = "AEROCAST_HUB_BADGE_PIN"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    assign = actions.add_parser(
        "assign",
        help="give the badge that was just shown at a gateway to somebody",
        description="Hold the badge to the gateway's reader first. The PIN (6 to 12 digits) is "
        "asked for, or read from standard input (its first line), or taken from the environment "
        f"variable {PIN_VARIABLE}.",
    )
    assign.add_argument("name", help="the user's")
    assign.add_argument("--gateway", required=True, metavar="SITE/NAME", help="where it was shown")
    revoke = actions.add_parser("revoke", help="take all badges of somebody out of use")
    revoke.add_argument("name")
    listing = actions.add_parser("list", help="who has a badge")
    for each in (assign, revoke, listing):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; 1 when it was refused."""
    pin = asked_secret(PIN_VARIABLE, "PIN") if arguments.action == "assign" else ""

    async def work(database: Database) -> list[Badge]:
        now_us = time.time_ns() // 1000
        if arguments.action == "assign":
            site, _, gateway = arguments.gateway.partition("/")
            pin_hash = await Passwords().hash_pin(pin)
            async with database.writing() as session:
                place = Place(site, gateway)
                return [await assign_badge(session, arguments.name, place, pin_hash, now_us=now_us)]
        async with database.writing() as session:
            if arguments.action == "revoke":
                await revoke_badges(session, arguments.name, now_us=now_us)
            return await list_badges(session)

    try:
        badges = with_database(work)
    except (UserError, ValueError) as error:
        if arguments.json:
            print_json({"error": str(error), "input": arguments.name})
        else:
            complain(str(error))
        return 1
    if arguments.json:
        for badge in badges:
            print_json(badge)
    else:
        headings = {"user": "USER", "since": "SINCE", "by": "GIVEN BY"}
        print_table(headings, [_row(badge) for badge in badges])
    return 0


def _row(badge: Badge) -> dict[str, object]:
    since = datetime.fromtimestamp(badge.assigned_at_us / 1_000_000, UTC)
    return {"user": badge.user, "since": f"{since:%Y-%m-%d}", "by": badge.assigned_by}
