"""A read replica: it answers questions while it keeps up, and never hides what was just written.

Every half second the primary's place in its log is noted; once the replica has replayed up to
there, it is as fresh as that moment. It is asked when that moment is recent, and later than
anything this hub's own requests have written; otherwise, or when it does not answer, the primary
is asked. Only requests that change nothing look at the replica at all: whatever decides (the
inbox, followers, leases) reads where it writes.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
MOST_MOMENTS = 1000

_may_be_stale: ContextVar[bool] = ContextVar("may_be_stale", default=False)
_is_request: ContextVar[bool] = ContextVar("is_request", default=False)


class Replica:
    """Says whether the replica may answer.

    Parameters
    ----------
    longest_lag_s
        How old an answer may be, seconds.
    """

    def __init__(self, engine: AsyncEngine, longest_lag_s: float) -> None:
        self.engine = engine
        self._longest_lag_s = longest_lag_s
        self._fresh_as_of_s = float("-inf")
        self._written_at_s = float("-inf")
        self._moments: deque[tuple[float, int]] = deque(maxlen=MOST_MOMENTS)

    def may_answer(self) -> bool:
        """Say whether what the work at hand asks may be asked of the replica."""
        if not _may_be_stale.get() or self._fresh_as_of_s <= self._written_at_s:
            return False
        return time.monotonic() - self._fresh_as_of_s <= self._longest_lag_s

    def note_written(self) -> None:
        """Note a commit of the work at hand; a request's is soon asked for by whoever sent it."""
        if _is_request.get():
            self._written_at_s = time.monotonic()

    async def keep_looking(self, primary: AsyncEngine) -> None:
        """Look how far the replica is, until cancelled."""
        while True:
            await self.look(primary)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self, primary: AsyncEngine) -> None:
        """Look once; a replica that does not answer is as old as it was."""
        try:
            moment_s = time.monotonic()
            self._moments.append((moment_s, await _place(primary, _WRITTEN)))
            replayed = await _place(self.engine, _REPLAYED)
        except (SQLAlchemyError, OSError) as error:
            self._fresh_as_of_s = float("-inf")
            log.warning("the read replica is not asked: %s", str(error).partition("\n")[0])
            return
        while self._moments and self._moments[0][1] <= replayed:
            self._fresh_as_of_s = self._moments.popleft()[0]


@contextmanager
def answering_a_request() -> Iterator[None]:
    """Within the block a request is answered; until `let_be_stale`, by the primary alone."""
    marks = _is_request.set(True), _may_be_stale.set(False)
    try:
        yield
    finally:
        _is_request.reset(marks[0])
        _may_be_stale.reset(marks[1])


def let_be_stale() -> None:
    """Let the request at hand be answered by the replica: it was let in, and changes nothing."""
    _may_be_stale.set(True)


async def _place(engine: AsyncEngine, asked: str) -> int:
    async with engine.connect() as connection:
        place: int | None = await connection.scalar(text(asked))
    return -1 if place is None else place


_WRITTEN = "SELECT CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS bigint)"
_REPLAYED = "SELECT CAST(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') AS bigint)"
