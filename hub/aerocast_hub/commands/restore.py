"""`aerocast-hub restore FILE`: an empty database from a backup, counted."""

import argparse
import asyncio
from pathlib import Path

from aerocast_hub.commands.backup import show_progress, tell
from aerocast_hub.commands.output import complain
from aerocast_hub.database.backup import BackupError, restore
from aerocast_hub.settings import load_settings

EXAMPLE = "example: aerocast-hub restore /var/backups/hub-2026-11-23"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("file", type=Path, help="what `aerocast-hub backup` has written")
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Restore; 2 when the database is not empty, or the backup not whole."""
    try:
        manifest = asyncio.run(restore(load_settings().database, arguments.file, show_progress))
    except BackupError as error:
        complain(str(error))
        return 2
    tell(manifest, "restored", as_json=arguments.json)
    return 0
