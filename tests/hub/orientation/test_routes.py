import csv
import json
from math import inf
from pathlib import Path

import networkx as nx
import pytest
from aerocast_hub.orientation.conditions import Closure, Conditions, Queue
from aerocast_hub.orientation.network import Network, spread
from aerocast_hub.orientation.places.gtfs import read_gtfs
from aerocast_hub.orientation.places.place_map import MODES, Place, PlaceMap, Way
from aerocast_hub.orientation.profiles import PROFILES, obstacle, seconds_on
from aerocast_hub.orientation.routes import find_route
from hypothesis import given, settings
from hypothesis import strategies as st

GTFS = Path(__file__).parents[4] / "shared" / "data" / "baggage" / "gtfs_pathways"
needs_gtfs = pytest.mark.skipif(not GTFS.exists(), reason="needs shared data: gtfs_pathways")


@pytest.fixture(scope="module")
def stations():
    return Network(read_gtfs(GTFS)[0])


@pytest.fixture(scope="module")
def expected():
    by_station = json.loads((GTFS / "expected_routes.json").read_text())["expected"]
    return [row for rows in by_station.values() for row in rows]


@needs_gtfs
def test_every_route_of_four_real_stations_takes_as_long_as_an_independent_search_says(
    stations, expected
):
    assert len(expected) == 570
    wrong = []
    for origin, destination, profile, seconds in expected:
        found = find_route(stations, origin, destination, profile)
        assert (found.unreachable is None) == (found.seconds is not None)
        if found.seconds != (None if seconds is None else pytest.approx(seconds, abs=0.001)):
            wrong.append((origin, destination, profile, seconds, found.seconds))
    assert wrong == []


def oracle(profile, closed):
    """The same graph as networkx sees it, made from the file by the data set's own rules."""
    graph = nx.DiGraph()
    with (GTFS / "pathways.txt").open(newline="") as file:
        for row in csv.DictReader(file):
            mode = int(row["pathway_mode"])
            if row["facility_id"] in closed or (profile == "wheelchair" and mode in (2, 4)):
                continue
            seconds = oracle_seconds(row, mode, profile)
            ends = row["from_stop_id"], row["to_stop_id"]
            if seconds < graph.get_edge_data(*ends, {"weight": inf})["weight"]:
                graph.add_edge(*ends, weight=seconds)
    return graph


def oracle_seconds(row, mode, profile):
    if profile == "wheelchair" and row["wheelchair_traversal_time"]:
        return float(row["wheelchair_traversal_time"])
    if row["traversal_time"] and (profile == "default" or mode == 5):
        return float(row["traversal_time"])
    if mode == 1 and profile == "wheelchair":
        return float(row["wheelchair_length"] or row["length"]) / 0.9
    if mode == 1:
        return float(row["length"]) / 1.33
    if mode == 2:
        return abs(int(row["stair_count"] or 20)) * 0.6
    return 60.0 if mode in (4, 5) else 5.0


@needs_gtfs
@pytest.mark.parametrize("profile", ["default", "wheelchair"])
@pytest.mark.parametrize("closed", [{"931"}, {"955", "956"}, {"813", "961"}, {"808", "382"}])
def test_with_lifts_closed_routes_are_what_networkx_finds_on_the_graph_without_them(
    stations, expected, profile, closed
):
    graph = oracle(profile, closed)
    conditions = Conditions(stations, closures=[Closure(subject=each, from_s=0) for each in closed])
    changed = 0
    for origin, destination, _, seconds in (row for row in expected if row[2] == profile):
        try:
            wanted = nx.dijkstra_path_length(graph, origin, destination)
        except (nx.NetworkXNoPath, nx.NodeNotFound):
            wanted = None
        found = find_route(stations, origin, destination, profile, conditions)
        assert found.seconds == (None if wanted is None else pytest.approx(wanted, abs=0.001))
        assert not closed & {leg.way.facility for leg in found.legs}
        was = None if seconds is None else pytest.approx(seconds, abs=0.001)
        if found.seconds != was:
            changed += 1
            if found.seconds is None:
                assert found.unreachable.reason == "closed"
                assert set(found.unreachable.obstacles) <= closed
    assert changed or profile == "default"


def way(number, origin, destination, mode="walkway", **about):
    about.setdefault("length_m", 10.0)
    ends = {"origin": f"p{origin}", "destination": f"p{destination}"}
    return Way(id=f"w{number}", mode=mode, **ends, **about)


def network(*ways, places=6):
    points = tuple(Place(id=f"p{number}", kind="point") for number in range(places))
    return Network(PlaceMap(format="drawn", places=points, ways=ways))


ways = st.lists(
    st.builds(
        lambda ends, mode, seconds, slope, width: (ends, mode, seconds, slope, width),
        st.tuples(st.integers(0, 5), st.integers(0, 5)),
        st.sampled_from(MODES),
        st.floats(0, 300),
        st.sampled_from([None, 0.0, 0.05, -0.1, 0.2]),
        st.sampled_from([None, 0.6, 1.2]),
    ),
    max_size=24,
)
profiles = st.sampled_from(sorted(PROFILES))
moments = st.integers(0, 600)
closures = st.lists(
    st.builds(
        lambda number, from_s, lasts_s: Closure(
            subject=f"w{number}",
            from_s=from_s,
            until_s=None if lasts_s is None else from_s + lasts_s,
        ),
        st.integers(0, 23),
        moments,
        st.none() | st.integers(1, 600),
    ),
    max_size=6,
)
queues = st.lists(
    st.builds(
        lambda number, waits: Queue(subject=f"w{number}", waits=tuple(waits)),
        st.integers(0, 23),
        st.lists(st.tuples(moments, st.integers(0, 900)), min_size=1, max_size=4),
    ),
    max_size=4,
)


def made(drawn):
    return network(
        *(
            way(number, *ends, mode, seconds=seconds, slope=slope, min_width_m=width)
            for number, (ends, mode, seconds, slope, width) in enumerate(drawn)
        )
    )


def seconds_or_inf(route):
    return inf if route.seconds is None else route.seconds


@settings(max_examples=60, deadline=None)
@given(ways, profiles)
def test_the_quickest_way_is_as_quick_as_networkx_finds(drawn, profile):
    found, graph = made(drawn), nx.MultiDiGraph()
    graph.add_nodes_from(found.number)
    for each in found.places.ways:
        if obstacle(each, PROFILES[profile]) is None:
            seconds = seconds_on(each, PROFILES[profile])
            graph.add_edge(each.origin, each.destination, weight=seconds)
    wanted = nx.single_source_dijkstra_path_length(graph, "p0")
    seconds, _ = spread(found.rows(profile), 0)
    for name, number in found.number.items():
        assert seconds[number] == pytest.approx(wanted.get(name, inf))
        assert seconds_or_inf(find_route(found, "p0", name, profile)) == pytest.approx(
            seconds[number]
        )


@settings(max_examples=100, deadline=None)
@given(ways, profiles, closures, closures, queues, moments)
def test_closing_a_way_never_makes_a_route_faster(drawn, profile, closed, more, queued, depart_s):
    found = made(drawn)
    before = Conditions(found, depart_s, closed, queued)
    after = Conditions(found, depart_s, [*closed, *more], queued)
    was = seconds_or_inf(find_route(found, "p0", "p5", profile, before))
    assert seconds_or_inf(find_route(found, "p0", "p5", profile, after)) >= was - 1e-6


@settings(max_examples=60, deadline=None)
@given(ways, profiles, closures, queues, moments)
def test_among_closures_and_queues_nobody_arrives_earlier_by_any_way(
    drawn, profile, closed, queued, depart_s
):
    found = made(drawn)
    conditions = Conditions(found, depart_s, closed, queued)
    earliest = {"p0": 0.0}
    for _ in found.places.places:  # Bellman and Ford's way: slow, and with no heap to be wrong
        for number, each in enumerate(found.places.ways):
            if earliest.get(each.origin, inf) < inf and obstacle(each, PROFILES[profile]) is None:
                at_s = earliest[each.origin]
                at_s += conditions.wait_s(number, at_s) + seconds_on(each, PROFILES[profile])
                earliest[each.destination] = min(at_s, earliest.get(each.destination, inf))
    for name in found.number:
        route = find_route(found, "p0", name, profile, conditions)
        assert seconds_or_inf(route) == pytest.approx(earliest.get(name, inf))


@settings(max_examples=60, deadline=None)
@given(ways, profiles, closures, queues, moments, st.integers(1, 600))
def test_who_sets_out_later_never_arrives_earlier(
    drawn, profile, closed, queued, depart_s, later_s
):
    found = made(drawn)
    soon = find_route(found, "p0", "p5", profile, Conditions(found, depart_s, closed, queued))
    later = Conditions(found, depart_s + later_s, closed, queued)
    late = find_route(found, "p0", "p5", profile, later)
    assert seconds_or_inf(late) + later_s >= seconds_or_inf(soon) - 1e-6


@settings(max_examples=60, deadline=None)
@given(ways, profiles, closures, queues, moments)
def test_a_profile_never_uses_what_it_excludes_and_legs_add_up(
    drawn, profile, closed, queued, depart_s
):
    found = made(drawn)
    route = find_route(found, "p0", "p5", profile, Conditions(found, depart_s, closed, queued))
    assert all(obstacle(leg.way, PROFILES[profile]) is None for leg in route.legs)
    if route.seconds is None:
        assert route.unreachable is not None
    else:
        assert sum(leg.seconds for leg in route.legs) == pytest.approx(route.seconds)
        assert [leg.way.destination for leg in route.legs][-1:] == ["p5"]
        assert all(leg.wait_s >= 0 for leg in route.legs)


def test_no_way_says_whether_it_is_closed_not_for_this_person_or_not_there():
    found = network(
        way(0, 0, 1, "stairs", facility=None), way(1, 1, 2, "lift", facility="C"), way(2, 3, 4)
    )
    shut = Conditions(found, closures=[Closure(subject="C", from_s=0)])

    def why(destination, profile="default", conditions=None):
        return find_route(found, "p0", destination, profile, conditions).unreachable

    assert (why("p2", conditions=shut).reason, why("p2", conditions=shut).obstacles) == (
        "closed",
        ("C",),
    )
    assert (why("p1", "wheelchair").reason, why("p1", "wheelchair").obstacles) == (
        "profile",
        ("stairs",),
    )
    assert why("p4").reason == "apart"
    assert why("p2") is None


def test_a_lift_that_opens_soon_is_waited_for_only_where_the_way_round_is_longer():
    found = network(
        way(0, 0, 1, "lift", seconds=30.0, facility="C"), way(1, 0, 1, seconds=200.0), places=2
    )

    def route(until_s):
        closed = Closure(subject="C", from_s=0, until_s=until_s)
        return find_route(found, "p0", "p1", "default", Conditions(found, 1000.0, [closed]))

    assert (route(1060.0).seconds, route(1060.0).legs[0].wait_s) == (90.0, 60.0)
    assert (route(2000.0).seconds, route(2000.0).legs[0].way.id) == (200.0, "w1")
    assert route(900.0).seconds == 30.0


def test_a_queue_is_as_long_as_it_is_when_people_come_to_it():
    found = network(way(0, 0, 1, seconds=100.0), way(1, 1, 2, "gate", facility="security"))
    queue = Queue(subject="security", waits=((0.0, 0.0), (100.0, 300.0), (5000.0, 0.0)))

    def wait_s(depart_s):
        conditions = Conditions(found, depart_s, queues=[queue])
        return find_route(found, "p0", "p2", "default", conditions).legs[1].wait_s

    assert wait_s(-50.0) == pytest.approx(150.0)
    assert wait_s(0.0) == 300.0
    assert wait_s(2450.0) == pytest.approx(150.0)
    assert wait_s(9000.0) == 0.0


def test_a_closed_place_is_not_gone_through():
    found = network(way(0, 0, 1), way(1, 1, 2), way(2, 0, 3), way(3, 3, 2, length_m=500.0))
    shut = Conditions(found, closures=[Closure(subject="p1", from_s=0)])
    assert [leg.way.id for leg in find_route(found, "p0", "p2", "default", shut).legs] == [
        "w2",
        "w3",
    ]


def test_an_unknown_profile_or_place_is_an_error_that_names_it():
    found = network(way(0, 0, 1))
    with pytest.raises(KeyError, match="skates"):
        find_route(found, "p0", "p1", "skates")
    with pytest.raises(KeyError, match="p77"):
        find_route(found, "p0", "p77")


def test_every_profile_is_at_most_as_quick_as_the_default():
    walk, stairs, belt = way(0, 0, 1), way(1, 0, 1, "stairs", stairs=20), way(2, 0, 1, "travelator")
    for profile in PROFILES.values():
        for each in (walk, stairs, belt):
            assert seconds_on(each, profile) >= seconds_on(each, PROFILES["default"])
