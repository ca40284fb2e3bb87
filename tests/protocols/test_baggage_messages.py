"""Baggage messages: the named samples, and that no bytes are lost or raise anything."""

import datetime as dt
import doctest
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from aerocast_protocols import baggage
from aerocast_protocols.baggage import (
    BagMessage,
    MessageBuffer,
    TagRange,
    are_whole,
    bags_of_parts,
    encode_message,
    nearest_date,
    parse_message,
)
from aerocast_protocols.baggage.meaning import MOST_PLATES
from aerocast_protocols.baggage.message import LONGEST_MESSAGE
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mutated_messages import mutated

SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "baggage" / "bim/messages.jsonl"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="shared/data/baggage is not here")

BSM = (
    b"\x01QU LONRM1J\r\n.LHRRMBA 121430 REF1\r\n\x02BSM\r\nCHG\r\n.V/1LLGW\r\n"
    b".I/BA0001/15DEC/EDI\r\n.F/BA0117/16DEC/JFK/Y\r\n.O/BA0175/16DEC/LAX/Y\r\n"
    b".N/0125123456002\r\n.S/Y/12A/C/1\r\n.W/K/2/31\r\n.P/DOE/JANE\r\n.L/ABC123\r\n"
    b".J/S/ACT/SC1/16DEC/1059L/LB9\r\n.X//CLR///HBS302/LEVEL1\r\n.B/OFF\r\n.E/PRIO\r\n"
    b".U/AKE12345BA\r\n.T/1234\r\n.R/FREE TEXT\r\n.A/KEPT\r\nENDBSM\r\n\x03"
)


def _samples() -> list[dict[str, Any]]:
    return [json.loads(line) for line in SAMPLES.read_text().splitlines()]


def _accepted() -> list[bytes]:
    found = [BSM]
    if SAMPLES.exists():
        found += [
            each["raw"].encode("latin-1") for each in _samples() if "error" not in each["expect"]
        ]
    return found


def _meant(message: BagMessage) -> object:
    return message.kind, message.secondary, message.version, message.bags, message.problems


def test_the_examples_of_the_library_hold() -> None:
    assert doctest.testmod(baggage).failed == 0


def test_a_message_in_its_envelope_is_read_whole() -> None:
    message = parse_message(BSM)
    assert message.problems == ()
    assert message.status == "CHG"
    assert message.envelope is not None
    assert (message.envelope.priority, message.envelope.to) == ("QU", ("LONRM1J",))
    assert (message.envelope.sender, message.envelope.sent) == ("LHRRMBA", "121430")
    bags = message.bags[0]
    assert bags.inbound is not None
    assert (bags.inbound.flight, bags.inbound.airport) == ("BA0001", "EDI")
    assert [leg.airport for leg in bags.onward] == ["LAX"]
    assert bags.passengers[0].surname == "DOE"
    assert bags.processing[0].at(dt.date(2026, 12, 16)) == dt.datetime(  # noqa: DTZ001  local at the station
        2026, 12, 16, 10, 59
    )
    assert bags.screening[0].result == "CLR"
    assert bags.irregularities[0].code == "OFF"
    assert bags.stowage is not None
    assert bags.stowage.device == "AKE12345BA"
    assert bags.plates == ("0125123456", "0125123457")
    assert message.is_last_part
    assert encode_message(message) == BSM


@needs_samples
def test_every_accepted_sample_writes_the_same_bytes_and_others_are_refused() -> None:
    for each in _samples():
        raw = each["raw"].encode("latin-1")
        if "error" in each["expect"]:
            with pytest.raises(ProtocolError):
                parse_message(raw)
        else:
            assert encode_message(parse_message(raw)) == raw, each["id"]


def test_a_transfer_message_has_a_group_of_each_passenger() -> None:
    message = parse_message(
        b"BTM\r\n.V/1TLHR\r\n.I/AF1680/03OCT/CDG\r\n.F/BA117/03OCT/JFK/J\r\n"
        b".N/0057000001001\r\n.N/0057000009001\r\n.P/DOE/JANE\r\n.E/PRIO\r\n"
        b".N/0057000002002\r\n.O/AA2/04OCT/LAX\r\n.P/ROE\r\n"
        b".F/BA283/03OCT/LAX/Y\r\n.N/0057000004001\r\n.P/POE\r\n"
        b".I/AF1080/03OCT/CDG\r\n.F/BA9/03OCT/BKK\r\n.N/0057000005001\r\nENDBTM\r\n"
    )
    said = [
        (each.inbound and each.inbound.flight, each.outbound and each.outbound.flight, each.plates)
        for each in message.bags
    ]
    assert said == [
        ("AF1680", "BA117", ("0057000001", "0057000009")),
        ("AF1680", "BA117", ("0057000002", "0057000003")),
        ("AF1680", "BA283", ("0057000004",)),
        ("AF1080", "BA9", ("0057000005",)),
    ]
    assert [len(each.onward) for each in message.bags] == [0, 1, 0, 0]
    assert message.problems == ()


def test_a_source_message_of_two_passengers_mixes_nobody_s_bags() -> None:
    message = parse_message(
        b"BSM\n.V/1TZRH//6543210014/A/123ABC456Z\n.F/SR101/18APR/JFK/F\n.I/AZ318/18 APR/FCO/J\n"
        b".N/0085123456002\n.N/0085123459001\n.S/Y/3A/C\n.P/DOE/JIM\n.L/XY1C3P\n.T/321A4C\n"
        b".F/SR101/18APR/JFK/F\n.O/DL671/18APR/ATL/C\n.N/0085111111002\n.S/Y/3B/C\n.P/ROE/JO\n"
        b".L/SAB4KP\n.T/321A44\nENDBSM"
    )
    assert message.problems == ()
    first, second = message.bags
    assert (first.passengers[0].surname, first.pnr) == ("DOE", "XY1C3P")
    assert first.plates == ("0085123456", "0085123457", "0085123459")
    assert first.inbound is not None
    assert first.inbound.date == "18APR"
    assert (second.passengers[0].surname, second.pnr) == ("ROE", "SAB4KP")
    assert second.plates == ("0085111111", "0085111112")
    assert (second.inbound, len(second.onward)) == (None, 1)
    version = message.version
    assert version is not None
    assert (version.part, version.reference, version.key) == (None, "6543210014", "123ABC456Z")
    assert version.wants_acknowledgement


def test_elements_of_one_passenger_come_in_any_order() -> None:
    raw = b"BSM\n.V/1LLHR\n.P/DOE\n.E/PRIO\n.N/0125000001\n.N/0125000003\n.F/BA1/01MAY\nENDBSM"
    bags = parse_message(raw).bags
    assert len(bags) == 1
    assert bags[0].outbound is not None


def test_a_wrong_tag_in_a_transfer_message_moves_no_name_to_another_bag() -> None:
    message = parse_message(
        b"BTM\n.V/1TLHR\n.F/BA117/03OCT/JFK\n.N/0057000001001\n.P/DOE\n.N/57\n.P/ROE\nENDBTM"
    )
    assert [[each.surname for each in bags.passengers] for bags in message.bags] == [
        ["DOE"],
        ["ROE"],
    ]
    assert message.bags[1].plates == ()


@pytest.mark.parametrize(
    "wrong",
    [b".F/?/16DEC/JFK", b".F/BA117/31FEB", b".N/012512345600", b".N/0125123456000", b".S/Q",
     b".W/X", b".X//C1R", b".J/S/A/B/16DEC/2560L", b".V/2", b".E/PR10", b".B/", b".P/", b".U/",
     b"FREE", b"...", b".P/D\0OE", b".L/A\x1bB"],
)  # fmt: skip
def test_an_element_that_cannot_be_read_costs_no_other(wrong: bytes) -> None:
    raw = b"BPM\r\n" + wrong + b"\r\n.N/0125123456001\r\n.T/7\r\nENDBPM"
    message = parse_message(raw)
    assert message.plates == ("0125123456",)
    assert message.bags[0].printer == "7"
    assert message.problems[0].element == 0
    assert encode_message(message) == raw


def test_lines_may_end_in_either_way_in_one_message() -> None:
    raw = b"BSM\r\n.V/1LLHR\n.F/BA1/01MAY\r\n.N/0125000001001\n.P/DOE\r\nENDBSM\n"
    message = parse_message(raw)
    assert message.problems == ()
    assert message.plates == ("0125000001",)
    assert message.bags[0].passengers[0].surname == "DOE"
    assert message.ends_as_it_began
    assert encode_message(message) == raw


def test_a_second_flight_where_there_can_be_one_is_said_aloud() -> None:
    message = parse_message(b"BSM\n.V/1LLHR\n.F/BA1/01MAY\n.F/BA2/01MAY\n.N/0125000001\nENDBSM")
    assert [each.reason for each in message.problems] == ["a second .F"]
    assert message.bags[0].outbound is not None
    assert message.bags[0].outbound.flight == "BA1"


def test_serial_numbers_begin_again_after_the_last() -> None:
    assert TagRange("0125999999", 3).plates() == ["0125999999", "0125000000", "0125000001"]


def test_a_short_message_cannot_name_millions_of_bags() -> None:
    message = parse_message(b"BSM\n" + b".N/0125000001999\n" * 3000 + b"ENDBSM")
    assert sum(tag.count for tag in message.bags[0].tags) <= MOST_PLATES


@pytest.mark.parametrize(
    ("day", "received", "meant"),
    [("31DEC", (2027, 1, 2), (2026, 12, 31)), ("01JAN", (2026, 12, 30), (2027, 1, 1)),
     ("29FEB", (2027, 3, 1), (2028, 2, 29)), ("05FEB", (2026, 8, 1), (2026, 2, 5))],
)  # fmt: skip
def test_a_day_without_a_year_is_the_nearest(day: str, received: Any, meant: Any) -> None:
    assert nearest_date(day, dt.date(*received)) == dt.date(*meant)


def test_two_messages_at_once_are_refused_not_merged() -> None:
    for between in (b"", b"\r\nENDBSM\r\n\r\n"):
        with pytest.raises(ProtocolError, match="another message"):
            parse_message(
                b"BSM\r\n.V/1LLHR\r\n.N/0125000001" + between + b"\r\nBSM\r\n.N/1\r\nENDBSM"
            )


def test_a_message_cut_short_says_so() -> None:
    message = parse_message(b"BSM\r\n.V/1LLHR\r\n.N/0125000001001\r\n.N/01250")
    assert not message.ends_as_it_began
    assert not message.is_last_part


def test_names_show_in_no_repr_and_no_problem() -> None:
    message = parse_message(BSM.replace(b".P/DOE", b".P/2DOE").replace(b".L/", b".L/" + b"A" * 300))
    shown = repr(
        (message, message.elements, message.bags, message.problems, message.bags[0].passengers)
    )
    assert "DOE" not in shown
    assert "JANE" not in shown
    assert "AAAA" not in shown


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(ProtocolError, match="longer"):
        parse_message(b"BSM\n" + b".N/0125000001001\n" + b"x" * LONGEST_MESSAGE)
    with pytest.raises(ProtocolError, match="lines"):
        parse_message(b"BSM\n.N/0125000001001\n" + b"\n" * 5000)


def _holds(raw: bytes) -> None:
    """Any bytes are refused, or read and written back the same."""
    try:
        message = parse_message(raw)
    except ProtocolError:
        return
    assert encode_message(message) == raw
    again = parse_message(encode_message(message))
    assert _meant(again) == _meant(message)
    assert len(message.plates) <= MOST_PLATES
    for bags in message.bags:
        for leg in (bags.inbound, bags.outbound, *bags.onward):
            assert leg is None or leg.date is None or leg.on(dt.date(2026, 1, 1))
    assert message.envelope is None or message.envelope.to is not None


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    _holds(raw)
    _holds(b"BSM\n.N/0125000001001\n" + raw)
    _holds(b"QU " + raw + b"\nBTM\n.N/0125000001001\n" + raw)


@pytest.mark.soak
def test_mutated_messages_raise_nothing() -> None:
    seeds = _accepted()
    random_ = random.Random(1745)
    rounds = 100_000 if os.environ.get("AEROCAST_SOAK") else 2_000
    for _ in range(rounds):
        _holds(mutated(random_, random_.choice(seeds), seeds))


def _pieces(stream: bytes, at_once: int) -> list[bytes]:
    buffer = MessageBuffer()
    found: list[bytes] = []
    for at in range(0, len(stream), at_once):
        buffer.feed(stream[at : at + at_once])
        found += buffer.messages()
    return found + list(buffer.flush())


FILE = [
    BSM, b"\r\n\r\n", b"BSM\r\n.V/1LLHR\r\n.N/0125000001\r\nENDBSM\r\n\r\n",
    b"MVT\nBA117/03OCT.GABCD.LHR\n", b"BPM\n.N/0125000001001\n.T/1\n",
    b"QU LONRM1J LONRM2J\n.LHRRMBA 121430\nBSM\n.N/0125000001001\nENDBSM\n",
    b"SYM\nLX10\nQU LONRM1J\nLONRM2J\n.LHRRMBA 121430\n\nBCM\nFOM\nENDBCM\n\x03",
]  # fmt: skip


def test_messages_come_out_of_a_file_whole_however_the_bytes_arrive() -> None:
    stream = b"".join(FILE)
    whole = _pieces(stream, len(stream))
    assert [parse_message(each).kind if b"MVT" not in each else "MVT" for each in whole] == [
        "BSM", "BSM", "MVT", "BPM", "BSM", "BCM",
    ]  # fmt: skip
    assert _pieces(stream, 1) == whole
    assert b"".join(whole) == stream
    assert whole[:-1] == _pieces(stream + b"QU LON", 7)[: len(whole) - 1]
    last = parse_message(whole[-1])
    assert last.envelope is not None
    assert (last.envelope.to, last.control) == (("LONRM1J", "LONRM2J"), "FOM")


@given(st.lists(st.sampled_from([*FILE, b"\x03", b"BSM\n", b".X/\n", b"END", b"x" * 70_000])))
@settings(max_examples=60, deadline=None)
def test_no_byte_of_a_stream_is_lost_and_pieces_are_bounded(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    pieces = _pieces(stream, 4096)
    assert b"".join(pieces) == stream
    assert all(len(each) <= LONGEST_MESSAGE for each in pieces)
    assert pieces == _pieces(stream, 997)


def test_a_flight_holds_in_the_next_part_until_that_names_its_own() -> None:
    parts = [
        parse_message(raw)
        for raw in (
            b"BTM\n.V/1TLHR/PART1\n.I/AF1/01MAY/CDG\n.F/BA1/01MAY/JFK\n.N/0057000001\n.P/DOE\nENDPART1",
            b"BTM\n.V/1TLHR/PART2\n.N/0057000002\n.P/ROE\n.F/BA2/01MAY/SFO\n.N/0057000003\nENDPART2",
            b"BTM\n.V/1TLHR/PART3\n.N/0057000004\n.P/POE\nENDBTM",
        )
    ]
    said = [
        [(each.outbound and each.outbound.flight, each.plates[0]) for each in bags]
        for bags in bags_of_parts(parts)
    ]
    assert said == [
        [("BA1", "0057000001")],
        [("BA1", "0057000002"), ("BA2", "0057000003")],
        [("BA2", "0057000004")],
    ]
    assert are_whole(parts)
    assert not are_whole(parts[:2])
    assert bags_of_parts(parts[::2])[1][0].outbound is None
