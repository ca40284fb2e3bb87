"""UBX of u-blox receivers: frames in mixed streams, positions, times, settings.

The frames below were written by pyubx2 1.4.0 (BSD-3-Clause) from the values beside them; the first
are those of a capture in its tests.
"""

import struct

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gnss import TimeWindow, doubt_about_time
from aerocast_protocols.nmea.sentences import decode_sentence
from aerocast_protocols.ubx import configuration as cfg
from aerocast_protocols.ubx.framing import (
    LONGEST_PAYLOAD,
    Frame,
    ReceiverBuffer,
    decode_frame,
    encode_frame,
)
from aerocast_protocols.ubx.navigation import (
    NAV_PVT,
    NAV_TIMEGPS,
    NAV_TIMEUTC,
    NavPvt,
    decode_nav_pvt,
    decode_nav_timegps,
    decode_nav_timeutc,
    encode_nav_pvt,
    fix_of,
)
from aerocast_protocols.ubx.receiver import (
    ACK_ACK,
    ACK_NAK,
    ASK_VERSION,
    Answer,
    decode_answer,
    decode_version,
    encode_answer,
    encode_version,
)
from hypothesis import given, settings
from hypothesis import strategies as st

PVT = bytes.fromhex(
    "b56201075c0020907714e4070a140e0431072600000032d2feff0301000a2826aafeacf0db1f7e4b01001a8e0000"
    "4f4100006a4f000044000000e6ffffff8300000049000000d851f600730400006fa72d00c2000000000000000000"
    "000000000000fc59"
)
AT_20201020_140449_US = 1_603_202_689_000_000
PVT_2026 = bytes.fromhex(
    "b56201075c00801a0600ea070b17021e0507190000002efbffff0301000eeb19d000504f011a28110300c0510200"
    "dc050000c4090000000000000000000000000000d204000070f2140100000000000000008e000000000000000000"
    "000000000000fba4"
)
TIMEUTC = bytes.fromhex("b56201211400801a06001e0000000cfeffffea070b17021e05376b41")
TIMEGPS = bytes.fromhex("b56201201000180ab00588ffffff8e0912071e0000005b83")
AT_20261123_023005_US = 1_795_401_005_000_000
ACK = bytes.fromhex("b56205010200068a98c1")
NAK = bytes.fromhex("b56205000200068a97bc")
POLL_VERSION = bytes.fromhex("b5620a0400000e34")
VERSION = bytes.fromhex(
    "b5620a04be0045585420434f524520342e3034202837663839663729000000000000000030303139303030300000"
    "524f4d20424153452030783131384232303630000000000000000000000046575645523d53504720342e30340000"
    "000000000000000000000000000050524f545645523d33322e303100000000000000000000000000000000004d4f"
    "443d4e454f2d4d394e000000000000000000000000000000000000004750533b474c4f3b47414c3b424453000000"
    "0000000000000000000000004bad"
)
VALSET = bytes.fromhex(
    "b562068a2f00000100000100524000c20100090091200121001120020200054040420f0007000510012a00055000"
    "00000000002540fec7"
)
VALSET_VALUES = {
    0x40520001: 115_200,  # CFG-UART1-BAUDRATE
    0x20910009: 1,  # CFG-MSGOUT-UBX_NAV_PVT_USB
    0x20110021: 2,  # CFG-NAVSPG-DYNMODEL: stationary
    0x40050002: 1_000_000,  # CFG-TP-PERIOD_TP1
    0x10050007: 1,  # CFG-TP-TP1_ENA
    0x5005002A: struct.unpack("<Q", struct.pack("<d", 10.5))[0],  # CFG-TP-DUTY_TP1
}
ASK_TWO = bytes.fromhex("b562068b0c000000000001005240210011208227")
VALUES = bytes.fromhex("b562068b1c00010000000100524000c2010021001120020100213064001f003110016f4a")
FRAMES = [PVT, PVT_2026, TIMEUTC, TIMEGPS, ACK, NAK, POLL_VERSION, VERSION, VALSET, ASK_TWO, VALUES]
RMC = b"$GPRMC,030719.000,A,3747.0873,S,17518.8938,E,0.69,181.39,311214,,,A*7D"
DECODERS = (
    decode_nav_pvt,
    decode_nav_timeutc,
    decode_nav_timegps,
    decode_version,
    cfg.decode_values,
    cfg.decode_valset,
    cfg.decode_ask,
    lambda payload: decode_answer(Frame(ACK_ACK, payload)),
)


def read(pieces):
    buffer, found = ReceiverBuffer(), []
    for piece in pieces:
        buffer.feed(piece)
        found += buffer.messages()
    return found, buffer.passed_over, buffer.damaged


def read_whole(stream):
    return read([stream])


def read_bytewise(stream):
    return read(bytes([byte]) for byte in stream)


@pytest.mark.parametrize("reading", [read_whole, read_bytewise])
def test_frames_and_sentences_come_out_of_a_mixed_stream_however_it_arrives(reading):
    stream = PVT[40:] + PVT + RMC + b"\r\n" + ACK + b"$GPG" + NAK + b"\xb5\x62\x01" + RMC + b"\r\n$"
    found, passed_over, damaged = reading(stream)
    assert found == [
        Frame(NAV_PVT, PVT[6:-2]),
        RMC,
        Frame(ACK_ACK, b"\x06\x8a"),
        Frame(ACK_NAK, b"\x06\x8a"),
        RMC,
    ]
    assert passed_over == len(PVT) - 40 + 2 + 4 + 3 + 2
    assert damaged == 0


def test_frames_are_read_and_written_byte_for_byte():
    for frame in FRAMES:
        assert encode_frame(decode_frame(frame)) == frame
        assert read_whole(frame)[0] == [decode_frame(frame)]


@pytest.mark.parametrize("frame", FRAMES, ids=bytes.hex)
def test_every_truncation_and_every_flipped_bit_is_noticed(frame):
    for end in range(len(frame)):
        assert read_whole(frame[:end])[0] == []
        with pytest.raises(ProtocolError):
            decode_frame(frame[:end])
    with pytest.raises(ProtocolError):
        decode_frame(frame + b"\0")
    for bit in range(len(frame) * 8):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 1 << bit % 8
        # What follows a damaged frame is heard, once the length it claims has gone by.
        found = read_whole(bytes(flipped) + b"\r\n" * LONGEST_PAYLOAD + ACK)[0]
        assert [each for each in found if isinstance(each, Frame)] == [decode_frame(ACK)]
        for line in found[:-1]:  # lines have a checksum of their own
            with pytest.raises(ProtocolError):
                decode_sentence(line)
        with pytest.raises(ProtocolError):
            decode_frame(bytes(flipped))


def test_noise_that_looks_like_a_long_frame_holds_up_nothing_for_ever():
    for length in (LONGEST_PAYLOAD, LONGEST_PAYLOAD + 1, 0xFFFF):
        noise = b"\xb5\x62\x01\x07" + length.to_bytes(2, "little")
        assert read_whole(noise + ACK * 300)[0] == [decode_frame(ACK)] * 300


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([*FRAMES, RMC, b"\r\n", b"\xb5"])))
def test_chunking_never_matters(pieces):
    stream = b"".join(pieces)
    assert read_whole(stream) == read_bytewise(stream)


@settings(max_examples=100)
@given(st.binary(max_size=120), st.sampled_from(range(len(DECODERS))))
def test_any_payload_is_decoded_or_refused(payload, number):
    try:
        DECODERS[number](payload)
    except ProtocolError:
        return


def test_a_position_is_read_as_the_capture_says():
    pvt = decode_nav_pvt(decode_frame(PVT).payload)
    assert pvt == NavPvt(
        utc_us=AT_20201020_140449_US - 77,
        is_time_valid=True,
        is_time_resolved=True,
        time_error_ns=38,
        fix_type=3,
        is_fix_good=True,
        satellites=10,
        latitude_deg=pytest.approx(53.4507692),
        longitude_deg=pytest.approx(-2.2403544),
        altitude_m=36.378,
        horizontal_error_m=16.719,
        vertical_error_m=20.33,
        speed_mps=0.073,
        track_deg=pytest.approx(161.42809),
        pdop=1.94,
    )
    fix = fix_of(pvt)
    assert (fix.source, fix.mode, fix.valid, fix.basis) == ("ubx", 3, True, "satellites")
    assert (fix.altitude_m, fix.time_error_ns) == (36.378, 38)


def test_utc_and_gps_time_of_one_moment_agree():
    pvt = decode_nav_pvt(decode_frame(PVT_2026).payload)
    utc = decode_nav_timeutc(decode_frame(TIMEUTC).payload)
    gps = decode_nav_timegps(decode_frame(TIMEGPS).payload)
    assert pvt.utc_us == AT_20261123_023005_US - 1
    assert utc == (AT_20261123_023005_US, True, 30)  # half a microsecond before
    assert gps == (AT_20261123_023005_US, True, 30)
    assert pvt.speed_mps == 1.234


def changed(**values):
    return decode_nav_pvt(decode_frame(PVT_2026).payload)._replace(**values)


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ({}, None),
        ({"fix_type": 0}, "no fix"),
        ({"fix_type": 1}, "rests on dead_reckoning"),
        ({"fix_type": 4}, None),
        ({"fix_type": 5}, "no fix"),
        ({"is_fix_good": False}, "no fix"),
        ({"is_time_valid": False}, "not said to be valid"),
        ({"is_time_resolved": False}, "not said to be valid"),
        ({"satellites": 3}, "fewer than four satellites"),
        ({"time_error_ns": 4_294_967_295}, "known to worse than 100 ms"),
        ({"utc_us": None}, "no date and time"),
        ({"utc_us": AT_20261123_023005_US - 1024 * 7 * 86_400_000_000}, "1024 weeks too early"),
        ({"utc_us": AT_20261123_023005_US + 1024 * 7 * 86_400_000_000}, "1024 weeks too late"),
    ],
)
def test_only_what_a_receiver_is_sure_of_sets_a_clock(values, doubt):
    window = TimeWindow(AT_20261123_023005_US - 10**9, AT_20261123_023005_US + 10**9)
    assert doubt_about_time(fix_of(changed(**values)), window) == doubt


@settings(max_examples=60)
@given(
    st.builds(
        NavPvt,
        utc_us=st.integers(0, 4 * 10**15),
        is_time_valid=st.booleans(),
        is_time_resolved=st.booleans(),
        time_error_ns=st.integers(0, 2**32 - 1),
        fix_type=st.integers(0, 5),
        is_fix_good=st.booleans(),
        satellites=st.integers(0, 255),
        latitude_deg=st.floats(-90, 90),
        longitude_deg=st.floats(-180, 180),
        altitude_m=st.floats(-1000, 20_000),
        horizontal_error_m=st.floats(0, 4000),
        vertical_error_m=st.floats(0, 4000),
        speed_mps=st.floats(0, 500),
        track_deg=st.floats(0, 359.9),
        pdop=st.floats(0, 99.99),
    )
)
def test_a_position_that_is_written_is_read_again(pvt):
    frame = decode_frame(encode_frame(encode_nav_pvt(pvt)))
    again = decode_nav_pvt(frame.payload)
    for name in NavPvt._fields:
        assert getattr(again, name) == pytest.approx(getattr(pvt, name), abs=0.0051), name
    assert encode_nav_pvt(again) == frame


def test_impossible_positions_and_dates_are_refused_or_unknown():
    payload = bytearray(decode_frame(PVT_2026).payload)
    payload[28:32] = struct.pack("<i", 900_000_001)
    with pytest.raises(ProtocolError, match="NAV-PVT"):
        decode_nav_pvt(bytes(payload))
    payload = bytearray(decode_frame(PVT_2026).payload)
    payload[6] = 13
    assert decode_nav_pvt(bytes(payload)).utc_us is None
    with pytest.raises(ProtocolError):
        decode_nav_timegps(struct.pack("<IihbBI", 604_800_000, 0, 2446, 18, 7, 30))


def test_a_receiver_says_what_it_is():
    version = decode_version(decode_frame(VERSION).payload)
    assert (version.software, version.hardware) == ("EXT CORE 4.04 (7f89f7)", "00190000")
    assert (version.model, version.firmware, version.protocol) == ("NEO-M9N", "SPG 4.04", "32.01")
    assert encode_frame(encode_version(version)) == VERSION
    assert encode_frame(ASK_VERSION) == POLL_VERSION


def test_answers_say_what_they_answer():
    for frame, taken in ((ACK, True), (NAK, False)):
        answer = decode_answer(decode_frame(frame))
        assert answer == Answer(cfg.CFG_VALSET, taken)
        assert encode_frame(encode_answer(answer)) == frame
    with pytest.raises(ProtocolError):
        decode_answer(decode_frame(PVT))


def test_settings_are_written_and_asked_for_byte_for_byte():
    assert encode_frame(cfg.encode_valset(VALSET_VALUES, cfg.IN_RAM)) == VALSET
    assert cfg.decode_valset(decode_frame(VALSET).payload) == (cfg.IN_RAM, VALSET_VALUES)
    assert encode_frame(cfg.encode_ask([0x40520001, 0x20110021])) == ASK_TWO
    assert cfg.decode_ask(decode_frame(ASK_TWO).payload) == (cfg.RAM, (0x40520001, 0x20110021))
    said = cfg.decode_values(decode_frame(VALUES).payload)
    assert said.values == {0x40520001: 115_200, 0x20110021: 2, 0x30210001: 100, 0x1031001F: 1}
    assert encode_frame(cfg.encode_values(said)) == VALUES


keys = st.builds(
    lambda size, group, item: size << 28 | group << 16 | item,
    st.integers(1, 5),
    st.integers(0, 0xFFF),
    st.integers(0, 0xFFFF),
)
some_settings = st.dictionaries(keys, st.integers(0, 255), min_size=1, max_size=64)


@settings(max_examples=60)
@given(some_settings, st.integers(1, 7))
def test_settings_that_are_written_are_read_again(values, layers):
    assert cfg.decode_valset(cfg.encode_valset(values, layers).payload) == (layers, values)
    said = cfg.Values(layers, 0, values)
    assert cfg.decode_values(cfg.encode_values(said).payload) == said


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="does not fit"):
        cfg.encode_valset({0x20110021: 256}, cfg.IN_RAM)
    with pytest.raises(ValueError, match="65"):
        cfg.encode_valset(dict.fromkeys(range(0x20110000, 0x20110041), 1), cfg.IN_RAM)
    with pytest.raises(ProtocolError, match="says no length"):
        cfg.encode_valset({0x00110021: 1}, cfg.IN_RAM)
    with pytest.raises(ValueError, match="too long"):
        encode_frame(Frame(NAV_PVT, bytes(LONGEST_PAYLOAD + 1)))
    assert NAV_TIMEUTC != NAV_TIMEGPS
