"""Reports are read with all their plates and tags looked at together: no fault slips through."""

import json
import re

import pytest
from aerocast_hub.ingest.decoding import decode_report
from aerocast_hub.ingest.reported import Report
from hypothesis import given
from hypothesis import strategies as st

SEEN = {"device": "d", "seen_at_us": 1_781_438_400_000_000}
plates = st.from_regex("[0-9]{10}", fullmatch=True) | st.text("09x _\n\u0661", max_size=11)
epcs = st.from_regex("([0-9A-Fa-f]{2}){0,62}", fullmatch=True) | st.text(
    "0aF \n\tx\uff11", max_size=6
)


def body_of(plates, epcs):
    events = [SEEN | {"kind": "code_scan", "licence_plate": each} for each in plates]
    events += [SEEN | {"kind": "tag_read", "epc": each} for each in epcs]
    return json.dumps({"first_sequence": 1, "events": events}).encode()


@given(st.lists(plates, max_size=5), st.lists(epcs, min_size=1, max_size=5))
def test_a_report_is_read_when_each_plate_and_tag_by_itself_is_good(plates, epcs):
    is_good = all(re.fullmatch("[0-9]{10}", each) for each in plates) and all(
        re.fullmatch("([0-9A-Fa-f]{2}){0,62}", each) for each in epcs
    )
    read = decode_report(body_of(plates, epcs))
    assert isinstance(read, Report) == is_good


@pytest.mark.parametrize(
    ("plates", "epcs", "named"),
    [
        (["0057123456", "005712345x"], [], "'^[0-9]{10}$' - at `$.events[1].licence_plate`"),
        (["005712345\n"], [], "at `$.events[0].licence_plate`"),
        (["005712345"], [], "length >= 10 - at `$.events[0].licence_plate`"),
        ([], ["ab", "abc", "def"], "at `$.events[1].epc`"),
        ([], ["a b "], "at `$.events[0].epc`"),
        ([], ["00" * 63], "length <= 124 - at `$.events[0].epc`"),
    ],
)
def test_the_fault_is_named_with_its_place(plates, epcs, named):
    assert named in str(decode_report(body_of(plates, epcs)))
