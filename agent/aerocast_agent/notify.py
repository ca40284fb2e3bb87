"""Tell systemd how we are (sd_notify protocol, systemd.exec: NOTIFY_SOCKET, WATCHDOG_USEC)."""

import os
import socket


def notify(state: str) -> None:
    """Send one state (``READY=1``, ``WATCHDOG=1``, ``STATUS=...``); without systemd do nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to_systemd:
        to_systemd.connect(address)
        to_systemd.send(state.encode())


def watchdog_s() -> float | None:
    """Give how often systemd wants a sign of life at the latest; None without a watchdog."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return int(usec) / 1e6 if usec.isdigit() and int(usec) > 0 else None
