"""`aerocast-hub events`: look at what happened, send it again, describe it."""

import argparse

from aerocast_hub.announcing.cloud_event import HUB_WITHOUT_NAME, KINDS, cloud_event
from aerocast_hub.announcing.reading import Stretch, events_after
from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database
from aerocast_hub.settings import SettingsError, load_settings

EXAMPLE = "example: aerocast-hub events replay --after 1200 --queue partner"
READ_AT_ONCE = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, about in (
        ("list", "print events as CloudEvents, one a line"),
        ("replay", "send events again to RabbitMQ (AMQP_URL)"),
        ("describe", "print the AsyncAPI document of all events"),
    ):
        action = actions.add_parser(name, help=about, description=about)
        action.add_argument("--json", action="store_true", help="print JSON lines")
        if name != "describe":
            action.add_argument("--after", type=int, default=0, help="only after this number")
            action.add_argument("--kinds", type=_kinds, default=(), help="some kinds, by comma")
        if name == "replay":
            action.add_argument("--queue", help="to this queue alone, not to the exchange")


def run(arguments: argparse.Namespace) -> int:
    """List, replay or describe events."""
    if arguments.action == "describe":
        from aerocast_hub.announcing.controller import described  # noqa: PLC0415  seldom needed

        print_line(described().decode())
        return 0
    settings = load_settings()
    source = settings.base_url or HUB_WITHOUT_NAME
    if arguments.action == "list":
        with_database(lambda database: _list(database, arguments, source))
        return 0
    if settings.amqp_url is None:
        raise SettingsError("amqp_url is missing: events are sent to no RabbitMQ")
    url = settings.amqp_url.get_secret_value()
    return with_database(lambda database: _replay(database, arguments, source, url))


async def _list(database: Database, arguments: argparse.Namespace, source: str) -> None:
    after = arguments.after
    while (stretch := await _read(database, arguments, after)).reached is not None:
        for number, event, traceparent in stretch.events:
            print_json(cloud_event(number, event, source, traceparent))
        after = stretch.reached


async def _replay(database: Database, arguments: argparse.Namespace, source: str, url: str) -> int:
    from aio_pika.exceptions import AMQPError  # noqa: PLC0415  an extra

    from aerocast_hub.announcing.exchange import announcing  # noqa: PLC0415  needs the extra

    sent, after = 0, arguments.after
    try:
        async with announcing(url, source, arguments.queue) as send:
            while (stretch := await _read(database, arguments, after)).reached is not None:
                await send.all(stretch.events)
                sent, after = sent + len(stretch.events), stretch.reached
    except (AMQPError, OSError) as error:
        complain(f"{sent} events were sent, up to number {after}; then RabbitMQ failed: {error!r}")
        return 1
    if arguments.json:
        print_json({"sent": sent, "up_to": after})
    else:
        print_line(f"{sent} events were sent again, up to number {after}")
    return 0


async def _read(database: Database, arguments: argparse.Namespace, after: int) -> Stretch:
    async with database.reading() as session:
        return await events_after(session, after, READ_AT_ONCE, arguments.kinds)


def _kinds(text: str) -> tuple[str, ...]:
    asked = tuple(each.strip() for each in text.split(",") if each.strip())
    unknown = sorted(set(asked) - set(KINDS))
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(KINDS)}")
    return asked
