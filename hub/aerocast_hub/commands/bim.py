"""`aerocast-hub bim FILE`: take in baggage messages (IATA RP1745)."""

import argparse
from pathlib import Path

from aerocast_hub.baggage.message_file import import_messages
from aerocast_hub.baggage.messages import TakenIn
from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.commands.session import with_database
from aerocast_hub.database.engine import Database

EXAMPLE = "example: aerocast-hub bim messages.txt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("file", type=Path, help="messages as text, in envelopes or without")
    parser.add_argument("--jsonl", action="store_true", help='JSON lines {"raw", "received_at"?}')
    parser.add_argument("--json", action="store_true", help="print a JSON line for each message")


def run(arguments: argparse.Namespace) -> int:
    """Take in a file; 1 when any message was refused."""

    async def work(database: Database) -> list[TakenIn]:
        return await import_messages(database, arguments.file, as_jsonl=arguments.jsonl)

    try:
        taken = with_database(work, change="bim")
    except OSError as error:
        complain(f"{arguments.file} cannot be read: {error.strerror}")
        return 2
    refused = [each for each in taken if each.refused is not None]
    if arguments.json:
        for each in taken:
            print_json(each)
    else:
        for number, each in enumerate(taken, start=1):
            if each.refused is not None:
                complain(f"refused: message {number}: {each.refused}")
        new = sum(each.is_new for each in taken if each.refused is None)
        known = len(taken) - len(refused) - new
        print_line(f"{new} messages taken in, {known} were known, {len(refused)} refused")
    return 1 if refused else 0
