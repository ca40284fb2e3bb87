"""`aerocast-hub restore PLACE`: an empty database from a backup, counted."""

import argparse
import tempfile
from pathlib import Path

from aerocast_hub.commands.backup import carry_out
from aerocast_hub.database.backup import Manifest, Progress, manifest_of, restore
from aerocast_hub.settings import Settings
from aerocast_hub.storage.objects import Objects

EXAMPLE = """examples:
  aerocast-hub restore /var/backups/hub-2026-11-23
  aerocast-hub restore store:backups/hub-2026-11-23"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "file",
        metavar="PLACE",
        help="what `aerocast-hub backup` has written, or store:backups/NAME",
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Restore; 2 when the database is not empty, or the backup not whole."""
    return carry_out(arguments, "restored", restore, _restore_from_store)


async def _restore_from_store(
    settings: Settings, objects: Objects, key: str, progress: Progress
) -> Manifest:
    with tempfile.TemporaryDirectory(prefix="aerocast-restore-") as folder:
        file = Path(folder, "backup")
        progress(f"fetching {key}")
        await objects.get_file(f"{key}.json", manifest_of(file))
        await objects.get_file(key, file)
        return await restore(settings.database, file, progress)
