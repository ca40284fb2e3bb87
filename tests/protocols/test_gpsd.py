"""gpsd's reports: lines, positions, and what its times are worth."""

import json
from pathlib import Path

import pytest
from aerocast_agent.gps_time import plausible_window
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.gnss import doubt_about_time
from aerocast_protocols.gpsd.fixes import MOST_RECEIVERS, FixAssembler
from aerocast_protocols.gpsd.reports import (
    LONGEST_REPORT,
    GpsdError,
    ReportBuffer,
    Sky,
    Tpv,
    Version,
    decode_report,
    encode_watch,
)
from hypothesis import given, settings
from hypothesis import strategies as st

GPS = Path(__file__).parents[2].parent / "shared" / "data" / "devices" / "gps"
# gpsd 3.22 on the recording bu353s4 of its own tests: 31 December 2014, 1024 weeks later.
SKY = b'{"class":"SKY","device":"/dev/pts/1","hdop":1.10,"uSat":8}'
TPV = (
    b'{"class":"TPV","device":"/dev/pts/1","mode":3,"time":"2034-08-16T03:07:33.000Z",'
    b'"ept":0.005,"lat":-37.784793333,"lon":175.314901667,"altHAE":83.9000,"altMSL":60.2000,'
    b'"alt":60.2000,"track":181.3900,"speed":0.226,"climb":0.100}'
)
OTHERS = [
    b'{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}',
    b'{"class":"DEVICES","devices":[]}',
    b'{"class":"ERROR","message":"Unrecognized request"}',
    b'{"class":"SKY","satellites":[{"PRN":1,"used":true},{"PRN":2,"used":false}]}',
]
NOW_US = 1_795_401_005_000_000  # 2026-11-23


def read_whole(stream):
    buffer = ReportBuffer()
    buffer.feed(stream)
    return list(buffer.lines())


def read_bytewise(stream):
    buffer, found = ReportBuffer(), []
    for byte in stream:
        buffer.feed(bytes([byte]))
        found += buffer.lines()
    return found


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
def test_reports_come_out_whole_however_they_arrive(read):
    assert read(SKY + b"\r\n\r\n" + TPV + b"\n" + TPV[:9]) == [SKY, TPV]


@settings(max_examples=60)
@given(st.lists(st.sampled_from([TPV, b"\n", b"\r\n", b"{", b"\0"]) | st.binary(max_size=30)))
def test_chunking_never_matters(pieces):
    stream = b"".join(pieces)
    assert read_whole(stream) == read_bytewise(stream)


@pytest.mark.parametrize("length", [LONGEST_REPORT + 1, 3 * LONGEST_REPORT])
def test_a_peer_that_ends_no_line_is_refused(length):
    with pytest.raises(ProtocolError, match="no end of line"):
        read_whole(b"x" * length)


@settings(max_examples=100)
@given(
    st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from(["class", "mode", "time", "lat", "lon", "uSat", "satellites", "device"]),
        st.sampled_from(["TPV", "SKY", "VERSION", 3, -1, 1e300, None, [], {}, "2026-13-01T"]),
    ).map(lambda said: json.dumps(said).encode())
)
def test_any_line_is_read_or_refused(line):
    try:
        FixAssembler().add(decode_report(line))
    except ProtocolError:
        return


def test_every_truncation_and_every_flipped_bit_is_read_or_refused():
    for end in range(len(TPV)):
        with pytest.raises(ProtocolError):
            decode_report(TPV[:end])
    for bit in range(len(TPV) * 8):
        flipped = bytearray(TPV)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            fixes = FixAssembler().add(decode_report(bytes(flipped)))
        except ProtocolError:
            continue
        for fix in fixes:
            assert fix.latitude_deg is None or abs(fix.latitude_deg) <= 90


def test_each_report_is_read_as_it_is():
    version, devices, error, sky = map(decode_report, OTHERS)
    assert version == Version(release="3.22", proto_major=3, proto_minor=14)
    assert devices is None
    assert error == GpsdError("Unrecognized request")
    assert (sky.used, Sky().used, Sky(uSat=5).used) == (1, None, 5)
    assert encode_watch() == b'?WATCH={"enable":true,"json":true}\n'
    assert encode_watch("/dev/ttyACM0").endswith(b'"device":"/dev/ttyACM0"}\n')


def test_a_position_is_given_with_the_satellites_told_of_last():
    fixes = FixAssembler()
    assert fixes.add(decode_report(SKY)) == []
    (fix,) = fixes.add(decode_report(TPV))
    assert (fix.source, fix.mode, fix.satellites, fix.hdop) == ("gpsd", 3, 8, 1.1)
    assert (fix.latitude_deg, fix.altitude_m, fix.speed_mps) == (-37.784793333, 60.2, 0.226)
    assert (fix.time_error_ns, fix.valid, fix.basis) == (5_000_000, True, "satellites")
    assert fixes.add(decode_report(TPV)) == []  # the same moment again


def test_a_time_1024_weeks_off_is_not_believed_whatever_the_gateways_own_clock_shows():
    fixes = FixAssembler()
    fixes.add(decode_report(SKY))
    (fix,) = fixes.add(decode_report(TPV))
    for own_us in (0, NOW_US - 200 * 86_400_000_000, NOW_US):
        for from_network in (False, True):
            window = plausible_window(own_us, from_network=from_network)
            assert doubt_about_time(fix, window) is not None
    right = fix._replace(fix_at_us=NOW_US)
    for own_us in (0, NOW_US - 200 * 86_400_000_000, NOW_US, NOW_US * 2):
        assert doubt_about_time(right, plausible_window(own_us, from_network=False)) is None
    assert doubt_about_time(right, plausible_window(NOW_US, from_network=True)) is None


def moment(second, mode, **more):
    where = {"lat": 43.6, "lon": 1.4} | ({"altMSL": 152.0} if mode == 3 else {})
    return Tpv(mode=mode, time=f"2026-11-23T02:30:{second:02d}.000Z", **where, **more)


def test_a_moment_told_in_parts_is_given_once_and_as_whole_as_can_be():
    fixes = FixAssembler()
    told = [moment(1, 2), moment(1, 3), moment(2, 2), moment(2, 3), moment(2, 3), moment(3, 2)]
    given = [fix for each in told for fix in fixes.add(each)]
    assert [(fix.fix_at_us // 1_000_000 % 60, fix.mode) for fix in given] == [(1, 2), (2, 3)]
    given = [fix for second in (4, 5) for fix in fixes.add(moment(second, 2))]
    assert [fix.fix_at_us // 1_000_000 % 60 for fix in given] == [3, 4, 5]  # it stays flat
    assert fixes.flush() == []


@pytest.mark.parametrize(
    ("status", "basis"),
    [(None, "satellites"), (2, "satellites"), (5, "dead_reckoning"), (8, "simulated")],
)
def test_what_a_position_rests_on_is_kept(status, basis):
    (fix,) = FixAssembler().add(moment(1, 3, status=status))
    assert fix.basis == basis


def test_no_peer_can_name_receivers_without_end():
    fixes = FixAssembler()
    for number in range(MOST_RECEIVERS):
        fixes.add(Sky(device=f"/dev/{number}"))
    with pytest.raises(ProtocolError, match="receivers"):
        fixes.add(Sky(device="/dev/one-more"))


@pytest.mark.parametrize("name", ["bu353s4", "gps-360", "neo-m8n", "nmea-fuzzy-cases"])
def test_reports_of_gpsds_own_tests_are_all_read(name):
    log = GPS / f"{name}.log.chk"
    if not log.exists():
        pytest.skip(f"{log.name}: shared data is not here")
    fixes, count = FixAssembler(), 0
    for line in log.read_bytes().splitlines():
        if line.startswith(b"{"):
            count += len(fixes.add(decode_report(line)))
    assert count > 0
