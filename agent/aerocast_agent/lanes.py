"""What waits in memory for its commit: numbered at once, cut into batches when due.

Pure: no clock, file or thread; times are nanoseconds of any one clock.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE

# How long an observation may wait for its commit, by lane; each commit costs one disk flush.
FLUSH_AFTER_NS = {CRITICAL: 50_000_000, LIVE: 250_000_000, BULK: 1_000_000_000}
MOST_IN_A_BATCH = 500
# A body holds at most 64 kB; the rest is for its own head.
LARGEST_BATCH = 64 * 1024 - 128
EVERY_LANE = (CRITICAL, LIVE, BULK)


@dataclass(slots=True)
class Chunk:
    """Consecutive observations of one lane, each encoded.

    Attributes
    ----------
    size
        What they take in bytes.
    is_lent
        It has been sent already: nothing may be added to it.
    """

    lane: int
    first_sequence: int
    observations: list[bytes]
    waiting_since_ns: int
    size: int
    is_lent: bool = False

    @property
    def next_sequence(self) -> int:
        """The sequence after its last."""
        return self.first_sequence + len(self.observations)


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


def joined(spans: Iterable[Span]) -> list[Span]:
    """Write neighbouring spans as one."""
    whole: list[Span] = []
    for span in spans:
        last = whole[-1] if whole else None
        if (
            last is not None
            and (last.lane, last.epoch, last.reason) == (span.lane, span.epoch, span.reason)
            and last.last + 1 == span.first
        ):
            whole[-1] = last._replace(last=span.last)
        else:
            whole.append(span)
    return whole


class Lanes:
    """Remembers what was accepted and not yet committed, cut into batches as it comes."""

    def __init__(self) -> None:
        self.size = 0
        self._next = dict.fromkeys(EVERY_LANE, 1)
        self._waiting: dict[int, deque[Chunk]] = {lane: deque() for lane in EVERY_LANE}
        self._open: dict[int, Chunk | None] = dict.fromkeys(EVERY_LANE)
        self._unused: dict[int, list[int]] = {lane: [] for lane in EVERY_LANE}

    def claim(self, lane: int) -> int:
        """Give the next sequence of a lane; those handed back come first."""
        self._open[lane] = None  # the batch that waits would have a hole
        if self._unused[lane]:
            return self._unused[lane].pop()
        sequence = self._next[lane]
        self._next[lane] = sequence + 1
        return sequence

    def hand_back(self, lane: int, sequence: int) -> None:
        """Take back a sequence nothing was stored under, so that no hole stays."""
        self._unused[lane].append(sequence)
        self._open[lane] = None

    def next_sequence(self, lane: int) -> int:
        """Say which sequence no observation of the lane has reached yet."""
        return self._next[lane]

    def oldest_sequence(self, lane: int) -> int | None:
        """Say which is the lowest sequence that waits or was handed back; None when none is."""
        waiting = (chunk.first_sequence for chunk in self._waiting[lane])
        return min((*waiting, *self._unused[lane]), default=None)

    def add(self, lane: int, encoded: bytes, now_ns: int) -> int:
        """Give an encoded observation its number and keep it until it is taken.

        Raises
        ------
        ValueError
            It is larger than a batch may be.
        """
        return self.append(lane, encoded) or self.begin(lane, encoded, now_ns)

    def append(self, lane: int, encoded: bytes) -> int:
        """Add to the batch that is being filled; 0 when a new one must `begin`."""
        chunk = self._open[lane]
        if chunk is None:
            return 0
        size = len(encoded)
        if chunk.size + size > LARGEST_BATCH or len(chunk.observations) >= MOST_IN_A_BATCH:
            return 0
        chunk.observations.append(encoded)
        chunk.size += size
        self.size += size
        sequence = self._next[lane]
        self._next[lane] = sequence + 1
        return sequence

    def begin(self, lane: int, encoded: bytes, now_ns: int) -> int:
        """Begin a batch; its deadline counts from ``now_ns``.

        Raises
        ------
        ValueError
            It is larger than a batch may be.
        """
        size = len(encoded)
        if size > LARGEST_BATCH:
            raise ValueError(f"an observation of {size} bytes fits no batch")
        chunk = Chunk(lane, self.claim(lane), [encoded], now_ns, size)
        self._waiting[lane].append(chunk)
        self._go_on(lane)
        self.size += size
        return chunk.first_sequence

    def due_at_ns(self) -> int | None:
        """Say when the next lane must be committed; None when nothing waits."""
        return min(
            (
                waiting[0].waiting_since_ns + FLUSH_AFTER_NS[lane]
                for lane, waiting in self._waiting.items()
                if waiting
            ),
            default=None,
        )

    def take(self, now_ns: int, *, everything: bool = False) -> list[Chunk]:
        """Give out what must be committed now.

        When one lane is due, lanes that have waited half their time ride along: the flush is paid.
        """
        due_at_ns = self.due_at_ns()
        if due_at_ns is None or (due_at_ns > now_ns and not everything and not self.has_full()):
            return []
        chunks: list[Chunk] = []
        for lane, waiting in self._waiting.items():
            half_ns = FLUSH_AFTER_NS[lane] // 2
            if waiting and (
                everything or now_ns - waiting[0].waiting_since_ns >= half_ns or self._is_full(lane)
            ):
                chunks += self.take_lane(lane)
        return chunks

    def take_lane(self, lane: int) -> list[Chunk]:
        """Give out all that waits of one lane, due or not."""
        chunks = list(self._waiting[lane])
        self._waiting[lane].clear()
        self._open[lane] = None
        self.size -= sum(chunk.size for chunk in chunks)
        return chunks

    def lend(self, lane: int, after_sequence: int) -> Chunk | None:
        """Give out the one batch that waits, if it begins after that sequence, to be sent."""
        waiting = self._waiting[lane]
        if len(waiting) != 1 or waiting[0].first_sequence != after_sequence + 1:
            return None
        (chunk,) = self.take_lane(lane)
        chunk.is_lent = True
        return chunk

    def put_back(self, chunks: list[Chunk]) -> None:
        """Keep again what could not be committed."""
        for chunk in reversed(chunks):
            self._waiting[chunk.lane].appendleft(chunk)
            self.size += chunk.size
        for lane in {chunk.lane for chunk in chunks}:
            self._go_on(lane)

    def _go_on(self, lane: int) -> None:
        """Let what comes next join the last batch, when it follows on from it."""
        last = self._waiting[lane][-1]
        follows = last.next_sequence == self._next[lane] and not self._unused[lane]
        self._open[lane] = last if follows and not last.is_lent else None

    def trim(self, most_bytes: int, epoch: int) -> list[Span]:
        """Give up the oldest of the least urgent lane until ``most_bytes`` are left."""
        lost: list[Span] = []
        for lane in reversed(EVERY_LANE):
            waiting = self._waiting[lane]
            while self.size > most_bytes and waiting:
                chunk = waiting[0]
                many = freed = 0
                while self.size - freed > most_bytes and many < len(chunk.observations):
                    freed += len(chunk.observations[many])
                    many += 1
                first = chunk.first_sequence
                lost.append(Span(lane, epoch, first, first + many - 1, "disk_full"))
                del chunk.observations[:many]
                chunk.first_sequence += many
                chunk.size -= freed
                self.size -= freed
                if not chunk.observations:
                    waiting.popleft()
                    if not waiting:
                        self._open[lane] = None
        return joined(lost)

    def has_full(self) -> bool:
        """Say whether a lane holds a whole batch already."""
        return any(self._is_full(lane) for lane in EVERY_LANE)

    def _is_full(self, lane: int) -> bool:
        waiting = self._waiting[lane]
        return len(waiting) > 1 or (
            len(waiting) == 1 and len(waiting[0].observations) >= MOST_IN_A_BATCH
        )
