"""Tempest's datagrams, WXT's lines and AS3935's registers."""

import json

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.weather.as3935 import decode_registers
from aerocast_protocols.weather.tempest import (
    TempestStatus,
    TempestStrike,
    TempestWeather,
    TempestWind,
    decode_tempest,
)
from aerocast_protocols.weather.wxt import LONGEST_LINE, WxtBuffer, checksum, decode_wxt, poll
from hypothesis import given, settings
from hypothesis import strategies as st

# The examples of WeatherFlow's own page on its UDP interface, version 171.
STRIKE = (
    b'{"serial_number":"AR-00004049","type":"evt_strike","hub_sn":"HB-00000001",'
    b'"evt":[1493322445,27,3848]}'
)
WIND = (
    b'{"serial_number":"SK-00008453","type":"rapid_wind","hub_sn":"HB-00000001",'
    b'"ob":[1493322445,2.3,128]}'
)
TEMPEST = (
    b'{"serial_number":"ST-00000512","type":"obs_st","hub_sn":"HB-00013030","obs":'
    b"[[1588948614,0.18,0.22,0.27,144,6,1017.57,22.37,50.26,328,0.03,3,0.000000,0,0,0,2.410,1]],"
    b'"firmware_revision":129}'
)
AIR = (
    b'{"serial_number":"AR-00004049","type":"obs_air","hub_sn":"HB-00000001",'
    b'"obs":[[1493164835,835.0,10.0,45,0,0,3.46,1]],"firmware_revision":17}'
)
SKY = (
    b'{"serial_number":"SK-00008453","type":"obs_sky","hub_sn":"HB-00000001",'
    b'"obs":[[1493321340,9000,10,0.0,2.6,4.6,7.4,187,3.12,1,130,null,0,3]],"firmware_revision":29}'
)
STATUS = (
    b'{"serial_number":"AR-00004049","type":"device_status","hub_sn":"HB-00000001","timestamp":'
    b'1510855923,"uptime":2189,"voltage":3.50,"firmware_revision":17,"rssi":-17,"hub_rssi":-87,'
    b'"sensor_status":%d,"debug":0}'
)
LINE = (
    b"0R0,Dn=236D,Dm=283D,Dx=031D,Sn=0.0M,Sm=1.0M,Sx=2.2M,Ta=23.6C,Ua=14.2P,Pa=1026.6H,"
    b"Rc=0.00M,Rd=0s,Ri=0.0M,Th=25.6C,Vh=11.5N"
)


def test_a_tempest_tells_strikes_winds_weather_and_how_it_is():
    assert decode_tempest(STRIKE) == [
        TempestStrike(sensor="AR-00004049", distance_km=27, energy=3848)
    ]
    assert decode_tempest(WIND) == [
        TempestWind(sensor="SK-00008453", wind_speed_mps=2.3, wind_direction_deg=128)
    ]
    (weather,) = decode_tempest(TEMPEST)
    assert weather == TempestWeather(
        sensor="ST-00000512", wind_speed_mps=0.22, wind_gust_mps=0.27, wind_direction_deg=144,
        pressure_hpa=1017.57, temperature_c=22.37, humidity_percent=50.26, rain_mm=0.0,
        strikes=0, strike_distance_km=0,
    )  # fmt: skip
    (air,) = decode_tempest(AIR)
    assert (air.pressure_hpa, air.temperature_c, air.strikes) == (835, 10, 0)
    (sky,) = decode_tempest(SKY)
    assert (sky.wind_speed_mps, sky.wind_gust_mps, sky.strikes) == (4.6, 7.4, None)
    assert decode_tempest(STATUS % 0) == [TempestStatus(sensor="AR-00004049", battery_v=3.5)]
    assert decode_tempest(b'{"type":"hub_status","seq":48}') == []


@pytest.mark.parametrize(("bits", "trouble"), [(1, "failed"), (2, "noise"), (3, "failed")])
def test_a_tempest_that_cannot_notice_lightning_says_so(bits, trouble):
    (status,) = decode_tempest(STATUS % bits)
    assert trouble in status.lightning_trouble
    assert decode_tempest(STATUS % 4)[0].lightning_trouble is None  # a disturber was recognised


def test_values_no_sensor_can_mean_are_left_out():
    datagram = (
        TEMPEST.replace(b",144,6,", b",720,6,").replace(b"50.26", b"150").replace(b"22.37", b"null")
    )
    (weather,) = decode_tempest(datagram)
    assert (weather.wind_direction_deg, weather.humidity_percent, weather.temperature_c) == (
        None,
    ) * 3


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        TEMPEST[:-30],
        TEMPEST.replace(b",2.410,1]", b"]"),
        STRIKE.replace(b"3848", b'"near"'),
        b'{"type":"rapid_wind"}',
        b"[" * 5000,
    ],
)
def test_a_datagram_that_is_cut_or_something_else_is_refused(datagram):
    with pytest.raises(ProtocolError):
        decode_tempest(datagram)


values = st.lists(st.none() | st.floats(-1e9, 1e9) | st.integers(-10, 400), max_size=20)


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200)
    | st.builds(
        lambda kind, ob: json.dumps({"type": kind, "evt": ob, "ob": ob, "obs": [ob]}).encode(),
        st.sampled_from(["evt_strike", "rapid_wind", "obs_st", "obs_air", "obs_sky"]),
        values,
    )
)
def test_any_datagram_reads_or_is_refused(datagram):
    try:
        messages = decode_tempest(datagram)
    except ProtocolError:
        return
    for message in messages:
        direction = getattr(message, "wind_direction_deg", None)
        assert direction is None or 0 <= direction < 360


def test_a_line_of_a_transmitter_reads_with_its_units():
    message = decode_wxt(LINE)
    assert (message.address, message.number, message.invalid) == ("0", 0, ())
    assert (message.wind_direction_deg, message.wind_speed_mps, message.wind_gust_mps) == (
        283,
        1,
        2.2,
    )
    assert (message.temperature_c, message.humidity_percent, message.pressure_hpa) == (
        23.6,
        14.2,
        1026.6,
    )
    assert (message.rain_total_mm, message.rain_mm_per_h, message.heating_v) == (0, 0, 11.5)
    knots = decode_wxt(b"0R1,Dm=360D,Sm=10.0N,Sx=36.0K")
    assert knots.wind_direction_deg == 0
    assert knots.wind_speed_mps == pytest.approx(5.144444)
    assert knots.wind_gust_mps == pytest.approx(10)
    american = decode_wxt(b"AR2,Ta=50.0F,Pa=29.92I,Ua=#")
    assert (american.address, american.temperature_c, american.invalid) == ("A", 10, ("Ua",)) or (
        american.temperature_c == pytest.approx(10)
    )
    assert american.pressure_hpa == pytest.approx(1013.2, abs=0.1)


def test_what_is_marked_not_valid_is_not_a_value():
    message = decode_wxt(b"0R1,Dm=000#,Sm=0.0#,Sx=3.0M")
    assert (message.wind_direction_deg, message.wind_speed_mps) == (None, None)
    assert message.invalid == ("Dm", "Sm")
    assert message.wind_gust_mps == 3


def test_the_checksum_is_that_of_sdi12():
    assert checksum(b"0+3.14") == b"OqZ"  # the example of SDI-12 1.4, section 4.4.12.3
    line = b"0r1,Dm=283D,Sm=1.0M"
    assert decode_wxt(line + checksum(line)).wind_direction_deg == 283
    for damaged in (line, line + b"abc", line.replace(b"3", b"4") + checksum(line), b"0r1"):
        with pytest.raises(ProtocolError, match="checksum"):
            decode_wxt(damaged)


def test_answers_of_other_kinds_are_passed_over_and_impossible_values_refused():
    assert decode_wxt(b"0XU,A=0,M=P,T=0,C=2,I=0") is None
    assert decode_wxt(b"") is None
    for line in (b"0R1,Sm=999M", b"0R1,Sm=1.0Q", b"0R1,Sm", b"0R0,Ta=300.0C", b"0R0,Pa=12H"):
        with pytest.raises(ProtocolError):
            decode_wxt(line)
    assert poll("2") == b"2R0\r\n"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: b"0R0," + tail))
def test_any_line_reads_or_is_refused(line):
    try:
        decode_wxt(line)
    except ProtocolError:
        return


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([LINE, b"", b"0R1,Sm=1.0M", b"x" * (LONGEST_LINE + 9)]), max_size=6),
    st.data(),
)
def test_lines_come_out_whole_however_the_bytes_arrive(lines, data):
    sent = b"".join(line + b"\r\n" for line in lines) + b"0R1,Sm"
    whole, split, bytewise = WxtBuffer(), WxtBuffer(), WxtBuffer()
    whole.feed(sent)
    at = data.draw(st.integers(0, len(sent)))
    got = list(whole.lines())
    assert got == [line for line in lines if line and len(line) <= LONGEST_LINE]
    pieces = []
    for piece in (sent[:at], sent[at:]):
        split.feed(piece)
        pieces += split.lines()
    single = []
    for byte in sent:
        bytewise.feed(bytes([byte]))
        single += bytewise.lines()
    assert pieces == single == got
    assert whole.damaged == bytewise.damaged == sum(len(line) > LONGEST_LINE for line in lines)


def test_registers_of_a_lightning_detector_read():
    state = decode_registers(bytes([0x24, 0x22, 0xC2, 0x08, 0x10, 0x02, 0x01, 0x0E, 0]))
    assert (state.event, state.distance_km, state.energy) == ("lightning", 14, 0x010210)
    assert state.is_listening
    assert decode_registers(bytes(7) + b"\x3f\x00\xff").distance_km is None
    assert decode_registers(bytes(7) + b"\x01\x00").distance_km == 0
    assert not decode_registers(b"\x01" + bytes(8)).is_listening
    assert decode_registers(b"\x00\x00\x00\x01" + bytes(5)).event == "noise"
    for broken in (b"", bytes(8), b"\xff" * 9):
        with pytest.raises(ProtocolError):
            decode_registers(broken)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=16), st.binary(max_size=4))
def test_any_registers_read_or_are_refused_the_same_with_more_behind_them(registers, more):
    try:
        state = decode_registers(registers)
    except ProtocolError:
        return
    assert decode_registers(registers + more) == state
    assert state.distance_km is None or 0 <= state.distance_km <= 62
