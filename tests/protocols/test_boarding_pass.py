"""Boarding passes: every item of the standard's examples, and what is kept of a damaged one."""

import json
from pathlib import Path

import msgspec
import pytest
from aerocast_protocols.barcode import boarding_pass as standard
from aerocast_protocols.barcode.boarding_pass import (
    BoardingPass,
    BoardingPassError,
    Leg,
    decode_boarding_pass,
    encode_boarding_pass,
    plates_of,
)
from aerocast_protocols.barcode.content import recognise
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parents[2].parent / "shared" / "data"
# IATA Resolution 792 Attachment B, example 2.
TWO_LEGS = (
    "M2DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 14D>6181WW6225BAC 00141234560032A"
    "0141234567890 1AC AC 1234567890123    20KYLX58ZDEF456 FRAGVALH 3664 227C012C0002 12E2A0140"
    "987654321 1AC AC 1234567890123    2PCNWQ^164GIWVC5EH7JNT684FVNJ91W2QA4DVN5J8K4F0L0GEQ3DF5T"
    "GBN8709HKT5D3DW3GBHFCVHMY7J5T6HFR41W2QA4DVN5J8K4F0L0GE"
)
SECRETS = ("DESMARAIS", "LUC", "ABC123", "DEF456", "1234567890123", "0987654321", "GIWV", "LX58Z")
# What other decoders call the items of the standard.
RUST_NAMES = {
    "operating_carrier_pnr_code": "operating_carrier_pnr",
    "from_city_airport_code": "departure_airport",
    "to_city_airport_code": "arrival_airport",
    "date_of_flight": "flight_date",
    "document_form_serial_number": "serial_number",
    "international_document_verification": "international_documentation_verification",
    "id_ad_indicator": "id_indicator",
    "airline_individual_use": "airline_info",
    "source_of_check_in": "check_in_source",
    "source_of_boarding_pass_issuance": "boarding_pass_issuance_source",
    "date_of_issue_of_boarding_pass": "issuance_date",
    "airline_designator_of_boarding_pass_issuer": "boarding_pass_issuer_designator",
    "baggage_tag_license_plate_numbers": "baggage_tag_number",
    "first_non_consecutive_baggage_tag_license_plate_numbers": "first_baggage_tag_number",
    "second_non_consecutive_baggage_tag_license_plate_numbers": "second_baggage_tag_number",
    "security.type_of_security_data": "security_data_type",
    "security.security_data": "security_data",
}


def shared(name):
    path = DATA / "baggage" / "bcbp" / name
    if not path.exists():
        pytest.skip(f"{name}: shared data is not here")
    return json.loads(path.read_text())


def test_every_item_of_two_legs_is_read():
    read = decode_boarding_pass(TWO_LEGS)
    assert (read.passenger_name, read.version) == ("DESMARAIS/LUC       ", "6")
    first, second = read.legs
    assert first == Leg(
        operating_carrier_pnr="ABC123 ",
        departure_airport="YUL",
        arrival_airport="FRA",
        operating_carrier_designator="AC ",
        flight_number="0834 ",
        flight_date="226",
        compartment_code="F",
        seat_number="001A",
        check_in_sequence_number="0025 ",
        passenger_status="1",
        airline_numeric_code="014",
        serial_number="1234567890",
        selectee_indicator=" ",
        international_documentation_verification="1",
        marketing_carrier_designator="AC ",
        frequent_flyer_airline_designator="AC ",
        frequent_flyer_number="1234567890123   ",
        id_indicator=" ",
        free_baggage_allowance="20K",
        fast_track="Y",
        airline_info="LX58Z",
    )
    assert (second.departure_airport, second.airline_info, second.day_of_year) == ("FRA", "WQ", 227)
    assert read.bag_tags == ("0014123456003",)
    assert plates_of(read.bag_tags[0]) == ("0014123456", "0014123457", "0014123458")
    assert encode_boarding_pass(read) == TWO_LEGS


@pytest.mark.parametrize("number", range(6))
def test_examples_of_the_standard_are_read_item_by_item_and_written_again(number):
    example = shared("iata792b.json")[number]
    read = decode_boarding_pass(example["bcbp"])
    assert encode_boarding_pass(read) == example["bcbp"]
    for scope, field, expected in example["expect"]:
        if field == "legs.len":
            assert len(read.legs) == expected
            continue
        said = read if scope == "pass" else read.legs[int(scope[3:])]
        assert getattr(said, RUST_NAMES.get(field, field)) == expected, field


def test_strings_of_other_decoders_are_read_and_written_again():
    for text in shared("strings_georgesmith46.json"):
        assert encode_boarding_pass(decode_boarding_pass(text)) == text


def test_invalid_ones_are_refused_and_keep_what_is_mandatory():
    kept = {}
    for example in shared("invalid.json"):
        with pytest.raises(BoardingPassError) as caught:
            decode_boarding_pass(example["bcbp"])
        kept.setdefault(example["name"], []).append(caught.value.mandatory)
    (trailing,) = kept["trailing_characters"]
    assert trailing == BoardingPass(
        passenger_name="DESMARAIS/LUC       ",
        electronic_ticket_indicator="E",
        legs=(trailing.legs[0],),
    )
    assert trailing.legs[0].flight_number == "0834 "
    assert [each is None for each in kept["unexpected_end_of_input"]] == [False, True]
    assert kept["unsupported_format"] == [None, None]


def test_lying_sizes_lose_only_what_comes_after_the_mandatory_part():
    for lie in ("14E", "1FF", "14C"):
        with pytest.raises(BoardingPassError) as caught:
            decode_boarding_pass(TWO_LEGS.replace(" 14D>", f" {lie}>", 1))
        assert caught.value.mandatory.legs[0].arrival_airport == "FRA"
        assert caught.value.mandatory.version is None


@pytest.mark.parametrize(
    ("item", "plates"),
    [
        ("0014123456000", ("0014123456",)),
        ("0014999999002", ("0014999999", "0014000000")),
    ],
)
def test_consecutive_plates_are_counted_out_and_serials_wrap(item, plates):
    assert plates_of(item) == plates


def test_a_bag_tag_item_that_is_no_number_is_refused():
    for item in ("", "0014123456", " " * 13, "\u0660" * 13):
        with pytest.raises(ProtocolError):
            plates_of(item)


def outcome(text):
    """Give the pass, or what is left of it."""
    try:
        return decode_boarding_pass(text), None
    except BoardingPassError as error:
        return None, error.mandatory


@settings(max_examples=100)
@given(st.text(max_size=200) | st.text(max_size=150).map(lambda rest: TWO_LEGS[:60] + rest))
def test_any_text_is_read_or_refused(text):
    read, mandatory = outcome(text)
    if read is None:
        assert mandatory is None or mandatory.legs
    else:
        assert encode_boarding_pass(read).upper() == text.upper()  # sizes may be in lower case


def test_every_truncation_and_every_flipped_bit_is_read_or_refused():
    for end in range(len(TWO_LEGS)):
        read, mandatory = outcome(TWO_LEGS[:end])
        if read is None:
            assert (mandatory is not None) == (end >= 58), end
        else:
            assert TWO_LEGS[end] == "^"
            assert read.security_data is None
    for at in range(len(TWO_LEGS)):
        for bit in range(8):
            flipped = TWO_LEGS[:at] + chr(ord(TWO_LEGS[at]) ^ 1 << bit) + TWO_LEGS[at + 1 :]
            outcome(flipped)


def test_no_truncation_and_no_flipped_bit_of_any_shared_vector_escapes():
    texts = {each["bcbp"] for each in shared("iata792b.json") + shared("invalid.json")}
    texts |= set(shared("strings_georgesmith46.json"))
    vectors = DATA / "devices" / "bcbp" / "bcbp.jsonl"
    texts |= {json.loads(line)["in"] for line in vectors.read_text().splitlines()}
    for text in texts:
        for at in range(len(text)):
            outcome(text[:at])
            for bit in range(8):
                outcome(text[:at] + chr(ord(text[at]) ^ 1 << bit) + text[at + 1 :])


printed = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


def item(length):
    return st.text(printed, min_size=length, max_size=length)


def first_of(draw, names_and_lengths):
    """Draw a run of items from the first on."""
    count = draw(st.integers(0, len(names_and_lengths)))
    return {name: draw(item(length)) for name, length in names_and_lengths[:count]}


@st.composite
def boarding_passes(draw):
    legs = []
    for number in range(draw(st.integers(1, 3))):
        leg = {name: draw(item(length)) for name, length in standard._LEG}
        if number or draw(st.booleans()):
            leg |= first_of(draw, standard._EACH_LEG) | {"airline_info": draw(st.text(printed))}
        legs.append(Leg(**leg))
    once = {name: draw(item(length)) for name, length in standard._NAME}
    if legs[0].airline_info is not None or draw(st.booleans()):
        once |= first_of(draw, standard._ONCE) | {"version": draw(item(1))}
    if draw(st.booleans()):
        once |= {"security_data_type": draw(item(1)), "security_data": draw(st.text(printed))}
    return BoardingPass(**once, legs=tuple(legs))


@settings(max_examples=60)
@given(boarding_passes())
def test_what_is_written_is_read_again(boarding_pass):
    assert decode_boarding_pass(encode_boarding_pass(boarding_pass)) == boarding_pass


def test_what_cannot_be_written_is_refused():
    read = decode_boarding_pass(TWO_LEGS)
    for impossible in (
        msgspec.structs.replace(read, passenger_name="DESMARAIS/LUC"),
        msgspec.structs.replace(read, issuance_date=None),
        msgspec.structs.replace(read, baggage_tag_number="1"),
    ):
        with pytest.raises(ValueError, match="wrong length"):
            encode_boarding_pass(impossible)


def test_nothing_of_a_person_is_seen_where_a_pass_is_printed_or_refused():
    read = decode_boarding_pass(TWO_LEGS)
    shown = [repr(read), str(read), f"{read!r}", repr(read.legs), repr(read.legs[0])]
    for end in range(len(TWO_LEGS)):
        try:
            decode_boarding_pass(TWO_LEGS[:end])
        except BoardingPassError as error:
            shown += [str(error), repr(error), str(error.args), str(error.__context__)]
    for secret in SECRETS:
        assert not [each for each in shown if secret in each], secret


def test_guidance_gets_flights_and_bags_and_nothing_else():
    scan = recognise("]L0" + TWO_LEGS)
    assert (scan.content, scan.symbology, scan.text) == ("boarding_pass", "pdf417", None)
    assert [(leg.carrier, leg.flight_number, leg.departure) for leg in scan.legs] == [
        ("AC", "0834", "YUL"),
        ("LH", "3664", "FRA"),
    ]
    assert scan.bag_tags == ("0014123456003",)
    for secret in SECRETS:
        assert secret not in repr(scan)


name_parts = {"QUIXOTE/ZEPHYRINA"[at : at + 3] for at in range(15)}
PASS_OF_QUIXOTE = TWO_LEGS.replace("DESMARAIS/LUC       ", "QUIXOTE/ZEPHYRINA   ")


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 80),
            st.sampled_from(["lose", "double", "lower", "prefix", "cut", "blanks"]),
        ),
        max_size=4,
    )
)
def test_a_damaged_pass_shows_nothing_of_the_name_either(damages):
    text = PASS_OF_QUIXOTE
    for at, damage in damages:
        text = {
            "lose": text[:at] + text[at + 1 :],
            "double": text[:at] + text[at : at + 1] + text[at:],
            "lower": text.lower(),
            "prefix": "r" + text,
            "cut": text[at:],
            "blanks": " ".join(text.split()),
        }[damage]
    shown = repr(recognise(text)).upper()
    assert not [part for part in name_parts if part in shown]


@pytest.mark.parametrize(
    "text",
    [
        "P<FRAQUIXOTE<<ZEPHYRINA<<<<<<<<<<<<<<<<<<<<<",  # passport
        "BEGIN:VCARD\nN:Quixote;Zephyrina",
        "QUIXOTE",
        "quixote/zephyrina 1",
        "https://example.com/?name=QUIXOTE1",
    ],
)
def test_other_texts_that_may_name_a_person_are_not_kept(text):
    assert recognise(text).text is None
