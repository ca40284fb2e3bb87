"""Beast streams come apart whole, and damaged ones are picked up again."""

import random

import pytest
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.beast import (
    HEARTBEAT,
    MLAT_TIMESTAMP,
    BeastBuffer,
    encode_beast,
)
from hypothesis import given, settings
from hypothesis import strategies as st

IDENTIFICATION = bytes.fromhex("8d406b902015a678d4d220aa4bda")
SHORT = bytes.fromhex("212800bf40f1ef")
# readsb's form of the frame above: ticks 0x1a, signal 0x1a, both doubled.
ESCAPED = bytes.fromhex("1a3300000000001a1a1a1a8d406b902015a678d4d220aa4bda")


def read(*pieces):
    buffer = BeastBuffer()
    frames = []
    for piece in pieces:
        buffer.feed(piece)
        frames += buffer.frames()
    return frames, buffer.garbage_bytes


def test_a_frame_with_doubled_escapes_is_read_and_written_byte_for_byte():
    frames, garbage = read(ESCAPED)

    assert [(f.ticks_12mhz, f.signal, f.frame) for f in frames] == [(0x1A, 0x1A, IDENTIFICATION)]
    assert garbage == 0
    assert encode_beast(IDENTIFICATION, ticks_12mhz=0x1A, signal=0x1A) == ESCAPED


def test_heartbeats_mode_a_replies_and_multilateration_are_told_apart():
    stream = (
        HEARTBEAT
        + encode_beast(b"\x01\x02", ticks_12mhz=5)
        + encode_beast(SHORT, ticks_12mhz=MLAT_TIMESTAMP)
        + encode_beast(SHORT, ticks_12mhz=7, signal=255)
        + encode_beast(SHORT, ticks_12mhz=7, signal=0)
    )
    beat, reply, mlat, loud, silent = read(stream)[0]

    assert [f.is_heartbeat for f in (beat, reply)] == [True, False]
    assert reply.frame == b"\x01\x02"
    assert [f.is_mlat for f in (mlat, loud)] == [True, False]
    assert [f.has_time for f in (mlat, loud)] == [False, True]
    assert [f.signal_dbfs for f in (loud, silent)] == [0.0, None]


@pytest.mark.parametrize(
    "between",
    [
        pytest.param(b"\x1a4" + bytes(21), id="receiver status"),
        pytest.param(b"\x1a4" + bytes(13), id="short receiver status"),
        pytest.param(b"\x1a5" + bytes(40), id="receiver position"),
        pytest.param(b"\x1a\xe3" + b"\x1a\x1a2345678", id="receiver id"),
        pytest.param(b"\x1a\xe4" + b"0011-2233", id="uuid"),
        pytest.param(b"\x1a\xe8" + b"\x1a3\x1a3\x1a3\x1a3", id="replay time, not escaped"),
        pytest.param(b"\x1aP\x00\x01\x02", id="ping"),
    ],
)
def test_types_without_a_frame_are_passed_over_and_are_no_garbage(between):
    frames, garbage = read(ESCAPED + between + ESCAPED)

    assert [f.frame for f in frames] == [IDENTIFICATION] * 2
    assert garbage == 0


@pytest.mark.parametrize(
    "damage",
    [
        b"noise",
        b"\x1a\x1a\x1a\x1a",
        b"\x1a9abcdef",
        ESCAPED[:9],
        ESCAPED[:-1],
        ESCAPED[5:],
    ],
)
def test_after_damage_the_next_frame_is_read(damage):
    frames, garbage = read(ESCAPED + damage + ESCAPED)

    assert [f.frame for f in frames] == [IDENTIFICATION] * 2
    assert garbage == len(damage)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([2, 7, 14]).flatmap(
                lambda n: st.lists(
                    st.sampled_from([0, 0x1A, 0x31, 0x33, 255]), min_size=n, max_size=n
                ).map(bytes)
            ),
            st.sampled_from([0, 0x1A1A1A1A1A1A, 2**48 - 1]),
            st.sampled_from([0, 0x1A, 255]),
        ),
        max_size=12,
    ),
    st.integers(0, 2**32),
)
@settings(max_examples=150)
def test_what_is_encoded_is_read_back_however_the_bytes_arrive(sent, seed):
    stream = b"".join(encode_beast(f, ticks_12mhz=t, signal=s) for f, t, s in sent)
    random_pieces, position = [], 0
    rng = random.Random(seed)
    while position < len(stream):
        step = rng.randint(1, 30)
        random_pieces.append(stream[position : position + step])
        position += step

    for pieces in ([stream], [bytes([b]) for b in stream], random_pieces, [stream, b"\x1a"]):
        frames, garbage = read(*pieces)
        assert [(f.frame, f.ticks_12mhz, f.signal) for f in frames] == sent
        assert garbage == 0


@given(st.lists(st.sampled_from([0x1A, 0x31, 0x33, 0x34, 0xE3, 0xE8, 0x50, 7]), max_size=120))
@settings(max_examples=200)
def test_any_bytes_give_the_same_whole_and_in_pieces_and_never_pile_up(numbers):
    received = bytes(numbers)
    whole = BeastBuffer()
    whole.feed(received)

    frames = list(whole.frames())

    assert read(*[bytes([b]) for b in received]) == (frames, whole.garbage_bytes)
    assert len(whole._received) <= 44


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_any_bytes_at_all_are_survived(received):
    frames, _ = read(received)
    assert all(len(f.frame) in (2, 7, 14) for f in frames)


def test_a_frame_of_no_known_length_is_refused():
    with pytest.raises(ProtocolError, match="3 bytes"):
        encode_beast(b"abc")
