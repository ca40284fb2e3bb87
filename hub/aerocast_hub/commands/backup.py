"""`aerocast-hub backup PLACE`: the whole database to a file or the store, while the hub goes on."""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeAlias

import msgspec

from aerocast_hub.commands.destination import DestinationError, key_in_store
from aerocast_hub.commands.output import complain, print_json, print_line, progress_shown
from aerocast_hub.database.backup import BackupError, Manifest, Progress, back_up, manifest_of
from aerocast_hub.settings import Settings, load_settings
from aerocast_hub.storage.keys import ObjectError
from aerocast_hub.storage.objects import Objects, open_objects

Counted: TypeAlias = Coroutine[object, object, Manifest]
WithFile: TypeAlias = Callable[[str, Path, Progress], Counted]
WithStore: TypeAlias = Callable[[Settings, Objects, str, Progress], Counted]

EXAMPLE = """examples:
  aerocast-hub backup /var/backups/hub-2026-11-23
  aerocast-hub backup store:backups/hub-2026-11-23"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "file",
        metavar="PLACE",
        help="a new file, or store:backups/NAME in the store of objects (made in TMPDIR first); "
        "PLACE.json is written beside it",
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Back up; 2 when it cannot be done."""
    return carry_out(arguments, "backed up", back_up, _back_up_to_store)


def carry_out(
    arguments: argparse.Namespace, done: str, with_file: WithFile, with_store: WithStore
) -> int:
    """Back up or restore, with a file or the store; say what was ``done``, 2 when it cannot be."""
    settings = load_settings()
    try:
        key = key_in_store(arguments.file)
        with progress_shown() as progress:
            if key is None:
                work = with_file(settings.database, Path(arguments.file), progress)
            else:
                work = with_store(settings, open_objects(settings), key, progress)
            manifest = asyncio.run(work)
    except (BackupError, DestinationError, ObjectError) as error:
        complain(str(error))
        return 2
    if arguments.json:
        print_json(msgspec.structs.asdict(manifest))
    else:
        rows = sum(manifest.rows.values())
        print_line(f"{rows:,} rows of {len(manifest.rows)} tables {done} and counted")
    return 0


async def _back_up_to_store(
    settings: Settings, objects: Objects, key: str, progress: Progress
) -> Manifest:
    for each in (key, f"{key}.json"):
        await objects.refuse_taken(each)
    with tempfile.TemporaryDirectory(prefix="aerocast-backup-") as folder:
        file = Path(folder, "backup")
        manifest = await back_up(settings.database, file, progress)
        progress(f"storing {key}")
        await objects.put_file(key, file)
        # Last: with it the backup is whole.
        await objects.put_file(f"{key}.json", manifest_of(file))
    return manifest
