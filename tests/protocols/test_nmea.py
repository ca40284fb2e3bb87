"""GPS receivers: sentences, fixes, and what a claim about time is worth."""

import calendar
import contextlib
import json
import time
from pathlib import Path

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gnss import ROLLOVER_US, Fix, TimeWindow, doubt_about_time
from aerocast_protocols.nmea.fixes import (
    MPS_PER_KNOT,
    FixAssembler,
    decode_gga,
    decode_rmc,
)
from aerocast_protocols.nmea.sentences import (
    LONGEST_SENTENCE,
    Sentence,
    decode_sentence,
    encode_sentence,
)
from aerocast_protocols.ubx.framing import ReceiverBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

GPS = Path(__file__).parents[2].parent / "shared" / "data" / "devices" / "gps"
# From the GlobalSat BU-353-S4 recording of gpsd's test data (BSD-2-Clause).
GGA = b"$GPGGA,030719.000,3747.0873,S,17518.8938,E,1,08,1.1,59.9,M,23.7,M,,0000*7D"
RMC = b"$GPRMC,030719.000,A,3747.0873,S,17518.8938,E,0.69,181.39,311214,,,A*7D"
LAST_DAY_OF_2014_US = 1_419_984_000_000_000
YEAR_US = 365 * 86_400_000_000


def read_whole(stream: bytes):
    buffer = ReceiverBuffer()
    buffer.feed(stream)
    return list(buffer.messages()), buffer.passed_over


def read_bytewise(stream: bytes):
    buffer = ReceiverBuffer()
    found = []
    for byte in stream:
        buffer.feed(bytes([byte]))
        found += buffer.messages()
    return found, buffer.passed_over


def fixes_of(pieces):
    buffer, assembler, found = ReceiverBuffer(), FixAssembler(), []
    for piece in pieces:
        buffer.feed(piece)
        for line in buffer.messages():
            try:
                found.append(assembler.add(decode_sentence(line)))
            except ProtocolError:
                continue
    found.append(assembler.flush())
    return [fix for fix in found if fix is not None]


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
def test_lines_come_out_whole_however_the_bytes_arrive(read):
    stream = b"9,M,,0000*7D\r\n" + GGA + b"\r\n\xb5b\x01\x07$GPG" + RMC + b"\r\n$GPRMC,0307"
    lines, passed_over = read(stream)
    assert lines == [GGA, RMC]
    assert passed_over == 14 + 2 + 8 + 2


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
def test_a_line_without_end_is_passed_over(read):
    assert read(b"$" + b"7" * 2 * LONGEST_SENTENCE + GGA + b"\r\n")[0] == [GGA]


@settings(max_examples=150)
@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([GGA, RMC, b"\r\n", b"$"]))))
def test_chunking_never_matters(pieces):
    stream = b"".join(pieces)
    assert read_whole(stream) == read_bytewise(stream)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=100), st.text(max_size=60).map(str.encode)))
def test_any_bytes_decode_or_raise_protocol_error(noise):
    with contextlib.suppress(ProtocolError):
        decode_sentence(b"$" + noise)


field = st.one_of(
    st.sampled_from(["", "A", "V", "N", "S", "E", "W", "1", "030719.000", "311214", "3747.0873"]),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=",*$")),
)


@settings(max_examples=200)
@given(
    st.lists(
        st.builds(
            Sentence,
            st.sampled_from(["GP", "GN"]),
            st.sampled_from(["RMC", "GGA", "GSA", "GSV"]),
            st.lists(field, max_size=14).map(tuple),
        ),
        max_size=5,
    )
)
def test_any_sentence_gives_a_fix_in_range_or_raises_protocol_error(sentences):
    assembler = FixAssembler()
    fixes = []
    for sentence in sentences:
        try:
            fixes.append(assembler.add(sentence))
        except ProtocolError:
            continue
    fixes.append(assembler.flush())
    for fix in fixes:
        if fix is None:
            continue
        assert (fix.latitude_deg is None) == (fix.longitude_deg is None) == (fix.mode == 1)
        assert fix.mode == 1 or (abs(fix.latitude_deg) <= 90 and abs(fix.longitude_deg) <= 180)


@settings(max_examples=100)
@given(
    st.builds(
        Sentence,
        st.sampled_from(["GP", "GN", "GL", "P"]),
        st.sampled_from(["RMC", "GGA", "ZDA"]),
        st.lists(field, max_size=14).map(tuple),
    )
)
def test_what_is_encoded_decodes_to_the_same(sentence):
    assert decode_sentence(encode_sentence(sentence).rstrip(b"\r\n")) == sentence


def test_every_flipped_bit_is_noticed():
    for at in range(1, len(GGA)):
        for bit in range(8):
            flipped = bytearray(GGA)
            flipped[at] ^= 1 << bit
            with contextlib.suppress(ProtocolError):  # else the case of a hex digit was flipped
                assert decode_sentence(bytes(flipped)) == decode_sentence(GGA)


def test_every_truncation_and_flipped_bit_of_every_kind_of_recorded_sentence_is_noticed():
    logs = sorted(GPS.glob("*.log"))
    if not logs:
        pytest.skip("devices/gps: shared data is not here")
    kinds = {}
    for log in logs:
        for line in read_whole(log.read_bytes())[0]:
            with contextlib.suppress(ProtocolError):
                kinds.setdefault(decode_sentence(line)[:2], line)
    assert len(kinds) > 10
    for line in kinds.values():
        whole = decode_sentence(line)
        for end in range(len(line)):
            with pytest.raises(ProtocolError):
                decode_sentence(line[:end])
        for bit in range(8, len(line) * 8):
            flipped = bytearray(line)
            flipped[bit // 8] ^= 1 << bit % 8
            with contextlib.suppress(ProtocolError):  # else the case of a hex digit was flipped
                assert decode_sentence(bytes(flipped)) == whole


def test_rmc_and_gga_of_one_moment_make_one_fix_in_either_order():
    expected = Fix(
        source="nmea",
        mode=3,
        fix_at_us=LAST_DAY_OF_2014_US + (3 * 3600 + 7 * 60 + 19) * 1_000_000,
        latitude_deg=-(37 + 47.0873 / 60),
        longitude_deg=175 + 18.8938 / 60,
        altitude_m=59.9,
        speed_mps=0.69 * MPS_PER_KNOT,
        track_deg=181.39,
        satellites=8,
        hdop=1.1,
        basis="satellites",
        valid=True,
    )
    assert fixes_of([GGA + b"\r\n" + RMC + b"\r\n"]) == [expected]
    assert fixes_of([RMC + b"\r\n" + GGA + b"\r\n"]) == [expected]


def test_a_moment_with_one_sentence_alone_is_given_when_the_next_begins():
    assembler = FixAssembler()
    rmc, gga = decode_sentence(RMC), decode_sentence(GGA)
    later = gga._replace(fields=("030720.000", *gga.fields[1:]))
    assert assembler.add(rmc) is None
    alone = assembler.add(later)
    assert (alone.mode, alone.altitude_m, alone.valid) == (2, None, True)
    alone = assembler.flush()
    assert (alone.mode, alone.altitude_m, alone.fix_at_us) == (3, 59.9, None)
    assert assembler.flush() is None


def test_a_void_status_or_quality_0_is_no_fix_and_gives_no_position():
    rmc, gga = decode_sentence(RMC), decode_sentence(GGA)
    for sentence in (
        rmc._replace(fields=(rmc.fields[0], "V", *rmc.fields[2:])),
        gga._replace(fields=(*gga.fields[:5], "0", *gga.fields[6:])),
    ):
        assembler = FixAssembler()
        assembler.add(sentence)
        fix = assembler.flush()
        assert (fix.mode, fix.latitude_deg, fix.longitude_deg) == (1, None, None)


def test_a_two_dimensional_fix_does_not_repeat_its_old_altitude():
    assembler = FixAssembler()
    assembler.add(Sentence("GP", "GSA", ("A", "2", "17")))
    assembler.add(decode_sentence(GGA))
    fix = assembler.add(decode_sentence(RMC))
    assert (fix.mode, fix.altitude_m) == (2, None)


@pytest.mark.parametrize(
    "change",
    [
        {0: "250000"},
        {0: "030760x"},
        {2: "9100.0000"},
        {2: "3760.0000"},
        {3: "E"},
        {4: "18000.0001"},
        {6: "-1"},
        {7: "361"},
        {8: "310214"},
        {6: "nan"},
        {6: "1e9"},
    ],
)
def test_impossible_fields_are_refused(change):
    fields = list(decode_sentence(RMC).fields)
    for at, text in change.items():
        fields[at] = text
    with pytest.raises(ProtocolError):
        decode_rmc(tuple(fields))


def test_cut_sentences_are_refused():
    with pytest.raises(ProtocolError, match="cut short"):
        decode_rmc(("030719.000", "A"))
    with pytest.raises(ProtocolError, match="cut short"):
        decode_gga(("030719.000",))


def test_only_a_good_fix_inside_the_window_is_believed_about_time():
    (fix,) = fixes_of([GGA + b"\r\n" + RMC + b"\r\n"])
    window = TimeWindow(LAST_DAY_OF_2014_US, LAST_DAY_OF_2014_US + 19 * YEAR_US)
    assert doubt_about_time(fix, window) is None
    for worse in (
        {"mode": 1},
        {"valid": False},
        {"valid": None},
        {"satellites": 3},
        {"satellites": None},
        {"basis": None},
        {"basis": "dead_reckoning"},
        {"basis": "simulated"},
        {"time_error_ns": 200_000_000},
        {"fix_at_us": None},
        {"fix_at_us": fix.fix_at_us + ROLLOVER_US},
        {"fix_at_us": fix.fix_at_us - ROLLOVER_US},
    ):
        assert doubt_about_time(fix._replace(**worse), window), worse


TRUTHS = ["bu353s4", "gps-360", "quectel-L70", "nmea-fuzzy-cases", "neo-m8n", "ublox-8"]


@pytest.mark.parametrize("recording", TRUTHS)
def test_recordings_give_the_positions_gpsd_gives(recording):
    log = GPS / f"{recording}.log"
    if not log.exists():
        pytest.skip(f"{log.name}: shared data is not here")
    stream = b"".join(
        line for line in log.read_bytes().splitlines(keepends=True) if not line.startswith(b"#")
    )
    truth = {}
    for line in log.with_suffix(".log.chk").read_text(errors="replace").splitlines():
        if line.startswith('{"class":"TPV"') and "time" in (report := json.loads(line)):
            truth.setdefault(report["time"], []).append(report)
    fixes = [fix for fix in fixes_of([stream]) if fix.fix_at_us is not None and fix.mode > 1]
    assert fixes == [
        fix
        for fix in fixes_of(bytes([byte]) for byte in stream)
        if fix.fix_at_us is not None and fix.mode > 1
    ]
    compared = 0
    for fix in fixes:
        claimed = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(fix.fix_at_us // 1_000_000))
        reports = truth.get(f"{claimed}.{fix.fix_at_us // 1000 % 1000:03d}Z", [])
        near = [
            report
            for report in reports
            if abs(report.get("lat", 99) - fix.latitude_deg) < 2e-9 + 1e-8
            and abs(report["lon"] - fix.longitude_deg) < 2e-9 + 1e-8
            and ("altMSL" not in report or fix.altitude_m in {None, report["altMSL"]})
        ]
        assert near or recording in {"neo-m8n", "ublox-8"}, fix  # those two also speak UBX
        compared += bool(near)
    assert compared >= {"neo-m8n": 0, "ublox-8": 30}.get(recording, 10)


def test_write_boundaries_inside_a_sentence_change_nothing():
    log = GPS / "tcp-torture.log"
    if not log.exists():
        pytest.skip(f"{log.name}: shared data is not here")
    pieces = b"".join(
        line for line in log.read_bytes().splitlines(keepends=True) if not line.startswith(b"#")
    ).split(b"|")
    assert len(pieces) > 3
    (fix,) = fixes_of(pieces)
    assert fix.fix_at_us == calendar.timegm((2007, 12, 23, 19, 32, 21)) * 1_000_000
    assert (fix.mode, fix.satellites, fix.altitude_m) == (3, 4, -30.4)
    assert fix.latitude_deg == pytest.approx(20.628798667, abs=1e-8)
    assert fix.longitude_deg == pytest.approx(-87.068079667, abs=1e-8)
