"""`aerocast-hub epcis hash FILE`: the CBV 2.0 hash of every event of a document, a line each."""

import argparse
from pathlib import Path

from aerocast_protocols.epcis.event_hash import event_id
from aerocast_protocols.errors import ProtocolError

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.epcis.validation import RefusedError, read_document

EXAMPLE = "example: aerocast-hub epcis hash document.jsonld"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("what", choices=["hash"], help="what to do")
    parser.add_argument("file", type=Path, help="an EPCIS 2.0 document in JSON, or one event")
    parser.add_argument("--json", action="store_true", help="print a JSON line for each event")


def run(arguments: argparse.Namespace) -> int:
    """Name the events of a file; 1 when any was refused."""
    try:
        document = read_document(arguments.file.read_bytes())
    except OSError as error:
        complain(f"{arguments.file} cannot be read: {error.strerror}")
        return 2
    except RefusedError as refused:
        complain(f"refused: {refused}")
        return 1
    status = 0
    for number, event in enumerate(document.events, start=1):
        try:
            named = event_id(event, document.context, document.ignored)
        except ProtocolError as error:
            status = 1
            if arguments.json:
                print_json({"error": str(error), "input": f"event {number}"})
            else:
                complain(f"refused: event {number}: {error}")
            continue
        if arguments.json:
            print_json({"event_id": named})
        else:
            print_line(named)
    return status
