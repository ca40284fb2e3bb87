"""What scanners send: framing, AIM identifiers, and what a text turns out to be."""

import re

import pytest
from aerocast_protocols.barcode.aim import split_aim
from aerocast_protocols.barcode.content import Scan, recognise
from aerocast_protocols.barcode.framing import LONGEST_SCAN, ScanBuffer, encode_scan
from aerocast_protocols.errors import ProtocolError
from hypothesis import example, given, settings
from hypothesis import strategies as st

FRAMINGS = ["auto", "stx_etx", "cr", "lf", "crlf"]


def read_whole(stream: bytes, framing="auto"):
    buffer = ScanBuffer(framing)
    buffer.feed(stream)
    return list(buffer.scans())


def read_bytewise(stream: bytes, framing="auto"):
    buffer = ScanBuffer(framing)
    found = []
    for byte in stream:
        buffer.feed(bytes([byte]))
        found += buffer.scans()
    return found


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
@pytest.mark.parametrize(
    "ended", [b"\r", b"\n", b"\r\n", b"\x03", b"\x03\r\n", b"\r\n\x03", b"\n\r\n"]
)
def test_auto_takes_every_framing_however_the_bytes_arrive(read, ended):
    start = b"\x02" if b"\x03" in ended else b""
    stream = start + b"]I00220123456" + ended + start + b"NoRead" + ended + start + b"022"
    assert read(stream) == ["]I00220123456", "NoRead"]


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
def test_stx_etx_keeps_line_ends_inside_and_drops_what_is_outside(read):
    assert read(b"noise\r\n\x03\x02two\r\nlines\x03\r\n\x02cut\x02whole\x03", "stx_etx") == [
        "two\r\nlines",
        "whole",
    ]


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
def test_crlf_ends_at_neither_half_alone(read):
    assert read(b"a\rb\nc\r\nd", "crlf") == ["a\rb\nc"]


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_scanner_that_never_ends_a_text_is_refused_and_costs_nothing(read, framing):
    with pytest.raises(ProtocolError, match="no end of text"):
        read(b"7" * (LONGEST_SCAN + 1), framing)


def test_reading_goes_on_after_a_refusal():
    buffer = ScanBuffer()
    buffer.feed(b"7" * (LONGEST_SCAN + 1))
    with pytest.raises(ProtocolError):
        list(buffer.scans())
    buffer.feed(b"0220123456\r")
    assert list(buffer.scans()) == ["0220123456"]


def test_text_that_is_no_utf_8_is_read_as_latin_1():
    assert read_whole(b"Z\xfcrich\r") == ["Zürich"]
    assert read_whole("Zürich\r".encode()) == ["Zürich"]


def test_unknown_framing_is_refused():
    with pytest.raises(ValueError, match="tab"):
        ScanBuffer("tab")


@settings(max_examples=150)
@given(st.binary(max_size=300), st.sampled_from(FRAMINGS))
@example(b"\x02\x03" * 3 + b"\r\n", "auto")
def test_chunking_never_matters(stream, framing):
    def outcome(read):
        try:
            return read(stream, framing)
        except ProtocolError:
            return "refused"

    assert outcome(read_whole) == outcome(read_bytewise)


@settings(max_examples=100)
@given(
    st.lists(st.text(st.characters(min_codepoint=32, codec="utf-8"), min_size=1, max_size=30)),
    st.sampled_from(FRAMINGS),
)
def test_what_is_framed_comes_out_again(texts, framing):
    assert read_whole(b"".join(encode_scan(text, framing) for text in texts), framing) == texts


@pytest.mark.parametrize(
    ("scan", "symbology", "text"),
    [
        ("]I00220123456", "itf", "0220123456"),
        ("]Q1IATALP12", "qr", "IATALP12"),
        ("]C0abc", "code128", "abc"),
        ("]C1abc", "gs1_128", "abc"),
        ("]d2abc", "datamatrix", "abc"),
        ("]zCabc", "aztec", "abc"),
        ("]L0M1", "pdf417", "M1"),
        ("]X0abc", "aim_X0", "abc"),
        ("abc", None, "abc"),
        ("]", None, "]"),
        ("]Q", None, "]Q"),
    ],
)
def test_aim_identifier_names_the_symbology(scan, symbology, text):
    assert split_aim(scan) == (symbology, text)


@pytest.mark.parametrize(
    ("scan", "expected"),
    [
        ("0220123456", Scan("plate", None, "0220123456", "0220123456")),
        ("]I00220123456", Scan("plate", "itf", "0220123456", "0220123456")),
        ("]I10220123456", Scan("plate", "itf", "0220123456", "0220123456")),
        ("]C00220123456", Scan("other", "code128", None, "0220123456")),
        ("]I002201234", Scan("other", "itf", None, "02201234")),
        ("02201234567", Scan("other", None, None, "02201234567")),
        ("0220123456 ", Scan("other")),
        ("\u0662" * 10, Scan("other")),
        ("]C0AKE12345LH", Scan("other", "code128", None, "AKE12345LH")),
        ("NOREAD", Scan("no_read")),
        ("M0X", Scan("other", None, None, "M0X")),
    ],
)
def test_content_is_recognised(scan, expected):
    assert recognise(scan) == expected


def test_heartbeats_say_nothing_and_both_texts_can_be_set():
    assert recognise("Alive", heartbeat="ALIVE") is None
    assert recognise("??????", no_read="??????") == Scan("no_read")
    assert recognise("NoRead", no_read="??????").content == "other"
    assert recognise("NoRead", no_read=None).content == "other"


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(max_size=40),
        st.from_regex(re.compile(r"(\][A-Za-z]\d)?[0-9]{8,12}", re.ASCII), fullmatch=True),
        st.from_regex(r"(\][LQz]0)?[MS][1-9].{0,30}", fullmatch=True),
    )
)
def test_a_plate_is_always_ten_digits_and_a_boarding_pass_never_shows_its_text(scan):
    seen = recognise(scan)
    if seen.content == "boarding_pass":
        assert seen.text is None
    if seen.licence_plate is not None:
        assert re.fullmatch("[0-9]{10}", seen.licence_plate)
        assert scan.endswith(seen.licence_plate)
        assert seen.symbology in {None, "itf"}
