"""How often somebody may try a secret: a password, or the surname to a bag tag.

Counted in one step, in memory: no request can slip between looking and counting. A process of its
own counts on its own; the hub's auth service is one process.
"""

from collections import OrderedDict
from typing import NamedTuple

WINDOW_S = 300.0
MOST_KEYS = 20_000


class Limits(NamedTuple):
    """Tries in ``WINDOW_S`` seconds: of one client on one account, of a client, on an account."""

    together: int
    client: int
    account: int


# A client may be a whole office behind one address; an account may be tried from many.
LOGINS = Limits(together=5, client=60, account=40)
# An airport's wireless network may put a thousand passengers behind one address.
FINDS = Limits(together=10, client=1000, account=30)


class _Count(NamedTuple):
    tries: int
    ends_at_s: float


class Attempts:
    """Remembers tries per account, per client, and per both together, for a window of time.

    No clock: the caller says what time it is, from a monotonic one.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def wait_s(self, account: str, client: str, now_s: float) -> float:
        """Count a try and say how long to wait before it may be made; 0 when it may be made now.

        A refused try is not counted: waiting the time given is enough.
        """
        limits = {
            ("both", f"{account}\0{client}"): self._limits.together,
            ("client", client): self._limits.client,
            ("account", account): self._limits.account,
        }
        counts = {key: self._current(key, now_s) for key in limits}
        waits = [
            count.ends_at_s - now_s for key, count in counts.items() if count.tries >= limits[key]
        ]
        if waits:
            return max(waits)
        for key, count in counts.items():
            self._counts[key] = count._replace(tries=count.tries + 1)
        while len(self._counts) > MOST_KEYS:
            self._counts.popitem(last=False)
        return 0.0

    def forget(self, account: str, client: str) -> None:
        """Clear the count of an account from a client: its owner got in."""
        self._counts.pop(("both", f"{account}\0{client}"), None)

    def _current(self, key: tuple[str, str], now_s: float) -> _Count:
        count = self._counts.get(key)
        if count is None or count.ends_at_s <= now_s:
            # Windows are of one length: re-inserting keeps the dictionary in order of their ends.
            self._counts.pop(key, None)
            return _Count(0, now_s + WINDOW_S)
        return count
