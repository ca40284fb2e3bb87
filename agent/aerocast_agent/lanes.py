"""What waits in memory for its commit: numbered at once, cut into batches when due.

Pure: no clock, file or thread; times are nanoseconds of any one clock.
"""

import itertools
from collections import deque
from typing import NamedTuple

from aerocast_protocols.observations import BULK, CRITICAL, LIVE

# How long an observation may wait for its commit, by lane; each commit costs one disk flush.
FLUSH_AFTER_NS = {CRITICAL: 50_000_000, LIVE: 250_000_000, BULK: 1_000_000_000}
MOST_IN_A_BATCH = 500
# A body holds at most 64 kB; the rest is for its own head.
LARGEST_BATCH = 64 * 1024 - 128
EVERY_LANE = (CRITICAL, LIVE, BULK)


class Chunk(NamedTuple):
    """Consecutive observations of one lane, each encoded."""

    lane: int
    first_sequence: int
    observations: list[bytes]
    waiting_since_ns: int


class Span(NamedTuple):
    """Sequences of one lane and epoch, both ends included, and what became of them."""

    lane: int
    epoch: int
    first: int
    last: int
    reason: str = ""

    @property
    def width(self) -> int:
        """How many sequences it spans."""
        return self.last - self.first + 1


class Lanes:
    """Remembers what was accepted and not yet committed."""

    def __init__(self) -> None:
        self.size = 0
        self._next = dict.fromkeys(EVERY_LANE, 1)
        self._waiting: dict[int, deque[tuple[int, bytes, int]]] = {
            lane: deque() for lane in EVERY_LANE
        }
        self._unused: dict[int, list[int]] = {lane: [] for lane in EVERY_LANE}

    def claim(self, lane: int) -> int:
        """Give the next sequence of a lane; those handed back come first."""
        if self._unused[lane]:
            return self._unused[lane].pop()
        sequence = self._next[lane]
        self._next[lane] = sequence + 1
        return sequence

    def hand_back(self, lane: int, sequence: int) -> None:
        """Take back a sequence nothing was stored under, so that no hole stays."""
        self._unused[lane].append(sequence)

    def next_sequence(self, lane: int) -> int:
        """Say which sequence no observation of the lane has reached yet."""
        return self._next[lane]

    def is_empty(self, lane: int) -> bool:
        """Say whether nothing of the lane waits."""
        return not self._waiting[lane]

    def oldest_sequence(self, lane: int) -> int | None:
        """Say which is the lowest sequence that waits or was handed back; None when none is."""
        waiting = (sequence for sequence, _, _ in self._waiting[lane])
        return min(itertools.chain(waiting, self._unused[lane]), default=None)

    def add(self, lane: int, encoded: bytes, now_ns: int) -> int:
        """Give an encoded observation its number and keep it until it is taken.

        Raises
        ------
        ValueError
            It is larger than a batch may be.
        """
        if len(encoded) > LARGEST_BATCH:
            raise ValueError(f"an observation of {len(encoded)} bytes fits no batch")
        sequence = self.claim(lane)
        self._waiting[lane].append((sequence, encoded, now_ns))
        self.size += len(encoded)
        return sequence

    def due_at_ns(self) -> int | None:
        """Say when the next lane must be committed; None when nothing waits."""
        return min(
            (
                waiting[0][2] + FLUSH_AFTER_NS[lane]
                for lane, waiting in self._waiting.items()
                if waiting
            ),
            default=None,
        )

    def take(self, now_ns: int, *, everything: bool = False) -> list[Chunk]:
        """Give out what must be committed now, cut into batches.

        When one lane is due, lanes that have waited half their time ride along: the flush is paid.
        """
        due_at_ns = self.due_at_ns()
        if due_at_ns is None or (due_at_ns > now_ns and not everything and not self.has_full()):
            return []
        chunks: list[Chunk] = []
        for lane, waiting in self._waiting.items():
            half_ns = FLUSH_AFTER_NS[lane] // 2
            if waiting and (everything or now_ns - waiting[0][2] >= half_ns or self._is_full(lane)):
                chunks += self._cut(lane)
        return chunks

    def take_lane(self, lane: int) -> list[Chunk]:
        """Give out all that waits of one lane, due or not."""
        return self._cut(lane)

    def put_back(self, chunks: list[Chunk]) -> None:
        """Keep again what could not be committed."""
        for chunk in reversed(chunks):
            waiting = self._waiting[chunk.lane]
            for number in range(len(chunk.observations) - 1, -1, -1):
                encoded = chunk.observations[number]
                waiting.appendleft((chunk.first_sequence + number, encoded, chunk.waiting_since_ns))
                self.size += len(encoded)

    def trim(self, most_bytes: int, epoch: int) -> list[Span]:
        """Give up the oldest of the least urgent lane until ``most_bytes`` are left."""
        lost: list[Span] = []
        for lane in reversed(EVERY_LANE):
            while self.size > most_bytes and self._waiting[lane]:
                sequence, encoded, _ = self._waiting[lane].popleft()
                self.size -= len(encoded)
                if lost and lost[-1].lane == lane and lost[-1].last + 1 == sequence:
                    lost[-1] = lost[-1]._replace(last=sequence)
                else:
                    lost.append(Span(lane, epoch, sequence, sequence, "disk_full"))
        return lost

    def has_full(self) -> bool:
        """Say whether a lane holds a whole batch already."""
        return any(self._is_full(lane) for lane in EVERY_LANE)

    def _is_full(self, lane: int) -> bool:
        return len(self._waiting[lane]) >= MOST_IN_A_BATCH

    def _cut(self, lane: int) -> list[Chunk]:
        chunks: list[Chunk] = []
        size = 0
        for sequence, encoded, since_ns in self._waiting[lane]:
            last = chunks[-1] if chunks else None
            if (
                last is None
                or last.first_sequence + len(last.observations) != sequence
                or len(last.observations) >= MOST_IN_A_BATCH
                or size + len(encoded) > LARGEST_BATCH
            ):
                chunks.append(Chunk(lane, sequence, [encoded], since_ns))
                size = len(encoded)
            else:
                last.observations.append(encoded)
                size += len(encoded)
        self._waiting[lane].clear()
        self.size -= sum(len(each) for chunk in chunks for each in chunk.observations)
        return chunks
