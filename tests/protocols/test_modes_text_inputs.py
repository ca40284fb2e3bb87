"""AVR, SBS, aircraft.json and rtl_tcp: read whole, bytewise and damaged."""

import json

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.aircraft_json import AircraftNews, decode_aircraft_json
from aerocast_protocols.modes.avr import NO_TIME, avr_buffer, decode_avr, encode_avr
from aerocast_protocols.modes.beast import BeastFrame
from aerocast_protocols.modes.rtl_tcp import (
    Command,
    Greeting,
    Order,
    OrderBuffer,
    decode_greeting,
    encode_greeting,
    encode_orders,
    listen_orders,
)
from aerocast_protocols.modes.sbs import SbsMessage, decode_sbs, encode_sbs, sbs_buffer
from hypothesis import given, settings
from hypothesis import strategies as st

IDENTIFICATION = bytes.fromhex("8d406b902015a678d4d220aa4bda")
AVR = (
    b"*8D406B902015A678D4D220AA4BDA;\r\n"
    b"@00000000004d8d406b902015a678d4d220aa4bda;\n\0"
    b"<00000000004dff8D406B902015A678D4D220AA4BDA;\n*0000;\n:212800bf40f1ef;"
)
# Two lines in the form readsb 3.14.1642 writes, made for this test.
SBS = (
    b"MSG,3,1,1,406B90,1,2024/07/06,07:58:40.000,2024/07/06,07:58:40.012,,3000,,,43.62930,"
    b"1.36380,,,0,,0,0\r\n\r\n"
    b"MSG,4,1,1,~406B90,1,2024/07/06,07:58:41.000,2024/07/06,07:58:41.012,,,138.5,320.1,,,-704,,,,,0"
    b"\r\n"
)


def lines(buffer, *pieces):
    found = []
    for piece in pieces:
        buffer.feed(piece)
        found += buffer.lines()
    return found


def test_every_form_of_avr_line_is_read():
    read = [decode_avr(line) for line in lines(avr_buffer(), AVR)]

    assert [(r.ticks_12mhz, r.signal, r.frame) for r in read] == [
        (NO_TIME, 0, IDENTIFICATION),
        (77, 0, IDENTIFICATION),
        (77, 255, IDENTIFICATION),
        (NO_TIME, 0, b"\0\0"),
        (NO_TIME, 0, bytes.fromhex("212800bf40f1ef")),
    ]
    assert [r.has_time for r in read] == [False, True, True, False, False]
    assert [r.signal_dbfs for r in read] == [None, None, 0.0, None, None]


@pytest.mark.parametrize("make", [avr_buffer, sbs_buffer])
@pytest.mark.parametrize("stream", [AVR, SBS, b"x" * 2000 + b"\n" + AVR])
def test_lines_come_out_the_same_whole_bytewise_and_with_more_behind_them(make, stream):
    whole = lines(make(), stream)
    bytewise = lines(make(), *(stream[i : i + 1] for i in range(len(stream))))

    assert bytewise == whole
    assert (
        lines(make(), stream + b"\nrest of a li")
        == whole + lines(make(), stream, b"\n")[len(whole) :]
    )


def test_a_line_too_long_is_cut_and_refused_and_the_next_one_read():
    long, short = lines(avr_buffer(), b"*" + b"8d" * 5000, b"8d" * 5000 + b";*0001;")

    with pytest.raises(ProtocolError, match="no AVR frame"):
        decode_avr(long)
    assert decode_avr(short).frame == b"\0\1"
    with pytest.raises(ProtocolError, match="no SBS message"):
        decode_sbs(lines(sbs_buffer(), b"MSG,3" + b"," * 5000 + b"\n")[0])


@given(
    st.integers(0, NO_TIME - 1),
    st.integers(0, 255),
    st.sampled_from([2, 7, 14]).flatmap(lambda n: st.binary(min_size=n, max_size=n)),
)
@settings(max_examples=100)
def test_what_is_written_as_avr_is_read_back(ticks, signal, frame):
    heard = BeastFrame(ticks, signal, frame)
    assert [decode_avr(line) for line in lines(avr_buffer(), encode_avr(heard))] == [heard]
    bare = BeastFrame(NO_TIME, 0, frame)
    assert [decode_avr(line) for line in lines(avr_buffer(), encode_avr(bare))] == [bare]


def test_a_frame_of_impossible_length_is_not_written():
    with pytest.raises(ProtocolError, match="3 bytes"):
        encode_avr(BeastFrame(0, 0, b"abc"))


def test_sbs_lines_give_their_fields_and_what_they_say_of_the_aircraft():
    position, velocity = (decode_sbs(line) for line in lines(sbs_buffer(), SBS))

    assert (position.message_type, position.transmission_type, position.icao) == (
        "MSG",
        3,
        "406b90",
    )
    assert (position.generated_date, position.logged_time) == ("2024/07/06", "07:58:40.012")
    assert (position.latitude_deg, position.longitude_deg) == (43.6293, 1.3638)
    assert (position.alert, position.emergency, position.on_ground) == (False, None, False)
    assert (velocity.icao, velocity.ground_speed_kt, velocity.vertical_rate_fpm) == (
        "~406b90",
        138.5,
        -704.0,
    )
    report = position.report()
    assert (report.altitude_ft, report.on_ground, report.source) == (3000.0, False, None)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({11: "3000H"}, {"altitude_ft": None}),
        ({0: "MLAT"}, {"source": "mlat"}),
        ({17: "7700"}, {"squawk": "7700", "emergency": "general"}),
        ({17: "21"}, {"squawk": "0021", "emergency": None}),
        ({19: "-1"}, {"emergency": "general"}),
        ({21: ""}, {"on_ground": False}),
        ({1: "2", 21: ""}, {"on_ground": True}),
        ({1: "8", 21: "", 14: "", 15: ""}, {"on_ground": None, "latitude_deg": None}),
    ],
)
def test_oddities_of_sbs_are_understood(changed, wanted):
    fields = SBS.splitlines()[0].decode().split(",")
    for index, text in changed.items():
        fields[index] = text

    report = decode_sbs(",".join(fields).encode()).report()

    assert {name: getattr(report, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"HELLO,1",
        b"MSG,9,1,1,406B90",
        b"MSG,3,1,1,406B9",
        b"MSG,3,1,1,406B90,1,,,,,,high",
        b"MSG,3,1,1,406B90,1,,,,,,nan",
        b"MSG,3,1,1,406B90,1,,,,,,,,,91,0",
        b"MSG,3,1,1,406B90,1,,,,,,,,,,,,8888",
        b"MSG,3,1,1,406B90,1,,,,,,,,,,,,,maybe",
        b"MSG" + b"," * 22,
    ],
)
def test_what_is_no_sbs_line_is_refused(line):
    with pytest.raises(ProtocolError, match="SBS"):
        decode_sbs(line)


def test_lines_that_speak_of_no_aircraft_give_no_report():
    assert decode_sbs(b"STA,,5,179,400AE7,10103,2008/11/28,14:58:51.153,x,y,RM").report() is None
    assert decode_sbs(b"MSG,8").report() is None


@given(
    st.builds(
        SbsMessage,
        message_type=st.sampled_from(["MSG", "MLAT"]),
        transmission_type=st.none() | st.integers(1, 8),
        icao=st.none() | st.from_regex("~?[0-9a-f]{6}", fullmatch=True),
        callsign=st.none() | st.from_regex("[A-Z0-9]{1,8}", fullmatch=True),
        altitude_ft=st.none() | st.floats(-1000, 50000),
        ground_speed_kt=st.none() | st.floats(0, 800),
        vertical_rate_fpm=st.none() | st.floats(-9000, 9000),
        squawk=st.none() | st.from_regex("[0-7]{4}", fullmatch=True),
        alert=st.none() | st.booleans(),
        on_ground=st.none() | st.booleans(),
    )
)
@settings(max_examples=100)
def test_what_is_written_as_sbs_is_read_back(message):
    assert [decode_sbs(line) for line in lines(sbs_buffer(), encode_sbs(message))] == [message]


@given(
    st.binary(max_size=300)
    | st.text(alphabet="MSGTAIR,0123456789-.~AF\n", max_size=200).map(str.encode)
)
@settings(max_examples=200)
def test_any_bytes_are_read_or_refused(received):
    for make, decode in ((avr_buffer, decode_avr), (sbs_buffer, decode_sbs)):
        for line in lines(make(), received, b"\n"):
            try:
                decode(line)
            except ProtocolError:
                continue
    for decode in (decode_aircraft_json, decode_greeting):
        try:
            decode(received)
        except ProtocolError:
            continue


AIRCRAFT = {
    "hex": "406b90",
    "type": "adsb_icao",
    "flight": "EZY85MH ",
    "alt_baro": 38000,
    "gs": 437.1,
    "track": 12.5,
    "baro_rate": -64,
    "squawk": "7600",
    "category": "A3",
    "lat": 49.1,
    "lon": 6.0,
    "seen_pos": 1.2,
    "seen": 0.3,
    "rssi": -12.1,
    "r": "G-EZBY",
    "t": "A319",
}


def written(now_s, *aircraft):
    return json.dumps({"now": now_s, "messages": 1, "aircraft": aircraft}).encode()


def test_aircraft_json_says_what_the_receiver_knows():
    file = decode_aircraft_json(
        written(1000.0, AIRCRAFT, {"hex": "nonsense"}, {**AIRCRAFT, "hex": 7})
    )

    (report,) = AircraftNews().of(file)

    assert (file.now_s, file.refused) == (1000.0, 2)
    assert (report.icao, report.callsign, report.altitude_ft) == ("406b90", "EZY85MH", 38000.0)
    assert (report.latitude_deg, report.age_s, report.on_ground) == (49.1, 1.2, False)
    assert (report.squawk, report.emergency) == ("7600", "no_communication")
    assert (report.registration, report.aircraft_type, report.source) == ("G-EZBY", "A319", "adsb")


def test_only_news_is_told_and_a_position_only_when_it_is_new():
    news = AircraftNews()
    files = [
        written(1000.0, AIRCRAFT),
        written(1001.0, {**AIRCRAFT, "seen": 1.3, "seen_pos": 2.2}),  # nothing heard since
        written(1002.0, {**AIRCRAFT, "seen": 0.1, "seen_pos": 3.2}),
        written(1003.0, {**AIRCRAFT, "seen": 0.1, "seen_pos": 0.1}),
    ]

    told = [list(news.of(decode_aircraft_json(each))) for each in files]

    assert [[each.latitude_deg for each in reports] for reports in told] == [
        [49.1],
        [],
        [None],
        [49.1],
    ]


def test_motion_through_the_air_is_told_when_it_is_new():
    flown = {**AIRCRAFT, "tas": 440, "mag_heading": 10.9, "roll": -0.4, "wd": 290, "ws": 31}
    news = AircraftNews()
    files = [
        written(1000.0, flown),
        written(1001.0, {**flown, "lat": 49.2, "seen_pos": 0.1}),
        written(1002.0, {**flown, "tas": 442, "roll": 400}),
        written(1003.0, {**flown, "tas": 442, "mach": 0.78, "true_heading": 13.1}),
    ]
    told = [[each.air for each in news.of(decode_aircraft_json(file))] for file in files]

    (first,) = told[0]
    assert (first.true_airspeed_kt, first.roll_deg, first.wind) == (440.0, -0.4, (290.0, 31.0))
    assert (first.heading_deg(2.0), first.mach) == (12.9, None)
    assert told[1:3] == [[None], []]  # a roll of 400 degrees is no aircraft's
    assert (told[3][0].heading_deg(2.0), told[3][0].mach) == (13.1, 0.78)


def test_a_receiver_whose_clock_is_set_back_is_still_news():
    news = AircraftNews()
    for now_s in (5000.0, 1000.0, 1000.1):
        told = list(news.of(decode_aircraft_json(written(now_s, AIRCRAFT))))
        assert len(told) == (now_s != 1000.1)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"alt_baro": "ground"}, {"on_ground": True, "altitude_ft": None}),
        ({"alt_baro": None}, {"on_ground": None, "altitude_ft": None}),
        ({"alt_baro": None, "altitude": 900}, {"on_ground": False, "altitude_ft": 900.0}),
        ({"gs": None, "speed": 120}, {"ground_speed_kt": 120.0}),
        ({"mlat": ["lat", "lon"]}, {"source": "mlat"}),
        ({"tisb": ["lat", "lon"]}, {"source": "tisb"}),
        ({"type": "tisb_trackfile", "hex": "~40FFFF"}, {"source": "tisb", "icao": "~40ffff"}),
        ({"type": "mode_s"}, {"source": "mode_s"}),
        ({"type": "adsr_icao"}, {"source": "adsr"}),
        ({"emergency": "lifeguard", "squawk": "1000"}, {"emergency": "medical"}),
        ({"emergency": "none", "squawk": None}, {"emergency": None}),
    ],
)
def test_oddities_of_aircraft_json_are_understood(changed, wanted):
    (report,) = AircraftNews().of(decode_aircraft_json(written(5.0, {**AIRCRAFT, **changed})))

    assert {name: getattr(report, name) for name in wanted} == wanted


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"now": 1}', written(1.0, AIRCRAFT)[:-9]])
def test_a_file_cut_off_in_writing_is_refused(content):
    with pytest.raises(ProtocolError, match="aircraft"):
        decode_aircraft_json(content)


def test_rtl_tcp_is_greeted_and_told_to_listen():
    # Byte for byte as rtl_tcp sends and expects them, an R820T with 29 gain steps.
    greeting = b"RTL0\0\0\0\x05\0\0\0\x1d"
    assert decode_greeting(greeting) == Greeting(5, 29)
    assert decode_greeting(greeting).tuner == "R820T"
    assert encode_greeting(Greeting(5, 29)) == greeting
    assert Greeting(9, 0).tuner == "tuner 9"
    assert listen_orders(2_400_000, 49.6).hex(" ", 5) == (
        "0200249f00 0140f81480 0300000001 04000001f0 0800000000"
    )
    assert listen_orders(2_000_000, None)[10:15].hex() == "0300000000"
    for wrong in (b"", greeting[:-1], b"HTTP/1.1 400"):
        with pytest.raises(ProtocolError, match="no greeting"):
            decode_greeting(wrong)


def test_orders_come_out_whole_however_the_bytes_arrive():
    stream = listen_orders(2_400_000, 40.0) + b"\x7f\0\0\0\0" + b"\x0e"
    buffer, found = OrderBuffer(), []
    for index in range(len(stream)):
        buffer.feed(stream[index : index + 1])
        found += buffer.orders()

    assert found[0] == Order(Command.SAMPLE_RATE, 2_400_000)
    assert found[-1] == Order(Command.AUTOMATIC_GAIN, 0)
    assert len(found) == 5
    assert encode_orders(*found) == stream[:25]
    with pytest.raises(ProtocolError, match="out of range"):
        encode_orders(Order(Command.FREQUENCY, -1))
