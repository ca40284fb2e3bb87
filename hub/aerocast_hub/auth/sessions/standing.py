"""Which sessions were ended before their access tokens were: known to every process of the hub.

Access tokens are checked by a key alone, and would outlive a session by up to 15 minutes. So each
process looks up the sessions ended in that time, every ``LOOK_EVERY_S``: a token whose session was
ended is refused within that time everywhere, and at once in the process that ended it.
"""

import asyncio
import logging
import time
from collections.abc import Iterable

from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.auth.sessions.store import ended_since
from aerocast_hub.auth.tokens import ACCESS_TOKEN_S
from aerocast_hub.database.engine import Database

LOOK_EVERY_S = 2.0
_MARGIN_S = 60

_log = logging.getLogger(__name__)


class Standing:
    """Remembers the sessions that were ended."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ended: frozenset[str] = frozenset()

    def is_ended(self, session_id: str | None) -> bool:
        """Say whether a session was ended; False for what is no session (an API key's request)."""
        return session_id in self._ended

    def end(self, session_ids: Iterable[str]) -> None:
        """Refuse these at once; what ended them has committed it."""
        self._ended |= frozenset(session_ids)

    async def look(self) -> None:
        """Ask the database which were ended."""
        since_us = time.time_ns() // 1000 - (ACCESS_TOKEN_S + _MARGIN_S) * 1_000_000
        async with self._database.reading() as session:
            self._ended = await ended_since(session, since_us)

    async def keep_looking(self) -> None:
        """Ask every ``LOOK_EVERY_S`` until cancelled; while nobody answers, what is known holds."""
        while True:
            try:
                await self.look()
            except (SQLAlchemyError, OSError):
                _log.warning("ended sessions are not heard of: the database does not answer")
            await asyncio.sleep(LOOK_EVERY_S)
