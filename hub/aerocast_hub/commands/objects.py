"""`aerocast-hub objects put|get|list|delete|expire`: captures, exports and bundles as files."""

import argparse
import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.settings import Settings, load_settings
from aerocast_hub.storage.expiry import old_objects
from aerocast_hub.storage.keys import KINDS, ObjectError, check_folder
from aerocast_hub.storage.objects import Objects, Stored, open_objects

EXAMPLE = """examples:
  aerocast-hub objects put captures/lfbo/hall-1-2026-11-23.iq.zst hall-1.iq.zst
  aerocast-hub objects list captures/lfbo --json
  AEROCAST_HUB_OBJECTS_DAYS=captures=30 aerocast-hub objects expire --dry-run"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    asked_what = parser.add_subparsers(dest="what", required=True)
    for what, about in (
        ("put", "store a file under a new key"),
        ("get", "copy an object to a new file"),
        ("delete", "delete an object"),
    ):
        one = asked_what.add_parser(what, help=about)
        one.add_argument("key", help=f"KIND/NAME, of {', '.join(KINDS)}")
        if what != "delete":
            one.add_argument("file", type=Path)
    listed = asked_what.add_parser("list", help="the objects of a folder")
    listed.add_argument("folder", type=_folder, help=f"{', '.join(KINDS)}, or a folder in one")
    expire = asked_what.add_parser(
        "expire",
        help="delete what is older than OBJECTS_DAYS says",
        description="The hub does it every hour by itself.",
    )
    expire.add_argument("--dry-run", action="store_true", help="only say which")
    for each in asked_what.choices.values():
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; 1 when the store does not do it."""
    settings = load_settings()
    objects = open_objects(settings)
    try:
        asyncio.run(_do(arguments, settings, objects))
    except ObjectError as error:
        complain(str(error))
        return 1
    return 0


async def _do(arguments: argparse.Namespace, settings: Settings, objects: Objects) -> None:
    if arguments.what == "list":
        async for stored in objects.list(arguments.folder):
            _tell(arguments, _told(stored))
    elif arguments.what == "expire":
        now_us = time.time_ns() // 1000
        old = [each async for each in old_objects(objects, settings.days_of_objects, now_us)]
        for stored in old:
            if not arguments.dry_run:
                await objects.delete(stored.key)
            _tell(arguments, _told(stored))
    else:
        more = await _one(arguments, objects)
        _tell(arguments, {"key": arguments.key, "done": arguments.what, **more})


async def _one(arguments: argparse.Namespace, objects: Objects) -> Mapping[str, object]:
    if arguments.what == "delete":
        await objects.delete(arguments.key)
        return {}
    if arguments.what == "put":
        await objects.put_file(arguments.key, arguments.file)
        return {"bytes": (await asyncio.to_thread(arguments.file.stat)).st_size}
    if await asyncio.to_thread(arguments.file.exists):
        raise ObjectError(f"{arguments.file} is there already: nothing is written over")
    return {"sha256": await objects.get_file(arguments.key, arguments.file)}


def _told(stored: Stored) -> dict[str, object]:
    stored_at = datetime.fromtimestamp(stored.stored_at_us // 1_000_000, tz=UTC)
    return {"key": stored.key, "bytes": stored.size, "stored_at": stored_at.isoformat()}


def _folder(text: str) -> str:
    try:
        check_folder(text)
    except ObjectError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _tell(arguments: argparse.Namespace, told: Mapping[str, object]) -> None:
    if arguments.json:
        print_json(told)
    else:
        print_line("  ".join(str(value) for value in told.values()))
