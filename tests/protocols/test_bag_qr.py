"""2D bag tags: the published draft's example, Base45, and round trips."""

import json
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from aerocast_protocols.barcode.bag_qr import (
    BagLeg,
    BagQr,
    decode_bag_qr,
    decode_base45,
    encode_bag_qr,
    encode_base45,
)
from aerocast_protocols.barcode.content import recognise
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

VECTOR = Path(__file__).parents[2].parent / "shared" / "data" / "baggage" / "bagtag2d"
# From the draft (CC0): its legs do not follow its own table, its header does.
PUBLISHED = "IATALPE97K24XR6E3D$14U:6PO8*YMVKK+%9.8VNHCK:030G391**2E8C900.8CVQI1B8AW6"
PUBLISHED_BYTES = (
    "390220123456676A1FF637504399B427A1D74E07F6C9620007D07E93098116D460620009607E931341383520"
)
TO_MUNICH = BagLeg("LH", 500, date(2025, 4, 1), "FRA", "MUC")
TO_PALMA = BagLeg("LH", 600, date(2025, 4, 2), "MUC", "PMI")
TAG = BagQr(
    version=1,
    licence_plate="0220123456",
    uuid=UUID("676a1ff6-3750-4399-b427-a1d74e07f6c9"),
    legs=(TO_MUNICH, TO_PALMA),
)


def test_the_published_example_gives_plate_uuid_and_number_of_legs():
    read = decode_bag_qr(PUBLISHED)
    assert (read.version, read.licence_plate, read.uuid) == (1, TAG.licence_plate, TAG.uuid)
    assert read.legs == (None, None)
    assert decode_base45(PUBLISHED[6:]).hex().upper() == PUBLISHED_BYTES


def test_the_shared_example_is_the_published_one():
    vector = VECTOR / "vector.json"
    if not vector.exists():
        pytest.skip("bagtag2d/vector.json: shared data is not here")
    said = json.loads(vector.read_text())
    assert (said["text"], said["hex"]) == (PUBLISHED, PUBLISHED_BYTES)
    assert encode_base45(bytes.fromhex(said["hex"])) == said["text"][6:]
    read, expected = decode_bag_qr(said["text"]), said["expect_reliable"]
    assert (read.version, read.licence_plate) == (expected["version"], expected["lpn"])
    assert (str(read.uuid), len(read.legs)) == (expected["uuid"], expected["legs"])


def test_a_leg_is_packed_as_the_drafts_table_says():
    content = decode_base45(encode_bag_qr(TAG)[6:])
    assert content[:22].hex().upper() == PUBLISHED_BYTES[:44]
    bits = f"{int.from_bytes(content[22:33], 'big'):088b}"
    widths = (5, 5, 6, 14, 14, 4, 5, 5, 5, 5, 5, 5, 5, 5)
    fields = []
    for width in widths:
        fields.append(int(bits[:width], 2))
        bits = bits[width:]
    assert fields == [12, 8, 0, 500, 2025, 4, 0, 6, 18, 1, 13, 21, 3, 0]


# RFC 9285 §4.3
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
        (b"", ""),
    ],
)
def test_base45_is_as_in_its_standard(content, text):
    assert encode_base45(content) == text
    assert decode_base45(text) == content


@pytest.mark.parametrize("text", ["A", "AAAA", "abc", "GGW", ":::", "::"])
def test_what_is_no_base45_is_refused(text):
    with pytest.raises(ProtocolError):
        decode_base45(text)


letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)
legs = st.builds(
    BagLeg,
    designator=st.from_regex(r"[A-Z]{2}[A-Z0-9]?", fullmatch=True),
    flight_number=st.integers(0, 9999),
    date=st.dates(),
    departure_airport=letters,
    arrival_airport=letters,
)
tags = st.builds(
    BagQr,
    version=st.integers(0, 1),
    licence_plate=st.none() | st.text("0123456789", min_size=10, max_size=10),
    uuid=st.none() | st.uuids(),
    legs=st.lists(legs, min_size=1, max_size=8).map(tuple),
)


@settings(max_examples=100)
@given(tags)
def test_what_is_written_is_read_again(tag):
    assert decode_bag_qr(encode_bag_qr(tag)) == tag


@settings(max_examples=100)
@given(st.text(max_size=90) | st.binary(max_size=60).map(encode_base45))
def test_any_text_is_read_or_refused(text):
    try:
        tag = decode_bag_qr("IATALP" + text)
    except ProtocolError:
        return
    assert 1 <= len(tag.legs) <= 8


def test_every_truncation_is_refused_and_every_flipped_bit_is_read_or_refused():
    text = encode_bag_qr(TAG)
    for end in range(len(text)):
        with pytest.raises(ProtocolError):
            decode_bag_qr(text[:end])
    with pytest.raises(ProtocolError):
        decode_bag_qr(text + "000")
    content = decode_base45(text[6:])
    for bit in range(len(content) * 8):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            decode_bag_qr("IATALP" + encode_base45(bytes(flipped)))
        except ProtocolError:
            continue


@pytest.mark.parametrize(
    "leg",
    [
        None,
        TO_MUNICH._replace(designator="3K"),
        TO_MUNICH._replace(designator="U2"),
        TO_MUNICH._replace(designator="L"),
        TO_MUNICH._replace(flight_number=10_000),
        TO_MUNICH._replace(arrival_airport="MU"),
        TO_MUNICH._replace(arrival_airport="M1C"),
    ],
)
def test_what_the_draft_has_no_room_for_is_refused(leg):
    with pytest.raises(ValueError, match="leg"):
        encode_bag_qr(BagQr(version=1, licence_plate=None, uuid=None, legs=(leg,)))


def test_a_scanned_bag_tag_gives_plate_uuid_and_flights():
    scan = recognise("]Q1" + encode_bag_qr(TAG))
    assert (scan.content, scan.symbology, scan.licence_plate) == ("bag_qr", "qr", "0220123456")
    assert scan.bag_uuid == str(TAG.uuid)
    assert [(leg.carrier, leg.flight_number, leg.arrival) for leg in scan.legs] == [
        ("LH", "0500", "MUC"),
        ("LH", "0600", "PMI"),
    ]
    assert (scan.legs[0].date, scan.legs[0].day_of_year) == ("2025-04-01", 91)
    damaged = recognise("IATALP6KS")
    assert (damaged.content, damaged.licence_plate, damaged.text) == ("bag_qr", None, None)
    assert damaged.problem
