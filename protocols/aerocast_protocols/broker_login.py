"""How a program of this machine finds the login of the hub's own broker: where, and as what text.

The hub leaves the gateways' login in a file that only its own user can read, as X leaves its
cookie: whoever runs as that user may speak for a gateway of this machine, nobody else.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

GATEWAYS = "gateway"
LONGEST = 1024


class Login(NamedTuple):
    """What a broker asks for."""

    user: str
    password: str


def folders(user_id: int) -> Sequence[PurePosixPath]:
    """Give the folders to look in, the better one first: the second lasts where no one logs in."""
    return (
        PurePosixPath(f"/run/user/{user_id}/aerocast"),
        PurePosixPath(f"/tmp/aerocast-{user_id}"),  # noqa: S108  who owns it is looked at
    )


def file_name(port: int) -> str:
    """Name the file that holds the login of the broker on this port."""
    return f"broker-{port}"


def encode(login: Login) -> bytes:
    """Write a login: a line for the user, a line for the password."""
    return f"{login.user}\n{login.password}\n".encode()


def decode(text: bytes) -> Login:
    """Read a login.

    Raises
    ------
    ProtocolError
        It is not two lines; what it holds is not repeated.
    """
    try:
        lines = text[:LONGEST].decode().splitlines()
    except UnicodeDecodeError:
        lines = []
    if len(lines) != 2 or not all(lines):
        raise ProtocolError("a login is two lines: the user, and the password")
    return Login(lines[0], lines[1])
