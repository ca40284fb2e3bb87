"""`aerocast-hub gateway add|list|revoke|claim|losses|login`."""

import argparse
import time
from datetime import UTC, datetime

from aerocast_protocols import broker_login

from aerocast_hub.commands.output import complain, print_json, print_line, print_table
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.enrolment.authorities import load_authorities
from aerocast_hub.enrolment.revocation import write_for_brokers
from aerocast_hub.enrolment.store import LONGEST_CLAIM_H, Claim, make_claim
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
  aerocast-hub gateway claim lfbo hall-1
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
    claim = actions.add_parser("claim", help="a token to enrol a gateway with, told once")
    claim.add_argument("site")
    claim.add_argument("name")
    claim.add_argument("--hours", type=_hours, default=24.0, help="how long it is good (24)")
    for each in (add, revoke, listing, losses, login, claim):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; 1 when a loss is not explained or a gateway is refused."""
    if arguments.action == "login":
        return _login(arguments)
    if arguments.action == "claim":
        return _claim(arguments)
    return _losses(arguments) if arguments.action == "losses" else _registry(arguments)


def _login(arguments: argparse.Namespace) -> int:
    login = gateways_login(load_settings().signing_key())
    if arguments.json:
        print_json(login._asdict())
    else:
        print_line(broker_login.encode(login).decode().rstrip())
    return 0


def _claim(arguments: argparse.Namespace) -> int:
    settings = load_settings()

    async def work(database: Database) -> Claim:
        async with database.writing() as session:
            return await make_claim(
                session,
                load_authorities(settings),
                (arguments.site, arguments.name),
                time.time_ns() // 1000,
                arguments.hours,
            )

    try:
        claim = with_database(work)
    except GatewayRefusedError as error:
        return _refuse(error, arguments)
    if arguments.json:
        print_json(claim)
    else:
        ends = datetime.fromtimestamp(claim.expires_at_us // 1_000_000, UTC)
        hub = settings.base_url or "https://HUB"
        print_line(f"On the gateway, before {ends:%Y-%m-%d %H:%M} UTC:")
        print_line(f"  sudo aerocast-agent enrol --hub {hub} --token {claim.token}")
    return 0


def _refuse(error: GatewayRefusedError, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json({"error": str(error), "input": f"{arguments.site}/{arguments.name}"})
    else:
        complain(str(error))
    return 1


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= LONGEST_CLAIM_H:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and {LONGEST_CLAIM_H} hours")
    return hours


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
            if arguments.action == "list":
                return await list_gateways(session)
            revoked = [await revoke_gateway(session, arguments.site, arguments.name)]
        await write_for_brokers(database, load_settings())
        return revoked

    try:
        gateways = with_database(work)
    except GatewayRefusedError as error:
        return _refuse(error, arguments)
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
