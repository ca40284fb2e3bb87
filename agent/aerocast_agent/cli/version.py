"""``aerocast-agent version``: what to quote in a report of a fault."""

import argparse
import platform
import sqlite3
import sys
from collections.abc import Sequence

import msgspec
from aerocast_protocols import batch

from aerocast_agent import VERSION
from aerocast_agent.cli import WELL


def run(arguments: Sequence[str]) -> int:
    """Print the versions of what matters."""
    parser = argparse.ArgumentParser(
        prog="aerocast-agent version",
        description="Which version this is, and of what it runs on.",
        epilog="Example: aerocast-agent version --json",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(arguments)
    versions = {
        "agent": VERSION,
        "wire": batch.VERSION,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": platform.machine(),
    }
    if options.json:
        sys.stdout.write(msgspec.json.encode(versions).decode() + "\n")
    else:
        sys.stdout.write("\n".join(f"{key:<8}{each}" for key, each in versions.items()) + "\n")
    return WELL
