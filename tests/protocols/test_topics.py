"""Topics name who speaks; nothing else is let through."""

import pytest
from aerocast_protocols import topics
from aerocast_protocols.errors import ProtocolError
from hypothesis import given
from hypothesis import strategies as st

names = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)


@pytest.mark.parametrize(
    ("made", "golden"),
    [
        (topics.up("lfbo", "hall-1", 0), "aerocast/1/lfbo/hall-1/up/0"),
        (topics.up("lfbo", "hall-1", "status"), "aerocast/1/lfbo/hall-1/up/status"),
        (topics.down("lfbo", "hall-1", "ack"), "aerocast/1/lfbo/hall-1/down/ack"),
        (topics.EVERY_UP, "aerocast/1/+/+/up/#"),
    ],
)
def test_golden_topics_stay(made, golden):
    assert made == golden


@given(names, names, st.sampled_from(["0", "1", "2", "status", "twin", "result"]))
def test_a_topic_is_read_as_it_was_named(site, gateway, kind):
    assert topics.parse_up(topics.up(site, gateway, kind)) == (site, gateway, kind)


@pytest.mark.parametrize(
    "topic",
    [
        "aerocast/1/lfbo/hall-1/up/3",
        "aerocast/2/lfbo/hall-1/up/0",
        "aerocast/1/lfbo/hall-1/down/ack",
        "aerocast/1/LFBO/hall-1/up/0",
        "aerocast/1/lfbo/hall.1/up/0",
        "aerocast/1/lfbo/hall-1/up/0/more",
        "aerocast/1/lfbo//up/0",
        "aerocast/1/+/hall-1/up/0",
        "aerocast/1/lfbo/hall-1\n/up/0",
        "$SYS/broker/uptime",
        "",
    ],
)
def test_a_topic_that_is_not_a_gateways_is_refused(topic):
    with pytest.raises(ProtocolError):
        topics.parse_up(topic)


@given(st.text(max_size=80))
def test_any_topic_is_read_or_refused(topic):
    try:
        site, gateway, _ = topics.parse_up(topic)
    except ProtocolError:
        return
    assert topics.is_name(site)
    assert topics.is_name(gateway)
