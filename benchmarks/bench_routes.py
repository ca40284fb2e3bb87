"""Goal for routes: find ways at least 5 times as fast as networkx on the same graph.

Both are asked for the same ways from doors to platforms or gates, in turn, in one run; both must
answer the same. Both have the seconds of every way laid in. Ours knows no destination yet in any
round: to find what it keeps of each is part of its time. Beside it, without a goal, the bare search
to everywhere, where neither keeps anything.

``--places FOLDER`` measures on a map of your own; else on four stations of Boston's MBTA when the
shared test data is there, and always on a made-up terminal of 5,000 places.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from math import inf, isclose
from pathlib import Path
from typing import TypeVar

import networkx as nx
from aerocast_hub.orientation.network import Network, spread
from aerocast_hub.orientation.places.place_map import Mode, Place, PlaceMap, Way
from aerocast_hub.orientation.places.reading import read_places
from aerocast_hub.orientation.profiles import PROFILES, seconds_on
from aerocast_hub.orientation.routes import find_route

STATIONS = Path(__file__).parents[2] / "shared" / "data" / "baggage" / "gtfs_pathways"
GOAL = 5.0
ROUNDS = 5
PAIRS = 300
LEVELS, ROWS, COLUMNS = 5, 20, 50

Pairs = Sequence[tuple[str, str]]
Asked = TypeVar("Asked")


def main() -> None:
    """Measure on each map; exit status 1 when the goal is missed."""
    asking = argparse.ArgumentParser(description=__doc__)
    asking.add_argument("--places", type=Path, help="a map, as `aerocast-hub import places` takes")
    asked = asking.parse_args()
    maps = {"a made-up terminal": _terminal(random.Random(8))}  # noqa: S311  the same each time
    if asked.places is not None:
        maps = {str(asked.places): read_places(asked.places)[0]}
    elif STATIONS.exists():
        maps = {"four stations of the MBTA": read_places(STATIONS)[0], **maps}
    ratios = [_measure(name, places) for name, places in maps.items()]
    print(f"the least: {min(ratios):.1f} times as fast as networkx {nx.__version__} (goal: {GOAL})")
    sys.exit(min(ratios) < GOAL)


def _measure(name: str, places: PlaceMap) -> float:
    network, graph = Network(places), _graph(places)
    pairs = _pairs(places, network)
    goals = len({goal for _, goal in pairs})
    print(f"{name}: {len(places.places)} places, {len(places.ways)} ways")
    for start, goal in pairs:
        theirs = nx.dijkstra_path_length(graph, start, goal)
        ours = find_route(network, start, goal).seconds
        if ours is None or not isclose(theirs, ours, abs_tol=1e-6):
            raise SystemExit(f"{start} to {goal}: networkx says {theirs}, we say {ours}")
    what = f"{len(pairs)} ways to {goals} places"
    ratio = _compare(what, places, pairs, partial(_their_routes, nx.single_source_dijkstra, graph))
    both_ends = partial(_their_routes, nx.bidirectional_dijkstra, graph)
    _compare("  beside networkx from both ends at once", places, pairs, both_ends)
    _compare_bare_search(network, graph, [start for start, _ in pairs[::10]])
    return ratio


def _compare(
    what: str, places: PlaceMap, pairs: Pairs, their_routes: Callable[[Pairs], None]
) -> float:
    rounds: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        fresh = Network(places)
        fresh.rows("default")  # networkx has its seconds laid in too
        rounds.append((_ms(partial(_our_routes, fresh), pairs), _ms(their_routes, pairs)))
    return _tell(what, rounds)


def _compare_bare_search(network: Network, graph: "nx.DiGraph[str]", starts: Sequence[str]) -> None:
    def ours(starts: Sequence[str]) -> None:
        for start in starts:
            spread(network.rows("default"), network.number[start])

    def theirs(starts: Sequence[str]) -> None:
        for start in starts:
            nx.single_source_dijkstra(graph, start)

    rounds = [(_ms(ours, starts), _ms(theirs, starts)) for _ in range(ROUNDS)]
    _tell("the bare search to everywhere (no goal)", rounds)


def _our_routes(network: Network, pairs: Pairs) -> None:
    for start, goal in pairs:
        find_route(network, start, goal)


def _their_routes(
    find: Callable[["nx.DiGraph[str]", str, str], object], graph: "nx.DiGraph[str]", pairs: Pairs
) -> None:
    for start, goal in pairs:
        find(graph, start, goal)


def _tell(what: str, rounds: Sequence[tuple[float, float]]) -> float:
    our_ms, their_ms = (statistics.median(each) for each in zip(*rounds, strict=True))
    ratio = statistics.median(theirs / ours for ours, theirs in rounds)
    print(f"  {what}: ours {our_ms:.1f} ms, networkx {their_ms:.1f} ms: {ratio:.1f}x")
    return ratio


def _ms(work: Callable[[Asked], None], asked: Asked) -> float:
    began = time.perf_counter()
    work(asked)
    return (time.perf_counter() - began) * 1e3


def _graph(places: PlaceMap) -> "nx.DiGraph[str]":
    """Give networkx its easiest graph: seconds laid in, of parallel ways the quickest alone."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(place.id for place in places.places)
    for way in places.ways:
        seconds = seconds_on(way, PROFILES["default"])
        known = graph.get_edge_data(way.origin, way.destination, {"weight": inf})
        if seconds < known["weight"]:
            graph.add_edge(way.origin, way.destination, weight=seconds)
    return graph


def _pairs(places: PlaceMap, network: Network) -> list[tuple[str, str]]:
    """Choose doors and platforms or gates that a way joins."""
    doors = [place.id for place in places.places if place.kind == "entrance"]
    goals = [place.id for place in places.places if place.kind in ("platform", "gate", "reclaim")]
    joined: list[tuple[str, str]] = []
    for door in doors:
        seconds, _ = spread(network.rows("default"), network.number[door])
        joined += [(door, goal) for goal in goals if seconds[network.number[goal]] < inf]
    random.Random(1).shuffle(joined)  # noqa: S311  the same each time
    return joined[:PAIRS]


def _terminal(rng: random.Random) -> PlaceMap:
    """Make up a terminal: five levels of 1,000 points, each joined to the next ones, and lifts."""
    kinds = {(0, 0, column): "entrance" for column in range(0, COLUMNS, 10)}
    kinds |= {(LEVELS - 1, ROWS - 1, column): "gate" for column in range(0, COLUMNS, 2)}
    at = [
        (level, row, column)
        for level in range(LEVELS)
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]
    ways: list[Way] = []
    for level, row, column in at:
        if column:
            ways += _both_ways((level, row, column), (level, row, column - 1), rng.uniform(4, 30))
        if row:
            ways += _both_ways((level, row, column), (level, row - 1, column), rng.uniform(4, 30))
        if level and rng.random() < 0.01:
            ends = (level, row, column), (level - 1, row, column)
            ways += _both_ways(*ends, rng.uniform(30, 90), "lift")
    places = tuple(Place(id=_id(each), kind=kinds.get(each, "point")) for each in at)
    return PlaceMap(format="drawn", places=places, ways=tuple(ways))


Point = tuple[int, int, int]


def _id(point: Point) -> str:
    return "/".join(map(str, point))


def _both_ways(one: Point, other: Point, seconds: float, mode: Mode = "walkway") -> list[Way]:
    return [
        Way(id=_id(one), origin=_id(start), destination=_id(end), mode=mode, seconds=seconds)
        for start, end in ((one, other), (other, one))
    ]


if __name__ == "__main__":
    main()
