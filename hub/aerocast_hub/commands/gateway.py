"""`aerocast-hub gateway add|list|revoke|losses|login`."""

import argparse

from aerocast_protocols import broker_login

from aerocast_hub.commands.output import complain, print_json, print_line, print_table
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.gateways.losses import Account
from aerocast_hub.gateways.registry import (
    Gateway,
    GatewayRefusedError,
    Position,
    add_gateway,
    list_gateways,
    revoke_gateway,
)
from aerocast_hub.gateways.views import loss_accounts
from aerocast_hub.inbox.broker_login import gateways_login
from aerocast_hub.settings import load_settings

EXAMPLE = """examples:
  aerocast-hub gateway add lfbo hall-1 --position 43.6293,1.3638,152
  aerocast-hub gateway add lfbo tug-7 --carrier CART7
  aerocast-hub gateway losses"""

LOSS_HEADINGS = {
    "gateway": "GATEWAY",
    "accepted": "ACCEPTED",
    "durable": "DURABLE",
    "acknowledged": "ACKNOWLEDGED",
    "received": "STORED HERE",
    "awaited": "AWAITED",
    "refused": "REFUSED",
    "evicted": "EVICTED",
    "dead": "DEAD",
    "explained": "LOST, EXPLAINED",
    "unexplained": "LOST, UNEXPLAINED",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="let a gateway speak")
    add.add_argument("site")
    add.add_argument("name")
    add.add_argument("--position", type=_position, help="latitude,longitude[,metres]")
    add.add_argument("--carrier", help="the cart or container it rides on: its GPS places the bags")
    revoke = actions.add_parser("revoke", help="let a gateway speak no more")
    revoke.add_argument("site")
    revoke.add_argument("name")
    listing = actions.add_parser("list", help="every gateway")
    losses = actions.add_parser("losses", help="what was lost, and whether it is explained")
    losses.add_argument("site", nargs="?", help="of one site only")
    losses.add_argument("name", nargs="?", help="of one gateway only")
    login = actions.add_parser("login", help="what the embedded broker asks gateways for")
    for each in (add, revoke, listing, losses, login):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; 1 when a loss is not explained or a gateway is refused."""
    if arguments.action == "login":
        return _login(arguments)
    return _losses(arguments) if arguments.action == "losses" else _registry(arguments)


def _login(arguments: argparse.Namespace) -> int:
    login = gateways_login(load_settings().signing_key())
    if arguments.json:
        print_json(login._asdict())
    else:
        print_line(broker_login.encode(login).decode().rstrip())
    return 0


def _losses(arguments: argparse.Namespace) -> int:
    async def work(database: Database) -> list[Account]:
        async with database.reading() as session:
            return await loss_accounts(session, arguments.site, arguments.name)

    accounts = with_database(work)
    if arguments.json:
        for account in accounts:
            print_json(account)
    else:
        print_table(LOSS_HEADINGS, [_loss_line(account) for account in accounts])
    return 1 if any(account.unexplained for account in accounts) else 0


def _loss_line(account: Account) -> dict[str, object]:
    told = ", ".join(f"{reason} {number}" for reason, number in account.explained.items())
    return {
        "gateway": f"{account.site}/{account.gateway}",
        "accepted": account.accepted,
        "durable": account.durable,
        "acknowledged": account.acknowledged,
        "received": account.received,
        "awaited": account.awaited,
        "refused": account.refused,
        "evicted": account.evicted,
        "dead": account.dead,
        "explained": told or 0,
        "unexplained": account.unexplained,
    }


def _registry(arguments: argparse.Namespace) -> int:
    async def work(database: Database) -> list[Gateway]:
        async with database.writing() as session:
            if arguments.action == "add":
                name, place = (arguments.site, arguments.name), arguments.position
                return [await add_gateway(session, *name, place, arguments.carrier)]
            if arguments.action == "revoke":
                return [await revoke_gateway(session, arguments.site, arguments.name)]
            return await list_gateways(session)

    try:
        gateways = with_database(work)
    except GatewayRefusedError as error:
        if arguments.json:
            name = f"{arguments.site}/{arguments.name}"
            print_json({"error": str(error), "input": name})
        else:
            complain(str(error))
        return 1
    if arguments.json:
        for gateway in gateways:
            print_json(gateway)
    else:
        headings = {"site": "SITE", "name": "NAME", "state": "MAY SPEAK"}
        print_table(
            headings,
            [
                {
                    "site": gateway.site,
                    "name": gateway.name,
                    "state": "yes" if gateway.revoked_at_us is None else "revoked",
                }
                for gateway in gateways
            ],
        )
    return 0


def _position(text: str) -> Position:
    try:
        latitude, longitude, *altitude = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not latitude,longitude[,metres]") from None
    if abs(latitude) > 90 or abs(longitude) > 180 or len(altitude) > 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no place on Earth")
    return Position(
        latitude_deg=latitude,
        longitude_deg=longitude,
        altitude_m=altitude[0] if altitude else None,
    )
