"""What an agent knows of aircraft on the ground outlives it, within one boot of the machine."""

import pytest
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.ground_memory import EVERY_NS, LARGEST_BYTES, GroundMemory
from aerocast_agent.stands import Stands
from aerocast_protocols.modes import encode
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.observations.aircraft import AircraftGroundEvent

NS = 1_000_000_000
HERE, ON_STAND, TAXIWAY = Position(43.63, 1.36), Position(43.6305, 1.3605), Position(43.63, 1.362)
STANDS = Stands.from_geojson(
    b'{"features": [{"properties": {"stand": "B2"}, "geometry": {"type": "Polygon",'
    b'"coordinates": [[[1.36, 43.63], [1.361, 43.63], [1.361, 43.631], [1.36, 43.631],'
    b"[1.36, 43.63]]]}}]}"
)
ROLLING = encode.Sender("4ca123", on_ground=True)
BOOT = b"b" * 16


def table():
    return AircraftTable(HERE, STANDS)


def hear(following, seconds, speed_kt, place):
    seen = []
    for second in seconds:
        frame = encode.encode_surface_position(ROLLING, place, speed_kt, 90.0, odd=bool(second % 2))
        seen += following.update("sky", frame, second * NS)
    return [each for each in seen if isinstance(each, AircraftGroundEvent)]


def test_an_aircraft_that_rolled_before_the_restart_is_on_its_stand_after_it(tmp_path):
    file = tmp_path / "aircraft.msgpack"
    before = table()
    name = encode.encode_identification(ROLLING, "AFR123")
    before.update("sky", name, 0)
    assert hear(before, range(1, 30), 12.0, TAXIWAY) == []
    memory = GroundMemory(file, before, BOOT)
    memory.keep(30 * NS)

    after = table()
    assert GroundMemory(file, after, BOOT).recall() == 1
    (event,) = hear(after, range(40, 130), 0.1, ON_STAND)
    assert (event.event, event.stand, event.callsign) == ("on_stand", "B2", "AFR123")
    assert event.boot_ns == pytest.approx(35 * NS, abs=2 * NS)  # between 29 and 40 s
    assert 3.0 < event.sigma_s < 6.0
    # One that nobody remembers may have stood there for hours: no event.
    assert hear(table(), range(40, 130), 0.1, ON_STAND) == []


def test_what_was_kept_is_worth_nothing_after_the_machine_restarted_or_was_damaged(tmp_path):
    file = tmp_path / "aircraft.msgpack"
    before = table()
    hear(before, range(1, 30), 12.0, TAXIWAY)
    GroundMemory(file, before, BOOT).keep(30 * NS)
    assert GroundMemory(file, table(), b"c" * 16).recall() == 0
    kept = file.read_bytes()
    for damaged in (kept[:-3], b"", b"\xff" * 100, b"x" * (LARGEST_BYTES + 1)):
        file.write_bytes(damaged)
        assert GroundMemory(file, table(), BOOT).recall() == 0
    file.unlink()
    assert GroundMemory(file, table(), BOOT).recall() == 0


def test_the_file_is_written_only_when_something_changed_and_a_full_disk_stops_nothing(tmp_path):
    file = tmp_path / "aircraft.msgpack"
    following = table()
    hear(following, range(1, 10), 12.0, TAXIWAY)
    memory = GroundMemory(file, following, BOOT)
    memory.keep(10 * NS)
    file.unlink()
    memory.keep(11 * NS)
    memory.keep(10 * NS + EVERY_NS)
    assert not file.exists()
    hear(following, range(16, 18), 12.0, TAXIWAY)
    memory.keep(21 * NS)
    assert file.exists()
    gone = GroundMemory(tmp_path / "absent" / "aircraft.msgpack", following, BOOT)
    gone.keep(20 * NS, at_once=True)
    assert gone.recall() == 0
