"""Where commands put what they hand on: standard output, a file, or the store of objects."""

import argparse
import asyncio
import errno
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from aerocast_hub.settings import load_settings
from aerocast_hub.storage.keys import ObjectError, check_key
from aerocast_hub.storage.objects import open_objects

STORE = "store:"
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class DestinationError(Exception):
    """Nothing can be put there; the message names the place and the mend."""


def add_destination(parser: argparse.ArgumentParser) -> None:
    """Describe ``--to``."""
    parser.add_argument(
        "--to",
        metavar="PLACE",
        help="a file, or store:exports/NAME in the store of objects (standard output without it)",
    )


def key_in_store(to: str | None) -> str | None:
    """Give the key of a place in the store; None when it is elsewhere.

    Raises
    ------
    DestinationError
        It is no key.
    """
    if to is None or not to.startswith(STORE):
        return None
    key = to.removeprefix(STORE)
    try:
        check_key(key)
    except ObjectError as error:
        raise DestinationError(str(error)) from error
    return key


@contextmanager
def put_to(to: str | None) -> Iterator[BinaryIO]:
    """Open a place to write to; what is written is there whole at the end, or not at all.

    A file is replaced. An object is not: a name that is taken, or a store that does not answer, is
    told before anything is made. What goes to the store is first a file in TMPDIR.

    Raises
    ------
    DestinationError
        It cannot be written.
    """
    key = key_in_store(to)
    if to is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif key is None:
        with _telling(to), _replacing(Path(to)) as opened:
            yield opened
    else:
        with _telling(to):
            objects = open_objects(load_settings())
            asyncio.run(objects.refuse_taken(key))
            with tempfile.TemporaryDirectory(prefix="aerocast-export-") as folder:
                file = Path(folder, "export")
                with file.open("wb") as opened:
                    yield opened
                asyncio.run(objects.put_file(key, file))


@contextmanager
def _replacing(file: Path) -> Iterator[BinaryIO]:
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        opened = unfinished.open("wb")
    except OSError as error:
        raise DestinationError(f"{file} cannot be written: {error.strerror}") from error
    try:
        with opened:
            yield opened
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _telling(to: str) -> Iterator[None]:
    try:
        yield
    except ObjectError as error:
        raise DestinationError(str(error)) from error
    except OSError as error:
        if error.errno not in _DISK:
            raise  # of what is handed on: the database, say
        raise DestinationError(f"{to} cannot be written: {error.strerror}") from error
