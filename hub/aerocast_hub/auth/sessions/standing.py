"""Who was called back before their access tokens end: known to every process of the hub.

Access tokens are checked by a key alone, and would outlive a session by up to 15 minutes. So each
process looks up, every ``LOOK_EVERY_S``, the sessions ended and API keys revoked in that time, and
the accounts that may do something else now. They are refused within that time everywhere, at once
in the process that did it, and what they have open is ended: every stream is watched (`watching`).
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.auth.sessions.called_back import called_back_since
from aerocast_hub.auth.tokens import ACCESS_TOKEN_S, Principal
from aerocast_hub.database.engine import Database

LOOK_EVERY_S = 2.0
_MARGIN_S = 60


class Standing:
    """Remembers who was called back, and ends what they have open."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # What was heard of each, and when: a look that began before does not deny it.
        self._ended: dict[str, float] = {}
        self._versions: dict[str, tuple[int, float]] = {}
        self._watched: dict[object, tuple[Principal, Callable[[], None]]] = {}

    def refuses(self, who: Principal) -> bool:
        """Say whether a good token, or an API key known a moment ago, is good no more.

        Its session was ended, the key revoked, or the account was given other roles or rows.
        """
        if who.session_id in self._ended or who.key_prefix in self._ended:
            return True
        version = self._versions.get(who.user_id)
        return version is not None and who.version < version[0]

    def is_over(self, who: Principal) -> bool:
        """Say whether nothing may be told any more: they are refused, or their time is up."""
        return time.time() >= who.expires_at_s or self.refuses(who)

    def end(self, ended: Iterable[str]) -> None:
        """Refuse these sessions, or API keys by prefix, at once; what ended them is committed."""
        now_s = time.monotonic()
        self._ended |= dict.fromkeys(ended, now_s)
        self._end_what_is_open()

    @contextmanager
    def watching(self, who: Principal, end: Callable[[], None]) -> Iterator[None]:
        """Call ``end`` once nothing may be told any more, unless the block ends before."""
        left_s = max(0.0, who.expires_at_s - time.time())
        timer = asyncio.get_running_loop().call_later(left_s, end)
        watched = object()
        self._watched[watched] = who, end
        if self.refuses(who):
            end()
        try:
            yield
        finally:
            timer.cancel()
            del self._watched[watched]

    async def look(self) -> None:
        """Ask the database who was called back."""
        since_us = time.time_ns() // 1000 - (ACCESS_TOKEN_S + _MARGIN_S) * 1_000_000
        began_s = time.monotonic()
        async with self._database.reading() as session:
            found = await called_back_since(session, since_us)
        now_s = time.monotonic()
        known = {each: at for each, at in self._ended.items() if at >= began_s}
        self._ended = known | dict.fromkeys(found.ended, now_s)
        versions = {who: each for who, each in self._versions.items() if each[1] >= began_s}
        for who, version in found.versions.items():
            versions[who] = max(versions.get(who, (0, 0.0)), (version, now_s))
        self._versions = versions
        self._end_what_is_open()

    async def keep_looking(self) -> None:
        """Ask every ``LOOK_EVERY_S`` until cancelled; while nobody answers, what is known holds."""
        while True:
            try:
                await self.look()
            except (SQLAlchemyError, OSError) as error:
                self._database.tell_failure("ended sessions are not heard of", error)
            await asyncio.sleep(LOOK_EVERY_S)

    def _end_what_is_open(self) -> None:
        for who, end in tuple(self._watched.values()):
            if self.refuses(who):
                end()
