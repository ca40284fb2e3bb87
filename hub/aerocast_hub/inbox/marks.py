"""What has arrived of one (gateway, epoch, lane): ranges of sequences, and their arithmetic.

Pure. Any order of arrival and any repetition give the same marks, so a batch may come ten times.
"""

from collections.abc import Iterable

import msgspec

Range = tuple[int, int]
"""First and last sequence, both included."""

Ranges = tuple[Range, ...]
"""Ascending, apart by at least one: there is one way to write each set."""

MOST_RANGES = 1000
"""Holes a gateway may leave in one lane of one epoch before the hub takes no more *new* islands.
Real gateways leave a handful; this bounds the row and the acknowledgement."""


def union(ranges: Iterable[Range]) -> Ranges:
    """Give the set that holds everything any of ``ranges`` holds."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def without(ranges: Ranges, taken: Ranges) -> Ranges:
    """Give what ``ranges`` holds and ``taken`` does not."""
    left: list[Range] = []
    remaining = list(reversed(taken))
    for first, last in ranges:
        start = first
        while remaining and remaining[-1][1] < start:
            remaining.pop()
        while remaining and remaining[-1][0] <= last:
            if remaining[-1][0] > start:
                left.append((start, remaining[-1][0] - 1))
            start = remaining[-1][1] + 1
            if remaining[-1][1] > last:
                break  # it may cover the next range too
            remaining.pop()
        if start <= last:
            left.append((start, last))
    return tuple(left)


def both(ranges: Ranges, others: Ranges) -> Ranges:
    """Give what the two have in common."""
    return without(ranges, without(ranges, others))


def count(ranges: Ranges) -> int:
    """Say how many sequences there are."""
    return sum(last - first + 1 for first, last in ranges)


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """What has arrived of one (gateway, epoch, lane), and what never will.

    Attributes
    ----------
    received
        Stored at the hub.
    given_up
        The gateway told that it gave them up (``Evicted``).
    refused
        Arrived and can never be taken in. The gateway holds them until it has set them aside
        (and told so); a later version of the hub may yet take them.
    oldest_sequence
        Everything before it has left the gateway; 0 when it never said.
    """

    received: Ranges = ()
    given_up: Ranges = ()
    refused: Ranges = ()
    oldest_sequence: int = 0

    def receive(self, first: int, last: int) -> "Marks":
        """Add a range that is stored now."""
        return msgspec.structs.replace(self, received=union((*self.received, (first, last))))

    def receive_all(self, sequences: Iterable[int]) -> "Marks":
        """Add sequences that are stored now."""
        return msgspec.structs.replace(self, received=union((*self.received, *_runs(sequences))))

    def lack(self, sequence: int) -> "Marks":
        """Take back one that could not be stored after all."""
        return msgspec.structs.replace(
            self, received=without(self.received, ((sequence, sequence),))
        )

    def give_up(self, first: int, last: int) -> "Marks":
        """Add a range the gateway gave up."""
        return msgspec.structs.replace(self, given_up=union((*self.given_up, (first, last))))

    def refuse(self, sequence: int) -> "Marks":
        """Add one that arrived and can never be taken in."""
        return msgspec.structs.replace(self, refused=union((*self.refused, (sequence, sequence))))

    def has_left(self, oldest_sequence: int) -> "Marks":
        """Note the oldest sequence the gateway still holds; an older message changes nothing."""
        return msgspec.structs.replace(
            self, oldest_sequence=max(self.oldest_sequence, oldest_sequence)
        )

    def new_within(self, first: int, last: int) -> Ranges:
        """Give what of a range is not stored yet."""
        return without(((first, last),), self.received)

    def up_to(self) -> int:
        """Give the last sequence up to which nothing more is to come; 0 when something is."""
        settled = self._settled()
        return settled[0][1] if settled and settled[0][0] == 1 else 0

    def missing(self, most: int = MOST_RANGES) -> Ranges:
        """Give what the gateway still holds, and the hub lacks, below the highest stored."""
        settled = self._settled()
        up_to = self.up_to()
        highest = settled[-1][1] if settled else 0
        return without(((up_to + 1, highest),), settled)[:most] if highest > up_to else ()

    def highest(self) -> int:
        """Give the highest sequence an acknowledgement may name.

        With more holes than `missing` gives, it ends before the first one left out.
        """
        settled = self._settled()
        left_out = self.missing(MOST_RANGES + 1)[MOST_RANGES:]
        if left_out:
            return left_out[0][0] - 1
        return settled[-1][1] if settled else 0

    def known(self) -> int:
        """Give the highest sequence heard of in any way: so many were made at least."""
        ranges = union((*self._settled(), *self.refused))
        return ranges[-1][1] if ranges else 0

    def lost(self) -> Ranges:
        """Give what will never come: it has left the gateway, or was given up, and is not here."""
        return without(self._departed(), self.received)

    def is_refused(self, sequence: int) -> bool:
        """Say whether it came before and could not be taken in."""
        return any(first <= sequence <= last for first, last in self.refused)

    def turned_away(self) -> Ranges:
        """Give what arrived and was never taken in: it is in the hub's quarantine."""
        return without(self.refused, self.received)

    def explained(self) -> Ranges:
        """Give what was lost and the gateway said so, but for what was turned away here."""
        return without(both(self.lost(), self.given_up), self.refused)

    def unexplained(self) -> Ranges:
        """Give what was lost without a word. In normal life: nothing."""
        return without(without(self.lost(), self.given_up), self.refused)

    def _departed(self) -> Ranges:
        gone = ((1, self.oldest_sequence - 1),) if self.oldest_sequence > 1 else ()
        return union((*gone, *self.given_up))

    def _settled(self) -> Ranges:
        return union((*self.received, *self._departed()))


def has_room(marks: Marks, first: int, last: int) -> bool:
    """Say whether a range may be taken in: it fills or touches what is there, or there is room."""
    return len(union((*marks.received, (first, last)))) <= max(MOST_RANGES, len(marks.received))


def _runs(sequences: Iterable[int]) -> list[Range]:
    runs: list[Range] = []
    for sequence in sequences:
        if runs and sequence == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], sequence)
        else:
            runs.append((sequence, sequence))
    return runs


def encode_ranges(ranges: Ranges) -> bytes:
    """Encode ranges for a column."""
    return msgspec.msgpack.encode(ranges)


def decode_ranges(encoded: bytes) -> Ranges:
    """Decode ranges of a column."""
    return msgspec.msgpack.decode(encoded, type=Ranges)
