"""What stands in people's way at an airport, and when: closures and queues. Pure.

Nobody gets out of a queue or a closure earlier by getting there later.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import inf

import msgspec

from aerocast_hub.orientation.network import Network


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """Something is closed: a facility, a way or a place, by its id.

    ``until_s`` is None while nobody knows. Seconds on the clock of the departure.
    """

    subject: str
    from_s: float
    until_s: float | None = None


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """How long people queue at something: (when, seconds of waiting), at least one.

    Between two moments it is what lies between; before the first and after the last it stays.
    """

    subject: str
    waits: tuple[tuple[float, float], ...]


class Conditions:
    """What is closed and where people queue, made ready for a network and a departure.

    Parameters
    ----------
    depart_s
        When people set out, on the clock of closures and queues.
    """

    def __init__(
        self,
        network: Network,
        depart_s: float = 0.0,
        closures: Sequence[Closure] = (),
        queues: Sequence[Queue] = (),
    ) -> None:
        self.depart_s = depart_s
        self.closures = tuple(closures)
        self.queues = tuple(queues)
        self.delays: dict[int, Delay] = {}
        for closure in self.closures:
            for way in network.ways_of(closure.subject):
                self._delay(way).close(closure, depart_s)
        for queue in self.queues:
            for way in network.ways_of(queue.subject):
                self._delay(way).queue(queue, depart_s)
        self.places = frozenset(map(network.origin, self.delays))

    def wait_s(self, way: int, at_s: float) -> float:
        """Give how long somebody waits before a way; infinity while it is closed for good."""
        delay = self.delays.get(way)
        return 0.0 if delay is None else delay.goes_on_at(at_s) - at_s

    def without_closures(self, network: Network) -> "Conditions":
        """Give the same with everything open."""
        return Conditions(network, self.depart_s, (), self.queues)

    def _delay(self, way: int) -> "Delay":
        return self.delays.setdefault(way, Delay())


class Delay:
    """When somebody who comes to a way may go on; seconds since the departure."""

    def __init__(self) -> None:
        self._closed: list[tuple[float, float]] = []
        self._at: list[float] = []
        self._waits: list[float] = []

    def close(self, closure: Closure, depart_s: float) -> None:
        """Take a closure into account."""
        until_s = inf if closure.until_s is None else closure.until_s - depart_s
        self._closed.append((closure.from_s - depart_s, until_s))
        self._closed.sort()

    def queue(self, queue: Queue, depart_s: float) -> None:
        """Take a queue into account."""
        points = sorted((at_s - depart_s, max(0.0, wait_s)) for at_s, wait_s in queue.waits)
        # Who comes later gets out no earlier: a wait falls by a second a second at most.
        for number in range(len(points) - 2, -1, -1):
            (at_s, wait_s), (next_s, next_wait_s) = points[number], points[number + 1]
            points[number] = at_s, min(wait_s, next_wait_s + (next_s - at_s))
        self._at = [at_s for at_s, _ in points]
        self._waits = [wait_s for _, wait_s in points]

    def goes_on_at(self, reached_s: float) -> float:
        """Give when somebody goes on; infinity while nobody knows."""
        for from_s, until_s in self._closed:
            if from_s <= reached_s < until_s:
                reached_s = until_s
        return reached_s + self._wait_s(reached_s) if reached_s < inf else inf

    def _wait_s(self, at_s: float) -> float:
        if not self._at:
            return 0.0
        after = bisect_right(self._at, at_s)
        if after in (0, len(self._at)):
            return self._waits[max(0, after - 1)]
        before = after - 1
        part = (at_s - self._at[before]) / (self._at[after] - self._at[before])
        return self._waits[before] + part * (self._waits[after] - self._waits[before])
