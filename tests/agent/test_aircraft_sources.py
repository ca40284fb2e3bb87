"""Who speaks for an aircraft, what it declares, and which airframe it is."""

import gzip

import pytest
from aerocast_agent.aircraft import AircraftTable
from aerocast_agent.aircraft_database import AircraftDatabase
from aerocast_agent.stands import Stands
from aerocast_protocols.modes import encode
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.parity import seal
from aerocast_protocols.modes.reports import AircraftReport, AirMotion
from aerocast_protocols.modes.senders import squitter_sender
from aerocast_protocols.observations.aircraft import (
    AircraftGroundEvent,
    AircraftState,
    AircraftWeather,
)
from hypothesis import given
from hypothesis import strategies as st

NS = 1_000_000_000
HERE, THERE = Position(43.63, 1.36), Position(43.8, 1.5)
FLYING = encode.Sender("4ca123", on_ground=False)
ROLLING = encode.Sender("4ca123", on_ground=True)


def relayed(frame, control, *, imf_bit=None):
    """Make a df 18 frame of a df 17 one; ``imf_bit`` counts from 1 in the content."""
    changed = bytearray(frame[:11])
    changed[0] = 18 << 3 | control
    if imf_bit is not None:
        changed[4 + (imf_bit - 1) // 8] |= 1 << (7 - (imf_bit - 1) % 8)
    return seal(bytes(changed))


def airborne(index, place=THERE):
    return encode.encode_airborne_position(FLYING, place, 3000.0, odd=bool(index % 2))


def table(**options):
    return AircraftTable(HERE, Stands(), **options)


def states(seen):
    return [each for each in seen if isinstance(each, AircraftState)]


@pytest.mark.parametrize(
    ("control", "imf_bit", "icao", "source"),
    [
        (0, None, "4ca123", "adsb"),
        (1, None, "~4ca123", "adsb"),
        (2, None, "4ca123", "tisb"),
        (2, 8, "~4ca123", "tisb"),
        (5, None, "~4ca123", "tisb"),
        (6, None, "4ca123", "adsr"),
        (6, 8, "~4ca123", "adsr"),
    ],
)
def test_stations_that_speak_for_an_aircraft_are_flagged(control, imf_bit, icao, source):
    following, seen = table(), []
    for index in range(4):
        frame = relayed(airborne(index), control, imf_bit=imf_bit)
        seen += following.update("sky", frame, index * NS)

    assert (seen[-1].icao, seen[-1].source) == (icao, source)
    assert seen[-1].latitude_deg == pytest.approx(THERE.latitude_deg, abs=1e-3)


@pytest.mark.parametrize("control", [3, 4, 7])
def test_messages_laid_out_otherwise_are_passed_over(control):
    assert squitter_sender(relayed(airborne(0), control)) is None
    assert table().update("sky", relayed(airborne(0), control), 0) == []


def test_the_imf_bit_stands_elsewhere_in_surface_positions_and_velocities():
    surface = encode.encode_surface_position(ROLLING, THERE, 10.0, 0.0, odd=False)
    velocity = encode.encode_velocity(FLYING, 100.0, 100.0, 0.0)
    name = encode.encode_identification(FLYING, "AFR1")
    assert squitter_sender(relayed(surface, 2)).is_icao
    assert not squitter_sender(relayed(surface, 2, imf_bit=21)).is_icao
    assert squitter_sender(relayed(velocity, 6)).is_icao
    assert not squitter_sender(relayed(velocity, 6, imf_bit=9)).is_icao
    assert squitter_sender(relayed(name, 2, imf_bit=8)).is_icao


def test_an_aircraft_that_speaks_for_itself_is_not_moved_by_others():
    following = table()
    for index in range(4):
        following.update("sky", airborne(index), index * NS)

    radar = Position(43.9, 1.6)
    for index in range(4, 30, 2):
        seen = following.update("sky", relayed(airborne(index, radar), 2), index * NS)
        seen += following.update("sky", relayed(airborne(index + 1, radar), 2), index * NS + NS)
        assert {round(each.latitude_deg, 1) for each in states(seen)} == {43.8}
    (state,) = following.update("sky", airborne(30), 31 * NS)
    assert (state.source, state.latitude_deg) == ("adsb", pytest.approx(43.8, abs=1e-3))
    for index in range(70, 76):
        seen = following.update("sky", relayed(airborne(index, radar), 2), index * NS)
    assert (seen[-1].source, seen[-1].latitude_deg) == ("tisb", pytest.approx(43.9, abs=1e-3))


def test_multilateration_places_an_aircraft_and_proves_nothing():
    following, seen = table(), []
    for index in range(4):
        frame = relayed(airborne(index), 2)
        seen += following.update("sky", frame, index * NS, None, is_mlat=True)

    assert [each.source for each in seen][-1] == "mlat"
    assert seen[-1].signal_dbfs is None
    reply = encode.encode_identity_reply(FLYING, "4321", 0)
    assert following.update("sky", reply, 5 * NS) == []
    assert following.update("sky", reply, 5 * NS, is_mlat=True) == []


def test_all_call_replies_alone_leave_the_source_mode_s():
    following = table()
    following.update("sky", encode.encode_all_call(FLYING), 0)
    (state,) = following.update("sky", encode.encode_identity_reply(FLYING, "1000", 0), NS)
    assert state.source == "mode_s"


@pytest.mark.parametrize(
    ("squawk", "emergency"),
    [
        ("7500", "unlawful_interference"),
        ("7600", "no_communication"),
        ("7700", "general"),
        ("7000", None),
    ],
)
def test_emergency_squawks_are_said_in_words(squawk, emergency):
    following = table()
    following.update("sky", encode.encode_all_call(FLYING), 0)
    (state,) = following.update("sky", encode.encode_identity_reply(FLYING, squawk, 0), NS)
    assert state.emergency == emergency


def status(state, squawk):
    reply = encode.encode_identity_reply(FLYING, squawk, 0)
    code = int.from_bytes(reply[2:4], "big") & 0x1FFF
    content = 28 << 51 | 1 << 48 | state << 45 | code << 32
    return seal(bytes((17 << 3 | 5,)) + bytes.fromhex("4ca123") + content.to_bytes(7, "big"))


def test_what_an_aircraft_declares_counts_for_half_a_minute():
    following = table()
    (declared,) = following.update("sky", status(2, "1000"), 0)
    assert (declared.emergency, declared.squawk) == ("medical", "1000")
    (later,) = following.update("sky", airborne(0), 31 * NS)
    assert later.emergency is None
    (both,) = following.update("sky", status(0, "7700"), 33 * NS)
    assert both.emergency == "general"


@pytest.mark.parametrize(("category", "is_vehicle"), [(1, True), (2, True), (3, False)])
def test_ground_vehicles_are_told_from_aircraft_and_never_land(category, is_vehicle):
    following, seen = table(), []
    name = encode.encode_identification(ROLLING, "FOLLOW1", category)
    content = bytes((2 << 3 | category,)) + name[5:11]
    following.update("sky", seal(name[:4] + content), 0)
    for index in range(6):
        place = encode.encode_surface_position(ROLLING, HERE, 10.0, 90.0, odd=bool(index % 2))
        seen += following.update("sky", place if index > 2 else airborne(index, HERE), index * NS)

    assert (states(seen)[-1].category, states(seen)[-1].is_vehicle) == (f"C{category}", is_vehicle)
    assert len(states(seen)) == len(seen)


def test_another_programs_reports_make_states_and_ground_events():
    following, seen = table(), []
    for second in range(20):
        on_ground = second >= 10
        report = AircraftReport(
            icao="39a1b2",
            source="adsb",
            callsign="AFR12AB",
            latitude_deg=HERE[0] + (20 - second) * 0.0006,
            longitude_deg=HERE[1],
            altitude_ft=None if on_ground else 1000.0,
            on_ground=on_ground,
            ground_speed_kt=130.0,
            track_deg=180.0,
            registration="F-GKXS",
            aircraft_type="A320",
        )
        seen += following.report("sky", report, second * NS)

    (landed,) = [each for each in seen if isinstance(each, AircraftGroundEvent)]
    assert (landed.event, landed.registration) == ("landed", "F-GKXS")
    assert landed.boot_ns / NS == pytest.approx(9.5, abs=0.6)
    last = states(seen)[-1]
    assert (last.source, last.on_ground, last.altitude_ft) == ("adsb", True, None)
    assert (last.registration, last.aircraft_type) == ("F-GKXS", "A320")


def test_reports_of_multilateration_and_impossible_jumps_make_no_events():
    following = table()

    def told(second, latitude, **more):
        report = AircraftReport(
            icao="39a1b2", latitude_deg=latitude, longitude_deg=1.36, on_ground=False, **more
        )
        return following.report("sky", report, second * NS)

    told(0, 43.63, source="adsb")
    assert states(told(1, 43.631, source="adsb"))[0].latitude_deg == 43.631
    assert states(told(2, 44.9, source="adsb"))[0].latitude_deg == 43.631
    assert told(3, 43.7, source="mlat") == []
    assert states(told(60, 43.7, source="mlat"))[0].source == "mlat"


CSV = "icao24,registration,type\n4CA123,EI-ABC,B738\n39a1b2,F-GKXS,A320\n000001,,\n"


def test_airframes_come_from_a_file(tmp_path):
    plain, packed = tmp_path / "aircraft.csv", tmp_path / "aircraft.csv.gz"
    plain.write_text(CSV)
    packed.write_bytes(gzip.compress(CSV.encode()))
    for file in (plain, packed):
        database = AircraftDatabase.from_csv(file)
        assert len(database) == 3
        assert database.airframe("4ca123") == ("EI-ABC", "B738")
        assert database.airframe("39a1b2") == ("F-GKXS", "A320")
        assert database.airframe("000001") == database.airframe("~4ca123") == (None, None)
        assert database.airframe("ffffff") == (None, None)
    (state,) = table(database=database).update(
        "sky", encode.encode_identification(FLYING, "EIN1"), 0
    )
    assert (state.registration, state.aircraft_type) == ("EI-ABC", "B738")


def test_headings_of_the_published_file_are_understood(tmp_path):
    file = tmp_path / "aircraft.csv"
    file.write_text("icao24,r,t,desc\n4ca123,EI-ABC,B738,\n")
    assert AircraftDatabase.from_csv(file).airframe("4ca123") == ("EI-ABC", "B738")


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "icao24,registration\nxyz,F-A\n", "icao24,registration\n1ffffff,F\n"]
)
def test_a_file_that_is_no_list_of_airframes_is_refused(tmp_path, text):
    file = tmp_path / "aircraft.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"icao24|24-bit"):
        AircraftDatabase.from_csv(file)


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFF), st.text("AB-12", max_size=6)), max_size=40))
def test_every_address_of_a_file_is_found_in_any_order(rows):
    known = dict(rows)
    database = AircraftDatabase((icao, text, "") for icao, text in known.items())
    for icao, text in known.items():
        assert database.airframe(f"{icao:06x}").registration == (text or None)


def test_a_reply_to_several_radars_within_a_second_is_taken_once():
    following = table()
    for index in range(3):
        following.update("sky", airborne(index), index * NS)
    reply = encode.encode_altitude_reply(FLYING, 3000.0, 0)
    changed = encode.encode_altitude_reply(FLYING, 3100.0, 0)
    following.update("sky", reply, 3 * NS)
    following.update("sky", changed, 3 * NS + NS // 4)
    (state,) = following.update("sky", reply, 4 * NS + NS // 8)
    assert state.altitude_ft == 3000.0  # a second has passed: it counts again
    assert following.update("sky", reply, 70 * NS) == []  # nobody spoke for itself for so long


def test_winds_come_out_of_aircraft_json_and_of_what_an_aircraft_reports_itself():
    following, seen = table(), []
    for second in range(12):
        air = AirMotion(
            true_airspeed_kt=240.0 + second % 2, magnetic_heading_deg=88.0, roll_deg=0.2
        )
        report = AircraftReport(
            icao="4ca123", source="adsb", latitude_deg=43.8, longitude_deg=1.5 + second * 1e-3,
            altitude_ft=9000.0, on_ground=False, ground_speed_kt=270.0, track_deg=90.0, air=air,
        )  # fmt: skip
        seen += following.report("file", report, second * NS)
    winds = [each for each in seen if isinstance(each, AircraftWeather)]
    assert winds[0].wind_speed_kt == pytest.approx(30.0, abs=1.0)
    assert winds[0].true_airspeed_kt == pytest.approx(240.5, abs=0.5)
    assert (winds[0].roll_deg, winds[0].source) == (0.2, "derived")

    flying = following.update("sky", airborne(0), 12 * NS)  # the sky over the receiver itself
    flying += following.update("sky", airborne(1), 13 * NS)
    register = encode.register_44(wind_speed_kt=33, wind_direction_deg=268.0, temperature_c=5.0)
    reply = encode.encode_altitude_reply(FLYING, 9000.0, register)
    told = following.update("sky", reply, 14 * NS)
    (wind,) = [each for each in told if isinstance(each, AircraftWeather)]
    assert (wind.source, wind.wind_speed_kt, wind.temperature_c) == ("bds44", 33.0, 5.0)
    assert wind.wind_direction_deg == pytest.approx(268.0, abs=0.4)
    assert wind.true_heading_deg is None
    stormy = encode.register_44(wind_speed_kt=90, wind_direction_deg=90.0, temperature_c=5.0)
    reply = encode.encode_altitude_reply(FLYING, 9000.0, stormy)
    told = following.update("sky", reply, 30 * NS)
    assert not [each for each in told if isinstance(each, AircraftWeather)]
