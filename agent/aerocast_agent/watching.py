"""Let a technician watch what is accepted, at no cost while nobody does."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

MOST_UNTOLD = 5000


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """An observation as it goes to the spool.

    Attributes
    ----------
    encoded
        As in a batch; see `aerocast_protocols.batch.decode_observation`.
    missed
        How many before this one were not told, because the watcher is too slow.
    """

    lane: int
    epoch: int
    sequence: int
    boot_id: bytes
    encoded: bytes
    missed: int = 0


class Watcher:
    """What one watcher has not been told yet; it forgets the oldest rather than hold up anything.

    Attributes
    ----------
    arrived
        Set when there is something to take.
    """

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self._untold: deque[Accepted] = deque()
        self._missed = 0

    def tell(self, accepted: Accepted) -> None:
        """Keep an observation until it is taken."""
        if len(self._untold) >= MOST_UNTOLD:
            self._untold.popleft()
            self._missed += 1
        self._untold.append(accepted)
        self.arrived.set()

    def take(self) -> list[Accepted]:
        """Give what has not been told, and forget it."""
        taken = list(self._untold)
        self._untold.clear()
        self.arrived.clear()
        if taken and self._missed:
            taken[0] = msgspec.structs.replace(taken[0], missed=self._missed)
            self._missed = 0
        return taken


class Watching:
    """Who watches now; ``tell`` is called in the event loop."""

    def __init__(self) -> None:
        self._watchers: list[Watcher] = []

    def __bool__(self) -> bool:
        """Say whether anyone watches."""
        return bool(self._watchers)

    @contextmanager
    def begin(self) -> Iterator[Watcher]:
        """Watch for as long as the block lasts."""
        watcher = Watcher()
        self._watchers.append(watcher)
        try:
            yield watcher
        finally:
            self._watchers.remove(watcher)

    def tell(self, accepted: Accepted) -> None:
        """Tell all who watch."""
        for watcher in self._watchers:
            watcher.tell(accepted)
