"""One commit of the spool: what was taken becomes batches, and what is given up gets its records.

The records are written in the same transaction as the loss they tell of. They take the next
sequences of the critical lane, so what waits there goes first: a record overtakes nothing.
"""

import threading
from collections.abc import Sequence

from aerocast_protocols import batch
from aerocast_protocols.observations.every import CRITICAL

from aerocast_agent import clock
from aerocast_agent.lanes import Chunk, Span
from aerocast_agent.packing import row_of
from aerocast_agent.spool_file import SpoolFile
from aerocast_agent.spool_rows import Outcome, Row, evicted
from aerocast_agent.spool_waiting import Taken, Waiting


class Commit:
    """Remembers what one commit writes until it is done, or put back.

    Attributes
    ----------
    chunks
        Everything it writes but its own records.
    claimed
        The sequences of those records.
    """

    def __init__(
        self, taken: Taken, waiting: Waiting, lock: threading.RLock, boot_id: bytes
    ) -> None:
        self.chunks = taken.chunks
        self.claimed: list[int] = []
        self._taken = taken
        self._waiting = waiting
        self._lock = lock
        self._boot_id = boot_id

    def write(self, file: SpoolFile) -> Outcome:
        """Write it, whole or not at all (``sqlite3.Error``, ``OSError``)."""

        def explain(lost: Sequence[Span]) -> list[Row]:
            with self._lock:
                lanes = self._waiting.lanes
                waiting = lanes.take_lane(CRITICAL)
                self.claimed.extend(lanes.claim(CRITICAL) for _ in lost)
            self.chunks.extend(waiting)
            now_ns = clock.boot_ns()
            for span, sequence in zip(lost, self.claimed, strict=True):
                encoded = batch.encode_observation(evicted(span, file.epoch, now_ns))
                waiting.append(Chunk(CRITICAL, sequence, [encoded], now_ns, len(encoded)))
            return [row_of(chunk, file.epoch, self._boot_id) for chunk in waiting]

        rows = [row_of(chunk, file.epoch, self._boot_id) for chunk in self.chunks]
        return file.commit(self._taken.changes._replace(rows=rows), explain)

    def put_back(self) -> None:
        """Keep all of it for another try."""
        self._waiting.put_back(self._taken, self.claimed)
