"""The connection to Redis (or Valkey), which is never the truth and never waited for.

One that does not answer is left alone for a second: everything that asks it in the meantime is told
at once, and goes on with what this process knows by itself.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 0.5
LEFT_ALONE_S = 1.0
_SCHEMES = ("redis", "rediss", "unix")

Answer = TypeVar("Answer")


class RedisAwayError(Exception):
    """Redis does not answer just now: go on without it."""


def check_redis_url(url: str) -> None:
    """Check the setting.

    Raises
    ------
    ValueError
        It is no address of a Redis server, or the client for it is not installed. The message
        never holds the password.
    """
    try:
        is_one = urlsplit(url).scheme in _SCHEMES and urlsplit(url).port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("redis_url is redis://host:port/0, rediss://host:port/0 or unix://FILE")
    try:
        import_module("redis.asyncio")
    except ImportError:
        raise ValueError("redis_url needs the extra: pip install aerocast-hub[redis]") from None


class RedisConnection:
    """A pool of connections that fails fast.

    Parameters
    ----------
    url
        As `check_redis_url` lets through.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Redis | None = None
        self._again_at_s = 0.0
        self._is_away = False

    @property
    def client(self) -> "Redis":
        """The client itself, for whoever keeps a connection of its own (pub/sub)."""
        if self._client is None:
            from redis.asyncio import Redis  # noqa: PLC0415  an extra

            self._client = Redis.from_url(
                self._url,
                socket_timeout=ANSWER_WITHIN_S,
                socket_connect_timeout=ANSWER_WITHIN_S,
            )
        return self._client

    async def ask(self, question: "Callable[[Redis], Awaitable[Answer]]") -> Answer:
        """Put a question to it.

        Raises
        ------
        RedisAwayError
            It does not answer, or did not a moment ago.
        """
        from redis.exceptions import RedisError  # noqa: PLC0415  an extra

        if time.monotonic() < self._again_at_s:
            raise RedisAwayError
        try:
            async with asyncio.timeout(2 * ANSWER_WITHIN_S):
                answer = await question(self.client)
        except (RedisError, OSError, TimeoutError) as error:
            self._again_at_s = time.monotonic() + LEFT_ALONE_S
            if not self._is_away:
                self._is_away = True
                log.warning("Redis does not answer, the hub goes on without it: %r", error)
            raise RedisAwayError from error
        if self._is_away:
            self._is_away = False
            log.info("Redis answers again")
        return answer

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
