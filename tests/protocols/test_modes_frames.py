"""Single frames: parity, fields, Comm-B registers, and the lines recordings keep them in."""

import csv
import gzip
import json
from pathlib import Path

import pyModeS
import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes import encode
from aerocast_protocols.modes.commb import HeadingAndSpeed, TrackAndTurn, read_register
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.frames import cpr_of, decode_frame, is_on_surface
from aerocast_protocols.modes.lines import parse_line
from aerocast_protocols.modes.parity import overlaid_address, plain_address, remainder, seal
from aerocast_protocols.modes.wind import indicated_airspeed_kt
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "adsb" / "msgs"
FLYING = encode.Sender("4ca123", on_ground=False)
ROLLING = encode.Sender("4ca123", on_ground=True)
HERE = Position(43.629, 1.364)


def test_a_published_identification_is_read():
    # Example of "The 1090 Megahertz Riddle" (J. Sun), introduction to ADS-B.
    fields = decode_frame(bytes.fromhex("8d4840d6202cc371c32ce0576098"))

    assert (fields.df, fields.icao, fields.typecode, fields.callsign) == (
        17,
        "4840D6",
        4,
        "KLM1023",
    )
    assert fields.crc_valid is True


def test_parity_is_clean_damaged_or_carries_an_address():
    clean = bytes.fromhex("8d406b902015a678d4d220aa4bda")
    reply = bytes.fromhex("2928080069049e")

    assert (remainder(clean), plain_address(clean)) == (0, "406b90")
    assert remainder(bytes([clean[0], clean[1] ^ 1]) + clean[2:]) != 0
    assert (overlaid_address(reply), plain_address(reply)) == ("393322", None)
    assert seal(clean[:-3]) == clean
    with pytest.raises(ProtocolError):
        remainder(b"short")


@pytest.mark.parametrize("odd", [False, True])
def test_positions_are_encoded_as_pymodes_reads_them(odd):
    airborne = encode.encode_airborne_position(FLYING, HERE, 3525.0, odd=odd)
    surface = encode.encode_surface_position(ROLLING, HERE, 12.0, 90.0, odd=odd)

    for frame, on_surface in ((airborne, False), (surface, True)):
        fields = decode_frame(frame, reference=(43.7, 1.2))
        assert remainder(frame) == 0
        assert (fields.latitude, fields.longitude) == pytest.approx(HERE, abs=5e-5)
        assert is_on_surface(fields) is on_surface
        assert cpr_of(fields).odd is odd
    assert decode_frame(airborne).altitude == 3525.0
    assert decode_frame(surface).groundspeed == 12.0
    assert decode_frame(surface).track == pytest.approx(90.0, abs=1.5)


@given(st.floats(0, 174.9), st.floats(0, 359.9))
@settings(max_examples=100)
def test_every_speed_on_the_ground_is_read_within_its_step(speed_kt, track_deg):
    fields = decode_frame(
        encode.encode_surface_position(ROLLING, HERE, speed_kt, track_deg, odd=False)
    )
    assert fields.groundspeed == pytest.approx(speed_kt, abs=max(0.501, speed_kt * 0.06))
    assert abs((fields.track - track_deg + 180) % 360 - 180) <= 1.5


@given(st.floats(-600, 600), st.floats(-600, 600), st.floats(-6000, 6000))
@settings(max_examples=100)
def test_every_velocity_is_read_within_its_step(east_kt, north_kt, rate_fpm):
    fields = decode_frame(encode.encode_velocity(FLYING, east_kt, north_kt, rate_fpm))

    assert fields.groundspeed == pytest.approx((east_kt**2 + north_kt**2) ** 0.5, abs=1.8)
    assert fields.vertical_rate == pytest.approx(rate_fpm, abs=33)


@given(st.floats(-1000, 50175), st.from_regex(r"[0-7]{4}", fullmatch=True))
@settings(max_examples=100)
def test_altitude_and_squawk_are_read_back(altitude_ft, squawk):
    altitude = encode.encode_altitude_reply(FLYING, altitude_ft, 0)
    identity = encode.encode_identity_reply(FLYING, squawk, 0)

    assert decode_frame(altitude).altitude == pytest.approx(altitude_ft, abs=12.6)
    assert decode_frame(identity).squawk == squawk
    assert overlaid_address(altitude) == overlaid_address(identity) == "4ca123"
    assert plain_address(encode.encode_all_call(FLYING)) == "4ca123"


@given(
    st.floats(-30, 30),
    st.floats(0, 359.9),
    st.floats(100, 550),
    st.floats(-2, 2),
    st.floats(0, 359.9),
)
@settings(max_examples=100)
def test_registers_are_told_apart_and_read_back(roll, track, airspeed, turn, heading):
    altitude_ft = 20000.0
    mach = airspeed / 615.0
    turn = abs(turn) if roll > 0 else -abs(turn)
    fifty = encode.register_50(
        roll_deg=roll,
        true_track_deg=track,
        ground_speed_kt=airspeed + 30,
        track_rate_deg_s=turn,
        true_airspeed_kt=airspeed,
    )
    sixty = encode.register_60(
        magnetic_heading_deg=heading,
        indicated_airspeed_kt=indicated_airspeed_kt(mach, altitude_ft),
        mach=mach,
        vertical_rate_fpm=-640,
    )

    told = read_register(encode.encode_altitude_reply(FLYING, altitude_ft, sixty), altitude_ft)
    assert isinstance(told, HeadingAndSpeed)
    assert told.mach == pytest.approx(mach, abs=0.0021)
    assert abs((told.magnetic_heading - heading + 180) % 360 - 180) <= 0.09

    frame = encode.encode_altitude_reply(FLYING, altitude_ft, fifty)
    told = read_register(frame, altitude_ft, ground_speed_kt=airspeed + 30, track_deg=track)
    if told is not None and not isinstance(told, HeadingAndSpeed):
        assert told.true_airspeed == pytest.approx(airspeed, abs=1.01)
        assert told.roll == pytest.approx(roll, abs=0.09)


def test_every_long_frame_of_the_recorded_flight_says_what_pymodes_says():
    path = DATA / "traffic_full_flight_393322_2024-07-06.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with gzip.open(path, "rt") as lines:
        for number, line in enumerate(lines):
            if number % 40:
                continue
            frame = parse_line(line).frame
            fields = decode_frame(frame)
            for name, value in pyModeS.decode(frame.hex()).items():
                ours = getattr(fields, name)
                assert (list(ours) if isinstance(ours, tuple) else ours) == value, (name, line)


def test_old_labels_of_heading_and_speed_all_stand():
    path = DATA / "pymodes_ehs_df20_labelled_2016-03-10.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    sixties = fifties = 0
    with path.open(newline="") as lines:
        for _, _, digits, _, label in csv.reader(lines):
            frame = bytes.fromhex(digits)
            altitude_ft = decode_frame(frame).altitude
            told = read_register(frame, altitude_ft)
            if "BDS60" in label:
                assert isinstance(told, HeadingAndSpeed)
                sixties += 1
            elif "BDS50" in label and isinstance(told, TrackAndTurn):
                fifties += 1
    assert sixties == 387
    assert fifties > 100


def test_recorded_lines_of_every_form_give_the_same_frame():
    digits = "8d406b902015a678d4d220aa4bda"
    frame = bytes.fromhex(digits)

    assert parse_line(digits) == (None, frame)
    assert parse_line(f"1457996400.25,{digits}\n") == (1_457_996_400_250_000, frame)
    assert parse_line(f'1457996400.25,"{digits.upper()}","406B90",19')[1] == frame
    assert parse_line(f"\ufeff1495353600,4D010D,{digits}") == (1_495_353_600_000_000, frame)
    assert parse_line(f"*{digits};") == (None, frame)
    assert parse_line(json.dumps({"timestamp": 1.5, "frame": digits})) == (1_500_000, frame)
    assert parse_line("0.5,212800bf40f1ef7e5817e9cc428d")[1] == bytes.fromhex("212800bf40f1ef")


@pytest.mark.parametrize(
    "line", ["", "hello", "1,2,3", "nan,8d406b902015a678d4d220aa4bda", "{}", "8d40", "x" * 20000]
)
def test_lines_without_a_frame_are_refused(line):
    with pytest.raises(ProtocolError):
        parse_line(line)


@given(st.binary(max_size=16) | st.binary(min_size=14, max_size=14))
@settings(max_examples=200)
def test_any_bytes_decode_or_are_refused(frame):
    try:
        decode_frame(frame, reference=(89.9, 179.9))
    except ProtocolError:
        return
    if frame[0] >> 3 in (20, 21):
        read_register(frame, 10000.0)


@given(st.text(max_size=80))
@settings(max_examples=100)
def test_any_line_is_read_or_refused(line):
    try:
        parse_line(line)
    except ProtocolError:
        return
