from pathlib import Path

import pytest
from aerocast_hub.importing import UnusableInputError
from aerocast_hub.orientation.places.drawn import read_drawn

AIRPORT = Path(__file__).with_name("airport.toml")


def changed(tmp_path, old, new):
    text = AIRPORT.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "changed.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_a_drawing_gives_places_with_names_and_ways_in_both_directions():
    places, refused = read_drawn(AIRPORT)
    assert refused == []
    assert places.airport == "TLS"
    assert places.levels[0].name.in_language("fr") == "Arrivées"
    assert [each.id for each in places.facilities] == ["C", "security"]
    walk, back = places.ways[:2]
    assert walk.length_m == pytest.approx(60, abs=0.1)
    assert (walk.sign.text, back.sign.in_language("fr")) == ("Gates", "Bagages")
    assert [each.stairs for each in places.ways if each.mode == "stairs"] == [30, -30]
    assert [each.origin for each in places.ways if each.mode == "gate"] == ["landside"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('to = "foot"', 'to = "cellar"', "way 1: to 'cellar': expected a place of this map"),
        ('level = "0"', 'level = "7"', "place 1: level '7': expected a level of this map"),
        ("seconds = 40", "seconds = -40", "way 2: Expected float >= 0.0 - at $.seconds"),
        ("steps = 30", "stepps = 30", "way 3: Object contains unknown field stepps"),
        ('mode = "lift"', 'mode = "rope"', "way 2: Invalid enum value 'rope' - at $.mode"),
        ('id = "1"', 'id = "0"', "level 2: level '0': expected a name used once"),
        ('{ en = "Gates", fr = "Portes" }', "{}", "way 1: name '{}': expected a text"),
        ("at = [60, 0]", "at = [1, 2, 3]", "place 2: Expected array of length 2"),
    ],
)
def test_a_table_that_cannot_be_taken_in_is_named_and_the_rest_is_taken(tmp_path, old, new, told):
    places, refused = read_drawn(changed(tmp_path, old, new))
    assert refused[0].error.startswith(told)
    assert places.ways


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('airport = "TLS"', "", "missing required field airport"),
        ('airport = "TLS"', 'airport = "Toulouse"', "airport 'Toulouse': expected an airport"),
        ('airport = "TLS"', 'aeroport = "TLS"\nairport = "TLS"', "unknown field aeroport"),
        ("[[level]]", "[[level]", "line"),
    ],
)
def test_a_file_that_is_no_map_is_refused_by_name(tmp_path, old, new, told):
    with pytest.raises(UnusableInputError, match=r"changed\.toml: ") as refused:
        read_drawn(changed(tmp_path, old, new))
    assert told in str(refused.value)
