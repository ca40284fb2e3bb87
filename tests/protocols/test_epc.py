"""What tags say: bag tags, and everything else that lies in a suitcase."""

import contextlib
import json
from pathlib import Path

import pytest
from aerocast_protocols.epc.bag_tag import (
    BagTag,
    bag_tag_pc,
    claims_bag_tag,
    decode_bag_tag,
    encode_bag_tag,
)
from aerocast_protocols.epc.schemes import EpcBank, OtherTag, classify, split_bank
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parents[2].parent / "shared" / "data"
VECTORS = DATA / "baggage" / "rfid" / "rp1740c_vectors.json"
TAGS = DATA / "devices" / "tags" / "rp1740c.jsonl"
QUICK = settings(max_examples=200, deadline=None)
BAG_TAGS = st.builds(
    BagTag, st.from_regex(r"[0-9]{10}", fullmatch=True), st.none() | st.integers(1, 366)
)


def bag(hex_text: str) -> BagTag:
    return decode_bag_tag(bytes.fromhex(hex_text))


@pytest.mark.parametrize(
    ("epc", "plate", "day"),
    [
        ("0C21050109376895 22020106", "0109376895", 106),  # pad before, as read from a real tag
        ("0C21050081123456 2202155F", "0081123456", 155),  # pad behind
        ("0C21050081123456 22025204", "0081123456", 204),  # the year's last digit before
        ("0C1105 0006A11E40 1202 00CC", "0111222336", 204),  # ISO 15962 picks integers
        ("0C1105 0006A11E40 1201 07", "0111222336", 7),
        ("0C22020106 21050109376895", "0109376895", 106),  # any order
        ("0C21050109376895 00", "0109376895", None),
        ("0C48 03 414243 21050109376895 22020106", "0109376895", 106),  # another object first
        ("0CA1 00 050109376895 22020106", "0109376895", 106),  # an offset byte, no pad
    ],
)
def test_bag_tags_are_read_in_every_form_seen(epc, plate, day):
    assert bag(epc) == BagTag(plate, day)


@pytest.mark.parametrize(
    "epc",
    [
        "",
        "0C",
        "0C00",
        "0C21",
        "0C2105",
        "0C210502201A3456 2202001F",  # a nibble that is no digit
        "0C2105022012345622020000",  # day 0
        "0C210502201234562202367F",  # day 367
        "0C2105022012345622031234AF",
        "0C2104022012342202001F",  # eight digits
        "0C21FF0220123456",  # a length past the tag
        "0C61050220123456",  # octets are no plate
        "3034257BF7194E4000001A85",
    ],
)
def test_broken_bag_tags_are_refused(epc):
    with pytest.raises(ProtocolError, match="tag"):
        bag(epc)


@pytest.mark.parametrize(
    ("pc", "claims"), [(0x34C1, True), (0x35C1, True), (0x3000, False), (0x3507, False)]
)
def test_where_the_pc_word_is_known_its_family_must_be_baggage(pc, claims):
    epc = bytes.fromhex("0C2105010937689522020106")
    assert claims_bag_tag(epc, pc) is claims
    assert isinstance(classify(epc, pc), BagTag) is claims


@QUICK
@given(BAG_TAGS, st.booleans(), st.binary(max_size=20))
def test_bag_tags_survive_writing_and_what_stands_behind_them(tag, pad_before, trailing):
    epc = encode_bag_tag(tag, pad_before=pad_before)
    assert decode_bag_tag(epc, bag_tag_pc(epc)) == tag
    behind = trailing if tag.day_of_year is not None else b"\0" + trailing
    assert decode_bag_tag(epc + behind) == tag
    assert split_bank(bag_tag_pc(epc).to_bytes(2, "big") + epc) == EpcBank(bag_tag_pc(epc), epc)
    assert split_bank(epc) == EpcBank(None, epc)


@pytest.mark.parametrize(
    "tag", [BagTag("12345", 1), BagTag("1234567890", 367), BagTag("\u0661" * 10)]
)
def test_what_is_no_bag_tag_is_not_written(tag):
    with pytest.raises(ValueError, match=r"licence plate|day of year"):
        encode_bag_tag(tag)


@QUICK
@given(st.binary(max_size=70), st.none() | st.integers(0, 65535), st.booleans())
def test_any_bytes_are_a_tag_or_raise_protocol_error(noise, pc, as_bag):
    epc = b"\x0c" + noise if as_bag else noise
    with contextlib.suppress(ProtocolError):
        classify(epc, pc)
    with contextlib.suppress(ProtocolError):
        split_bank(epc)


@pytest.mark.parametrize(
    ("bank", "scheme", "pc"),
    [
        ("3034257BF7194E4000001A85", "sgtin-96", None),
        ("3000 3034257BF7194E4000001A85", "sgtin-96", 0x3000),
        ("3114257BF4499602D2000000", "sscc-96", None),
        ("3354257BF400B7800004CB2F", "grai-96", None),
        ("2C54257BF4499600000004D2", "gdti-96", None),  # could be a PC word of five words
        ("4100 E2801160600002054B1A", "other", None),  # eight words promised, five there
        ("35A2 0C2105010937689522020106", "iso", 0x35A2),  # ISO, another family
        ("AABB", "other", None),
    ],
)
def test_everything_else_is_named(bank, scheme, pc):
    split = split_bank(bytes.fromhex(bank))
    assert split.pc == pc
    tag = classify(split.epc, split.pc)
    assert isinstance(tag, OtherTag)
    assert tag.scheme == scheme


def test_a_cut_shop_tag_is_no_shop_tag():
    assert classify(bytes.fromhex("3034257BF7194E40")) == OtherTag("other")


@pytest.mark.skipif(not VECTORS.is_file(), reason=f"{VECTORS} is not there")
def test_published_vectors_read_and_write_alike():
    published = json.loads(VECTORS.read_text())
    for vector in published["vectors"]:
        epc = bytes.fromhex(vector["uii_hex"])
        tag = BagTag(vector["lpn"], vector["julian_day"])
        assert decode_bag_tag(epc, int(vector["pc_seen"], 16)) == tag
        assert encode_bag_tag(tag) == epc
        assert bag_tag_pc(epc) == int(vector["pc_expected_with_toggle"], 16)
    for negative in published["negative"]:
        with contextlib.suppress(ProtocolError, ValueError):
            assert not isinstance(classify(bytes.fromhex(negative["hex"])), BagTag)


@pytest.mark.skipif(not TAGS.is_file(), reason=f"{TAGS} is not there")
def test_tags_read_in_public_say_their_plate_and_day():
    for line in TAGS.read_text().splitlines():
        truth = json.loads(line)
        bank = split_bank(bytes.fromhex(truth.get("bank1_from_pc") or truth["epc"]))
        assert classify(bank.epc, bank.pc) == BagTag(truth["lpn"], truth["julian"])
