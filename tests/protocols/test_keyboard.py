"""Scanners that type: input events become texts, whatever the country and however they arrive."""

import pytest
from aerocast_protocols.barcode.framing import LONGEST_SCAN
from aerocast_protocols.barcode.keyboard import INPUT_EVENT, KeyBuffer, encode_typed
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

# evtest's record of a US keyboard that types "a", Shift+"1", Enter: EV_MSC, EV_KEY, EV_SYN.
RECORDED = [
    *[(4, 4, 0x70004), (1, 30, 1), (0, 0, 0), (4, 4, 0x70004), (1, 30, 0), (0, 0, 0)],
    *[(4, 4, 0x700E1), (1, 42, 1), (0, 0, 0), (1, 2, 1), (1, 2, 2), (1, 2, 0), (1, 42, 0)],
    *[(0, 0, 0), (4, 4, 0x70028), (1, 28, 1), (0, 0, 0), (1, 28, 0), (0, 0, 0)],
]
ENTER, ALT = 28, 56
DROPPED = (0, 3, 0)


def stream(events, at_us=0):
    return b"".join(INPUT_EVENT.pack(0, at_us, *event) for event in events)


def keys(*codes):
    return [event for code in codes for event in ((1, code, 1), (1, code, 0))]


def read_whole(received, layout="us"):
    buffer = KeyBuffer(layout)
    buffer.feed(received)
    return list(buffer.scans()), buffer.abandoned


def read_bytewise(received, layout="us"):
    buffer, found = KeyBuffer(layout), []
    for byte in received:
        buffer.feed(bytes([byte]))
        found += buffer.scans()
    return found, buffer.abandoned


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
def test_recorded_events_are_read_however_they_arrive(read):
    assert read(stream(RECORDED) * 2 + stream(RECORDED)[:-30]) == (["a!", "a!", "a!"], 0)


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("us", "M1DESMARAIS/LUC       EABC123 >6181WW^164*30"),
        ("gb", 'IATALP "E97K$:.+-%@#£'),
        ("fr", "]I00220123456/.?§µ%{[|`\\^@]}~#€"),
        ("de", "]Q1IATALPZY?=ÄÖÜß²³{[]}\\@€~|<>"),
    ],
)
def test_each_country_has_its_own_keys(layout, text):
    assert read_whole(encode_typed(text, layout), layout) == ([text], 0)


def test_the_same_keys_are_other_characters_elsewhere():
    typed = encode_typed("qz1", "us")
    assert [read_whole(typed, layout)[0] for layout in ("us", "gb", "fr", "de")] == [
        ["qz1"], ["qz1"], ["aw&"], ["qy1"],
    ]  # fmt: skip


def test_keypad_caps_lock_control_and_alt_codes_are_understood():
    assert read_whole(stream(keys(79, 80, 81, 74, 96))) == (["123-"], 0)  # on the keypad
    assert read_whole(stream(keys(58, 30, 2, 58, 30, ENTER))) == (["A1a"], 0)  # Caps Lock
    gs = [(1, 29, 1), *keys(27), (1, 29, 0)]  # Ctrl and ]: the group separator of GS1 codes
    assert read_whole(stream([*keys(30), *gs, *keys(30, 15)])) == (["a\x1da"], 0)
    alt = [(1, ALT, 1), *keys(82, 72, 73), (1, ALT, 0)]  # Alt and 089
    assert read_whole(stream([*alt, *keys(ENTER)])) == (["Y"], 0)


def test_a_text_the_kernel_lost_a_part_of_is_never_given():
    plate = encode_typed("0220123456")
    cut = len(plate) // 2 - len(plate) // 2 % INPUT_EVENT.size
    overflowed = plate[:cut] + stream([DROPPED]) + plate[cut:]
    assert read_whole(overflowed + encode_typed("0220123457")) == (["0220123457"], 1)


def test_a_key_long_before_a_scan_is_no_part_of_it():
    stray, plate = encode_typed("7")[: 3 * INPUT_EVENT.size], encode_typed
    assert read_whole(stray + plate("0220123456", at_us=5_000_000)) == (["0220123456"], 1)
    assert read_whole(stray + plate("220123456", at_us=500_000)) == (["7220123456"], 0)


@pytest.mark.parametrize("read", [read_whole, read_bytewise])
def test_a_scanner_that_never_ends_a_text_is_refused(read):
    with pytest.raises(ProtocolError, match="no end of text"):
        read(stream(keys(30) * (LONGEST_SCAN + 1)))


@settings(max_examples=100)
@given(st.binary(max_size=400) | st.lists(st.tuples(
    st.sampled_from([0, 1, 4]), st.integers(0, 120), st.integers(-1, 3)
), max_size=60).map(stream))  # fmt: skip
def test_any_events_are_read_the_same_whole_and_bytewise(received):
    assert read_whole(received) == read_bytewise(received)


def test_a_character_without_a_key_cannot_be_typed():
    with pytest.raises(ValueError, match="é"):
        encode_typed("é", "us")
