"""API keys as requests bring them: looked up once in a while, not with every request.

A key that was good is taken for ``GOOD_FOR_S`` without asking the database again. So in every
process of the hub a key is refused at the latest so long after its time is over. Sooner, as soon
as the process has heard of it (`Standing`), it is looked up again when it was revoked, or when its
owner was disabled or may do something else now.
"""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from aerocast_hub.auth.api_keys.store import LONGEST_KEY, key_standing, note_uses
from aerocast_hub.auth.sessions.standing import Standing
from aerocast_hub.auth.tokens import ACCESS_TOKEN_S, Principal
from aerocast_hub.database.engine import Database

GOOD_FOR_S = 5.0
MOST_REMEMBERED = 1024
WRITE_EVERY_S = 60.0

_log = logging.getLogger(__name__)


class _Known(NamedTuple):
    principal: Principal
    prefix: str
    until_s: float


class ApiKeys:
    """Says who sends a key; remembers for a moment, and when each was last used."""

    def __init__(
        self, database: Database, standing: Standing, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._standing = standing
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._used_at_us: dict[str, int] = {}

    async def principal(self, key: str) -> Principal | None:
        """Say who sends a key; None when it is no good."""
        if len(key) > LONGEST_KEY:
            return None
        fingerprint = hashlib.sha256(key.encode()).digest()
        known = self._known.get(fingerprint)
        if (
            known is None
            or known.until_s <= self._clock()
            or self._standing.refuses(known.principal)
        ):
            self._known.pop(fingerprint, None)
            known = await self._look_up(key)
            if known is None:
                return None
            self._known[fingerprint] = known
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        now_s = time.time()
        if known.principal.expires_at_s <= now_s:
            return None
        self._used_at_us[known.prefix] = round(now_s * 1_000_000)
        return known.principal

    async def keep_writing(self) -> None:
        """Write down when keys were last used, every ``WRITE_EVERY_S``, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()

    async def write(self) -> None:
        """Write down when keys were last used."""
        used, self._used_at_us = self._used_at_us, {}
        if not used:
            return
        try:
            async with self._database.writing() as session:
                await note_uses(session, used)
        except (SQLAlchemyError, OSError):
            _log.warning("the last use of %d keys is not written down", len(used))

    async def _look_up(self, key: str) -> _Known | None:
        asked_at_s = self._clock()
        now_us = time.time_ns() // 1000
        async with self._database.reading() as session:
            found = await key_standing(session, key, now_us)
        if found is None:
            return None
        principal = Principal(
            user_id=str(found.user_id),
            name=found.owner.name,
            permissions=found.permissions,
            # What goes on longer than a request (a stream of events) ends as with a token.
            expires_at_s=min(found.expires_at_us, now_us + ACCESS_TOKEN_S * 1_000_000) // 1_000_000,
            airlines=found.owner.airlines,
            stations=found.owner.stations,
            key_prefix=found.prefix,
            version=found.owner.version,
        )
        return _Known(principal, found.prefix, asked_at_s + GOOD_FOR_S)
