"""A map made ready for finding ways: places numbered, the ways out of each in a row. Pure."""

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from math import inf
from typing import NamedTuple

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
