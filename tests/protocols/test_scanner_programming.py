"""Commands that program scanners, byte for byte as in their makers' manuals."""

import pytest
from aerocast_protocols.barcode.programming import (
    LONGEST_ANSWER,
    Answer,
    AnswerBuffer,
    encode_ask,
    encode_closing,
    encode_opening,
    encode_set,
)
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

DIALECTS = ["honeywell", "dmcc", "cola_a"]


def read_whole(received, dialect):
    buffer = AnswerBuffer(dialect)
    buffer.feed(received)
    return list(buffer.answers())


def read_bytewise(received, dialect):
    buffer, found = AnswerBuffer(dialect), []
    for byte in received:
        buffer.feed(bytes([byte]))
        found += buffer.answers()
    return found


@pytest.mark.parametrize(
    ("dialect", "ask", "write", "name", "value"),
    [
        # Voyager 1250g user's guide: "cbrena?." and the baud rate example "232BAD9."
        ("honeywell", b"\x16M\rCBRENA?.", b"\x16M\rCBRENA1.", "cbrena", "1"),
        (
            "dmcc",
            b"||0:1>GET SYMBOL.DATAMATRIX\r\n",
            b"||0:1>SET SYMBOL.DATAMATRIX ON\r\n",
            "SYMBOL.DATAMATRIX",
            "ON",
        ),
        ("cola_a", b"\x02sRN OpName\x03", b"\x02sWN OpName 2\x03", "OpName", "2"),
    ],
)
def test_commands_are_as_the_manuals_say(dialect, ask, write, name, value):
    assert encode_ask(dialect, name) == ask
    assert encode_set(dialect, name, value) == write


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
@pytest.mark.parametrize(
    ("dialect", "received", "answers"),
    [
        (
            "honeywell",
            b"0220123456\r\nCBRENA1\x06.\x02]I0\r\ncbrmin99\x15.CBRXXX1\x05!",
            [
                Answer("1", None, "CBRENA"),
                Answer("99", "the value is out of range", "CBRMIN"),
                Answer("1", "it has no such setting", "CBRXXX"),
            ],
        ),
        (
            "dmcc",
            b"||0:1[0]ON\r\n||0:7[1]MDIyMDEyMzQ1Ng==\r\n0220123456\r\n||[0]\r\n||0:1[102]\r\n",
            [Answer("ON"), Answer(""), Answer("", "it has no such setting")],
        ),
        (
            "cola_a",
            (
                b"\x02sRA OpName 2 x\x03\x020220123456\x03\x02sWA OpName\x03\x02sFA 3\x03"
                b"\x02sAN SetAccessMode 0\x03"
            ),
            [
                Answer("2 x", None, "OpName"),
                Answer("", None, "OpName"),
                Answer("", "error 3"),
                Answer("0", "SetAccessMode refused", "SetAccessMode"),
            ],
        ),
    ],
)
def test_answers_are_told_from_scans_however_they_arrive(read, dialect, received, answers):
    assert read(received, dialect) == answers


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from([b"||", b"[0]", b"\x02", b"\x03", b"\x06.", b"\r\n", b"ABCDEF"])
             | st.binary(max_size=20)),
    st.sampled_from(DIALECTS),
)  # fmt: skip
def test_chunking_never_matters(pieces, dialect):
    received = b"".join(pieces)
    assert read_whole(received, dialect) == read_bytewise(received, dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_scanner_that_never_answers_costs_no_memory(dialect):
    with pytest.raises(ProtocolError, match="no answer"):
        read_whole(b"7" * (LONGEST_ANSWER + 1), dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("name", "value"), [("A\rB", "1"), ("", "1"), ("ABCDEF", "1\r\n2")])
def test_nothing_is_smuggled_into_a_command(dialect, name, value):
    with pytest.raises(ValueError, match="cannot be a setting"):
        encode_set(dialect, name, value)


def test_what_frames_a_conversation_is_as_the_manuals_say():
    assert encode_opening("cola_a") == [b"\x02sMN SetAccessMode 03 F4724744\x03"]
    assert encode_closing("cola_a", written=False) == [b"\x02sMN Run\x03"]
    assert encode_closing("dmcc", written=True) == [b"||0:1>CONFIG.SAVE\r\n"]
    assert encode_opening("honeywell") == encode_closing("honeywell", written=True) == []
