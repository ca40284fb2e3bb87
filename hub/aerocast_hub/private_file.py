"""Files that hold secrets: whole or not at all, and for their owner's eyes only."""

import os
import secrets
from pathlib import Path


def write_private(file: Path, content: bytes) -> None:
    """Write a file with mode 0600, in place of an older one in a single step, durably.

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
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
