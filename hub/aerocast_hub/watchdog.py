"""Telling systemd how we are: ready, alive, stopping (sd_notify; NOTIFY_SOCKET, WATCHDOG_USEC).

The watchdog is fed only when the inbox came round since: stored and answered what it had, or had
nothing. A hub whose inbox hangs looks alive from outside and takes nothing in: systemd ends it.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aerocast_hub.inbox.gathering import LONGEST_TURN_S, Source
from aerocast_hub.running import running

log = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Send one state (``READY=1``, ``WATCHDOG=1``, ``STOPPING=1``); without systemd do nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to_systemd:
            to_systemd.connect(address)
            to_systemd.send(state.encode())
    except OSError as error:
        log.warning("systemd does not listen: %s", error)


def watchdog_s() -> float | None:
    """Give how often systemd wants a sign of life at the latest; None without a watchdog."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return int(usec) / 1e6 if usec.isdigit() and int(usec) > 0 else None


@asynccontextmanager
async def feeding_watchdog(source: Source | None) -> AsyncIterator[None]:
    """Feed systemd's watchdog beside the block, as long as the inbox makes progress.

    A hub without an inbox (``none:`` as broker) is fed as long as its loop turns.
    """
    patience_s = watchdog_s()
    if patience_s is None:
        yield
        return
    async with running(_feed(source, patience_s)):
        yield


async def _feed(source: Source | None, patience_s: float) -> None:
    is_told = False
    while True:
        since_s = 0.0 if source is None else time.monotonic() - source.turned_at_s
        # An idle inbox comes round every LONGEST_TURN_S; longer silence is a hanging transaction.
        if since_s <= 2 * LONGEST_TURN_S:
            notify("WATCHDOG=1")
            is_told = False
        elif not is_told:
            is_told = True
            log.error("the inbox has not come round for %.0f s: the watchdog goes hungry", since_s)
        await asyncio.sleep(patience_s / 4)
