"""Who may speak to the embedded broker: the hub under one password, the gateways under another.

The hub's is made anew at each start and never leaves the process but for the broker's own file. The
gateways' follows from the secret key: it outlives restarts, and an enrolment hands it to a gateway.
"""

import hashlib
import hmac
import logging
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aerocast_protocols import broker_login
from aerocast_protocols.broker_login import GATEWAYS, Login

from aerocast_hub.whole_file import write_whole

log = logging.getLogger(__name__)

HUB = "aerocast-hub"


def hubs_login() -> Login:
    """Make a login for the hub itself, good until it stops."""
    return Login(HUB, secrets.token_urlsafe(32))


def gateways_login(secret_key: str) -> Login:
    """Give the login all gateways of this hub share on its embedded broker."""
    made = hmac.digest(secret_key.encode(), b"embedded broker: gateways", hashlib.sha256)
    return Login(GATEWAYS, made.hex())


@contextmanager
def left_for_this_user(login: Login, ports: Sequence[int]) -> Iterator[None]:
    """Leave a login, beside the block, where programs of this very user look for it."""
    files = []
    try:
        folder = _own_folder()
        for port in ports:
            file = folder / broker_login.file_name(port)
            write_whole(file, broker_login.encode(login))
            files.append(file)
    except OSError as error:
        log.warning("gateways of this machine must be given their login: %s", error)
    try:
        yield
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _own_folder() -> Path:
    """Give the folder that only this user can enter, made if need be.

    Raises
    ------
    OSError
        There is none: another user took its name.
    """
    for place in map(Path, broker_login.folders(os.getuid())):
        if not place.parent.is_dir():
            continue
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
        is_private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        if is_private and found.st_uid == os.getuid():
            return place
    raise PermissionError(f"{place} belongs to another user")
