"""LLRP bytes in, messages, tag reports and events out; and back."""

import base64
import contextlib
import json
import struct
from pathlib import Path

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.llrp import events
from aerocast_protocols.llrp.antenna_order import AntennaOrder, TagFilter
from aerocast_protocols.llrp.capabilities import decode_capabilities, encode_capabilities
from aerocast_protocols.llrp.framing import (
    LONGEST_MESSAGE,
    Message,
    MessageBuffer,
    MessageType,
    encode_message,
    keepalive_ack,
)
from aerocast_protocols.llrp.parameters import encode_custom, encode_tlv, split_parameters
from aerocast_protocols.llrp.reader_config import (
    EventType,
    ReaderConfig,
    decode_reader_config,
    encode_reader_config,
)
from aerocast_protocols.llrp.reader_settings import (
    ReaderSettings,
    decode_reader_settings,
    encode_reader_settings,
)
from aerocast_protocols.llrp.rospec import (
    ACTIVE,
    Rospec,
    decode_active_rospec,
    decode_rospec,
    decode_rospec_id,
    decode_rospec_states,
    encode_rospec,
    encode_rospec_id,
    with_state,
)
from aerocast_protocols.llrp.status import Status, decode_status, encode_status
from aerocast_protocols.llrp.tag_report import (
    IMPINJ,
    TagReport,
    TagReportDecoder,
    decode_tag_reports,
    encode_tag_reports,
)
from hypothesis import given, settings
from hypothesis import strategies as st

CAPTURES = Path(__file__).parents[2].parent / "shared" / "data" / "devices" / "llrp"
needs_captures = pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"{CAPTURES} is not there")
EPC = bytes.fromhex("30395dfa810bcf40075bcd15")
REPORT = struct.pack("!HH", 240, 4 + 13 + 3 + 2) + b"\x8d" + EPC + b"\x81\x00\x03" + b"\x86\xc4"
QUICK = settings(max_examples=150, deadline=None)


def capture(name):
    body = (CAPTURES / f"{name}.bytes").read_bytes()
    return body, json.loads((CAPTURES / f"{name}.json").read_text())


def read_whole(stream: bytes) -> list[Message]:
    buffer = MessageBuffer()
    buffer.feed(stream)
    return list(buffer.messages())


def read_bytewise(stream: bytes) -> list[Message]:
    buffer = MessageBuffer()
    found = []
    for byte in stream:
        buffer.feed(bytes([byte]))
        found += buffer.messages()
    return found


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
def test_messages_come_out_whole_however_the_bytes_arrive(read):
    stream = encode_message(61, 7, REPORT) + encode_message(62, 8) + b"\x04\x3d"
    assert read(stream) == [Message(61, 7, REPORT), Message(62, 8, b"")]


@pytest.mark.parametrize("length", [0, 9, LONGEST_MESSAGE + 1])
def test_impossible_length_is_refused(length):
    with pytest.raises(ProtocolError, match=str(length)):
        read_whole(struct.pack("!HII", 1 << 10 | 61, length, 7))


def test_a_peer_that_speaks_no_llrp_is_refused_at_once():
    with pytest.raises(ProtocolError, match="version"):
        read_whole(struct.pack("!HII", 61, 10, 7))


def test_keepalive_ack_matches_the_standard():
    assert keepalive_ack(7) == bytes.fromhex("0448 0000000a 00000007")


@pytest.mark.parametrize(
    ("kind", "message_id", "body"),
    [(1024, 1, b""), (1, 1 << 32, b""), (1, -1, b""), (1, 1, bytes(LONGEST_MESSAGE))],
)
def test_what_does_not_fit_a_message_is_not_sent(kind, message_id, body):
    with pytest.raises(ValueError, match="LLRP message"):
        encode_message(kind, message_id, body)


@QUICK
@given(st.binary(max_size=400))
def test_chunking_never_matters(stream):
    def outcome(read):
        try:
            return read(stream)
        except ProtocolError:
            return "refused"

    assert outcome(read_whole) == outcome(read_bytewise)


def test_tag_report_of_another_make():
    assert decode_tag_reports(REPORT) == [TagReport(epc=EPC, antenna=3, rssi_dbm=-60.0)]


def test_unknown_parameters_and_other_vendors_are_passed_over():
    strange = encode_tlv(900, b"x") + encode_custom(161, 56, b"\xff\xff")
    body = encode_tlv(240, b"\x8d" + EPC, strange) + encode_tlv(901, b"")
    assert decode_tag_reports(body) == [TagReport(epc=EPC)]


def test_impinj_extras_are_read_in_their_units():
    extras = (
        encode_custom(IMPINJ, 56, (1024).to_bytes(2, "big"))
        + encode_custom(IMPINJ, 57, (-6150).to_bytes(2, "big", signed=True))
        + encode_custom(IMPINJ, 68, (-24).to_bytes(2, "big", signed=True))
    )
    (report,) = decode_tag_reports(encode_tlv(240, b"\x8d" + EPC, b"\x86\xc3", extras))
    assert (report.phase_deg, report.rssi_dbm, report.doppler_hz) == (90.0, -61.5, -1.5)


def test_a_parameter_newer_than_the_standard_costs_what_follows_it_and_no_more():
    body = encode_tlv(240, b"\x8d" + EPC, b"\x81\x00\x03", b"\xfe\x01\x02", b"\x86\xc4")
    assert decode_tag_reports(body) == [TagReport(epc=EPC, antenna=3)]
    with pytest.raises(ProtocolError, match="TV parameter 126 is unknown"):
        decode_tag_reports(encode_tlv(240, b"\xfe\x01\x02", b"\x8d" + EPC))


def test_a_reader_without_extras_rounds_its_rssi():
    report = TagReport(epc=EPC, rssi_dbm=-61.25, phase_deg=45.0)
    body = encode_tag_reports([report], impinj_extras=False)
    assert decode_tag_reports(body) == [TagReport(epc=EPC, rssi_dbm=-61.0)]


@pytest.mark.parametrize("length", [0, 1, 8, 14, 62])
def test_epcs_of_every_length_come_through(length):
    epc = bytes(range(length))
    (report,) = decode_tag_reports(encode_tag_reports([TagReport(epc=epc, pc=length // 2 << 11)]))
    assert report.epc == epc


@pytest.mark.parametrize(
    "content", [b"", b"\x00", struct.pack("!H", 504) + bytes(63), struct.pack("!H", 96) + bytes(11)]
)
def test_an_impossible_epc_is_refused(content):
    with pytest.raises(ProtocolError, match="EPC"):
        decode_tag_reports(encode_tlv(240, encode_tlv(241, content)))


REPORTS = st.builds(
    TagReport,
    epc=st.binary(max_size=62),
    antenna=st.integers(0, 65535),
    rssi_dbm=st.none() | st.integers(-12800, 12700).map(lambda each: each / 100),
    first_seen_us=st.none() | st.integers(0, 2**64 - 1),
    last_seen_us=st.none() | st.integers(0, 2**64 - 1),
    seen_count=st.none() | st.integers(0, 65535),
    channel=st.none() | st.integers(0, 65535),
    phase_deg=st.none() | st.integers(0, 4095).map(lambda each: each * 360 / 4096),
    doppler_hz=st.none() | st.integers(-32768, 32767).map(lambda each: each / 16),
    pc=st.none() | st.integers(0, 65535),
    rospec_id=st.none() | st.integers(0, 2**32 - 1),
)


@QUICK
@given(st.lists(REPORTS, max_size=4), st.binary(max_size=3))
def test_tag_reports_survive_the_wire_bytewise_and_with_a_cut_message_behind(reports, trailing):
    stream = encode_message(61, 1, encode_tag_reports(reports))
    (message,) = read_bytewise(stream + trailing)
    assert decode_tag_reports(message.body) == reports


@QUICK
@given(st.lists(REPORTS, min_size=1, max_size=6), st.data())
def test_what_a_decoder_remembers_changes_nothing(reports, data):
    bodies = [
        encode_tag_reports([each], impinj_extras=data.draw(st.booleans())) for each in reports
    ]
    damaged = bytearray(b"".join(bodies))
    for _ in range(data.draw(st.integers(0, 2))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    remembering = TagReportDecoder()
    for body in [*bodies, *reversed(bodies), bytes(damaged), *bodies]:
        try:
            expected = decode_tag_reports(body)
        except ProtocolError:
            with pytest.raises(ProtocolError):
                remembering.decode(body)
        else:
            assert remembering.decode(body) == expected


def test_a_decoder_takes_no_value_from_where_another_layout_had_it():
    fine = encode_custom(IMPINJ, 57, (-6150).to_bytes(2, "big", signed=True))
    other = encode_custom(161, 57, (-6150).to_bytes(2, "big", signed=True))
    first, second = (encode_tlv(240, b"\x8d" + EPC, each, b"\x86\xc3") for each in (fine, other))
    decoder = TagReportDecoder()
    assert [each.rssi_dbm for each in decoder.decode(first + second + first)] == [-61.5, -61, -61.5]


def test_a_decoder_remembers_only_so_much():
    decoder = TagReportDecoder()
    for length in range(300):
        decoder.decode(encode_tlv(240, b"\x8d" + EPC, encode_tlv(900, bytes(5 * length))))
        assert len(decoder._layouts) <= 64


EVENTS = st.one_of(
    st.builds(events.GpiEvent, st.integers(0, 65535), st.integers(0, 1)),
    st.builds(events.RospecEvent, st.integers(0, 255), st.integers(0, 2**32 - 1)),
    st.builds(events.BufferLevelEvent, st.integers(0, 255)),
    st.just(events.BufferOverflowEvent()),
    st.builds(events.ExceptionEvent, st.text(max_size=30)),
    st.builds(events.AntennaEvent, st.integers(0, 65535), st.booleans()),
    st.builds(events.ConnectionAttemptEvent, st.integers(0, 65535)),
    st.just(events.ConnectionCloseEvent()),
)


@QUICK
@given(st.lists(EVENTS, max_size=5), st.integers(0, 2**64 - 1))
def test_reader_events_survive_the_wire(happened, utc_us):
    body = events.encode_notification(happened, utc_us=utc_us)
    assert events.decode_notification(body) == events.Notification(
        utc_us=utc_us, events=tuple(happened)
    )


def test_antenna_and_gpi_events_are_read_as_readers_send_them():
    body = bytes.fromhex("00f6001f 0080000c 0005ac35bd20d1da 00ff0007 01 0002 00f80007 0001 80")
    body = body[:2] + len(body).to_bytes(2, "big") + body[4:]
    assert events.decode_notification(body).events == (
        events.AntennaEvent(2, connected=True),
        events.GpiEvent(1, 1),
    )


@QUICK
@given(st.integers(0, 65535), st.text(max_size=40))
def test_status_survives_the_wire(code, description):
    assert decode_status(encode_status(Status(code, description))) == Status(code, description)


ORDERS = st.builds(
    AntennaOrder,
    antenna=st.integers(0, 8),
    sensitivity_index=st.none() | st.integers(0, 99),
    power_index=st.none() | st.integers(0, 99),
    mode_id=st.none() | st.integers(0, 9999),
    hop_table_id=st.just(0),
    session=st.just(2),
    search_mode=st.none() | st.integers(0, 3),
    channels=st.none() | st.lists(st.integers(1, 50), max_size=4).map(tuple),
    filters=st.lists(
        st.builds(TagFilter, st.integers(0, 99), st.binary(min_size=1, max_size=4)), max_size=2
    ).map(tuple),
)


@QUICK
@given(
    st.builds(
        ReaderConfig,
        keepalive_ms=st.none() | st.integers(0, 2**32 - 1),
        hold_reports=st.none() | st.booleans(),
        events=st.lists(st.tuples(st.integers(0, 65535), st.booleans()), max_size=4).map(tuple),
        gpis=st.lists(st.integers(0, 65535), max_size=4).map(tuple),
        orders=st.lists(ORDERS, max_size=2).map(tuple),
        reset=st.booleans(),
    )
)
def test_reader_configuration_survives_the_wire(config):
    assert decode_reader_config(encode_reader_config(config)) == config


def test_reader_configuration_matches_the_standard_byte_for_byte():
    config = ReaderConfig(
        keepalive_ms=10_000, hold_reports=True, events=((EventType.ANTENNA, True),)
    )
    assert encode_reader_config(config) == bytes.fromhex(
        "00"  # keep the rest
        "00f4000b 00f50007 0008 80"  # tell of antennas
        "00dc0009 01 00002710"  # keepalive every 10 s
        "00e20005 80"  # hold events and reports upon reconnect
    )


def test_rospec_matches_the_standard_byte_for_byte():
    order = AntennaOrder(power_index=81, hop_table_id=1, channel_index=0, session=1)
    rospec = Rospec(rospec_id=7, antennas=(1, 2), orders=(order,))
    assert encode_rospec(rospec) == bytes.fromhex(
        "00b10068 00000007 00 00"
        "00b20012 00b30005 01 00b60009 00 00000000"  # immediate start, no stop
        "00b7003a 0002 0001 0002"
        "00b80009 00 00000000"
        "00ba0027 0001 01"  # Gen2
        "00de0020 0000 00e0000a 0001 0000 0051"
        "014a0010 00 0150000b 40 0020 00000000"
        "00ed0012 01 0001 00ee000b 9f80 015c0005 40"
    )


@QUICK
@given(
    st.builds(
        Rospec,
        rospec_id=st.integers(1, 2**32 - 1),
        start=st.integers(0, 1),
        antennas=st.lists(st.integers(0, 65535), min_size=1, max_size=8).map(tuple),
        orders=st.lists(ORDERS, max_size=3).map(tuple),
        report_every=st.integers(0, 65535),
        impinj_extras=st.booleans(),
    )
)
def test_a_reader_understands_the_order_it_is_given(rospec):
    encoded = encode_rospec(rospec)
    assert decode_rospec(encoded) == rospec
    assert decode_rospec_id(encode_rospec_id(rospec.rospec_id)) == rospec.rospec_id
    assert decode_rospec_states(encoded) == {rospec.rospec_id: 0}
    assert decode_active_rospec(encoded) is None
    assert decode_active_rospec(with_state(encoded, ACTIVE)) == rospec


@QUICK
@given(
    st.builds(
        ReaderSettings,
        status=st.just(Status(0)),
        reader_id=st.binary(max_size=12),
        antennas=st.dictionaries(st.integers(1, 65535), st.booleans(), max_size=4),
        orders=st.lists(ORDERS, max_size=2).map(tuple),
        gpis=st.dictionaries(st.integers(1, 65535), st.integers(0, 2), max_size=4),
        keepalive_ms=st.none() | st.integers(0, 2**32 - 1),
        hold_reports=st.none() | st.booleans(),
        temperature_c=st.none() | st.integers(-40, 90),
    )
)
def test_what_a_reader_says_of_its_settings_survives_the_wire(settings_told):
    assert decode_reader_settings(encode_reader_settings(settings_told)) == settings_told


def test_channels_are_written_as_impinj_readers_take_them():
    listed = encode_rospec(Rospec(rospec_id=7, orders=(AntennaOrder(channels=(1, 4)),)))
    chosen = encode_rospec(Rospec(rospec_id=7, orders=(AntennaOrder(channels=()),)))
    assert bytes.fromhex("03ff0016 0000651a 0000001a 0002 0000 0002 0001 0004") in listed
    assert bytes.fromhex("03ff0012 0000651a 0000001a 0001 0000 0000") in chosen


DECODERS = [
    decode_tag_reports,
    events.decode_notification,
    decode_status,
    decode_capabilities,
    decode_reader_config,
    decode_reader_settings,
    decode_rospec,
    decode_active_rospec,
    decode_rospec_id,
]
OUTER = [240, 246, 287, 137, 142, 143, 177, 222, 244, 327]


@pytest.mark.parametrize("decode", DECODERS)
@QUICK
@given(noise=st.binary(max_size=120), outer=st.sampled_from(OUTER))
def test_any_bytes_decode_or_raise_protocol_error(decode, noise, outer):
    for body in (noise, encode_tlv(outer, noise), encode_status(Status(0)) + noise):
        with contextlib.suppress(ProtocolError):
            decode(body)


@QUICK
@given(st.lists(st.tuples(st.integers(128, 1023), st.binary(max_size=40))))
def test_split_parameters_undoes_encoding(parameters):
    encoded = b"".join(encode_tlv(kind, content) for kind, content in parameters)
    assert list(split_parameters(encoded)) == parameters


@needs_captures
@pytest.mark.parametrize("number", range(1, 7))
def test_captured_impinj_reports_say_what_their_truth_says(number):
    body, truth = capture(f"ROAccessReport-{number:03d}")
    (expected,) = truth["TagReportData"]
    assert decode_tag_reports(body) == [
        TagReport(
            epc=base64.b64decode(expected["EPC96"]["EPC"]),
            antenna=expected["AntennaID"],
            rssi_dbm=expected["PeakRSSI"],
            first_seen_us=expected["FirstSeenUTC"],
        )
    ]
    assert encode_tag_reports(decode_tag_reports(body), impinj_extras=False) == body


@needs_captures
def test_captured_event_says_what_its_truth_says():
    body, truth = capture("ReaderEventNotification-000")
    assert events.decode_notification(body) == events.Notification(
        utc_us=truth["ReaderEventNotificationData"]["UTCTimestamp"],
        events=(events.ConnectionCloseEvent(),),
    )
    told = events.decode_notification(body)
    assert events.encode_notification(told.events, utc_us=told.utc_us or 0) == body


@needs_captures
@pytest.mark.parametrize("name", ["CloseConnectionResponse-000", "GetROSpecsResponse-000"])
def test_captured_answers_are_a_success(name):
    body, truth = capture(name)
    assert decode_status(body) == Status(truth["LLRPStatus"]["Status"])
    assert decode_rospec_states(body) == {}
    assert encode_status(decode_status(body)) == body


@needs_captures
def test_captured_capabilities_say_what_their_truth_says():
    body, truth = capture("GetReaderCapabilitiesResponse-000")
    found = decode_capabilities(body)
    general, regulatory = truth["GeneralDeviceCapabilities"], truth["RegulatoryCapabilities"]
    band = regulatory["UHFBandCapabilities"]
    assert found.status.succeeded
    assert found.general is not None
    assert found.general.max_antennas == general["MaxSupportedAntennas"]
    assert found.general.manufacturer == general["DeviceManufacturer"] == IMPINJ
    assert found.general.model == general["Model"]
    assert found.general.firmware == general["FirmwareVersion"]
    assert found.general.has_utc_clock is general["HasUTCClock"]
    assert found.general.can_set_antenna_properties is general["CanSetAntennaProperties"]
    assert found.general.gpis == general["GPIOCapabilities"]["NumGPIs"]
    assert found.limits is not None
    assert found.limits.holds_reports is truth["LLRPCapabilities"]["SupportsEventsAndReportHolding"]
    assert found.limits.max_rospecs == truth["LLRPCapabilities"]["MaxROSpecs"]
    assert found.regulatory is not None
    assert found.regulatory.country_code == regulatory["CountryCode"]
    assert list(found.regulatory.power_levels) == [
        (level["Index"], level["TransmitPowerValue"]) for level in band["TransmitPowerLevels"]
    ]
    (hops,) = band["FrequencyInformation"]["FrequencyHopTables"]
    assert found.regulatory.hopping is True
    (table,) = found.regulatory.hop_tables
    assert (table.hop_table_id, list(table.frequencies_khz)) == (
        hops["HopTableID"],
        hops["Frequencies"],
    )
    modes = band["C1G2RFModes"]["UHFC1G2RFModeTableEntries"]
    assert [(m.mode_id, m.modulation, m.backscatter_bps) for m in found.regulatory.rf_modes] == [
        (m["ModeID"], m["Modulation"], m["BackscatterDataRate"]) for m in modes
    ]
    assert [list(each.values()) for each in general["ReceiveSensitivities"]] == [
        list(each) for each in found.general.sensitivities
    ]
    assert found.gen2 is not None
    assert found.gen2.max_filters == truth["C1G2LLRPCapabilities"]["MaxSelectFiltersPerQuery"]
    assert encode_capabilities(found) == body


VECTORS = [
    *((f"ROAccessReport-{number:03d}", decode_tag_reports) for number in range(1, 7)),
    ("ReaderEventNotification-000", events.decode_notification),
    ("GetReaderCapabilitiesResponse-000", decode_capabilities),
    ("GetROSpecsResponse-000", decode_rospec_states),
    ("CloseConnectionResponse-000", decode_status),
]


def damaged(body: bytes):
    """Give every truncation and every bit flip."""
    for at in range(len(body)):
        yield body[:at]
        for bit in range(8):
            yield body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :]


@needs_captures
@pytest.mark.parametrize(("name", "decode"), VECTORS)
def test_every_cut_and_flipped_bit_of_a_capture_decodes_or_is_refused(name, decode):
    body, _truth = capture(name)
    remembering = TagReportDecoder()
    for each in damaged(body):
        with contextlib.suppress(ProtocolError):
            decode(each)
        with contextlib.suppress(ProtocolError):
            remembering.decode(each)


@needs_captures
@pytest.mark.parametrize("number", range(1, 7))
def test_every_cut_and_flipped_bit_of_a_message_on_the_wire_comes_out_or_is_refused(number):
    body, _truth = capture(f"ROAccessReport-{number:03d}")
    for each in damaged(encode_message(61, number, body)):
        with contextlib.suppress(ProtocolError):
            for message in read_whole(each):
                decode_tag_reports(message.body)


def test_message_types_are_the_standards():
    assert (MessageType.RO_ACCESS_REPORT, MessageType.ENABLE_EVENTS_AND_REPORTS) == (61, 64)
