"""`aerocast-hub link make|list|revoke`: links that open passengers' pages."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from aerocast_hub.commands.output import complain, print_json, print_line, print_table
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.orientation.link_desk import LinkDesk, OpenLink, TooManyLinksError
from aerocast_hub.orientation.passenger_links import LONGEST_H, VALID_H, Links, PassengerLink
from aerocast_hub.orientation.qr import qr_svg
from aerocast_hub.serve import port_of
from aerocast_hub.settings import Settings, load_settings

EXAMPLE = """examples:
  aerocast-hub link make 0220123456 --hours 48 --svg link.svg
  aerocast-hub link list 0b1c8a6e-5d1c-4bd3-9c2b-6f7f1c6d2a10
  aerocast-hub link revoke xW3kP0qLr7bN"""

BY = "command line"
WHY = {
    "no_bag": "no bag has this id or plate",
    "no_passenger": "nobody said whose this bag is: it has no passenger to guide",
}


class _RefusedError(Exception):
    """What was asked for is not done; the text says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    make = actions.add_parser("make", help="make a link for a bag's passenger")
    make.add_argument("bag", help="the hub's id of the bag, or its licence plate")
    make.add_argument(
        "--hours", type=_hours, default=VALID_H, help=f"for how long it opens ({VALID_H})"
    )
    make.add_argument("--svg", type=Path, metavar="FILE", help="write it as a QR code there")
    listing = actions.add_parser("list", help="the links of a bag's passenger")
    listing.add_argument("bag", help="the hub's id of the bag")
    revoke = actions.add_parser("revoke", help="make a link open nothing any more")
    revoke.add_argument("link", help="its id, as `link list` and webhooks name it")
    for each in (make, listing, revoke):
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; 1 when it was refused."""
    settings = load_settings()
    links = Links(settings.signing_key)

    async def work(database: Database) -> OpenLink | list[PassengerLink]:
        desk = LinkDesk(database, links, None)
        if arguments.action == "make":
            return await _make(desk, arguments)
        return await _list_or_revoke(desk, arguments)

    try:
        done = with_database(work)
    except (_RefusedError, TooManyLinksError) as error:
        if arguments.json:
            asked = arguments.link if arguments.action == "revoke" else arguments.bag
            print_json({"error": str(error), "input": asked})
        else:
            complain(str(error))
        return 1
    if isinstance(done, OpenLink):
        return _show_made(done, arguments, settings)
    if arguments.json:
        for link in done:
            print_json(link)
    else:
        headings = {"id": "LINK", "state": "STATE", "until": "OPENS UNTIL", "by": "MADE BY"}
        print_table(headings, [_row(link) for link in done])
    return 0


async def _make(desk: LinkDesk, arguments: argparse.Namespace) -> OpenLink:
    made = await desk.make(arguments.bag, BY, arguments.hours)
    if not isinstance(made, OpenLink):
        raise _RefusedError(WHY[made])
    return made


async def _list_or_revoke(desk: LinkDesk, arguments: argparse.Namespace) -> list[PassengerLink]:
    if arguments.action == "revoke":
        revoked = await desk.revoke(arguments.link, BY)
        if revoked is None:
            raise _RefusedError("no link has this id")
        return [revoked]
    found = await desk.of_bag(arguments.bag)
    if found is None:
        raise _RefusedError("no bag has this id")
    return found


def _show_made(made: OpenLink, arguments: argparse.Namespace, settings: Settings) -> int:
    base = settings.base_url or f"http://{settings.http_host}:{port_of(settings)}"
    url = base.rstrip("/") + made.path
    if arguments.svg is not None:
        try:
            arguments.svg.write_bytes(qr_svg(url))
        except OSError as error:
            complain(f"{arguments.svg} cannot be written: {error.strerror}")
            return 1
    if arguments.json:
        print_json({"link": made.link, "token": made.token, "url": url})
    else:
        print_line(url)
    return 0


def _row(link: PassengerLink) -> dict[str, object]:
    until = datetime.fromtimestamp(link.expires_at_us / 1e6, UTC)
    return {
        "id": link.id,
        "state": link.state,
        "until": f"{until:%Y-%m-%d %H:%M} UTC",
        "by": link.made_by or "the passenger",
    }


def _hours(text: str) -> int:
    hours = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= hours <= LONGEST_H:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to {LONGEST_H} hours")
    return hours
