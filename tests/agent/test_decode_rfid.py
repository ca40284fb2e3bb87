"""``aerocast-agent decode llrp | epc | passages``: lines that scripts rely on."""

import json
from pathlib import Path

import pytest
from aerocast_agent.cli.decode import run
from aerocast_protocols.epc.bag_tag import BagTag, encode_bag_tag
from aerocast_protocols.llrp import events
from aerocast_protocols.llrp.framing import Message, MessageType, encode_message
from aerocast_protocols.llrp.status import Status, encode_status
from aerocast_protocols.llrp.tag_report import TagReport, encode_tag_reports
from aerocast_simulator.llrp_answers import ReaderState, answer

CAPTURES = Path(__file__).parents[2].parent / "shared" / "data" / "devices" / "llrp"
BAG = encode_bag_tag(BagTag("0074123456", 204)).hex()
BELTS = """
[gateway]
site = "lfbo"
name = "hall-1"
[[device]]
name = "portal-4"
kind = "llrp"
host = "192.0.2.40"
[[belt]]
name = "belt-4"
point = "sortation"
antennas = ["portal-4:1"]
photo_eye = "portal-4:gpi1"
"""


@pytest.fixture
def decode(tmp_path, capsys):
    def decoded(kind, content, *options):
        capture = tmp_path / "capture"
        capture.write_bytes(content if isinstance(content, bytes) else content.encode())
        status = run([kind, str(capture), "--json", *options])
        told = capsys.readouterr()
        return status, [json.loads(line) for line in told.out.splitlines()], told.err

    return decoded


def test_a_tag_report_has_the_fields_scripts_read(decode):
    report = TagReport(epc=bytes(12), antenna=2, rssi_dbm=-61.5, last_seen_us=7, seen_count=3)
    status, lines, _ = decode("llrp", encode_message(61, 1, encode_tag_reports([report, report])))
    assert status == 0
    assert lines == 2 * [
        {
            "epc": "00" * 12,
            "antenna": 2,
            "rssi_dbm": -61.5,
            "first_seen_us": None,
            "last_seen_us": 7,
            "seen_count": 3,
            "channel": None,
            "phase_deg": None,
            "doppler_hz": None,
        }
    ]


def test_other_messages_are_named_with_their_fields(decode):
    told = events.encode_notification([events.AntennaEvent(3, connected=False)], utc_us=5)
    stream = (
        encode_message(MessageType.READER_EVENT_NOTIFICATION, 1, told)
        + encode_message(MessageType.KEEPALIVE, 2)
        + encode_message(MessageType.ERROR_MESSAGE, 3, encode_status(Status(109, "no")))
        + encode_message(MessageType.ENABLE_ROSPEC, 4, b"\0\0\0\7")
        + encode_message(777, 5)
    )
    status, lines, _ = decode("llrp", stream)
    assert status == 0
    assert lines == [
        {
            "message": "READER_EVENT_NOTIFICATION",
            "message_id": 1,
            "utc_us": 5,
            "uptime_us": None,
            "events": [{"event": "antenna", "antenna": 3, "connected": False}],
        },
        {"message": "KEEPALIVE", "message_id": 2},
        {"message": "ERROR_MESSAGE", "message_id": 3, "status": 109, "description": "no"},
        {"message": "ENABLE_ROSPEC", "message_id": 4, "rospec_id": 7},
        {"message": "MESSAGE_777", "message_id": 5},
    ]


@pytest.mark.parametrize("kind", [1, 2, 3, 14, 20, 21, 22, 23, 24, 25, 26])
def test_every_answer_of_a_reader_is_shown(decode, kind):
    state = ReaderState()
    told = answer(state, Message(kind, 1, bytes(8)))
    _, (line,), _ = decode("llrp", encode_message(told.type, 1, told.body))
    assert line["message"].endswith(("RESPONSE", "ERROR_MESSAGE"))
    assert isinstance(line["status"], int)


def test_broken_messages_keep_their_place_and_the_rest_is_read(decode):
    stream = encode_message(61, 1, b"\x00\xf0\x00\x05\x01") + encode_message(62, 2) + b"\x04"
    status, lines, _ = decode("llrp", stream)
    assert status == 1
    assert [set(line) for line in lines] == [
        {"error", "input"},
        {"message", "message_id"},
        {"error", "input"},
    ]


def test_what_is_no_llrp_is_refused(decode):
    status, (line,), _ = decode("llrp", b"HTTP/1.1 200 OK\r\n\r\n")
    assert status == 1
    assert "LLRP" in line["error"]


def test_tags_are_read_with_and_without_their_pc_word(decode):
    status, lines, _ = decode("epc", f"34C1{BAG}\n{BAG.upper()}\n3034257BF7194E4000001A85\n")
    assert status == 0
    assert lines == [
        {"kind": "bag", "licence_plate": "0074123456", "day_of_year": 204, "afi": "C1"},
        {"kind": "bag", "licence_plate": "0074123456", "day_of_year": 204, "afi": None},
        {"kind": "other", "scheme": "sgtin-96", "epc": "3034257bf7194e4000001a85", "afi": None},
    ]


def test_lines_that_are_no_tags_are_refused_in_their_place(decode):
    status, lines, _ = decode("epc", f"0C2105022012345\n\n0C210502201A34562202001F\n{BAG}\n")
    assert status == 1
    assert ["error" in line for line in lines] == [True, True, True, False]


def passing(at_us, **more):
    seen = {"device": "portal-4", "antenna": 1, "epc": BAG, "rssi_dbm": -50.0, **more}
    return "".join(
        json.dumps({"seen_at_us": at_us + 50_000 * step, **seen}) + "\n" for step in range(-3, 4)
    )


def edge(at_us, level):
    return json.dumps({"seen_at_us": at_us, "device": "portal-4", "gpio": 1, "level": level}) + "\n"


def test_passages_and_unread_bags_come_as_scripts_read_them(decode, tmp_path):
    config = tmp_path / "agent.toml"
    config.write_text(BELTS)
    lines = passing(10_000_000) + edge(20_000_000, 1) + "nonsense\n" + edge(20_400_000, 0)
    status, told, summary = decode("passages", lines, "--config", str(config))
    assert status == 1
    passage, refused, unread = told
    assert refused["input"] == "nonsense"
    assert unread == {"kind": "unread_bag", "belt": "belt-4", "passed_at_us": 20_200_000}
    assert passage == {
        "kind": "passage",
        "belt": "belt-4",
        "epc": BAG,
        "licence_plate": "0074123456",
        "passed_at_us": 10_000_000,
        "sigma_ms": passage["sigma_ms"],
        "reads": 7,
        "peak_rssi_dbm": -50.0,
        "confidence": passage["confidence"],
        "ambiguous": False,
        "candidates": [],
    }
    assert "1 passages, 1 unread bags" in summary


def test_a_configuration_that_cannot_be_read_is_wrong_usage(decode, tmp_path):
    with pytest.raises(SystemExit) as left:
        decode("passages", "", "--config", str(tmp_path / "none.toml"))
    assert left.value.code == 2


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"{CAPTURES} is not there")
def test_captured_reports_are_shown(decode):
    bodies = [(CAPTURES / f"ROAccessReport-{n:03d}.bytes").read_bytes() for n in range(1, 7)]
    status, lines, _ = decode(
        "llrp", b"".join(encode_message(61, n, body) for n, body in enumerate(bodies))
    )
    assert status == 0
    assert lines[0]["epc"] == "3000abcdef00000000000003"
    assert [line["rssi_dbm"] for line in lines] == [-48.0, -47.0, -54.0, -68.0, -52.0, -45.0]
