"""The quickest way between two places, for one kind of person, at one time of day.

Pure: no database, no clock. Dijkstra's algorithm with a binary heap over compact rows: for each
place the ways out of it. Many people go to few places, so the quickest way from everywhere to a
destination, with nothing closed and nobody queueing, is found once and kept. Queues and closures
only make ways longer: a kept way that meets none of them is the answer, and else the kept seconds,
which never say too much, lead the search (A*). Nobody gets out of a queue or a closure earlier by
getting there later, so the first arrival found stays the first.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from math import inf
from typing import Literal, NamedTuple

import msgspec

from aerocast_hub.orientation.conditions import Conditions, Delay
from aerocast_hub.orientation.network import Network, Row, Towards
from aerocast_hub.orientation.places.place_map import Way
from aerocast_hub.orientation.profiles import PROFILES, obstacle


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


def _delayed(row: Row, reached_s: float, delays: Mapping[int, Delay]) -> Row:
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
