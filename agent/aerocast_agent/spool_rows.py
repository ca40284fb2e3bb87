"""Batches as the spool keeps them, what one commit changes, and how much room there is. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from aerocast_protocols import batch
from aerocast_protocols.batch import Acknowledgement
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.gateways import Evicted

from aerocast_agent.lanes import Span

# Left to the rest of the machine; a share on small cards, a fixed amount on large disks.
RESERVE_SHARE, RESERVE_BYTES = 0.05, 64 * 1024 * 1024


class Row(NamedTuple):
    """One batch: ``body`` is what travels; ``boot_ns`` is when its oldest was accepted."""

    lane: int
    epoch: int
    first: int
    held: int
    boot_ns: int
    codec: int
    body: bytes

    @property
    def last(self) -> int:
        """The last sequence in it."""
        return self.first + self.held - 1


class Changes(NamedTuple):
    """What one commit does, besides making room.

    Attributes
    ----------
    rows
        New batches.
    stored
        What the hub has acknowledged: batches wholly inside are deleted.
    refused
        What the hub refused for good: set aside as dead.
    lost
        What was given up in memory and is still to be explained.
    spared
        Observations the hub acknowledged before they were due here: only counted.
    """

    rows: Sequence[Row] = ()
    stored: Sequence[Span] = ()
    refused: Sequence[Span] = ()
    lost: Sequence[Span] = ()
    spared: int = 0


class Outcome(NamedTuple):
    """What a commit did: observations acknowledged by epoch, given up, and set aside as dead."""

    acked: dict[int, int]
    evicted: list[Span]
    dead: list[Span]


class Counters(NamedTuple):
    """Observations since this epoch began."""

    accepted: int = 0
    durable: int = 0
    acked: int = 0
    evicted: int = 0
    dead: int = 0


class SpoolState(NamedTuple):
    """How the spool is doing.

    Attributes
    ----------
    totals
        Observations since the file was made: accepted, acked, evicted, dead.
    degraded
        Why it is not well, None when it is.
    """

    epoch: int | None
    counters: Counters
    totals: dict[str, int]
    rows: dict[int, int]
    used_bytes: int
    waiting_bytes: int
    oldest_boot_ns: int | None
    degraded: str | None


Explain = Callable[[Sequence[Span]], Sequence[Row]]
"""Turns what was given up into batches of ``Evicted`` observations, for the same commit."""


def allowance(budget_bytes: int, file_bytes: int, disk: tuple[int, int]) -> int:
    """Give how much may be used: the budget, or less when the disk fills up.

    Parameters
    ----------
    file_bytes
        What the file takes on disk already, free pages included.
    disk
        The file system's total and free bytes.
    """
    total, free = disk
    reserve = min(int(total * RESERVE_SHARE), RESERVE_BYTES)
    return min(budget_bytes, file_bytes + max(0, free - reserve))


def evicted(span: Span, epoch: int, boot_ns: int) -> Evicted:
    """Give what tells the hub that a span will never come; ``epoch`` when the span names none."""
    return Evicted(
        device="agent",
        boot_ns=boot_ns,
        lane=span.lane,
        epoch=span.epoch or epoch,
        first_sequence=span.first,
        last_sequence=span.last,
        reason=span.reason,
    )


def without(row: Row, first: int, last: int) -> list[Row]:
    """Give what is left of a batch when ``first`` to ``last`` are taken out."""
    try:
        body = batch.decode_body(row.body, row.codec)
    except ProtocolError:
        return []
    kept = []
    before, after = (
        body.observations[: first - row.first],
        body.observations[last + 1 - row.first :],
    )
    for start, part in ((row.first, before), (last + 1, after)):
        if part:
            encoded = batch.encode_body(
                epoch=row.epoch,
                lane=row.lane,
                first_sequence=start,
                boot_id=body.boot_id,
                observations=[bytes(each) for each in part],
                codec=row.codec,
            )
            kept.append(row._replace(first=start, held=len(part), body=encoded))
    return kept


def only_explains(row: Row, first: int, last: int) -> bool:
    """Say whether all of ``first`` to ``last`` are ``Evicted``: their loss needs no other one."""
    try:
        observations = batch.decode_body(row.body, row.codec).observations
        told = [batch.decode_observation(each) for each in observations]
    except ProtocolError:
        return False
    return all(isinstance(each, Evicted) for each in told[first - row.first : last + 1 - row.first])


def spans_told(body: bytes, codec: int) -> list[Span]:
    """Give the losses that ``Evicted`` observations of a batch tell of."""
    try:
        told = [
            batch.decode_observation(each) for each in batch.decode_body(body, codec).observations
        ]
    except ProtocolError:
        return []
    return [
        Span(each.lane, each.epoch, each.first_sequence, each.last_sequence, each.reason)
        for each in told
        if isinstance(each, Evicted)
    ]


def spans_of(acknowledgement: Acknowledgement) -> tuple[list[Span], list[Span]]:
    """Give what an acknowledgement says is stored, and what it refuses for good."""
    lane, epoch = acknowledgement.lane, acknowledgement.epoch
    if acknowledgement.status == batch.UNKNOWN_GATEWAY:
        return [], []
    named = sorted(acknowledgement.missing_ranges)
    if acknowledgement.status == batch.REFUSED:
        refused = [Span(lane, epoch, first, last, "refused") for first, last in named]
    else:
        refused = []
    stored = []
    reached = 0
    if acknowledgement.up_to_sequence:
        stored.append(Span(lane, epoch, 1, acknowledgement.up_to_sequence))
        reached = acknowledgement.up_to_sequence
    highest = acknowledgement.highest_sequence
    if highest > reached:
        for first, last in [*named, (highest + 1, highest + 1)]:
            end = min(first - 1, highest)
            if end > reached:
                stored.append(Span(lane, epoch, reached + 1, end))
            reached = max(reached, last)
    return stored, refused
