import json

import pytest
from aerocast_hub.importing import UnusableInputError
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.reading import read_places
from aerocast_hub.orientation.routes import find_route

EAST = 1 / 80_500  # degrees of longitude in a metre, at 43.6 north
NORTH = 1 / 111_195


def at(east_m, north_m):
    return [1.36 + east_m * EAST, 43.6 + north_m * NORTH]


def box(west, south, east, north):
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return {"type": "Polygon", "coordinates": [[at(*corner) for corner in corners]]}


def door(east_m, north_m):
    return {
        "type": "LineString",
        "coordinates": [at(east_m, north_m - 1), at(east_m, north_m + 1)],
    }


def point(east_m, north_m):
    return {"type": "Point", "coordinates": at(east_m, north_m)}


def feature(name, geometry=None, /, **properties):
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": properties}


def venue():
    return {
        "level": [
            feature("L0", box(0, 0, 60, 20), ordinal=0, name={"en": "Arrivals", "fr": "Arrivées"}),
            feature("L1", box(0, 0, 60, 20), ordinal=1, name={"en": "Gates"}),
        ],
        "unit": [
            feature("hall", box(0, 0, 40, 20), level_id="L0", category="walkway"),
            feature("baggage", box(40, 0, 60, 20), level_id="L0", category="room"),
            feature("upstairs", box(0, 0, 40, 20), level_id="L1", category="walkway"),
            feature("void", box(40, 0, 60, 20), level_id="L1", category="opentobelow"),
        ],
        "opening": [
            feature("door", door(40, 10), level_id="L0", category="pedestrian"),
            feature("entry", door(0, 10), level_id="L0", category="pedestrian.principal"),
        ],
        "amenity": [
            feature(
                "belt",
                point(50, 5),
                category="baggagecarousel",
                unit_ids=["baggage"],
                name={"en": "Belt 4", "fr": "Tapis 4"},
            )
        ],
        "anchor": [feature("a1", point(30, 15), unit_id="upstairs")],
        "occupant": [feature("gate", None, category="airline", anchor_id="a1", name={"en": "B12"})],
        "relationship": [
            feature(
                "lift-c",
                None,
                category="elevator",
                direction="undirected",
                origin={"id": "hall", "feature_type": "unit"},
                destination={"id": "upstairs", "feature_type": "unit"},
            )
        ],
    }


def write(folder, files):
    folder.mkdir(exist_ok=True)
    for name, features in files.items():
        collection = {"type": "FeatureCollection", "features": features}
        (folder / f"{name}.geojson").write_text(json.dumps(collection), encoding="utf-8")
    return folder


def test_rooms_doors_lifts_and_what_stands_in_them_become_a_map(tmp_path):
    places, refused = read_places(write(tmp_path / "imdf", venue()))
    assert refused == []
    network = Network(places)
    route = find_route(network, "gate", "belt", "wheelchair")
    assert [leg.way.mode for leg in route.legs] == ["walkway", "lift", *["walkway"] * 3]
    belt = places.places[network.number["belt"]]
    assert (belt.kind, belt.code, belt.level) == ("reclaim", "4", "L0")
    assert belt.name.in_language("fr") == "Tapis 4"
    assert places.places[network.number["gate"]].code == "B12"
    assert "void" not in network.number


def test_one_way_relationships_lead_one_way(tmp_path):
    files = venue()
    files["relationship"][0]["properties"]["direction"] = "directed"
    network = Network(read_places(write(tmp_path / "imdf", files))[0])
    assert find_route(network, "hall", "gate").seconds is not None
    assert find_route(network, "gate", "hall").seconds is None


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        ("unit", {"level_id": "L9"}, "unit: level 'L9': expected a level of this map"),
        ("amenity", {"unit_ids": ["void"]}, "amenity: unit 'void': expected a unit"),
        ("occupant", {"anchor_id": "a9"}, "occupant: anchor_id 'a9': expected an anchor"),
        (
            "relationship",
            {"destination": {"id": "attic"}},
            "relationship: to 'attic': expected a place of this map",
        ),
        ("level", {"ordinal": None}, "level: ordinal 'None': expected a number"),
        ("level", {"ordinal": "low"}, "level: Expected float | null, got str"),
    ],
)
def test_a_feature_that_cannot_be_taken_in_is_named(tmp_path, file, change, told):
    files = venue()
    files[file][0]["properties"].update(change)
    _, refused = read_places(write(tmp_path / "imdf", files))
    assert refused[0].error.startswith(told)


@pytest.mark.parametrize("geometry", [None, {"type": "Polygon", "coordinates": []}, point(0, 0)])
def test_a_room_without_an_outline_is_named(tmp_path, geometry):
    files = venue()
    files["unit"][1]["geometry"] = geometry
    _, refused = read_places(write(tmp_path / "imdf", files))
    assert refused[0].error.startswith("unit: geometry")


@pytest.mark.parametrize("name", ["level", "unit"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = write(tmp_path / "imdf", venue())
    (folder / f"{name}.geojson").unlink()
    with pytest.raises(UnusableInputError, match=rf"{name}\.geojson is missing"):
        read_places(folder)


def test_a_file_that_is_no_collection_is_named(tmp_path):
    folder = write(tmp_path / "imdf", venue())
    (folder / "opening.geojson").write_text("[]")
    with pytest.raises(UnusableInputError, match=r"opening\.geojson: no GeoJSON"):
        read_places(folder)
