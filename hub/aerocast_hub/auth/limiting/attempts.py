"""How often somebody may try a secret: a password, or the surname to a bag tag.

Counted in fixed windows by the library ``limits``: in the hub's database, so that all processes of
a hub count together, or in Redis. While what counts does not answer, each process counts by itself.
"""

import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError

from aerocast_hub.client_address import limited_as
from aerocast_hub.outage import Outage

WINDOW_S = 300
LEFT_ALONE_S = 1.0
"""What did not answer is not waited for again so soon: each try would take as long."""

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class Limits(NamedTuple):
    """Tries in ``WINDOW_S`` seconds: of one client on one account, of a client, on an account."""

    together: int
    client: int
    account: int


# A client may be a whole office behind one address; an account may be tried from many.
LOGINS = Limits(together=5, client=60, account=40)
# An airport's wireless network may put a thousand passengers behind one address.
FINDS = Limits(together=10, client=1000, account=30)
# Logins begun at the identity provider; a shift begins behind one address.
SIGN_INS = Limits(together=300, client=300, account=300)


class _Limit(NamedTuple):
    item: RateLimitItemPerSecond
    key: str


class Attempts:
    """Counts tries per account and client together, per client, and per account.

    Parameters
    ----------
    what
        What is tried; each has counts of its own.
    storage
        Where they are counted.
    clock
        UTC seconds.
    """

    def __init__(
        self, what: str, limits: Limits, storage: Storage, clock: Callable[[], float] = time.time
    ) -> None:
        self._limiter = FixedWindowRateLimiter(storage)
        self._alone = FixedWindowRateLimiter(MemoryStorage())
        self._clock = clock
        self._outage = Outage()
        self._together, self._client, self._account = (
            RateLimitItemPerSecond(amount, WINDOW_S, namespace=f"aerocast/{what}/{name}")
            for name, amount in limits._asdict().items()
        )

    async def wait_s(self, account: str, client: str) -> float:
        """Count a try and say how long to wait before it may be made; 0 when it may be made now.

        A window is not prolonged by tries within it: waiting the time given is enough. A try that
        is refused for one count does not count on the broader ones after it.
        """
        return await self._with_storage(lambda limiter: self._wait_s(limiter, account, client))

    async def forget(self, account: str, client: str) -> None:
        """Clear the count of an account from a client: its owner got in."""
        item, key = self._limits(account, client)[0]
        await self._with_storage(lambda limiter: limiter.clear(item, key))

    async def take_back(self, account: str, client: str) -> None:
        """Take one try back: nobody could say whether it was right."""
        limits = self._limits(account, client)

        async def work(limiter: FixedWindowRateLimiter) -> None:
            for item, key in limits:
                await limiter.storage.incr(item.key_for(key), item.get_expiry(), -1)

        await self._with_storage(work)

    def _limits(self, account: str, client: str) -> tuple[_Limit, _Limit, _Limit]:
        network = limited_as(client)
        return (
            _Limit(self._together, _key(account, network)),
            _Limit(self._client, _key(network)),
            _Limit(self._account, _key(account)),
        )

    async def _wait_s(self, limiter: FixedWindowRateLimiter, account: str, client: str) -> float:
        for item, key in self._limits(account, client):
            if not await limiter.hit(item, key):
                window = await limiter.get_window_stats(item, key)
                return max(0.001, window.reset_time - self._clock())
        return 0.0

    async def _with_storage(
        self, work: Callable[[FixedWindowRateLimiter], Awaitable[_Answer]]
    ) -> _Answer:
        if self._outage.failed_within(LEFT_ALONE_S):
            return await work(self._alone)
        try:
            answer = await work(self._limiter)
        except StorageError as error:
            if self._outage.note_failure():
                _log.warning("tries are counted by this process alone: %s", error)
            return await work(self._alone)
        if self._outage.note_answer() is not None:
            _log.info("tries are counted by all processes together again")
        return answer


def _key(*parts: str) -> str:
    """Name a count without saying whose it is: neither accounts nor plates go into a key."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
