import shutil
import zipfile

import pytest
from aerocast_hub.importing import UnusableInputError
from aerocast_hub.orientation.places.reading import read_places

FILES = {
    "levels.txt": "level_id,level_index,level_name\nL0,0,Arrivals\nL1,1,Departures\n",
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon,level_id,location_type,parent_station,platform_code\n"
        "T,Terminal,43.6,1.36,,1,,\n"
        "door,North door,43.6,1.36,L0,2,T,\n"
        "low,Foot of lift C,43.6,1.361,L0,3,T,\n"
        "high,Top of lift C,43.6,1.361,L1,3,T,\n"
        "gate,Gate,43.6,1.362,L1,0,T,B12\n"
        "area,Boarding area,43.6,1.362,L1,4,gate,\n"
    ),
    "pathways.txt": (
        "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length,traversal_time,"
        "stair_count,max_slope,signposted_as,reversed_signposted_as,facility_id\n"
        "w1,door,low,1,1,80,,,0.05,Lifts,Exit,\n"
        "w2,low,high,5,1,,45,,,,,C\n"
        "w3,low,high,2,1,,,24,,,,\n"
        "w4,high,area,1,0,60,,,,,,\n"
    ),
    "translations.txt": (
        "table_name,field_name,language,translation,record_id,field_value\n"
        "levels,level_name,fr,Arrivées,L0,\n"
        "stops,stop_name,fr,Porte nord,,North door\n"
        "pathways,reversed_signposted_as,fr,Sortie,w1,\n"
    ),
    "facilities.txt": (
        "facility_id,facility_type,facility_short_name\nC,elevator,Lift C\nR,bike-rack,Racks\n"
    ),
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "gtfs"
    made.mkdir()
    for name, text in FILES.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


def change(folder, name, old, new):
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def test_a_folder_gives_levels_places_ways_and_lifts_with_their_translations(folder):
    places, refused = read_places(folder)
    assert refused == []
    level = places.levels[0]
    assert (level.id, level.index, level.name.in_language("fr")) == ("L0", 0.0, "Arrivées")
    assert level.name.in_language("de") == "Arrivals"
    door, gate = places.places[1], places.places[4]
    assert (door.kind, door.name.in_language("fr")) == ("entrance", "Porte nord")
    assert (gate.kind, gate.code, gate.level) == ("platform", "B12", "L1")
    assert [each.id for each in places.facilities] == ["C"]
    there, back = (each for each in places.ways if each.id == "w1")
    assert (there.slope, there.sign.text) == (0.05, "Lifts")
    assert (back.origin, back.slope, back.sign.in_language("fr")) == ("low", -0.05, "Sortie")
    assert [each.stairs for each in places.ways if each.mode == "stairs"] == [24, -24]
    assert [each.facility for each in places.ways if each.mode == "lift"] == ["C", "C"]


def test_a_platform_is_reached_through_its_boarding_areas(folder):
    places, _ = read_places(folder)
    joined = {(each.origin, each.destination) for each in places.ways}
    assert {("area", "gate"), ("gate", "area")} <= joined


def test_an_archive_reads_as_its_folder_does(folder, tmp_path):
    archive = tmp_path / "gtfs.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        for name in FILES:
            writing.write(folder / name, name)
        writing.writestr("../outside.txt", "no")
    assert read_places(archive) == read_places(folder)


@pytest.mark.parametrize("name", ["stops.txt", "pathways.txt", "levels.txt"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(UnusableInputError, match=f"{name} is missing"):
        read_places(folder)


@pytest.mark.parametrize("name", ["translations.txt", "facilities.txt"])
def test_files_that_may_be_missing_are_not_missed(folder, name):
    (folder / name).unlink()
    assert len(read_places(folder)[0].ways) == 9


BAD = [
    ("pathways.txt", "w4,high,area", "w4,high,nowhere", "to 'nowhere'", "dangle"),
    ("pathways.txt", "w4,high,area", "w4,gone,area", "from 'gone'", "dangle"),
    ("pathways.txt", ",,45,,", ",,-45,,", "traversal_time '-45'", ">= 0"),
    ("pathways.txt", ",1,1,80,", ",1,1,-80,", "length '-80'", ">= 0"),
    ("pathways.txt", ",1,1,80,", ",1,1,nan,", "length", ""),
    ("pathways.txt", "low,high,5", "low,high,9", "pathway_mode '9'", "<= 7"),
    ("pathways.txt", "low,high,5", "low,high,7", "is_bidirectional", "exit gates lead one way"),
    ("pathways.txt", "w3,low", "w2,low", "way 'w2'", "twice"),
    ("pathways.txt", "w4,high,area,1,0,60", "w4,high,T,1,2,60", "is_bidirectional '2'", ""),
    ("stops.txt", "1.362,L1,4", "1.362,L9,4", "level 'L9'", "a level of this map"),
    ("stops.txt", "area,Boarding area,43.6", "area,Boarding area,143.6", "latitude '143.6'", "90"),
    ("stops.txt", "area,Boarding", "gate,Boarding", "place 'gate'", "twice"),
    ("levels.txt", "L1,1,", "L1,high,", "level_index 'high'", "float"),
    ("levels.txt", "L1,1,", "L1,inf,", "level_index 'inf'", "a number"),
]


@pytest.mark.parametrize(("name", "old", "new", "told", "expected"), BAD)
def test_what_cannot_be_taken_in_is_named_and_the_rest_is_taken(
    folder, name, old, new, told, expected
):
    change(folder, name, old, new)
    places, refused = read_places(folder)
    first = refused[0]
    assert first.error.startswith(f"{name} line ")
    assert told in first.error
    assert expected in first.error
    assert new.partition(",")[0] in first.input
    assert places.ways


def test_a_way_to_a_place_that_was_refused_says_so(folder):
    change(folder, "stops.txt", "1.362,L1,4", "1.362,L9,4")
    _, refused = read_places(folder)
    told = next(each.error for each in refused if each.error.startswith("pathways.txt"))
    assert "to 'area': expected a place that was not refused itself" in told


def test_a_walk_nobody_measured_is_measured_by_its_ends(folder):
    change(folder, "pathways.txt", ",1,1,80,", ",1,1,,")
    places, refused = read_places(folder)
    assert refused == []
    assert places.ways[0].length_m == pytest.approx(80.5, abs=0.5)


def test_what_is_no_map_is_named(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UnusableInputError, match="neither GTFS"):
        read_places(empty)
    for name, text in (("map.zip", "no archive"), ("map.osm", "<gpx/>"), ("map.toml", "x = [")):
        file = tmp_path / name
        file.write_text(text)
        with pytest.raises(UnusableInputError, match=name):
            read_places(file)
    shutil.copy(tmp_path / "map.zip", tmp_path / "map.pdf")
    with pytest.raises(UnusableInputError, match="expected a folder"):
        read_places(tmp_path / "map.pdf")
    for nowhere in ("gone", "gone.zip", "gone.osm"):
        with pytest.raises(UnusableInputError, match=r"gone.*: there is no such file or folder"):
            read_places(tmp_path / nowhere)


@pytest.mark.parametrize(
    ("name", "column", "told"),
    [
        ("pathways.txt", "to_stop_id", "no line of pathways.txt: line 2: to_stop_id is missing"),
        ("stops.txt", "stop_id", "no line of stops.txt: line 2: stop_id is missing"),
    ],
)
def test_a_misspelt_heading_is_named_and_no_map_is_made_without_it(folder, name, column, told):
    change(folder, name, column, "x")
    with pytest.raises(UnusableInputError, match=told):
        read_places(folder)
