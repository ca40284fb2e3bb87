"""Our quick reading of squitters and Comm-B registers, held to pyModeS frame by frame."""

import csv
import gzip
import math
from pathlib import Path

import pyModeS
import pytest
from aerocast_protocols.modes import codes, encode, registers
from aerocast_protocols.modes.commb import read_register, read_weather
from aerocast_protocols.modes.lines import parse_line
from aerocast_protocols.modes.squitters import Identification, Velocity, read_squitter
from aerocast_protocols.modes.wind import indicated_airspeed_kt
from hypothesis import given, settings
from hypothesis import strategies as st
from pyModeS.decoder.bds import _infer

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "adsb" / "msgs"
FLIGHT = "traffic_full_flight_393322_2024-07-06.jsonl.gz"
SAMPLES = ("sample_data_adsb.csv", "sample_data_commb_df20.csv", "sample_data_commb_df21.csv")
NAMES = ("10", "17", "20", "30", "40", "44", "45", "50", "60")
FLYING = encode.Sender("4ca123", on_ground=False)
contents = st.integers(0, (1 << 56) - 1)
sparse = st.builds(lambda one, other, third: one & other & third, contents, contents, contents)
named = st.builds(
    lambda name, rest: name << 48 | rest >> 8, st.sampled_from([0x10, 0x20, 0x30]), contents
)


def recorded(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        return [parse_line(line).frame for line in lines]


def content_of(frame):
    return int.from_bytes(frame[4:11], "big")


def assert_register_as_pymodes(content):
    for name in NAMES:
        ours = getattr(registers, f"is_{name}")(content)
        assert ours is _infer.matches(f"{name[0]},{name[1]}", content), (name, hex(content))
    assert registers.is_named(content) is any(
        _infer.matches(f"{name[0]},{name[1]}", content) for name in NAMES[:4]
    )
    for name, read in (("5,0", registers.read_50), ("6,0", registers.read_60)):
        fields = read(content)
        if fields is None or not _infer.matches(name, content):
            continue
        decoded = getattr(_infer, f"bds{name[0]}0").__dict__[f"decode_bds{name[0]}0"](content)
        assert {each: getattr(fields, each) for each in decoded} == decoded


def assert_squitter_as_pymodes(frame):
    ours, theirs = read_squitter(content_of(frame)), pyModeS.decode(frame.hex())
    if ours is None:
        assert theirs["typecode"] in (0, *range(23, 32))
        return
    for field in (*ours.__struct_fields__, *(("nuc_p",) if hasattr(ours, "nuc_p") else ())):
        assert getattr(ours, field) == theirs.get(field), (field, frame.hex())


def test_every_altitude_squawk_and_callsign_is_read_as_pymodes_reads_it():
    for code in range(8192):
        reply = code.to_bytes(4, "big")
        altitude = pyModeS.decode((bytes((4 << 3,)) + reply[1:] + bytes(3)).hex())
        identity = pyModeS.decode((bytes((5 << 3,)) + reply[1:] + bytes(3)).hex())
        assert altitude["altitude"] == codes.ALTITUDES_FT[code]
        assert identity["squawk"] == codes.SQUAWKS[code]


@given(contents | sparse | named)
@settings(max_examples=200)
def test_any_content_is_possible_as_the_registers_pymodes_says(content):
    assert_register_as_pymodes(content)


@given(st.integers(0, 31), contents)
@settings(max_examples=200)
def test_any_squitter_is_read_as_pymodes_reads_it(typecode, content):
    content = typecode << 51 | content >> 5
    assert_squitter_as_pymodes(b"\x8d\x4c\xa1\x23" + content.to_bytes(7, "big") + bytes(3))


@pytest.mark.parametrize("name", [FLIGHT, *SAMPLES])
def test_recorded_frames_are_read_as_pymodes_reads_them(name):
    frames = recorded(name)
    for frame in frames[:: 10 if name == FLIGHT else 4]:
        if frame[0] >> 3 in (17, 18):
            assert_squitter_as_pymodes(frame)
        elif frame[0] >> 3 in (20, 21):
            assert_register_as_pymodes(content_of(frame))


def test_published_squitters_are_read():
    # Examples of "The 1090 Megahertz Riddle" (J. Sun): identification; velocity over ground.
    told = read_squitter(content_of(bytes.fromhex("8d4840d6202cc371c32ce0576098")))
    assert told == Identification(4, 0, "KLM1023")
    told = read_squitter(content_of(bytes.fromhex("8d485020994409940838175b284f")))
    assert isinstance(told, Velocity)
    assert (told.groundspeed, told.vertical_rate) == (159, -832)
    assert math.isclose(told.track, 182.88, abs_tol=0.005)


def reply_with_50(**changes):
    said = {
        "roll_deg": 0.0,
        "true_track_deg": 90.0,
        "ground_speed_kt": 430.0,
        "track_rate_deg_s": 0.0,
        "true_airspeed_kt": 420.0,
    }
    return encode.encode_altitude_reply(FLYING, 20000.0, encode.register_50(**(said | changes)))


def test_track_and_turn_must_agree_with_what_adsb_says():
    reply = reply_with_50()

    assert read_register(reply, 20000.0, ground_speed_kt=435.0, track_deg=95.0).groundspeed == 430
    assert read_register(reply, 20000.0, ground_speed_kt=480.0, track_deg=95.0) is None
    assert read_register(reply, 20000.0, ground_speed_kt=435.0, track_deg=130.0) is None
    wrong_way = reply_with_50(roll_deg=20.0, track_rate_deg_s=-1.0)
    assert read_register(wrong_way, 20000.0) is None


def test_a_heading_far_from_the_track_is_no_heading():
    reply = encode.encode_altitude_reply(
        FLYING,
        20000.0,
        encode.register_60(
            magnetic_heading_deg=90.0,
            indicated_airspeed_kt=indicated_airspeed_kt(0.6, 20000.0),
            mach=0.6,
            vertical_rate_fpm=0.0,
        ),
    )

    assert read_register(reply, 20000.0, track_deg=100.0).mach == pytest.approx(0.6, abs=0.002)
    assert read_register(reply, 20000.0, track_deg=270.0) is None
    assert read_register(reply, 35000.0) is None  # Mach and airspeed do not fit up there


def test_what_may_be_both_registers_stays_unread_until_adsb_tells():
    path = DATA / "pymodes_ehs_df20_labelled_2016-03-10.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    ambiguous = 0
    with path.open(newline="") as lines:
        for row in csv.reader(lines):
            frame = bytes.fromhex(row[2])
            altitude_ft = codes.ALTITUDES_FT[int.from_bytes(frame[2:4], "big") & 0x1FFF]
            content = content_of(frame)
            turn = registers.read_50(content) if registers.is_50(content) else None
            heading = registers.read_60(content) if registers.is_60(content) else None
            if turn is None or heading is None or registers.is_40(content):
                continue
            if read_register(frame, altitude_ft) is not None:
                continue
            told = read_register(
                frame,
                altitude_ft,
                ground_speed_kt=turn.groundspeed,
                track_deg=heading.magnetic_heading + 180.0,
            )
            if told is None:
                told = read_register(
                    frame,
                    altitude_ft,
                    ground_speed_kt=turn.groundspeed + 100.0,
                    track_deg=heading.magnetic_heading,
                )
                ambiguous += told is not None
    assert ambiguous > 0


@given(
    speed=st.integers(0, 250),
    direction=st.integers(0, 511),
    temperature=st.integers(-40, 40),
    merit=st.integers(0, 4),
)
def test_a_weather_report_is_read_back(speed, direction, temperature, merit):
    content = encode.register_44(
        wind_speed_kt=speed,
        wind_direction_deg=direction * 0.703125,
        temperature_c=temperature / 4,
        figure_of_merit=merit,
    )
    read = registers.read_44(content)
    told = (read.wind_speed, read.wind_direction, read.static_air_temperature)
    assert told == (speed, direction * 0.703125, temperature / 4)
    assert read.static_pressure is None


def test_a_weather_report_must_fit_the_standard_atmosphere_and_be_nothing_else():
    content = encode.register_44(wind_speed_kt=40, wind_direction_deg=270.0, temperature_c=-20.0)
    assert read_weather(content, 18_000.0).wind_speed == 40
    assert read_weather(content, 1_000.0) is None
    pressing = content | 1 << 21 | 506 << 10  # hPa, as at 18,000 ft
    assert read_weather(pressing, 18_000.0).static_pressure == 506
    assert read_weather(content | 1 << 21 | 700 << 10, 18_000.0) is None
    turning = encode.register_50(
        roll_deg=0.0, true_track_deg=90.0, ground_speed_kt=430.0, track_rate_deg_s=0.0,
        true_airspeed_kt=420.0,
    )  # fmt: skip
    assert read_weather(turning, 18_000.0) is None
