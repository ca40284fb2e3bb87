"""Files written whole or not at all; unless told otherwise, for their owner's eyes only."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_whole(file: Path, content: bytes, *, mode: int = 0o600, is_new: bool = False) -> None:
    """Write a file durably, in place of an older one in a single step.

    Parameters
    ----------
    is_new
        Leave an older one as it is: of two that write at once, the first one's stays.

    Raises
    ------
    OSError
        It cannot be written; an older one stays as it was.
    """
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(opened, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            os.fchmod(stream.fileno(), mode)
        if is_new:
            with suppress(FileExistsError):
                file.hardlink_to(beside)
            beside.unlink()
        else:
            beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def make_private(file: Path) -> None:
    """Make an empty file for its owner's eyes only, for others to write into; one there is stays.

    Raises
    ------
    OSError
        It cannot be made.
    """
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
