"""What the spool's next commit will write, and when that is due.

Pure: no clock, file or thread. Its owner holds a lock around every call.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

from aerocast_protocols.observations.every import CRITICAL

from aerocast_agent.lanes import FLUSH_AFTER_NS, Chunk, Lanes, Span, joined
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
        self._lent: dict[int, Chunk] = {}
        self._spared = 0

    @property
    def size(self) -> int:
        """Bytes that are in memory alone."""
        return self.lanes.size + sum(chunk.size for chunk in self._lent.values())

    @property
    def spared(self) -> int:
        """Observations the hub had before they were due, and that no commit has counted yet."""
        return self._spared

    def oldest_sequence(self, lane: int) -> int | None:
        """Say which is the lowest sequence of a lane that is in memory alone."""
        waiting = self.lanes.oldest_sequence(lane)
        lent = self._lent.get(lane)
        if lent is None:
            return waiting
        return lent.first_sequence if waiting is None else min(waiting, lent.first_sequence)

    def lend(self, lane: int, after_sequence: int) -> Chunk | None:
        """Give a batch to be sent before it is due, if the hub has everything before it.

        One at a time: should memory be lost now, no hole stays behind at the hub.
        """
        if lane in self._lent:
            return None
        chunk = self.lanes.lend(lane, after_sequence)
        if chunk is not None:
            self._lent[lane] = chunk
        return chunk

    def spare(self, lane: int, up_to_sequence: int) -> int:
        """Let go of a batch that the hub has before it was due; say of how many observations."""
        lent = self._lent.get(lane)
        if lent is None or lent.next_sequence - 1 > up_to_sequence:
            return 0
        del self._lent[lane]
        self._spared += len(lent.observations)
        return len(lent.observations)

    def call_in(self) -> None:
        """Take back what was lent: it goes to disk before what came after it."""
        self.lanes.put_back(list(self._lent.values()))
        self._lent.clear()

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
        return self._must_write(now_ns) or (bool(self._stored) and self._stored_due_ns() <= now_ns)

    def _must_write(self, now_ns: int) -> bool:
        write_at_ns = self._write_at_ns()
        return bool(
            self._flushes
            or self._refused
            or (write_at_ns is not None and write_at_ns <= now_ns)
            or self.lanes.has_full()
        )

    def _write_at_ns(self) -> int | None:
        lanes_ns = self.lanes.due_at_ns()
        due_ns = [] if lanes_ns is None else [lanes_ns]
        for lane, chunk in self._lent.items():
            due_ns.append(chunk.waiting_since_ns + FLUSH_AFTER_NS[lane])
        return min(due_ns, default=None)

    def _stored_due_ns(self) -> int:
        return self._stored_since_ns + ACKNOWLEDGED_WITHIN_NS

    def due_at_ns(self) -> int | None:
        """Say when something will be due by itself; None when nothing waits."""
        write_at_ns = self._write_at_ns()
        if not self._stored:
            return write_at_ns
        stored_ns = self._stored_due_ns()
        return stored_ns if write_at_ns is None else min(write_at_ns, stored_ns)

    def take(self, now_ns: int, most_bytes: int, *, everything: bool) -> Taken | None:
        """Give out what one commit writes; None when nothing is due."""
        flushes = self._flushes
        if everything or self._must_write(now_ns):
            self.call_in()
        chunks = self.lanes.take(now_ns, everything=everything or bool(flushes))
        urgent = chunks or self._refused or self._lost or flushes or everything
        if not urgent and not self.is_due(now_ns):
            return None
        chunks, more = _portion(chunks, most_bytes)
        self.lanes.put_back(more)
        self._flushes = flushes if more else []
        changes = Changes((), self._stored, self._refused, self._lost, self._spared)
        self._stored, self._refused, self._lost, self._spared = [], [], [], 0
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
        self._spared += taken.changes.spared


def _portion(chunks: list[Chunk], most_bytes: int) -> tuple[list[Chunk], list[Chunk]]:
    """Split off what one commit may hold, at least one batch."""
    size = 0
    for number, chunk in enumerate(chunks):
        size += chunk.size
        if size > most_bytes and number:
            return chunks[:number], chunks[number:]
    return chunks, []
