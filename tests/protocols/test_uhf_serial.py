"""Frames of serial UHF modules: captured ones byte for byte, damaged ones never as wrong tags."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.uhf_serial import m100, mercury, r2000, uhfreader18
from aerocast_protocols.uhf_serial.framing import FrameBuffer
from aerocast_protocols.uhf_serial.tags import ModuleTag, split_checked_bank, tag_crc
from hypothesis import given, settings
from hypothesis import strategies as st

FRAMES = (
    Path(__file__).parents[2].parent / "shared" / "data" / "devices" / "serial" / "frames.jsonl"
)

# Public facts beside those of the shared data: commands as ThingMagic's and other public tools send
# them, a streamed tag as the SparkFun library's comments show it, replies of a UHFReader18 we made.
MERCURY_REQUESTS = {
    "ff102f00000122000005072210001b03e801ffdd2b": mercury.start_reading(),
    "ff032f0000025e86": mercury.stop_reading(),
    "ff02930005517d": mercury.use_gen2(),
    "ff039102010142c5": mercury.use_antennas((1,)),
    "ff052200001301f42b19": mercury.read_into_buffer(500),
    "ff000c1d03": mercury.request(mercury.Opcode.PROGRAM),
}
STREAMED = bytes.fromhex(
    "ff28220000 10001b01ff01 01c4110e164000000127000005 0000 0f 0080"
    " 3000 000000000000000000001545 e94a 561d"
)
BUFFERED = mercury.encode_buffered(
    [
        ModuleTag(epc=bytes(range(12)), pc=0x3000, rssi_dbm=-50, antenna=2, seen_count=3),
        ModuleTag(epc=bytes(range(4)), pc=0x1000, rssi_dbm=-70, antenna=1),
    ]
)


class Family:
    """One family's functions under common names."""

    def __init__(self, buffer, decode, tags):
        self.buffer, self.decode, self.tags = buffer, decode, tags


def _m100_tags(frame):
    return [m100.decode_tag(frame)] if m100.is_tag(frame) else []


def _r2000_tags(frame):
    return [r2000.decode_tag(frame)] if r2000.is_tag(frame) else []


def _uhf18_tags(frame):
    return list(uhfreader18.decode_tags(frame)) if frame.command == 1 and frame.content else []


def _mercury_tags(frame):
    if frame.status:
        return []
    if frame.opcode == mercury.Opcode.TAG_BUFFER:
        return list(mercury.decode_buffered(frame))
    return [mercury.decode_streamed(frame)] if frame.opcode == 0x22 else []


FAMILIES = {
    "bb7e": Family(m100.frame_buffer, m100.decode_frame, _m100_tags),
    "a0": Family(r2000.frame_buffer, r2000.decode_frame, _r2000_tags),
    "uhf18": Family(uhfreader18.frame_buffer, uhfreader18.decode_frame, _uhf18_tags),
    "mercury": Family(mercury.frame_buffer, mercury.decode_answer, _mercury_tags),
    "mercury request": Family(mercury.request_buffer, mercury.decode_request, lambda _: []),
}
OUR_VECTORS = [
    ("mercury", STREAMED),
    ("mercury", BUFFERED),
    ("uhf18", uhfreader18.encode_tags([bytes(range(12)), bytes(8)])),
    ("uhf18", uhfreader18.encode_info(uhfreader18.Info("2.18", 9, "etsi", 26, 0.5))),
    ("bb7e", m100.encode_tag(bytes(range(12)), 0x34C1, -71)),
    ("a0", r2000.encode_inventory_end(r2000.InventoryEnd(4, 117, 70_000))),
]


def shared_vectors():
    if not FRAMES.exists():
        pytest.skip("shared/data/devices/serial is absent")
    return [json.loads(line) for line in FRAMES.read_text().splitlines()]


def all_vectors():
    known = [
        (
            "mercury request" if each["proto"] == "mercury" and each["kind"][:3] == "cmd" else "",
            each,
        )
        for each in shared_vectors()
    ]
    return [
        (family or each["proto"], bytes.fromhex(each["hex"])) for family, each in known
    ] + OUR_VECTORS


def frames_of(family, pieces):
    """Give the frames that a line brings until it is silent."""
    buffer = FAMILIES[family].buffer()
    frames = []
    for piece in pieces:
        buffer.feed(piece)
        frames += buffer.frames()
    while buffer.waiting:
        buffer.give_up()
        frames += buffer.frames()
    return frames


def heard(family, stream, pieces=None):
    """Give the tags that a line brings, without those whose own CRC is wrong."""
    frames = frames_of(family, pieces or [stream])
    tags = [tag for frame in frames for tag in tags_of(family, frame)]
    return [tag for tag in tags if tag.crc_ok is not False]


def tags_of(family, frame):
    try:
        return FAMILIES[family].tags(FAMILIES[family].decode(frame))
    except ProtocolError:
        return []


def test_captured_frames_are_read_and_written_byte_for_byte():
    for vector in shared_vectors():
        raw = bytes.fromhex(vector["hex"])
        match vector["proto"]:
            case "bb7e":
                frame = m100.decode_frame(raw)
                assert m100.encode_frame(frame) == raw
            case "a0":
                frame = r2000.decode_frame(raw)
                assert r2000.encode_frame(frame) == raw
            case "uhf18":
                frame = uhfreader18.decode_frame(raw)
                assert uhfreader18.encode_frame(frame) == raw
            case "mercury" if vector["kind"].startswith("cmd"):
                request = mercury.decode_request(raw)
                assert mercury.request(*request) == raw
            case "mercury":
                assert mercury.encode_answer(mercury.decode_answer(raw)) == raw


def test_captured_tags_are_what_the_capture_says():
    counted = 0
    for vector in shared_vectors():
        if vector["kind"] != "tag":
            continue
        (tag,) = heard(vector["proto"], bytes.fromhex(vector["hex"]))
        counted += 1
        assert (tag.epc.hex(), f"{tag.pc:04x}") == (vector["epc"], vector["pc"])
        if vector["proto"] == "bb7e":
            assert (tag.rssi_dbm, tag.crc_ok) == (vector["rssi_dbm"], True)
            bank = tag.pc.to_bytes(2, "big") + tag.epc
            assert f"{tag_crc(bank):04x}" == vector["crc"]
        else:
            raw_rssi, place = int(vector["rssi_raw"], 16), int(vector["freqant"], 16)
            assert tag.rssi_dbm == raw_rssi - 129
            assert (tag.antenna, tag.channel) == ((place & 3) + 1, place >> 2)
            assert r2000.encode_tag(tag).hex() == vector["hex"]
    assert counted == 4


def test_commands_are_those_of_the_captures():
    sent = {each["kind"]: each["hex"] for each in shared_vectors()}
    assert m100.command(m100.Command.SINGLE_POLL).hex() == sent["cmd single poll"]
    assert m100.multi_poll().hex() == sent["cmd multi poll 65535"]
    assert m100.command(m100.Command.STOP).hex() == sent["cmd stop multi"]
    assert m100.command(m100.Command.VERSION, b"\0").hex() == sent["cmd get hw version"]
    assert r2000.command(r2000.Command.SET_ANTENNA, b"\0").hex() == sent["cmd set work antenna 0"]
    assert (
        r2000.command(r2000.Command.INVENTORY, b"\1").hex()
        == sent["cmd real time inventory repeat=1"]
    )
    assert uhfreader18.command(uhfreader18.Command.INFO).hex() == sent["cmd reader info"]
    assert uhfreader18.command(uhfreader18.Command.INVENTORY).hex() == sent["cmd inventory"]
    assert mercury.request(mercury.Opcode.BOOT).hex() == sent["cmd boot"]
    assert mercury.request(mercury.Opcode.VERSION).hex() == sent["cmd version"]
    assert (
        mercury.request(mercury.Opcode.READ_SINGLE, b"\x03\xe8").hex()
        == sent["cmd read single 1000ms"]
    )


def test_answers_say_what_the_captures_mean():
    by_kind = {each["kind"]: bytes.fromhex(each["hex"]) for each in shared_vectors()}
    assert m100.error_of(m100.decode_frame(by_kind["error 0x15 no tag"])) == m100.NO_TAG
    assert r2000.error_of(r2000.decode_frame(by_kind["resp success 0x10"])) == r2000.SUCCESS
    assert mercury.decode_answer(by_kind["resp no tag (0400)"]).status == mercury.NO_TAG
    booted = mercury.decode_version(mercury.decode_answer(by_kind["resp boot"]))
    assert (booted.bootloader, booted.hardware) == ("07.10.23.00", "01.00.00.03")
    assert (booted.firmware, booted.firmware_date) == ("01.07.02.09", "2014-10-07")


@pytest.mark.parametrize("sent", MERCURY_REQUESTS)
def test_thingmagic_modules_are_asked_as_the_makers_own_tools_ask(sent):
    assert MERCURY_REQUESTS[sent].hex() == sent


def test_a_streamed_tag_is_read_whole():
    tag = mercury.decode_streamed(mercury.decode_answer(STREAMED))
    assert tag == ModuleTag(
        epc=bytes.fromhex("000000000000000000001545"),
        pc=0x3000,
        rssi_dbm=-60,
        antenna=1,
        frequency_khz=923_200,
        phase_deg=0,
        crc_ok=True,
    )


def test_whole_bytewise_and_trailing_input_give_the_same_tags():
    for family, raw in all_vectors():
        whole = heard(family, raw)
        assert heard(family, raw, [bytes([byte]) for byte in raw]) == whole
        assert heard(family, raw + raw[:5])[: len(whole)] == whole
        assert heard(family, b"\x00\x7e" + raw + b"\x00") == whole


def test_no_truncation_and_no_flipped_bit_makes_a_wrong_tag():
    """The frame behind the damaged one is never lost either, once the line falls silent."""
    for family, raw in all_vectors():
        right = heard(family, raw)
        damaged = [raw[:cut] for cut in range(len(raw))]
        for bit in range(8 * len(raw)):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            damaged.append(bytes(flipped))
        for each in damaged:
            assert heard(family, each) == []
            assert frames_of(family, [each + raw])[-1:] == [raw]
            assert heard(family, each + raw) == right


def test_a_tag_whose_own_crc_is_wrong_says_so():
    frame = m100.decode_frame(m100.encode_tag(bytes(12), 0x3000, -60))
    broken = frame._replace(payload=frame.payload[:5] + b"\1" + frame.payload[6:])
    assert m100.decode_tag(m100.decode_frame(m100.encode_frame(broken))).crc_ok is False
    assert split_checked_bank(bytes.fromhex("3400 30751feb705c5904e3d50d70 3a76"))[2]


@pytest.mark.parametrize("family", FAMILIES)
@given(noise=st.lists(st.binary(max_size=80), max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_tags_or_passed_over(family, noise):
    whole = heard(family, b"".join(noise))
    assert heard(family, b"", noise or [b""]) == whole
    buffer = FAMILIES[family].buffer()
    for piece in noise:
        buffer.feed(piece)
    taken = sum(map(len, buffer.frames()))
    assert taken + buffer.passed_over + buffer.waiting == sum(map(len, noise))


@pytest.mark.parametrize("family", FAMILIES)
@given(frame=st.binary(max_size=80))
@settings(max_examples=60, deadline=None)
def test_any_frame_is_read_or_refused(family, frame):
    try:
        decoded = FAMILIES[family].decode(frame)
    except ProtocolError:
        return
    assert tags_of(family, frame) is not None
    assert decoded


@given(content=st.binary(max_size=70))
@settings(max_examples=100, deadline=None)
def test_any_content_behind_a_right_checksum_is_a_tag_or_refused(content):
    frames = [
        ("bb7e", m100.encode_frame(m100.Frame(2, 0x22, content))),
        ("a0", r2000.encode_frame(r2000.Frame(1, 0x89, content))),
        ("uhf18", uhfreader18.encode_frame(uhfreader18.Frame(0, 1, b"\1" + content))),
        ("mercury", mercury.encode_answer(mercury.Answer(0x22, 0, content))),
        ("mercury", mercury.encode_answer(mercury.Answer(0x29, 0, b"\1\xff\0\2" + content))),
    ]
    for family, frame in frames:
        for tag in tags_of(family, frame):
            assert len(tag.epc) <= 62
    for decode, answer in (
        (uhfreader18.decode_info, uhfreader18.Frame(0, 0x21, content)),
        (mercury.decode_version, mercury.Answer(3, 0, content)),
        (m100.decode_power, content),
        (m100.decode_query, content),
        (r2000.decode_powers, content),
        (r2000.decode_region, content),
    ):
        try:
            decode(answer)
        except ProtocolError:
            continue


@given(
    epc=st.binary(max_size=62).filter(lambda each: len(each) % 2 == 0),
    rssi_dbm=st.integers(-100, -20),
    antenna=st.integers(1, 8),
    low_bits=st.integers(0, 0x7FF),
)
@settings(max_examples=60, deadline=None)
def test_tags_come_back_as_they_were_written(epc, rssi_dbm, antenna, low_bits):
    pc = len(epc) // 2 << 11 | low_bits
    tag = ModuleTag(epc=epc, pc=pc, rssi_dbm=rssi_dbm, antenna=antenna)
    (single,) = heard("bb7e", m100.encode_tag(epc, pc, rssi_dbm))
    assert (single.epc, single.pc, single.rssi_dbm, single.crc_ok) == (epc, pc, rssi_dbm, True)
    (four,) = heard("a0", r2000.encode_tag(tag))
    assert (four.epc, four.pc, four.rssi_dbm, four.antenna) == (epc, pc, rssi_dbm, antenna)
    (streamed,) = heard("mercury", mercury.encode_streamed(tag))
    assert (streamed.epc, streamed.rssi_dbm, streamed.antenna) == (epc, rssi_dbm, antenna)
    if epc:
        (bare,) = heard("uhf18", uhfreader18.encode_tags([epc]))
        assert (bare.epc, bare.pc, bare.rssi_dbm) == (epc, None, None)


def test_frames_in_a_row_come_out_in_order():
    sent = [m100.encode_tag(number.to_bytes(12, "big"), 0x3000, -60) for number in range(200)]
    noise = b"\xbb\x7e\x00\xbb\x02"
    buffer = FrameBuffer(m100.measure)
    buffer.feed(noise.join(sent))
    assert list(buffer.frames()) == sent[: len(sent)]
    assert buffer.passed_over == len(noise) * (len(sent) - 1)
    assert all(one != other for one, other in pairwise(sent))


def test_regions_and_channels_are_told_in_common_words():
    etsi = (865_700, 866_300, 866_900, 867_500)
    assert r2000.decode_region(r2000.encode_region("etsi")) == r2000.Region("etsi", etsi)
    fcc = r2000.decode_region(r2000.encode_region("fcc"))
    assert (fcc.name, min(fcc.channels_khz), max(fcc.channels_khz)) == ("fcc", 902_500, 927_500)
    assert r2000.decode_region(b"\x02\x00\x06").channels_khz[-1] == 868_000
    assert uhfreader18.encode_region("fcc") == bytes([49, 0x80])
    assert uhfreader18.encode_channels((866_300,)) == bytes([0x46, 0x06])
    for name in ("china", "fcc", "korea", "etsi"):
        info = uhfreader18.Info("1.0", 9, name, 20, 0.3, lowest=2, highest=5)
        frame = uhfreader18.decode_frame(uhfreader18.encode_info(info))
        assert uhfreader18.decode_info(frame) == info
        assert uhfreader18.encode_channels(info.channels_khz) == frame.content[5:7]
    for call in (r2000.encode_region, uhfreader18.encode_region):
        with pytest.raises(ProtocolError, match="know no region 'moon'"):
            call("moon")
    for call in (r2000.encode_channels, uhfreader18.encode_channels):
        with pytest.raises(ProtocolError, match="channels, not"):
            call((865_700, 866_300, 867_500))
        with pytest.raises(ProtocolError, match="channels, not"):
            call(())
    assert m100.encode_channel("etsi", 865_900) == b"\x04"  # BB 00 AB 00 01 04 B0 7E
    assert m100.command(m100.Command.SET_CHANNEL, b"\4").hex() == "bb00ab000104b07e"
    with pytest.raises(ProtocolError, match="no channel 915000 kHz"):
        m100.encode_channel("etsi", 915_000)
    table = mercury.decode_request(mercury.use_channels(etsi)).content
    assert mercury.decode_channels(table) == etsi


def test_powers_and_queries_come_back():
    assert m100.decode_power(m100.encode_power(26.5)) == 26.5
    query = m100.Query(2, 7, m100.decode_query(b"\x10\x20").content)
    assert m100.decode_query(m100.encode_query(query))[:2] == (2, 7)
