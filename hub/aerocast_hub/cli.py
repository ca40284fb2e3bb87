"""`aerocast-hub`: serve, and what an administrator does from a shell.

JSON lines on standard output with --json; logs on standard error. Exit status: 0 all well, 1 some
input was refused, 2 wrong usage or configuration, 130 interrupted. Commands import what they need
when they run.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import NamedTuple, NoReturn

INTERRUPTED = 130  # as a shell tells it: 128 and SIGINT
_EXAMPLE = "example: aerocast-hub gateway add lfbo hall-1 --position 43.6293,1.3638,152"


class Command(NamedTuple):
    """One command: where it is, what it does; its module adds arguments and runs it.

    The module has ``add_arguments(parser)`` and ``run(arguments) -> int``.
    """

    module: str
    help: str


COMMANDS = {
    "serve": Command("aerocast_hub.commands.serve", "run the hub, whole or some services"),
    "migrate": Command("aerocast_hub.commands.migrate", "bring the database up to date"),
    "gateway": Command("aerocast_hub.commands.gateway", "register gateways; what they lost"),
    "ca": Command("aerocast_hub.commands.ca", "who signs gateways' certificates"),
    "user": Command("aerocast_hub.commands.user", "people who may log in"),
    "role": Command("aerocast_hub.commands.role", "who may do what, and whose rows they see"),
    "keys": Command("aerocast_hub.commands.keys", "the keys tokens are signed with"),
    "badge": Command("aerocast_hub.commands.badge", "staff badges that let people in"),
    "privacy": Command("aerocast_hub.commands.privacy", "what is kept of people; new data keys"),
    "audit": Command("aerocast_hub.commands.audit", "the trail: is it whole, take it away"),
    "import": Command("aerocast_hub.commands.imports", "take in flights, bags, stands or places"),
    "link": Command("aerocast_hub.commands.link", "links that open passengers' pages"),
    "routes": Command("aerocast_hub.commands.routes", "find ways on a map, without a hub"),
    "bim": Command("aerocast_hub.commands.bim", "take in baggage messages"),
    "epcis": Command("aerocast_hub.commands.epcis", "name the events of an EPCIS document"),
    "events": Command("aerocast_hub.commands.events", "what happened: list, send again, describe"),
    "archive": Command("aerocast_hub.commands.archive", "past months as Parquet files"),
    "objects": Command("aerocast_hub.commands.objects", "captures, exports, bundles: files"),
    "backup": Command("aerocast_hub.commands.backup", "the database to a file"),
    "restore": Command("aerocast_hub.commands.restore", "a database from a backup"),
    "export": Command("aerocast_hub.commands.export", "winds for meteorologists"),
    "openapi": Command("aerocast_hub.commands.openapi", "print the API's description"),
}


def run() -> NoReturn:
    """Run the command of this process and end it with its status.

    Not through the interpreter's own end. obstore's threads may still be letting go of what they
    answered with, and a thread that meets the interpreter's end takes the process down with
    SIGABRT, after the work is done (PyO3/pyo3-async-runtimes #40; one ``objects list`` in
    four, measured with obstore 0.12 on Python 3.11).
    """
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (head, less) has seen enough
        status = 0
    except KeyboardInterrupt:
        status = INTERRUPTED
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; give its exit status."""
    # Not with this module: who interrupts a command that begins gets no traceback.
    from aerocast_hub.settings import SettingsError  # noqa: PLC0415

    given = list(sys.argv[1:] if arguments is None else arguments)
    name = next((word for word in given if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(
        prog="aerocast-hub", description="The hub of AeroCast.", epilog=_EXAMPLE
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    runs: dict[str, Callable[[argparse.Namespace], int]] = {"version": _print_version}
    commands.add_parser("version", help="say which version this is").add_argument(
        "--json", action="store_true"
    )
    for each, command in COMMANDS.items():
        # Only the command that runs is imported: --help and version stay quick.
        if each == name:
            module = import_module(command.module)
            sub = commands.add_parser(
                each,
                help=command.help,
                description=command.help,
                epilog=module.EXAMPLE,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            module.add_arguments(sub)
            runs[each] = module.run
        else:
            commands.add_parser(each, help=command.help)
    chosen = parser.parse_args(given)
    try:
        return runs[chosen.command](chosen)
    except SettingsError as error:
        print(f"aerocast-hub: {error}", file=sys.stderr)  # noqa: T201  a command's own output
        return 2


def _print_version(arguments: argparse.Namespace) -> int:
    number = version("aerocast-hub")
    print(f'{{"version": "{number}"}}' if arguments.json else f"aerocast-hub {number}")  # noqa: T201  a command's own output
    return 0


def services_argument(text: str) -> str:
    """Check a list of services, as ``serve`` and ``openapi`` take it."""
    from aerocast_hub.settings import SERVICES  # noqa: PLC0415  as in `main`

    unknown = [name for name in text.split(",") if name.strip() not in SERVICES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(SERVICES)}")
    return text
