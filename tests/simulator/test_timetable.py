"""What the simulated airport writes is what the hub and the agent read."""

import json
import random
import tomllib
from datetime import UTC, date, datetime

import pytest
from aerocast_protocols.baggage import parse_message
from aerocast_simulator import captures, check_in, timetable
from aerocast_simulator.belt import ride
from aerocast_simulator.toml_text import to_toml
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_bag_travels_on_a_flight_of_the_same_day(tmp_path):
    flights = timetable.plan(random.Random(1))
    timetable.write_flights(tmp_path / "flights.jsonl", flights, NOW)
    timetable.write_bags(tmp_path / "bags.jsonl", flights, NOW)
    days = {(each["flight"], each["date"]) for each in lines(tmp_path / "flights.jsonl")}
    bags = lines(tmp_path / "bags.jsonl")
    assert {(bag["flight"], bag["flight_date"]) for bag in bags} == days
    assert len({bag["licence_plate"] for bag in bags}) == len(bags) == 32


def test_the_same_seed_plans_the_same_day():
    assert timetable.plan(random.Random(7)) == timetable.plan(random.Random(7))
    assert timetable.plan(random.Random(7)) != timetable.plan(random.Random(8))


def test_stands_are_closed_rings_around_where_aircraft_stop(tmp_path):
    timetable.write_stands(tmp_path / "stands.geojson")
    features = json.loads((tmp_path / "stands.geojson").read_text())["features"]
    for feature in features:
        ring = feature["geometry"]["coordinates"][0]
        latitude, longitude = timetable.STANDS[feature["properties"]["stand"]]
        assert ring[0] == ring[-1]
        assert min(x for x, _ in ring) < longitude < max(x for x, _ in ring)
        assert min(y for _, y in ring) < latitude < max(y for _, y in ring)


@given(st.integers(0, 10_000))
def test_a_riding_bag_is_read_on_its_own_belt_and_strongest_there(seed):
    reads = ride(random.Random(seed), (1, 2), (3, 4))
    assert [read.after_s for read in reads] == sorted(read.after_s for read in reads)
    own = [read.rssi_dbm for read in reads if read.antenna in (1, 2)]
    heard = [read.rssi_dbm for read in reads if read.antenna in (3, 4)]
    assert own
    assert not heard or max(own) > max(heard) or len(own) < 3


values = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(-1e9, 1e9) | st.dates(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
tables = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), values, max_size=4)


@given(st.fixed_dictionaries({"gateway": tables, "device": st.lists(tables, max_size=3)}))
def test_a_configuration_written_as_toml_reads_as_it_was(configuration):
    if not configuration["device"]:
        del configuration["device"]
    assert tomllib.loads(to_toml(configuration)) == configuration


def test_recordings_name_their_files_from_where_they_lie(tmp_path):
    (tmp_path / "hall").mkdir()
    (tmp_path / "hall" / "agent.toml").write_text(
        '[gateway]\nsite = "lfbo"\nname = "hall-1"\n[aircraft]\nstands = "s.geojson"\n'
        '[[device]]\nname = "sky"\nkind = "replay"\nfile = "f.csv"\nstart = 2024-07-06\n'
    )
    found = captures.read(tmp_path)
    (gateway,) = found.gateways
    assert (gateway.site, gateway.name) == ("lfbo", "hall-1")
    (device,) = gateway.configuration["device"]
    assert device["file"] == str(tmp_path / "hall" / "f.csv")
    assert device["start"] == date(2024, 7, 6)
    assert found.stands == tmp_path / "hall" / "s.geojson"
    assert (found.flights, found.metars) == (None, None)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "not a folder"), ("", "no agent.toml"), ("[gateway", "no TOML file")],
)
def test_a_folder_that_cannot_be_played_is_refused_with_the_reason(tmp_path, content, says):
    folder = tmp_path / "recordings"
    if content is not None:
        folder.mkdir()
        (folder / "agent.toml").write_text(content)
    with pytest.raises(captures.CaptureError, match=says):
        captures.read(folder)


def test_a_checked_in_passenger_is_told_of_in_one_message():
    flight = next(each for each in timetable.plan(random.Random(1)) if not each.is_arrival)
    groups = check_in.bags_by_passenger(flight)
    assert [len(bags) for bags in groups] == [2, 2, 2, 2]
    message = parse_message(check_in.source_message(flight, groups[0], 1, NOW))
    assert message.problems == ()
    assert message.plates == tuple(bag.licence_plate for bag in groups[0])
    assert message.bags[0].outbound.flight == flight.flight
    assert message.bags[0].outbound.on(NOW.date()) == timetable.departs_on(flight, NOW)
    assert message.envelope.sender == "TLSKMBA"
