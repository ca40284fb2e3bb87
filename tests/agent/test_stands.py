"""Stands: which polygon a place lies in."""

import json

import pytest
from aerocast_agent.stands import Stands, distance_m
from aerocast_protocols.modes.cpr import Position
from hypothesis import given
from hypothesis import strategies as st

OUTER = [[1.0, 43.0], [1.01, 43.0], [1.01, 43.01], [1.0, 43.01], [1.0, 43.0]]
HOLE = [[1.004, 43.004], [1.006, 43.004], [1.006, 43.006], [1.004, 43.006], [1.004, 43.004]]
ELSEWHERE = [[[2.0, 43.0], [2.01, 43.0], [2.0, 43.01], [2.0, 43.0]]]


def geojson(*features):
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"stand": stand, "ref": 7},
                    "geometry": {"type": kind, "coordinates": coordinates},
                }
                for stand, kind, coordinates in features
            ],
        }
    ).encode()


def test_a_place_is_on_the_stand_whose_polygon_holds_it_and_not_in_its_hole():
    stands = Stands.from_geojson(
        geojson(("A1", "Polygon", [OUTER, HOLE]), ("B2", "MultiPolygon", [ELSEWHERE]))
    )

    assert stands.at(Position(43.002, 1.002)) == "A1"
    assert stands.at(Position(43.005, 1.005)) is None
    assert stands.at(Position(43.001, 2.001)) == "B2"
    assert stands.at(Position(43.009, 2.009)) is None
    assert stands.at(Position(48.0, 1.002)) is None
    assert Stands().at(Position(43.002, 1.002)) is None


@pytest.mark.parametrize(
    "broken",
    [
        b"{}",
        b"\xff",
        geojson(("A1", "Point", [1.0, 43.0])),
        geojson(("", "Polygon", [OUTER])),
        geojson(("A1", "Polygon", [[[1.0, 43.0]]])),
        geojson(("A1", "Polygon", [])),
    ],
)
def test_what_are_no_stands_is_refused(broken):
    with pytest.raises(ValueError, match="stands are no GeoJSON"):
        Stands.from_geojson(broken)


@given(st.binary(max_size=200))
def test_any_bytes_are_stands_or_refused(given_bytes):
    try:
        Stands.from_geojson(given_bytes)
    except ValueError:
        return


def test_distances_are_those_of_the_globe():
    assert distance_m(Position(0, 0), Position(0, 1)) == pytest.approx(111_195, abs=1)
    assert distance_m(Position(49.01, 2.55), Position(43.629, 1.364)) == pytest.approx(
        605_000, rel=0.01
    )
