"""The BagMessage link: packets however they arrive, and sessions that lose nothing."""

import random

import pytest
from aerocast_protocols.baggage.link import (
    LONGEST_DATA,
    Packet,
    PacketBuffer,
    PacketType,
    encode_packet,
)
from aerocast_protocols.baggage.link_session import (
    HEARTBEAT_S,
    LOGIN_S,
    MOST_UNANSWERED,
    MOST_WAITING,
    RESEND_S,
    Delivered,
    LinkSession,
    LoggedIn,
    LoginRefused,
    PeerLeft,
    Received,
    passwords_of,
)
from aerocast_protocols.errors import ProtocolError
from hypothesis import given, settings
from hypothesis import strategies as st

CHECK = passwords_of({"AEROCAST": b"secret"})
packets = st.builds(
    Packet, st.sampled_from(PacketType), st.text("ABC1", max_size=8), st.integers(0, 0xFFFF),
    st.binary(max_size=40),
)  # fmt: skip


def read(stream, at_once):
    buffer = PacketBuffer()
    found = []
    for at in range(0, len(stream), at_once):
        buffer.feed(stream[at : at + at_once])
        found += buffer.packets()
    return found


def test_a_packet_has_the_bytes_the_link_defines():
    packet = Packet(PacketType.LOGIN_RQST, "AEROCAST", 0, b"secret")
    expected = b"AEROCAST" + bytes([2, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0]) + b"secret"
    assert encode_packet(packet) == expected
    data = Packet(PacketType.ACK_DATA, "BHS", 0x1234, b"x" * 258)
    assert encode_packet(data)[:20] == b"BHS     \x02\x00\x05\x00\x34\x12\x02\x01\x00\x00\x00\x00"
    assert "secret" not in repr(packet)


@given(st.lists(packets, max_size=5), st.binary(max_size=19), st.integers(1, 50))
@settings(max_examples=60)
def test_packets_come_out_whole_however_the_bytes_arrive(sent, trailing, at_once):
    stream = b"".join(map(encode_packet, sent))
    assert read(stream, len(stream) or 1) == sent
    assert read(stream, 1) == sent
    assert read(stream + trailing, at_once) == sent


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_packets_or_refused(received):
    try:
        read(received, 7)
        session = LinkSession("HUB", 0.0, check=CHECK)
        list(session.receive(received, 0.0))
    except ProtocolError:
        pass


def test_what_does_not_fit_is_refused():
    for packet in (
        Packet(PacketType.DATA, "NINECHARS"),
        Packet(PacketType.DATA, "É"),
        Packet(PacketType.DATA, "A", 65_536),
        Packet(PacketType.DATA, "A", 0, bytes(LONGEST_DATA + 1)),
    ):
        with pytest.raises(ProtocolError):
            encode_packet(packet)
    for wrong in (b"AEROCAST\x01\x00", b"AEROCAST\x02\x00\x0c\x00"):
        with pytest.raises(ProtocolError):
            read(wrong.ljust(20, b"\0"), 20)


class Pair:
    """A client and a server, and the wire between them."""

    def __init__(self, password=b"secret", *, runs=True):
        self.now_s = 0.0
        self.client = LinkSession("AEROCAST", 0.0, password=password)
        self.server = LinkSession("BHS", 0.0, check=CHECK)
        self.client_news, self.server_news = [], []
        if runs:
            self.run()

    def run(self):
        while True:
            up, down = self.client.outgoing(), self.server.outgoing()
            if not up and not down:
                return
            self.server_news += self.server.receive(up, self.now_s) if up else []
            self.client_news += self.client.receive(down, self.now_s) if down else []

    def store(self, news):
        """Acknowledge what the client received; gives its data."""
        received = [each for each in news if isinstance(each, Received)]
        for each in received:
            self.client.acknowledge(each.message_id, self.now_s)
        return [each.data for each in received]

    def wait(self, seconds):
        self.now_s += seconds
        self.client.tick(self.now_s)
        self.server.tick(self.now_s)


def test_a_login_opens_the_session_and_a_wrong_password_does_not():
    pair = Pair()
    assert pair.client_news == [LoggedIn("BHS")]
    assert pair.server_news == [LoggedIn("AEROCAST")]
    refused = Pair(password=b"wrong")
    assert refused.client_news == [LoginRefused("BHS")]
    assert refused.server_news == [LoginRefused("AEROCAST")]
    assert not refused.server.can_send
    assert not CHECK("UNKNOWN", b"secret")
    assert not CHECK("UNKNOWN", b"?")


def test_data_before_the_login_ends_the_session():
    server = LinkSession("BHS", 0.0, check=CHECK)
    with pytest.raises(ProtocolError, match="before the login"):
        list(server.receive(encode_packet(Packet(PacketType.DATA, "AEROCAST")), 0.0))


def test_a_message_is_acknowledged_only_when_it_is_stored_and_told_once():
    pair = Pair()
    sent = pair.server.offer(b"BSM", pair.now_s)
    pair.run()
    assert pair.client_news[-1] == Received(b"BSM", sent)
    assert pair.server_news == [LoggedIn("AEROCAST")]
    assert not pair.server.can_send
    pair.wait(RESEND_S)  # storing takes long: it is sent again
    pair.run()
    assert len(pair.client_news) == 2
    pair.client.acknowledge(sent, pair.now_s)
    pair.run()
    assert pair.server_news[-1] == Delivered(sent)
    assert pair.server.can_send


def test_a_lost_acknowledgement_is_given_again_without_news():
    pair = Pair()
    sent = pair.server.offer(b"BSM", pair.now_s)
    pair.run()
    pair.client.acknowledge(sent, pair.now_s)
    pair.client.outgoing()  # lost
    pair.wait(RESEND_S)
    pair.run()
    assert pair.server_news[-1] == Delivered(sent)
    assert len(pair.client_news) == 2


def test_a_refused_message_is_sent_again_but_not_at_once_for_ever():
    pair = Pair()
    sent = pair.server.offer(b"BSM", pair.now_s)
    pair.run()
    nak = encode_packet(Packet(PacketType.NAK_MSG, "AEROCAST", sent))
    list(pair.server.receive(nak, pair.now_s))
    assert pair.server.outgoing() == b""
    list(pair.server.receive(nak, pair.now_s + RESEND_S / 2))
    assert b"BSM" in pair.server.outgoing()
    for number in range(1, MOST_UNANSWERED - 1):
        pair.server.tick(pair.now_s + number * RESEND_S * 2)
    with pytest.raises(ProtocolError, match="without an answer"):
        pair.server.tick(pair.now_s + MOST_UNANSWERED * RESEND_S * 2)


def test_a_peer_that_asks_for_quiet_gets_it():
    pair = Pair()
    pair.client.pause(pair.now_s)
    pair.run()
    assert not pair.server.can_send
    pair.client.pause(pair.now_s, is_paused=False)
    pair.run()
    assert pair.server.can_send
    pair.server.offer(b"BSM", pair.now_s)
    pair.client.pause(pair.now_s)
    pair.run()
    pair.wait(5 * RESEND_S)
    assert pair.server.outgoing() == b""


def test_silence_is_filled_with_heartbeats_and_ends_the_session():
    pair = Pair()
    for _ in range(10):
        pair.wait(HEARTBEAT_S)
        pair.run()
    assert pair.client.due_in_s(pair.now_s) == HEARTBEAT_S
    pair.now_s += 2 * HEARTBEAT_S
    with pytest.raises(ProtocolError, match="nothing heard"):
        pair.client.tick(pair.now_s)
    waiting = LinkSession("BHS", 0.0, check=CHECK)
    assert waiting.due_in_s(0.0) == LOGIN_S
    with pytest.raises(ProtocolError, match="nothing heard"):
        waiting.tick(LOGIN_S)


def test_who_logs_off_is_gone():
    pair = Pair()
    pair.client.log_off(pair.now_s)
    pair.client.pause(pair.now_s)
    pair.run()
    assert pair.server_news[-1] == PeerLeft()
    assert list(pair.server.receive(b"rubbish" * 10, pair.now_s)) == []


def test_a_peer_that_breaks_the_rules_is_let_go():
    pair = Pair()
    list(pair.client.receive(encode_packet(Packet(PacketType.ACK_DATA, "BHS", 1, b"a")), 0.0))
    with pytest.raises(ProtocolError, match="differs"):
        list(pair.client.receive(encode_packet(Packet(PacketType.ACK_DATA, "BHS", 1, b"b")), 0.0))
    pair = Pair()
    flood = b"".join(
        encode_packet(Packet(PacketType.ACK_DATA, "BHS", n, b"a")) for n in range(1 + MOST_WAITING)
    )
    with pytest.raises(ProtocolError, match="without an acknowledgement"):
        list(pair.client.receive(flood, 0.0))


def test_message_ids_begin_again_and_never_are_zero():
    pair = Pair()
    pair.server._last_id = 0xFFFE
    ids = []
    for _ in range(3):
        ids.append(pair.server.offer(b"x", pair.now_s))
        pair.run()
        pair.client.acknowledge(ids[-1], pair.now_s)
        pair.run()
    assert ids == [0xFFFF, 1, 2]


def _converse(messages, up_left, down_left):
    """Run sessions until every message is delivered; the first is cut after so many bytes.

    Gives what the client stored and what the server thinks delivered.
    """
    stored, delivered = [], 0
    for _ in range(3):
        pair = Pair(runs=False)
        up = down = b"?"
        while up or down:
            if pair.server.can_send and delivered < len(messages):
                pair.server.offer(messages[delivered], 0.0)
            up, down = pair.client.outgoing()[:up_left], pair.server.outgoing()[:down_left]
            up_left, down_left = up_left - len(up), down_left - len(down)
            delivered += list(map(type, pair.server.receive(up, 0.0))).count(Delivered)
            stored += pair.store(pair.client.receive(down, 0.0))
        up_left = down_left = 1_000_000
    assert delivered == len(messages)
    return stored


def test_a_session_cut_at_any_byte_loses_nothing_and_keeps_the_order():
    messages = [b"BSM %d" % number for number in range(3)]
    for cut in range(200):
        for up, down in ((cut, 1_000_000), (1_000_000, cut), (cut, cut)):
            stored = _converse(messages, up, down)
            once = [each for at, each in enumerate(stored) if each not in stored[:at]]
            assert once == messages
            assert len(stored) <= len(messages) + 1


def test_random_sessions_deliver_each_message_once():
    rng = random.Random(7)
    for _ in range(50):
        pair = Pair()
        sent, stored, delivered = 0, [], []
        while len(delivered) < 10:
            if pair.server.can_send and sent < 10:
                pair.server.offer(b"%d" % sent, pair.now_s)
                sent += 1
            down, up = pair.server.outgoing(), pair.client.outgoing()
            if rng.random() < 0.8:  # else the packets are lost whole
                stored += pair.store(pair.client.receive(down, pair.now_s))
            if rng.random() < 0.8:
                news = pair.server.receive(up, pair.now_s)
                delivered += [each for each in news if isinstance(each, Delivered)]
            pair.wait(RESEND_S)
        assert stored == [b"%d" % number for number in range(10)]
