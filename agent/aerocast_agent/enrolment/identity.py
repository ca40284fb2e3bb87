"""What an enrolment leaves on disk, beside the spool; read by the daemon, so without heavy imports.

``gateway.pem`` holds key and certificate in one file: they change together or not at all.
``authority.pem`` is whom to trust, ``login`` what a broker asks for, ``identity.json`` the dates.
"""

import os
import secrets
from pathlib import Path

import msgspec

FOLDER = "identity"
CERTIFICATE, AUTHORITY, LOGIN, DATES = "gateway.pem", "authority.pem", "login", "identity.json"
WAITING_KEY, WEB_AUTHORITY = "waiting.key", "web-authority.pem"


class Dates(msgspec.Struct, frozen=True, kw_only=True):
    """When a certificate was given, is to be renewed, and ends: UTC microseconds."""

    issued_at_us: int
    renew_at_us: int
    ends_at_us: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How asking the hub went; ``refused`` when it says no."""

    error: str | None = None
    refused: bool = False


def web_authorities(folder: Path) -> tuple[Path, ...]:
    """Give whom to trust for the hub's web address, beside what this machine trusts."""
    files = (folder / WEB_AUTHORITY, folder / AUTHORITY)
    return tuple(file for file in files if file.exists())


def folder_of(spool: str) -> Path:
    """Give the folder of a gateway's identity: beside its spool, which the daemon may write."""
    return Path(spool).parent / FOLDER


def read_dates(folder: Path) -> Dates | None:
    """Give the dates of the present certificate; None when the gateway was not enrolled."""
    try:
        return msgspec.json.decode((folder / DATES).read_bytes(), type=Dates)
    except (OSError, msgspec.DecodeError):
        return None


def write_private(file: Path, content: bytes) -> None:
    """Write a file of mode 0600 for whoever owns its folder, in place of an older one at once.

    Raises
    ------
    OSError
        It cannot be written; the older one stays.
    """
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(opened, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            if os.geteuid() == 0:  # a technician with sudo writes for the daemon's user
                owner = file.parent.stat()
                os.fchown(stream.fileno(), owner.st_uid, owner.st_gid)
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def make_folder(folder: Path) -> None:
    """Make the folder, its owner's alone, and its owner the one of the folder it is in."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        owner = folder.parent.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
