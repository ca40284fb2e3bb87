"""Who we say we are to a broker that asks.

From the file the configuration names, else from the one that a hub on this machine leaves for
programs of its own user.
"""

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

from aerocast_protocols import broker_login
from aerocast_protocols.broker_login import Login
from aerocast_protocols.errors import ProtocolError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def find_login(url: str, file: str | None) -> Login | None:
    """Give the login for a broker of the hub's; None when there is none to give.

    Parameters
    ----------
    file
        What ``[hub] login`` names.

    Raises
    ------
    ValueError
        The file cannot be used; the message holds nothing of it.
    OSError
        It cannot be read.
    """
    if file is not None:
        return _read(Path(file))
    parts = urlsplit(url)
    if parts.hostname not in LOOPBACK:
        return None
    name = broker_login.file_name(parts.port or 1883)
    for folder in broker_login.folders(os.getuid()):
        left = Path(folder, name)
        if _is_ours(Path(folder)) and left.exists():
            return _read(left)
    return None


def _is_ours(folder: Path) -> bool:
    """Say whether nobody else could have put a file there: /tmp is everybody's."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    is_private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    return is_private and found.st_uid == os.getuid()


def _read(file: Path) -> Login:
    with file.open("rb") as opened:
        text = opened.read(broker_login.LONGEST)
    try:
        return broker_login.decode(text)
    except ProtocolError as error:
        raise ValueError(f"{file}: {error}") from None
