"""Cards: what an ATR says, NDEF messages, and the conversations that read them."""

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.smartcard import apdu, ndef
from aerocast_protocols.smartcard.atr import decode_atr
from aerocast_protocols.smartcard.ndef import (
    Record,
    decode_ndef,
    encode_ndef,
    text_of,
    text_record,
    uri_record,
)
from aerocast_protocols.smartcard.reading import find_ndef, read_card
from aerocast_simulator.virtual_card import TYPE_2_ATR, TYPE_4_ATR, Type2Card, Type4Card
from hypothesis import given, settings
from hypothesis import strategies as st

UID = bytes.fromhex("04A1B2C3D4E5F6")
BAG = bytes.fromhex("D1011755046261672E6578616D706C652F30303734313233343536")


def converse(card, atr=None):
    talk = read_card(card.atr if atr is None else atr)
    command = next(talk)
    commands = [command]
    while True:
        try:
            command = talk.send(card.answer(command))
        except StopIteration as end:
            return end.value, commands
        commands.append(command)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (BAG, "https://bag.example/0074123456"),
        (BAG[:-1], None),
        (bytes.fromhex("D101085402656E48656C6C6F"), "Hello"),
        (bytes.fromhex("D1010B5482656E00480065006C006C"), "Hell"),  # big endian without a mark
        (bytes.fromhex("D101095482656EFFFE48006900"), "Hi"),
        (bytes.fromhex("D101015500"), ""),
    ],
)
def test_texts_of_messages_known(message, says):
    if says is None:
        with pytest.raises(ProtocolError):
            decode_ndef(message)
    else:
        assert (text_of(decode_ndef(message)) or "") == says


def test_chunks_of_a_record_are_put_together():
    # MB CF SR T "en" and three letters, CF SR unchanged "lo", ME SR unchanged "!"
    chunked = bytes.fromhex("B1010654" + "02656E48656C" + "3600026C6F" + "56000121")
    (record,) = decode_ndef(chunked)
    assert record == text_record("Hello!")
    with pytest.raises(ProtocolError):
        decode_ndef(chunked[:-4])
    with pytest.raises(ProtocolError, match="goes on with nothing"):
        decode_ndef(bytes.fromhex("D600026C6F"))


def test_a_smart_poster_says_what_is_in_it():
    poster = Record(
        name_format=ndef.WELL_KNOWN,
        type=b"Sp",
        payload=encode_ndef([uri_record("tel:+33561424400"), text_record("Lost bags")]),
    )
    assert text_of([poster]) == "tel:+33561424400\nLost bags"


def test_what_follows_a_message_is_no_part_of_it():
    with pytest.raises(ProtocolError, match="follow the last"):
        decode_ndef(BAG + b"\x00")
    memory = b"\x03" + bytes((len(BAG),)) + BAG + b"\xfe"
    assert find_ndef(memory) == find_ndef(memory + b"\x99" * 40) == BAG
    for end in range(len(BAG) + 2):
        assert find_ndef(memory[:end]) is None  # read on


records = st.builds(
    Record,
    name_format=st.sampled_from([ndef.WELL_KNOWN, ndef.MIME, ndef.EXTERNAL, ndef.ABSOLUTE_URI]),
    type=st.binary(max_size=20),
    id=st.binary(max_size=20),
    payload=st.binary(max_size=600),
)


@settings(max_examples=60)
@given(st.lists(records, min_size=1, max_size=4))
def test_what_is_written_is_read(written):
    assert decode_ndef(encode_ndef(written)) == tuple(written)


@settings(max_examples=100)
@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: BAG[:12] + tail))
def test_any_bytes_are_a_message_or_refused(message):
    try:
        found = decode_ndef(message)
    except ProtocolError:
        return
    text_of(found)


def test_every_cut_and_flipped_bit_of_a_message_is_survived():
    for end in range(len(BAG)):
        with pytest.raises(ProtocolError):
            decode_ndef(BAG[:end])
    for bit in range(len(BAG) * 8):
        flipped = bytearray(BAG)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            text_of(decode_ndef(bytes(flipped)))
        except ProtocolError:
            continue


@pytest.mark.parametrize(
    ("atr", "storage_card", "historical"),
    [
        # PC/SC part 3 and cards in many lists: Ultralight, Classic 1K, a bank card, DESFire
        ("3B8F8001804F0CA0000003060300030000000068", 3, 15),
        ("3B8F8001804F0CA000000306030001000000006A", 1, 15),
        ("3B6500002063CB6600", None, 5),
        ("3B8180018080", None, 1),
    ],
)
def test_an_answer_to_reset_says_what_the_card_is(atr, storage_card, historical):
    decoded = decode_atr(bytes.fromhex(atr))
    assert (decoded.storage_card, len(decoded.historical)) == (storage_card, historical)
    for end in range(len(atr) // 2):
        with pytest.raises(ProtocolError):
            decode_atr(bytes.fromhex(atr)[:end])
    with pytest.raises(ProtocolError):
        decode_atr(bytes.fromhex(atr) + b"\x00")


def test_a_damaged_answer_to_reset_is_told_by_its_checksum():
    for bit in range(8, len(TYPE_2_ATR) * 8):
        flipped = bytearray(TYPE_2_ATR)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            assert decode_atr(bytes(flipped)).historical != decode_atr(TYPE_2_ATR).historical
        except ProtocolError:
            continue


@given(st.binary(max_size=40) | st.binary(max_size=33).map(lambda tail: b"\x3b" + tail))
def test_any_bytes_are_an_answer_to_reset_or_refused(atr):
    try:
        decode_atr(atr)
    except ProtocolError:
        return


@pytest.mark.parametrize("length", [0, 1, 12, 27, 100, 254, 255, 600])
@pytest.mark.parametrize("make", [Type2Card, Type4Card])
def test_identifier_and_message_of_a_card_are_read(make, length):
    message = encode_ndef([text_record("x" * length)])
    card = make(UID, message) if make is Type4Card else make(UID, message, pages=200)
    told, commands = converse(card)
    assert (told.uid, told.ndef, told.text) == (UID, message, "x" * length or None)
    assert len(commands) < 60


def test_a_card_without_a_message_just_has_an_identifier():
    for card in (Type2Card(UID), Type4Card(UID)):
        told, _ = converse(card)
        assert (told.uid, told.ndef) == (UID, None)
    classic = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
    told, commands = converse(Type2Card(UID, BAG), atr=classic)
    assert (told.ndef, commands) == (None, [apdu.GET_UID])  # its memory wants a key


def test_an_iso_15693_identifier_comes_the_right_way_round():
    uid = bytes.fromhex("E004010012345678")
    for given_uid in (uid, uid[::-1]):
        told, _ = converse(Type4Card(given_uid))
        assert told.uid == uid


@settings(max_examples=100)
@given(
    st.sampled_from([TYPE_2_ATR, TYPE_4_ATR, b"", b"\x3b\x00"]),
    st.lists(st.binary(max_size=24) | st.binary(max_size=20).map(lambda b: b + b"\x90\x00")),
)
def test_whatever_a_card_answers_a_conversation_ends(atr, answers):
    talk = read_card(atr)
    next(talk)
    try:
        for answer in [*answers, *[b"\x6a\x82"] * 20]:
            talk.send(answer)
    except (StopIteration, ProtocolError):
        return
    pytest.fail("it never ends")


def test_a_tag_that_says_it_is_endless_is_read_to_its_end_and_no_further():
    class Endless(Type2Card):
        def answer(self, command):
            if command[:2] == b"\xff\xb0":
                page = int.from_bytes(command[2:4], "big")
                return (b"\xe1\x10\xff\x00" if page == 3 else b"\x01\x02\x00\x00") * 4 + b"\x90\x00"
            return super().answer(command)

    told, commands = converse(Endless(UID))
    assert told.ndef is None
    assert len(commands) <= 2 + 255 * 8 // 16
