"""Names of serial devices that stay whatever is plugged in first."""

from collections.abc import Iterable
from pathlib import Path

# Ours first: adapters that share one serial number, or have none, have a name of their own there.
FOLDERS = ("/dev/aerocast", "/dev/serial/by-path", "/dev/serial/by-id")


def stable_name(port: str, folders: Iterable[str] = FOLDERS) -> str | None:
    """Give the name that stays of a port; itself when it is one, None when there is none.

    Parameters
    ----------
    port
        As agent.toml has it; a pyserial URL has no such name.
    folders
        Where the system keeps such names as links, the best first.
    """
    if "://" in port:
        return None
    places = [Path(folder) for folder in folders]
    if Path(port).parent in places:
        return port
    device = Path(port).resolve()
    for folder in places:
        if folder.is_dir():
            for link in sorted(folder.iterdir()):
                if link.resolve() == device:
                    return str(link)
    return None
