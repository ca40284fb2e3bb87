"""Where answers are kept: in this process, or in Redis with this process to fall back on.

Nothing kept is the truth: every answer has a lifetime, and may be gone at any moment.
"""

import secrets
import time
from collections import OrderedDict
from typing import Protocol

from aerocast_hub.redis_connection import RedisAwayError, RedisConnection

MOST_KEPT = 10_000
PREFIX = "aerocast:cache:"
_LOCK_PREFIX = "aerocast:making:"
# Only who holds a lock may let go of it: it may have run out, and be another's.
_LET_GO = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"


class Keeping(Protocol):
    """Keeps answers by key, each for its lifetime; lets one at a time make an answer."""

    async def get(self, key: str) -> bytes | None:
        """Give what is kept, while it lives."""

    async def put(self, key: str, answer: bytes, lifetime_s: float) -> None:
        """Keep an answer."""

    async def begin(self, key: str, longest_s: float) -> str | None:
        """Be the one who makes an answer; None when somebody is at it. Ends after ``longest_s``."""

    async def end(self, key: str, mine: str) -> None:
        """Let the next one make it; ``mine`` is what `begin` gave."""


class MemoryKeeping:
    """Keeps answers in this process; with too many, the oldest go."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._making: dict[str, tuple[float, str]] = {}

    async def get(self, key: str) -> bytes | None:
        """Give what is kept, while it lives."""
        until_s, answer = self._kept.get(key, (0.0, b""))
        if time.monotonic() >= until_s:
            self._kept.pop(key, None)
            return None
        return answer

    async def put(self, key: str, answer: bytes, lifetime_s: float) -> None:
        """Keep an answer."""
        self._kept[key] = time.monotonic() + lifetime_s, answer
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    async def begin(self, key: str, longest_s: float) -> str | None:
        """Be the one who makes an answer; None when somebody is at it."""
        now_s = time.monotonic()
        if self._making.get(key, (0.0, ""))[0] > now_s:
            return None
        mine = secrets.token_hex(8)
        self._making[key] = now_s + longest_s, mine
        return mine

    async def end(self, key: str, mine: str) -> None:
        """Let the next one make it."""
        if self._making.get(key, (0.0, ""))[1] == mine:
            del self._making[key]


class RedisKeeping:
    """Keeps answers where every hub finds them; while Redis is away, in this process."""

    def __init__(self, redis: RedisConnection) -> None:
        self._redis = redis
        self._here = MemoryKeeping()

    async def get(self, key: str) -> bytes | None:
        """Give what is kept, while it lives."""
        try:
            kept = await self._redis.ask(lambda redis: redis.get(PREFIX + key))
        except RedisAwayError:
            return await self._here.get(key)
        return kept.encode() if isinstance(kept, str) else kept

    async def put(self, key: str, answer: bytes, lifetime_s: float) -> None:
        """Keep an answer."""
        lifetime_ms = max(1, round(lifetime_s * 1000))
        try:
            await self._redis.ask(lambda redis: redis.set(PREFIX + key, answer, px=lifetime_ms))
        except RedisAwayError:
            await self._here.put(key, answer, lifetime_s)

    async def begin(self, key: str, longest_s: float) -> str | None:
        """Be the one among all hubs who makes an answer; None when somebody is at it."""
        mine = secrets.token_hex(8)
        longest_ms = max(1, round(longest_s * 1000))
        try:
            is_mine = await self._redis.ask(
                lambda redis: redis.set(_LOCK_PREFIX + key, mine, px=longest_ms, nx=True)
            )
        except RedisAwayError:
            return await self._here.begin(key, longest_s)
        return mine if is_mine else None

    async def end(self, key: str, mine: str) -> None:
        """Let the next one make it."""
        await self._here.end(key, mine)
        try:
            await self._redis.ask(lambda redis: redis.eval(_LET_GO, 1, _LOCK_PREFIX + key, mine))
        except RedisAwayError:
            return  # it lets go by itself when its time is over
