"""`aerocast-hub backup FILE`: the whole database to a file, while the hub goes on."""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.database.backup import BackupError, Manifest, back_up
from aerocast_hub.settings import load_settings

EXAMPLE = "example: aerocast-hub backup /var/backups/hub-2026-11-23"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("file", type=Path, help="a new file; FILE.json is written beside it")
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Back up; 2 when it cannot be done."""
    try:
        manifest = asyncio.run(back_up(load_settings().database, arguments.file, show_progress))
    except BackupError as error:
        complain(str(error))
        return 2
    tell(manifest, "backed up", as_json=arguments.json)
    return 0


def show_progress(line: str) -> None:
    """Show how far it is, where a person looks on."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{line[:100]}")


def tell(manifest: Manifest, done: str, *, as_json: bool) -> None:
    """Say what a backup holds."""
    if as_json:
        print_json(msgspec.structs.asdict(manifest))
    else:
        rows = sum(manifest.rows.values())
        print_line(f"{rows:,} rows of {len(manifest.rows)} tables {done} and counted")
