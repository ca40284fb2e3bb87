"""Frames decoded by the thousand: held to pyModeS, to single decoders, and to any batch size."""

import gzip
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes import batch_registers, encode, registers
from aerocast_protocols.modes.batch_commb import AMBIGUOUS
from aerocast_protocols.modes.batch_decoder import BatchDecoder
from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.integrity import NIC_TABLE, RADIUS_M, nic_of
from aerocast_protocols.modes.lines import parse_line
from aerocast_protocols.modes.parity import remainder, seal
from aerocast_protocols.modes.wind import indicated_airspeed_kt, pressure_hpa
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "adsb" / "msgs"
FLIGHT = "traffic_full_flight_393322_2024-07-06.jsonl.gz"
HERE = Position(43.629, 1.364)
FLYING = encode.Sender("4ca123", on_ground=False)
ROLLING = encode.Sender("4ca123", on_ground=True)
OTHER = encode.Sender("4ca124", on_ground=False)


def recorded(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        read = [parse_line(line) for line in lines]
    start_us = read[0].heard_at_us
    return [each.frame for each in read], [(each.heard_at_us - start_us) / 1e6 for each in read]


def decoded(frames, times=None, reference=HERE, size=1024):
    times = np.arange(len(frames)) * 0.5 if times is None else np.asarray(times)
    decoder = BatchDecoder(reference)
    return [
        decoder.decode(frames[start : start + size], times[start : start + size])
        for start in range(0, len(frames), size)
    ]


@pytest.fixture(scope="module")
def peer():
    spec = importlib.util.spec_from_file_location(
        "pymodes_differences", ROOT / "benchmarks" / "pymodes_differences.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_whole_recorded_flight_is_decoded_as_pymodes_decodes_it(peer):
    frames, times = recorded(FLIGHT)

    reasons = peer.differences(frames, times, (49.01, 2.55))

    assert reasons.pop(peer.SAME) > 366_000
    assert reasons.pop(peer.FAR) + reasons.pop(peer.SINGLE) < 2_200  # Toulouse, heard in Paris
    assert reasons == {peer.SOONER: 7, peer.JUMPED: 1, peer.AMBIGUOUS_HERE: 22}


@pytest.mark.parametrize(
    ("name", "same", "expected"),
    [
        ("sample_data_adsb.csv", 20_000, {"SOONER": 3}),
        ("sample_data_commb_df20.csv", 46_000, {"AMBIGUOUS_HERE": 148, "RESOLVED": 48}),
        ("sample_data_commb_df21.csv", 43_000, {"AMBIGUOUS_HERE": 260}),
    ],
)
def test_sample_files_are_decoded_as_pymodes_decodes_them(peer, name, same, expected):
    reasons = peer.differences(*recorded(name), (52.0, 4.4))

    assert reasons.pop(peer.SAME) > same
    assert reasons == {getattr(peer, reason): count for reason, count in expected.items()}


def values_of(batches):
    """Everything batches say, as lists that compare: rows counted through, NaN as None."""
    said = {}
    offset = 0
    for batch in batches:
        for name, value in walk("", batch):
            plain = value.tolist()
            if name.endswith(".rows"):
                plain = [row + offset for row in plain]
            kept = [
                None if isinstance(each, float) and math.isnan(each) else each for each in plain
            ]
            said.setdefault(name, []).extend(kept)
        offset += len(batch.heads.df)
    return said


def walk(name, value):
    if isinstance(value, tuple):
        for field in value._fields:
            yield from walk(f"{name}.{field}", getattr(value, field))
    else:
        yield name, value


def test_a_stream_says_the_same_however_it_is_cut_into_batches():
    frames, times = recorded(FLIGHT)
    frames, times = frames[9000:10_000], times[9000:10_000]

    whole = values_of(decoded(frames, times, (49.01, 2.55)))

    for size in (1, 7, 300):
        assert values_of(decoded(frames, times, (49.01, 2.55), size)) == whole


def test_positions_of_several_aircraft_in_one_batch_are_kept_apart():
    there, elsewhere = Position(43.8, 1.5), Position(43.2, 1.0)
    frames = [
        encode.encode_airborne_position(sender, place, 3000.0, odd=bool(index % 2))
        for index in range(8)
        for sender, place in ((FLYING, there), (OTHER, elsewhere))
    ]

    places = decoded(frames)[0].airborne_places

    for start, place in ((0, there), (1, elsewhere)):
        latitudes = places.latitude[start::2]
        assert np.isnan(latitudes[:2]).all()  # the first pair waits for one that agrees
        assert latitudes[2:] == pytest.approx(place[0], abs=1e-4)
        assert places.longitude[start::2][2:] == pytest.approx(place[1], abs=1e-4)


def test_a_place_far_off_is_not_believed_and_a_lasting_one_is():
    def at(place, count):
        return [
            encode.encode_airborne_position(FLYING, place, 3000.0, odd=bool(index % 2))
            for index in range(count)
        ]

    frames = at(Position(43.8, 1.5), 8) + at(Position(45.0, 3.0), 2) + at(Position(43.8, 1.5), 8)
    believed = decoded(frames)[0].airborne_places.latitude
    assert np.nanmax(believed) < 43.9
    frames = at(Position(43.8, 1.5), 8) + at(Position(45.0, 3.0), 12)
    for size in (3, 1024):
        lasting = np.concatenate([b.airborne_places.latitude for b in decoded(frames, size=size)])
        assert lasting[-1] == pytest.approx(45.0, abs=1e-3)


def test_surface_places_need_the_receivers_and_range_is_checked_by_it():
    frames = [
        encode.encode_surface_position(ROLLING, Position(43.63, 1.37), 12.0, 90.0, odd=bool(i % 2))
        for i in range(6)
    ]
    near = decoded(frames)[0]
    assert near.surface_places.longitude[-1] == pytest.approx(1.37, abs=1e-4)
    assert near.surface.groundspeed[0] == 12.0
    assert np.isnan(decoded(frames, reference=None)[0].surface_places.latitude).all()
    flying = [
        encode.encode_airborne_position(FLYING, Position(49.0, 2.5), 3000.0, odd=bool(i % 2))
        for i in range(6)
    ]
    assert np.isnan(decoded(flying)[0].airborne_places.latitude).all()
    assert not np.isnan(decoded(flying, reference=None)[0].airborne_places.latitude[-1])


def test_an_even_and_an_odd_frame_too_far_apart_make_no_place():
    frames = [
        encode.encode_airborne_position(FLYING, Position(43.8, 1.5), 3000.0, odd=bool(index % 2))
        for index in range(6)
    ]
    places = decoded(frames, np.arange(6) * 11.0)[0].airborne_places
    assert np.isnan(places.latitude).all()


def test_replies_are_believed_of_aircraft_that_spoke_clean_in_the_last_minute():
    reply = encode.encode_identity_reply(FLYING, "4321", 0)
    call = encode.encode_all_call(FLYING)
    damaged = call[:-1] + bytes((call[-1] ^ 4,))

    batch = decoded([reply, call, reply, reply, damaged], [0.0, 1.0, 30.0, 62.0, 63.0])[0]

    assert batch.is_believed.tolist() == [False, True, True, False, False]
    assert batch.replies.squawk.tolist() == [b"4321"] * 3
    assert np.isnan(batch.replies.altitude).all()


def operational(version, supplement_a):
    content = 31 << 51 | version << 13 | supplement_a << 12 | 9 << 8 | 3 << 4
    return seal(b"\x8d\x4c\xa1\x23" + content.to_bytes(7, "big"))


def test_integrity_follows_the_transmitters_version():
    position = encode.encode_airborne_position(FLYING, Position(43.8, 1.5), 3000.0, odd=False)
    frames = [position, operational(2, 0), position, operational(0, 0), position]

    batch = decoded(frames)[0]

    assert [None if math.isnan(each) else each for each in batch.airborne_nic] == [None, 8, None]
    assert (batch.operational.version[0], batch.operational.nac_p[0]) == (2, 9)
    assert batch.operational.sil.tolist() == [3, 3]


def test_integrity_categories_are_those_of_their_versions():
    assert nic_of(2, 11, 1, 1) == 9
    assert nic_of(2, 16, 1, 1) == 3
    assert nic_of(2, 8, 1, 0) == 6
    assert nic_of(1, 11, 1, 0) == 9
    assert nic_of(0, 11, 0, 0) is None
    assert nic_of(2, 19, 0, 0) is None
    assert NIC_TABLE[2][9] == (11, 11, 11, 11)
    assert (RADIUS_M[0], RADIUS_M[8], RADIUS_M[11]) == (None, 185.2, 7.5)


def test_what_may_be_both_registers_is_neither():
    sixty = encode.register_60(
        magnetic_heading_deg=90.0,
        indicated_airspeed_kt=indicated_airspeed_kt(0.6, 20000.0),
        mach=0.6,
        vertical_rate_fpm=0.0,
    )
    frames = [encode.encode_altitude_reply(FLYING, 20000.0, each) for each in (sixty, 0)]
    # Recorded (pyModeS's sample of df 21): fits 5,0 and 6,0, and nobody knows how high it flew.
    both = bytes.fromhex("a8001ebcfe7b2d287fe4a749a8e7")

    comm_b = decoded([*frames, both])[0].comm_b

    assert comm_b.bds.tolist() == [0x60, 0, AMBIGUOUS]
    assert comm_b.headings.mach == pytest.approx([0.6], abs=0.002)
    assert len(comm_b.turns.rows) == 0


def routine_report(temperature_c, pressure_hpa):
    content = 1 << 52 | 1 << 51 | 45 << 42 | 128 << 33 | (round(temperature_c * 4) & 0x7FF) << 22
    return content | 1 << 21 | round(pressure_hpa) << 10


def test_reports_of_the_weather_must_fit_their_altitude():
    fitting = routine_report(-24.5, pressure_hpa(20000.0))
    too_warm = routine_report(10.0, pressure_hpa(20000.0))
    too_high = routine_report(-24.5, 900.0)
    frames = [
        encode.encode_altitude_reply(FLYING, 20000.0, each)
        for each in (fitting, too_warm, too_high)
    ]

    comm_b = decoded(frames)[0].comm_b

    assert comm_b.bds.tolist() == [0x44, 0, 0]
    reports = comm_b.routine_reports
    assert (reports.wind_speed[0], reports.wind_direction[0]) == (45.0, 90.0)
    assert reports.static_air_temperature[0] == -24.5


def test_what_has_no_array_is_read_through_pymodes():
    frames = [
        encode.encode_identification(FLYING, "AFR12AB"),
        bytes.fromhex("2928080069049e"),
    ]

    batch = decoded(frames)[0]

    assert batch.fields(0).wake_vortex == "Medium 2"
    assert batch.fields(1).squawk == batch.replies.squawk[0].decode()


contents = st.integers(0, (1 << 56) - 1)
sparse = st.builds(lambda one, other, third: one & other & third, contents, contents, contents)


@given(st.lists(contents | sparse, min_size=1, max_size=20))
@settings(max_examples=100)
def test_arrays_and_single_frames_allow_the_same_registers(several):
    array = np.array(several, np.int64)
    for name in ("40", "44", "45", "50", "60"):
        ours = getattr(batch_registers, f"possible_{name}")(array).tolist()
        assert ours == [getattr(registers, f"is_{name}")(each) for each in several]
    named = batch_registers.named_registers(array) != 0
    assert named.tolist() == [registers.is_named(each) for each in several]


shorts = st.builds(
    lambda first, rest: bytes((first,)) + rest,
    st.integers(0, 127),
    st.binary(min_size=6, max_size=6),
)
longs = st.builds(
    lambda first, rest: bytes((first,)) + rest,
    st.integers(128, 255),
    st.binary(min_size=13, max_size=13),
)
clean = st.builds(
    lambda first, rest: seal(bytes((first,)) + rest),
    st.integers(17 << 3, (19 << 3) - 1),
    st.binary(min_size=10, max_size=10),
)


@given(st.lists(shorts | longs | clean, max_size=20))
@settings(max_examples=100)
def test_any_frames_are_decoded(frames):
    heads = (
        decoded(frames + frames)[0].heads
        if frames
        else BatchDecoder().decode([], np.empty(0)).heads
    )
    assert heads.left.tolist() == [remainder(frame) for frame in frames + frames]


@given(st.lists(st.binary(max_size=16), min_size=1, max_size=5))
@settings(max_examples=100)
def test_any_bytes_decode_or_are_refused(frames):
    try:
        decoded(frames)
    except ProtocolError:
        return
    assert all(len(frame) in (7, 14) for frame in frames)


def test_as_many_times_as_frames_are_needed():
    with pytest.raises(ProtocolError):
        BatchDecoder().decode([], np.zeros(1))
