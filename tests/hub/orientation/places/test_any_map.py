"""Whatever a file holds, it is read, or what is wrong with it is named."""

import json
import tempfile
import zipfile
from math import isfinite
from pathlib import Path

import pytest
from aerocast_hub.importing import UnusableInputError
from aerocast_hub.orientation.directions import Directions
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.reading import read_places
from aerocast_hub.orientation.profiles import PROFILES
from aerocast_hub.orientation.routes import find_route
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.orientation.places.test_gtfs import FILES
from tests.hub.orientation.places.test_imdf import venue
from tests.hub.orientation.places.test_osm import HALL

DRAWN = Path(__file__).with_name("airport.toml").read_text(encoding="utf-8")


def collection(features):
    return json.dumps({"type": "FeatureCollection", "features": features})


MAPS = {
    "osm": {"map.osm": HALL},
    "drawn": {"map.toml": DRAWN},
    "gtfs": FILES,
    "imdf": {f"{name}.geojson": collection(each) for name, each in venue().items()},
}
spoilt = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(
            [b"", b"-", b"9", b"nan", b",", b'"', b"\n", b"\x00", b"\xff", b"<", b"1e999"]
        )
        | st.binary(max_size=4),
        st.integers(0, 6),
    ),
    max_size=4,
)


def spoil(text, changes):
    held = bytearray(text, "utf-8")
    for where, put, instead_of in changes:
        at = int(where * len(held))
        held[at : at + instead_of] = put
    return bytes(held)


@pytest.mark.parametrize("kind", sorted(MAPS))
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_spoilt_map_is_read_or_refused_by_name(kind, data):
    name = data.draw(st.sampled_from(sorted(MAPS[kind])))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for each, text in MAPS[kind].items():
            changes = data.draw(spoilt) if each == name else []
            (folder / each).write_bytes(spoil(text, changes))
        path = folder / name if kind in ("osm", "drawn") else folder
        try:
            places, refused = read_places(path)
        except UnusableInputError as error:
            places, refused, told = None, [], str(error)
    if places is None:
        assert str(folder) in told
        return
    assert all(each.error for each in refused)
    network = Network(places)
    directions = Directions(network)
    for profile in PROFILES:
        for place in places.places[-2:]:
            route = find_route(network, places.places[0].id, place.id, profile)
            assert route.seconds is None or (isfinite(route.seconds) and route.seconds >= 0)
            assert directions.steps(route) or not route.legs


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["map.osm", "map.toml", "map.zip"]), st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(name, held):
    with tempfile.TemporaryDirectory() as made:
        file = Path(made, name)
        file.write_bytes(held)
        with pytest.raises(UnusableInputError, match=r"map\."):
            read_places(file)


def test_an_archive_that_would_unpack_to_more_than_there_is_room_for_is_refused(tmp_path):
    archive = tmp_path / "map.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        for number in range(3):
            writing.writestr(f"{number}.txt", bytes(100_000_000))
    with pytest.raises(UnusableInputError, match="larger than"):
        read_places(archive)
