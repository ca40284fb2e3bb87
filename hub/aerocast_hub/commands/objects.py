"""`aerocast-hub objects put|get|list|delete`: captures, exports and bundles as files."""

import argparse
import asyncio
from pathlib import Path

from aerocast_hub.commands.output import complain, print_json, print_line
from aerocast_hub.settings import load_settings
from aerocast_hub.storage.objects import KINDS, ObjectError, Objects, open_objects

EXAMPLE = "example: aerocast-hub objects put captures/lfbo/hall-1-2026-11-23.iq.zst hall-1.iq.zst"


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
    listed = asked_what.add_parser("list", help="the objects of a kind")
    listed.add_argument("kind", choices=KINDS)
    for each in asked_what.choices.values():
        each.add_argument("--json", action="store_true", help="print JSON lines")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; 1 when the store does not do it."""
    objects = open_objects(load_settings())
    try:
        asyncio.run(_do(arguments, objects))
    except ObjectError as error:
        complain(str(error))
        return 1
    return 0


async def _do(arguments: argparse.Namespace, objects: Objects) -> None:
    if arguments.what == "list":
        async for each in objects.list(arguments.kind):
            _tell(arguments, {"key": each.key, "bytes": each.size})
        return
    told: dict[str, object] = {"key": arguments.key, "done": arguments.what}
    if arguments.what == "put":
        await objects.put_file(arguments.key, arguments.file)
    elif arguments.what == "get":
        if await asyncio.to_thread(arguments.file.exists):
            raise ObjectError(f"{arguments.file} is there already: nothing is written over")
        told["sha256"] = await objects.get_file(arguments.key, arguments.file)
    else:
        await objects.delete(arguments.key)
    _tell(arguments, told)


def _tell(arguments: argparse.Namespace, told: dict[str, object]) -> None:
    if arguments.json:
        print_json(told)
    else:
        print_line("  ".join(str(value) for value in told.values()))
