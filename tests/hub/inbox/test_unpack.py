import msgspec
import pytest
from aerocast_hub.inbox.unpack import Batch, Message, Passed, Result, Status, Unreadable, unpack
from aerocast_protocols.batch import Envelope, encode_envelope
from aerocast_protocols.topics import up
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.inbox.wire import BOOT, EPOCH, GATEWAY, NOW_US, SITE, batch, status, tag, tags

TOPICS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["0", "1", "2", "status", "result"]).map(lambda kind: up("a", "b", kind)),
)


@given(TOPICS, st.binary(max_size=300))
@settings(max_examples=200)
def test_any_message_is_read_or_set_aside(topic, payload):
    read = unpack(Message(topic, payload, NOW_US))
    assert isinstance(read, Batch | Status | Result | Unreadable | Passed)


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_batch_is_read_or_set_aside(data):
    good = tags(1, 5)
    at = data.draw(st.integers(0, len(good.payload) - 1))
    with_damage = bytearray(good.payload)
    with_damage[at] = data.draw(st.integers(0, 255))
    read = unpack(good._replace(payload=bytes(with_damage)))
    assert isinstance(read, Batch | Unreadable)


def test_a_batch_says_who_sent_it():
    read = unpack(tags(1, 5))
    assert (read.site, read.gateway, read.body.epoch, read.body.count) == (SITE, GATEWAY, EPOCH, 5)
    assert unpack(status("gone")).status.state == "gone"
    assert isinstance(unpack(Message(up(SITE, GATEWAY, "twin"), b"", NOW_US)), Passed)


def altered(message, **fields):
    envelope = msgspec.structs.replace(msgspec.msgpack.decode(message.payload, type=Envelope))
    return message._replace(payload=encode_envelope(msgspec.structs.replace(envelope, **fields)))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (tags(1, 1)._replace(topic=up(SITE, GATEWAY, 0)), "lane 2 was sent as lane 0"),
        (tags(1, 1)._replace(topic="aerocast/1/a/b/down/2"), "not a gateway's"),
        (batch(1, [tag(1)], epoch=2**64 - 1), "impossible"),
        (batch(2**63 - 1, [tag(1), tag(2)]), "impossible"),
        (altered(tags(1, 1), wall_ns_sent=2**63), "clocks are impossible"),
        (altered(tags(1, 1), boot_ns_sent=-(2**62)), "clocks are impossible"),
        (altered(tags(1, 1), oldest_sequence=2**64 - 1), "impossible"),
        (altered(tags(1, 1), boot_id_sent=BOOT, version=2), "cannot be read"),
    ],
)
def test_what_cannot_be_is_set_aside_with_the_reason(message, reason):
    read = unpack(message)
    assert isinstance(read, Unreadable)
    assert reason in read.reason
