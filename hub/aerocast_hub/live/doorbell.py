"""A bell among hubs: whoever commits events rings, and the others look at once.

Nothing travels with it. Events are read from the outbox, in order, by every hub; a bell that is not
heard (Redis is away, or a message was lost) costs the others the second after which they look by
themselves.
"""

import asyncio
import logging
import random

from aerocast_hub.outbox.publish import Publisher
from aerocast_hub.redis_connection import LEFT_ALONE_S, RedisAwayError, RedisConnection
from aerocast_hub.running import together

log = logging.getLogger(__name__)

CHANNEL = "aerocast:events"
LONGEST_WAIT_S = 5.0
QUIET_S = 30.0


class Doorbell:
    """Rings at the other hubs, and wakes this one's publisher when they ring."""

    def __init__(self, redis: RedisConnection, publisher: Publisher) -> None:
        self._redis = redis
        self._publisher = publisher
        self._to_ring = asyncio.Event()
        publisher.on_wake = self._to_ring.set

    async def run(self) -> None:
        """Listen and ring until cancelled."""
        await together(self._ring(), self._listen())

    async def _ring(self) -> None:
        """Ring once for everything committed while the last ring was under way, or not heard."""
        while True:
            await self._to_ring.wait()
            self._to_ring.clear()
            try:
                await self._redis.ask(lambda redis: redis.publish(CHANNEL, b""))
            except RedisAwayError:
                log.debug("nobody hears the bell: the others look by themselves until it rings")
                self._to_ring.set()
                await asyncio.sleep(LEFT_ALONE_S)

    async def _listen(self) -> None:
        from redis.exceptions import RedisError  # noqa: PLC0415  an extra

        wait_s = 0.1
        while True:
            try:
                async with self._redis.client.pubsub() as heard:
                    await heard.subscribe(CHANNEL)
                    wait_s = 0.1
                    self._publisher.look()
                    while True:
                        # A silent connection is tried: one that is dead must not look alive.
                        if await heard.get_message(True, timeout=QUIET_S) is None:  # noqa: FBT003  redis' own
                            await heard.ping()
                        else:
                            self._publisher.look()
            except (RedisError, OSError, TimeoutError) as error:
                log.debug("the bell is not heard: %r", error)
            await asyncio.sleep(random.uniform(wait_s / 2, wait_s))  # noqa: S311  spreads, hides nothing
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)
