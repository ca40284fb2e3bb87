"""What the spool's next commit will write, and when that is due.

Pure: no clock, file or thread. Its owner holds a lock around every call.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

from aerocast_protocols.observations import CRITICAL

from aerocast_agent.lanes import Chunk, Lanes, Span, joined
from aerocast_agent.spool_rows import Changes

# From here on a caller waits a moment for the disk: a replay must not outrun it.
MUCH_BYTES = 2 * 1024 * 1024
# And here the oldest of the least urgent is given up, down to a little less: seldom, in few pieces.
MOST_BYTES = 4 * 1024 * 1024
KEPT_BYTES = MOST_BYTES - 128 * 1024
ACKNOWLEDGED_WITHIN_NS = 1_000_000_000


class Taken(NamedTuple):
    """What one commit writes, whom it makes happy, and whether more waits."""

    chunks: list[Chunk]
    flushes: list[Future[None]]
    changes: Changes
    has_more: bool


class Waiting:
    """Remembers what was accepted, acknowledged, refused and lost since the last commit."""

    def __init__(self) -> None:
        self.lanes = Lanes()
        self._stored: list[Span] = []
        self._stored_since_ns = 0
        self._refused: list[Span] = []
        self._lost: list[Span] = []
        self._flushes: list[Future[None]] = []

    @property
    def is_much(self) -> bool:
        """Whether the disk is behind."""
        return self.lanes.size > MUCH_BYTES

    def trim(self, epoch: int) -> list[Span]:
        """Give up what is too much for memory; it is told with the next commit."""
        if self.lanes.size <= MOST_BYTES:
            return []
        given_up = self.lanes.trim(KEPT_BYTES, epoch)
        self.lose(given_up)
        return given_up

    def lose(self, spans: Sequence[Span]) -> None:
        """Note what is to be explained to the hub."""
        self._lost = joined(sorted([*self._lost, *spans]))

    def let_go(self, stored: Sequence[Span], now_ns: int) -> bool:
        """Note what the hub has; say whether it is the first since the last commit."""
        begins = bool(stored) and not self._stored
        if begins:
            self._stored_since_ns = now_ns
        self._stored += stored
        return begins

    def refuse(self, spans: Sequence[Span]) -> None:
        """Note what is to be set aside as dead."""
        self._refused += spans

    def flush(self) -> Future[None]:
        """Ask for a commit of all that waits; done when it is durable."""
        flushed: Future[None] = Future()
        self._flushes.append(flushed)
        return flushed

    def is_due(self, now_ns: int) -> bool:
        """Say whether there is something to commit now."""
        due_at_ns = self.due_at_ns()
        return bool(
            self._flushes
            or self._refused
            or (due_at_ns is not None and due_at_ns <= now_ns)
            or self.lanes.has_full()
        )

    def due_at_ns(self) -> int | None:
        """Say when something will be due by itself; None when nothing waits."""
        lanes_ns = self.lanes.due_at_ns()
        if not self._stored:
            return lanes_ns
        stored_ns = self._stored_since_ns + ACKNOWLEDGED_WITHIN_NS
        return stored_ns if lanes_ns is None else min(lanes_ns, stored_ns)

    def take(self, now_ns: int, most_bytes: int, *, everything: bool) -> Taken | None:
        """Give out what one commit writes; None when nothing is due."""
        flushes = self._flushes
        chunks = self.lanes.take(now_ns, everything=everything or bool(flushes))
        urgent = chunks or self._refused or self._lost or flushes or everything
        if not urgent and not self.is_due(now_ns):
            return None
        chunks, more = _portion(chunks, most_bytes)
        self.lanes.put_back(more)
        self._flushes = flushes if more else []
        changes = Changes((), self._stored, self._refused, self._lost)
        self._stored, self._refused, self._lost = [], [], []
        return Taken(chunks, [] if more else flushes, changes, bool(more))

    def put_back(self, taken: Taken, claimed: Sequence[int]) -> None:
        """Keep again what could not be committed, and the sequences its records would have had."""
        for sequence in claimed:
            self.lanes.hand_back(CRITICAL, sequence)
        self.lanes.put_back(taken.chunks)
        self._flushes = taken.flushes + self._flushes
        self._stored = [*taken.changes.stored, *self._stored]
        self._refused = [*taken.changes.refused, *self._refused]
        self.lose(taken.changes.lost)


def _portion(chunks: list[Chunk], most_bytes: int) -> tuple[list[Chunk], list[Chunk]]:
    """Split off what one commit may hold, at least one batch."""
    size = 0
    for number, chunk in enumerate(chunks):
        size += chunk.size
        if size > most_bytes and number:
            return chunks[:number], chunks[number:]
    return chunks, []
