"""The quickest way between two places, for one kind of person, at one time of day.

Pure: no database, no clock. Dijkstra's algorithm with a binary heap over compact rows: for each
place the ways out of it. Many people go to few places, so the quickest way from everywhere to a
destination, with nothing closed and nobody queueing, is found once and kept. Queues and closures
only make ways longer: a kept way that meets none of them is the answer, and else the kept seconds,
which never say too much, lead the search (A*). Nobody gets out of a queue or a closure earlier by
getting there later, so the first arrival found stays the first.
"""

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from math import inf
from typing import Literal, NamedTuple

import msgspec

from aerocast_hub.orientation.places.place_map import Place, PlaceMap, Way
from aerocast_hub.orientation.profiles import PROFILES, Profile, obstacle, seconds_on

Out = tuple[int, float, int]
"""A way out of a place: where to, how many seconds, the way's number."""

Row = tuple[Out, ...]
"""All ways out of a place."""


MOST_KEPT = 1_000_000
"""Places kept for all destinations, of 16 bytes each; what was asked for longest ago goes."""


class Towards(NamedTuple):
    """By each place's number: seconds to a destination at best, and the way to take there.

    Infinity and -1 where nothing leads there.
    """

    seconds: Sequence[float]
    way: Sequence[int]


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


class Leg(NamedTuple):
    """One way of a route: which, how long it takes, and how long one waits before it."""

    way: Way
    seconds: float
    wait_s: float


class Unreachable(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no route.

    Attributes
    ----------
    reason
        ``closed``: something on the way is; ``profile``: others can go; ``apart``: nobody can.
    obstacles
        What is closed, or what the person cannot use (`stairs`, ``slope`` ...), in order.
    """

    reason: Literal["closed", "profile", "apart"]
    obstacles: tuple[str, ...] = ()


class Route(NamedTuple):
    """The quickest way: how long it takes and its legs; ``seconds`` is None without a way."""

    seconds: float | None
    legs: tuple[Leg, ...] = ()
    unreachable: Unreachable | None = None


class Network:
    """A map made ready for finding ways.

    Attributes
    ----------
    number, by_id
        Of each place its number, and the place, by its id.
    levels, facilities
        By their ids.
    """

    def __init__(self, places: PlaceMap) -> None:
        self.places = places
        self.number = {place.id: number for number, place in enumerate(places.places)}
        self.by_id = {place.id: place for place in places.places}
        self.levels = {level.id: level for level in places.levels}
        self.facilities = {each.id: each for each in places.facilities}
        self._by_code: dict[tuple[str, str], Place] = {}
        for place in places.places:
            if place.code is not None:
                self._by_code.setdefault((place.kind, place.code.strip().casefold()), place)
        self._origin = array("l", (self.number[way.origin] for way in places.ways))
        self._destination = array("l", (self.number[way.destination] for way in places.ways))
        self._rows: dict[str, list[Row]] = {}
        self._rows_back: dict[str, list[list[Out]]] = {}
        self._towards: OrderedDict[tuple[int, str], Towards] = OrderedDict()
        self._by_subject = _by_subject(places.ways)

    def find(self, kind: str, code: str) -> Place | None:
        """Find a place by what the screens call it; None where there is none."""
        return self._by_code.get((kind, code.strip().casefold()))

    def rows(self, profile: str) -> list[Row]:
        """Give the ways out of each place that a profile can use."""
        found = self._rows.get(profile)
        if found is None:
            found = self._rows[profile] = self._rows_for(PROFILES[profile])
        return found

    def towards(self, goal: int, profile: str) -> Towards:
        """Give how to get from everywhere to a destination with nothing in the way."""
        key = goal, profile
        found = self._towards.get(key)
        if found is None:
            seconds, ways = spread(self._back(profile), goal)
            found = self._towards[key] = Towards(array("d", seconds), array("l", ways))
            while len(self._towards) * len(self.number) > MOST_KEPT and len(self._towards) > 1:
                self._towards.popitem(last=False)
        self._towards.move_to_end(key)
        return found

    def _back(self, profile: str) -> list[list[Out]]:
        """Give the ways into each place that a profile can use."""
        found = self._rows_back.get(profile)
        if found is None:
            found = self._rows_back[profile] = [[] for _ in self.number]
            for place, row in enumerate(self.rows(profile)):
                for to, takes_s, way in row:
                    found[to].append((place, takes_s, way))
        return found

    def ways_of(self, subject: str) -> Sequence[int]:
        """Give the numbers of the ways that a facility's, a way's or a place's id speaks of."""
        return self._by_subject.get(subject, ())

    def knows(self, subject: str) -> bool:
        """Say whether anything on the map has this id."""
        return subject in self._by_subject

    def origin(self, way: int) -> int:
        """Give the place a way leads from."""
        return self._origin[way]

    def destination(self, way: int) -> int:
        """Give the place a way leads to."""
        return self._destination[way]

    def _rows_for(self, profile: Profile) -> list[Row]:
        rows: list[list[Out]] = [[] for _ in self.number]
        for number, way in enumerate(self.places.ways):
            if obstacle(way, profile) is None:
                row = rows[self._origin[number]]
                row.append((self._destination[number], seconds_on(way, profile), number))
        return [tuple(row) for row in rows]


def _by_subject(ways: Sequence[Way]) -> Mapping[str, Sequence[int]]:
    """Give the ways each facility is, each id of a way names, and each place is entered by."""
    found: dict[str, array[int]] = {}
    for number, way in enumerate(ways):
        for subject in {way.id, way.destination, way.facility} - {None}:
            found.setdefault(str(subject), array("l")).append(number)
    return found


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
        self.delays: dict[int, _Delay] = {}
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

    def _delay(self, way: int) -> "_Delay":
        return self.delays.setdefault(way, _Delay())


class _Delay:
    """When somebody who comes to a way may go on; seconds since the departure."""

    def __init__(self) -> None:
        self._closed: list[tuple[float, float]] = []
        self._at: list[float] = []
        self._waits: list[float] = []

    def close(self, closure: Closure, depart_s: float) -> None:
        until_s = inf if closure.until_s is None else closure.until_s - depart_s
        self._closed.append((closure.from_s - depart_s, until_s))
        self._closed.sort()

    def queue(self, queue: Queue, depart_s: float) -> None:
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


def find_route(
    network: Network,
    origin: str,
    destination: str,
    profile: str = "default",
    conditions: Conditions | None = None,
) -> Route:
    """Find the quickest way; say why when there is none.

    Parameters
    ----------
    origin, destination
        Ids of places of the map.
    profile
        One of `PROFILES`.

    Raises
    ------
    KeyError
        A place or the profile is not known.
    """
    conditions = conditions or Conditions(network)
    start, goal = network.number[origin], network.number[destination]
    path = _path(network, start, goal, profile, conditions)
    if path is None:
        return Route(None, (), _why_not(network, start, goal, profile, conditions))
    legs = tuple(
        Leg(network.places.ways[way], to_s - from_s, conditions.wait_s(way, from_s))
        for way, from_s, to_s in path
    )
    return Route(path[-1].to_s if path else 0.0, legs)


def spread(rows: Sequence[Iterable[Out]], start: int) -> tuple[list[float], list[int]]:
    """Give how many seconds away every place is, and the way by which each is reached.

    Parameters
    ----------
    rows
        The ways out of each place.

    Returns
    -------
    By the places' numbers: seconds (infinity: not at all), and numbers of ways (-1: none).
    """
    seconds = [inf] * len(rows)
    came_by = [-1] * len(rows)
    seconds[start] = 0.0
    heap = [(0.0, start)]
    while heap:
        reached_s, place = heappop(heap)
        if reached_s > seconds[place]:
            continue
        for to, takes_s, way in rows[place]:
            at_s = reached_s + takes_s
            if at_s < seconds[to]:
                seconds[to] = at_s
                came_by[to] = way
                heappush(heap, (at_s, to))
    return seconds, came_by


def _delayed(row: Row, reached_s: float, delays: Mapping[int, _Delay]) -> Row:
    """Give a place's ways as long as they take somebody who is there now."""
    return tuple(
        (to, takes_s + delays[way].goes_on_at(reached_s) - reached_s, way)
        if way in delays
        else (to, takes_s, way)
        for to, takes_s, way in row
    )


def _why_not(
    network: Network, start: int, goal: int, profile: str, conditions: Conditions
) -> Unreachable:
    """Say what stands in the way, by opening what is closed, then by walking as everybody does."""
    opened = conditions.without_closures(network)
    path = _path(network, start, goal, profile, opened)
    if path is not None:
        shut = {way for way, at_s, _ in path if conditions.wait_s(way, at_s) == inf}
        subjects = (
            each.subject
            for each in conditions.closures
            if shut & set(network.ways_of(each.subject))
        )
        return Unreachable(reason="closed", obstacles=_once(subjects))
    path = _path(network, start, goal, "default", opened)
    if path is not None:
        ways = (network.places.ways[way] for way, *_ in path)
        found = (obstacle(way, PROFILES[profile]) for way in ways)
        return Unreachable(reason="profile", obstacles=_once(each for each in found if each))
    return Unreachable(reason="apart")


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


class _Hop(NamedTuple):
    """One way of a path: its number, when people come to it and when they are past it."""

    way: int
    from_s: float
    to_s: float


def _path(
    network: Network, start: int, goal: int, profile: str, conditions: Conditions
) -> list[_Hop] | None:
    """Give the quickest path; None without one."""
    towards = network.towards(goal, profile)
    if towards.seconds[start] == inf:
        return None
    path = _kept(network, start, goal, towards, conditions)
    if path is not None:
        return path
    return _search(network, start, goal, network.rows(profile), towards, conditions)


def _kept(
    network: Network, start: int, goal: int, towards: Towards, conditions: Conditions
) -> list[_Hop] | None:
    """Give the kept path; None when it meets a queue or a closure."""
    seconds, way_from = towards
    whole_s = seconds[start]
    path: list[_Hop] = []
    place = start
    while place != goal:
        way = way_from[place]
        if way in conditions.delays:
            return None
        after = network.destination(way)
        path.append(_Hop(way, whole_s - seconds[place], whole_s - seconds[after]))
        place = after
    return path


def _search(
    network: Network,
    start: int,
    goal: int,
    rows: Sequence[Row],
    towards: Towards,
    conditions: Conditions,
) -> list[_Hop] | None:
    """Find the path among queues and closures; None without one."""
    delays, slow_places, to_go = conditions.delays, conditions.places, towards.seconds
    seconds = {start: 0.0}
    came_by: dict[int, int] = {}
    heap = [(to_go[start], 0.0, start)]
    while heap:
        _, reached_s, place = heappop(heap)
        if place == goal:
            return _hops(network, start, goal, seconds, came_by)
        if reached_s > seconds[place]:
            continue
        row = rows[place]
        if place in slow_places:
            row = _delayed(row, reached_s, delays)
        for to, takes_s, way in row:
            at_s = reached_s + takes_s
            if at_s < seconds.get(to, inf) and (at_best_s := at_s + to_go[to]) < inf:
                seconds[to] = at_s
                came_by[to] = way
                heappush(heap, (at_best_s, at_s, to))
    return None


def _hops(
    network: Network,
    start: int,
    goal: int,
    seconds: Mapping[int, float],
    came_by: Mapping[int, int],
) -> list[_Hop]:
    path: list[_Hop] = []
    place = goal
    while place != start:
        way = came_by[place]
        before = network.origin(way)
        path.append(_Hop(way, seconds[before], seconds[place]))
        place = before
    return path[::-1]
