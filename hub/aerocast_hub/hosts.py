"""Hosts as settings name them: ``host:port,host:port``."""

from typing import NamedTuple


class Host(NamedTuple):
    """A host and one of its ports."""

    name: str
    port: int

    def __str__(self) -> str:
        """Write it as the settings do."""
        return f"{self.name}:{self.port}"


def read_hosts(text: str) -> tuple[Host, ...]:
    """Read ``host:port,host:port``.

    Raises
    ------
    ValueError
        One of them is none.
    """
    hosts = []
    for each in text.split(","):
        name, colon, port = each.strip().rpartition(":")
        if not colon or not name or not port.isdecimal() or not 0 < int(port) <= 65535:
            raise ValueError(f"{each.strip()!r} is not HOST:PORT")
        hosts.append(Host(name.strip("[]"), int(port)))
    return tuple(hosts)
