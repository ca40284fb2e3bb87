import re
from pathlib import Path

import pytest
from aerocast_hub.importing import UnusableInputError
from aerocast_hub.orientation.network import Network
from aerocast_hub.orientation.places.osm import read_osm
from aerocast_hub.orientation.places.osm_file import read_osm_file
from aerocast_hub.orientation.places.osm_levels import read_levels
from aerocast_hub.orientation.routes import find_route
from hypothesis import given, settings
from hypothesis import strategies as st

OSM = Path(__file__).parents[5] / "shared" / "data" / "baggage" / "osm_indoor"
needs_osm = pytest.mark.skipif(not OSM.exists(), reason="needs shared data: osm_indoor")

HALL = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="43.6000" lon="1.3600"><tag k="entrance" v="main"/><tag k="level" v="0"/>
  <tag k="name" v="Hall"/><tag k="name:fr" v="Halle"/></node>
<node id="2" lat="43.6000" lon="1.3605"/>
<node id="3" lat="43.6000" lon="1.3610"><tag k="highway" v="elevator"/><tag k="level" v="-1-1"/>
  <tag k="ref" v="C"/></node>
<node id="4" lat="43.6002" lon="1.3605"/>
<node id="5" lat="43.6002" lon="1.3612"><tag k="aeroway" v="gate"/><tag k="ref" v="B12"/></node>
<node id="6" lat="43.6004" lon="1.3612"/>
<node id="7" lat="43.6004" lon="1.3608"/>
<way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="footway"/>
  <tag k="level" v="0"/></way>
<way id="11"><nd ref="2"/><nd ref="4"/><tag k="highway" v="steps"/><tag k="level" v="0;1"/>
  <tag k="step_count" v="24"/></way>
<way id="12"><nd ref="3"/><nd ref="5"/><tag k="highway" v="corridor"/><tag k="level" v="1"/></way>
<way id="13"><nd ref="4"/><nd ref="3"/><tag k="highway" v="corridor"/><tag k="level" v="1"/></way>
<way id="14"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="5"/><tag k="indoor" v="room"/>
  <tag k="level" v="1"/><tag k="name" v="Lounge"/></way>
<way id="15"><nd ref="1"/><nd ref="99"/><tag k="highway" v="footway"/></way>
<way id="16"><nd ref="1"/><nd ref="2"/><tag k="highway" v="steps"/></way>
</osm>"""


@pytest.fixture
def hall(tmp_path):
    file = tmp_path / "hall.osm"
    file.write_text(HALL, encoding="utf-8")
    return file


def test_lines_lifts_steps_and_rooms_become_ways_between_floors(hall):
    places, refused = read_osm(hall)
    network = Network(places)
    by_stairs = find_route(network, "n1/0", "n5/1")
    assert [leg.way.mode for leg in by_stairs.legs] == ["walkway", "stairs", "walkway", "walkway"]
    assert by_stairs.legs[1].way.stairs == 24
    by_lift = find_route(network, "n1/0", "w14/1", "wheelchair")
    assert [leg.way.facility for leg in by_lift.legs if leg.way.mode == "lift"] == ["C"]
    assert by_lift.legs[-1].way.destination == "w14/1"
    gate = places.places[network.number["n5/1"]]
    assert (gate.kind, gate.code, gate.level) == ("gate", "B12", "1")
    assert places.places[network.number["n1/0"]].name.in_language("fr") == "Halle"
    assert [each.id for each in places.levels] == ["-1", "0", "1"]
    assert [each.error for each in refused] == [
        "way 15: node 99: expected a node of this file: the way would dangle",
        "way 16: level None: expected the floors steps join, as 0;1",
    ]


@pytest.mark.parametrize(
    ("text", "floors"),
    [
        ("0", (0.0,)),
        ("0;1", (0.0, 1.0)),
        ("-1-2", (-1.0, 0.0, 1.0, 2.0)),
        ("-3--1", (-3.0, -2.0, -1.0)),
        ("2-0", (2.0, 1.0, 0.0)),
        ("-0.5", (-0.5,)),
        ("0; 1;1", (0.0, 1.0)),
        ("-0.5-1", (-0.5, 0.5, 1.0)),
        ("ground", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_floors_are_read_as_mappers_write_them(text, floors):
    assert read_levels(text) == floors


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789-.; ,ab", max_size=30))
def test_any_text_names_some_floors_or_none(text):
    assert len(read_levels(text)) <= 200


@needs_osm
@pytest.mark.parametrize("station", ["berlin-central", "paris-gare-de-lyon"])
def test_platforms_of_real_stations_are_on_the_floors_others_found(station):
    """The lists come from KDE's kosmindoormap: each platform's outline and ten times its floor."""
    lines = {line.id: line for line in read_osm_file(OSM / f"{station}.osm").lines}
    listed = (OSM / f"{station}.platforms").read_text()
    checked = 0
    for name, level in re.findall(r"area: w(\d+)\n(?:.*\n)??.*\n  level: (-?\d+)\n", listed):
        floors = read_levels(lines[name].tags.get("level")) if name in lines else ()
        if floors:
            assert int(level) / 10 in floors, name
            checked += 1
    assert checked >= 5


@needs_osm
@pytest.mark.parametrize("station", ["berlin-central", "paris-gare-de-lyon"])
def test_real_stations_are_read_with_their_platforms(station):
    places, _ = read_osm(OSM / f"{station}.osm")
    assert sum(place.kind == "platform" for place in places.places) >= 5
    assert len(places.levels) >= 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<osm><node id='1'/></osm>",
        "<osm><node id='1' lat='x' lon='0'/></osm>",
        "<osm><node id='1' lat='91' lon='0'/></osm>",
        '<!DOCTYPE osm [<!ENTITY a "aaaa">]><osm>&a;</osm>',
        "<osm><way",
    ],
)
def test_what_is_no_osm_file_is_refused_by_name(text, tmp_path):
    file = tmp_path / "bad.osm"
    file.write_text(text)
    with pytest.raises(UnusableInputError, match=r"bad\.osm"):
        read_osm(file)
