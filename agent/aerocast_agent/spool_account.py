"""How far each lane has come in this life, and how many observations did what.

Pure. Its owner holds a lock around every call.
"""

from collections.abc import Iterable, Sequence

from aerocast_protocols.observations.every import CRITICAL

from aerocast_agent.lanes import EVERY_LANE, Chunk, Span
from aerocast_agent.spool_rows import Counters, Outcome


class Account:
    """Remembers what was accepted, became durable, and left.

    Attributes
    ----------
    accepted
        Observations given a sequence.
    durable_to, acked_to
        For each lane how far commits have come, and up to where nothing need be on disk.
    hub_has_to
        For each lane up to where the hub has said that it has all.
    """

    def __init__(self) -> None:
        self.accepted = 0
        self.durable_to = dict.fromkeys(EVERY_LANE, 0)
        self.acked_to = dict.fromkeys(EVERY_LANE, 0)
        self.hub_has_to = dict.fromkeys(EVERY_LANE, 0)
        self._counters = Counters()  # all but accepted

    def counters(self) -> Counters:
        """Give the counts."""
        return self._counters._replace(accepted=self.accepted)

    def acknowledged(self, lane: int, up_to_sequence: int, spared: int) -> bool:
        """Note how far the hub has a lane, and what of it was ``spared`` its commit here.

        Returns
        -------
        Whether some of it may be on disk.
        """
        if spared:
            before = self._counters
            self._counters = before._replace(
                durable=before.durable + spared, acked=before.acked + spared
            )
            self.durable_to[lane] = max(self.durable_to[lane], up_to_sequence)
        is_more = not spared or self.hub_has_to[lane] + spared != up_to_sequence
        self.acked_to[lane] = max(self.acked_to[lane], up_to_sequence)
        self.hub_has_to[lane] = max(self.hub_has_to[lane], up_to_sequence)
        return is_more

    def committed(
        self, chunks: Sequence[Chunk], claimed: Sequence[int], outcome: Outcome, epoch: int
    ) -> None:
        """Note a commit: what it wrote, the sequences of its own records, and what it did."""
        for chunk in chunks:
            reached = chunk.next_sequence - 1
            self.durable_to[chunk.lane] = max(self.durable_to[chunk.lane], reached)
        self.durable_to[CRITICAL] = max([self.durable_to[CRITICAL], *claimed])
        self.accepted += len(claimed)
        before = self._counters
        self._counters = before._replace(
            durable=before.durable + len(claimed) + sum(len(c.observations) for c in chunks),
            acked=before.acked + outcome.acked.get(epoch, 0),
            dead=before.dead + sum(span.width for span in outcome.dead),
        )
        self.evicted(outcome.evicted)

    def evicted(self, spans: Iterable[Span]) -> None:
        """Note what was given up."""
        more = sum(span.width for span in spans)
        self._counters = self._counters._replace(evicted=self._counters.evicted + more)

    def began_anew(self) -> None:
        """Note that the file is lost: what it held is the rescue's to tell."""
        self.acked_to = dict(self.durable_to)
