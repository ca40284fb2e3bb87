"""Messages made from values read back as those values, or are refused."""

import pytest
from aerocast_protocols.baggage import (
    Bags,
    Envelope,
    Handling,
    Irregularity,
    Leg,
    Passenger,
    Processing,
    Reconciliation,
    Screening,
    Stowage,
    TagRange,
    Version,
    Weight,
    compose_message,
    encode_message,
    parse_message,
)
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st


def optional(strategy):
    return st.none() | strategy


def several(strategy, most=3):
    return st.lists(strategy, max_size=most).map(tuple)


word = st.text("ABCXYZ019", min_size=1, max_size=8)
text = st.text("ABC -09/", min_size=1, max_size=20).map(str.strip).filter(bool)
airport = st.text("ABC", min_size=3, max_size=3)
flags = optional(st.booleans())
leg = st.builds(
    Leg,
    st.sampled_from(["SK", "U2", "9W", "DLH"]),
    st.sampled_from(["1", "0042", "12345", "77A"]),
    optional(st.sampled_from(["05FEB", "29FEB", "31DEC"])),
    optional(airport),
    optional(st.sampled_from("CFY")),
)
tag = st.builds(TagRange, st.text("0123456789", min_size=10, max_size=10), st.integers(1, 999))
reconciliation = st.builds(
    Reconciliation, flags, optional(word), optional(st.sampled_from("BCNS")), optional(word),
    optional(word), optional(word), flags, optional(st.sampled_from("AI")),
)  # fmt: skip
number = optional(st.integers(0, 99999))
passenger = st.builds(
    Passenger,
    st.text("ABCÉ- ", min_size=1, max_size=9).map(str.strip).filter(bool),
    several(st.text("JKL", min_size=1)),
    optional(st.integers(1, 9)),
)
processing = st.builds(
    Processing, optional(st.sampled_from("RSGH")), optional(word), optional(word),
    optional(st.just("05FEB")), st.none(), st.none(), several(word),
)  # fmt: skip
timed = st.builds(
    Processing, st.just("S"), optional(word), optional(word), st.just("05FEB"),
    st.sampled_from(["1059", "235959"]), optional(st.sampled_from("LZ")), several(word),
)  # fmt: skip
screening = st.builds(
    Screening, optional(word), optional(st.sampled_from(["CLR", "REJ"])), optional(word),
    optional(word), optional(word),
)  # fmt: skip
groups = st.builds(
    Bags,
    inbound=optional(leg),
    outbound=optional(leg),
    onward=several(leg),
    tags=st.lists(tag, min_size=1, max_size=3).map(tuple),
    reconciliation=optional(reconciliation),
    weight=optional(st.builds(Weight, st.sampled_from("KLP"), number, number, number)),
    passengers=several(passenger),
    pnr=optional(word),
    exceptions=several(st.sampled_from(["PRIO", "RUSH", "VIP"])),
    processing=several(processing | timed),
    screening=several(screening),
    irregularities=several(st.builds(Irregularity, st.just("OFF"), several(word))),
    handling=optional(st.builds(Handling, word, optional(word), word)),
    check_in=several(word),
    delivery=several(word),
    stowage=optional(st.builds(Stowage, word, word, several(word))),
    load_sequence=optional(text),
    internal=several(text),
    printer=optional(text),
    frequent_traveller=optional(text),
    group_name=optional(text),
)
versions = st.builds(
    Version, st.sampled_from("LTXR"), airport, optional(st.integers(1, 999)),
    optional(st.text("BCD123", min_size=2, max_size=10)), st.booleans(), optional(word),
)  # fmt: skip
envelopes = st.builds(
    Envelope, st.sampled_from(["QU", "QK"]),
    st.lists(st.text("ABC12", min_size=7, max_size=7), min_size=1, max_size=20).map(tuple),
    st.text("ABC12", min_size=7, max_size=7), optional(st.just("121430")), several(word, 2),
)  # fmt: skip


@given(versions, groups, st.sampled_from([None, "CHG", "DEL"]), optional(envelopes))
@settings(max_examples=100)
def test_what_is_written_reads_back_the_same(version, bags, status, envelope):
    if envelope is not None and envelope.sent is None and envelope.remarks:
        envelope = None  # its first remark could be a time
    message = compose_message("BSM", version, [bags], secondary=status, envelope=envelope)
    read = parse_message(encode_message(message))
    assert read == message
    assert (read.version, read.bags, read.envelope) == (version, (bags,), envelope)
    assert read.problems == ()
    assert read.ends_as_it_began


@given(st.lists(groups, min_size=2, max_size=4))
@settings(max_examples=60)
def test_groups_of_a_transfer_message_read_back_the_same_or_are_refused(bags):
    try:
        message = compose_message("BTM", Version("T", "LHR"), bags)
    except ProtocolError:
        assert not all(each.inbound and each.outbound for each in bags)
        return
    assert parse_message(encode_message(message)).bags == tuple(bags)


@pytest.mark.parametrize(
    "bags",
    [
        Bags(),
        Bags(tags=(TagRange("123456789"),)),
        Bags(tags=(TagRange("0125123456", 1000),)),
        Bags(tags=(TagRange("0125123456"),), passengers=(Passenger("DOE/JANE"),)),
        Bags(tags=(TagRange("0125123456"),), passengers=(Passenger("Doe"),)),
        Bags(tags=(TagRange("0125123456"),), internal=("TWO\r\nENDBSM",)),
        Bags(tags=(TagRange("0125123456"),), internal=("TWO\r\n.T/LINES",)),
        Bags(tags=(TagRange("0125123456"),), internal=("\u20ac",)),
    ],
)
def test_what_would_not_read_back_is_refused(bags):
    with pytest.raises(ProtocolError):
        compose_message("BSM", Version("L", "LHR"), [bags])


def test_a_part_ends_as_one():
    version = Version("L", "IST", part=1)
    bags = Bags(tags=(TagRange("0125123456"),))
    message = compose_message("BPM", version, [bags], is_last_part=False)
    assert encode_message(message).endswith(b"ENDPART1\r\n")
    assert message.ends_as_it_began
    assert not message.is_last_part
