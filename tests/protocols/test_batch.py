"""The wire, version 1: its bytes never change, and no bytes can hurt its readers."""

import json
import zlib
from pathlib import Path

import msgspec
import pytest
import zstandard
from aerocast_protocols import batch
from aerocast_protocols.batch import Acknowledgement, Envelope, GatewayStatus
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.bags import BagPassage, NoRead, TagRead
from aerocast_protocols.observations.every import BULK, CRITICAL, LIVE, Observation, lane_of
from aerocast_protocols.observations.gateways import PositionFix
from hypothesis import given, settings
from hypothesis import strategies as st

GOLDEN = json.loads((Path(__file__).parent / "wire_v1.json").read_text())
BOOT = bytes(range(16))
EPOCH = (7 << 32) | 0xDEADBEEF
NO_READ = NoRead(device="s", boot_ns=-5)
PASSAGE = BagPassage(
    device="portal-4",
    boot_ns=1_000_000_000,
    belt="belt-4",
    point="sortation",
    epc=bytes.fromhex("3014257bf7194e4000001a85"),
    sigma_ms=12.5,
    reads=9,
    confidence=0.75,
    licence_plate="0220123456",
)
ENVELOPE = Envelope(
    codec=batch.PLAIN,
    boot_id_sent=BOOT,
    boot_ns_sent=2_000_000_000,
    wall_ns_sent=1_720_267_200_000_000_000,
    clock_quality=3,
    oldest_sequence=41,
    body=b"\x01\x02",
)
ACKNOWLEDGEMENT = Acknowledgement(
    lane=1,
    epoch=EPOCH,
    up_to_sequence=40,
    missing_ranges=((41, 45),),
    status=batch.SLOW_DOWN,
    retry_after_ms=500,
    highest_sequence=60,
)
every_observation = st.builds(
    lambda kind, device, boot_ns: msgspec.structs.replace(
        batch.decode_observation(bytes.fromhex(kind)), device=device, boot_ns=boot_ns
    ),
    st.sampled_from(sorted(GOLDEN["observations"].values())),
    st.text(min_size=1, max_size=64),
    st.integers(-(2**63), 2**63 - 1),
)


def body(codec=batch.PLAIN):
    return batch.encode_body(
        epoch=EPOCH,
        lane=0,
        first_sequence=41,
        boot_id=BOOT,
        observations=[batch.encode_observation(each) for each in (PASSAGE, NO_READ)],
        codec=codec,
    )


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("body", body()),
        ("envelope", batch.encode_envelope(ENVELOPE)),
        ("acknowledgements", batch.encode_acknowledgements([ACKNOWLEDGEMENT])),
        (
            "acknowledgements without a hole",
            batch.encode_acknowledgements(
                [Acknowledgement(lane=1, epoch=EPOCH, up_to_sequence=40, highest_sequence=40)]
            ),
        ),
        (
            "acknowledgement of what cannot be read",
            batch.encode_acknowledgements(
                [Acknowledgement(lane=2, epoch=0, up_to_sequence=0, status=5, digest=0xCAFE)]
            ),
        ),
        ("status gone", batch.encode_status(GatewayStatus(state="gone", epoch=EPOCH))),
        (
            "status online",
            batch.encode_status(
                GatewayStatus(state="online", epoch=EPOCH, agent_version="0.1.0")
            ),
        ),
    ],
)  # fmt: skip
def test_golden_bytes_stay(name, made):
    assert made.hex() == GOLDEN["messages"][name]


@pytest.mark.parametrize("kind", Observation.__args__, ids=lambda each: each.__name__)
def test_golden_bytes_of_every_observation_stay(kind):
    golden = bytes.fromhex(GOLDEN["observations"][kind.__struct_config__.tag])
    decoded = batch.decode_observation(golden)
    assert type(decoded) is kind
    assert in_shortest_form(batch.encode_observation(decoded)) == golden


def test_golden_bytes_of_every_later_field_stay():
    for text in GOLDEN["later"].values():
        golden = bytes.fromhex(text)
        assert batch.encode_observation(batch.decode_observation(golden)) == golden


def in_shortest_form(encoded):
    """Write a map's length in one byte where it fits: a kind with more fields says it in three."""
    if encoded[:1] == b"\xde" and encoded[1:3] < b"\x00\x10":
        return bytes((0x80 | encoded[2],)) + encoded[3:]
    return encoded


def test_golden_bodies_are_read_whichever_codec():
    for name in ("body", "body zlib", "body zstd"):
        codec = {"body": batch.PLAIN, "body zlib": batch.ZLIB, "body zstd": batch.ZSTD}[name]
        decoded = batch.decode_body(bytes.fromhex(GOLDEN["messages"][name]), codec)
        assert (decoded.epoch, decoded.lane, decoded.first_sequence) == (EPOCH, 0, 41)
        assert [batch.decode_observation(each) for each in decoded.observations] == [
            PASSAGE,
            NO_READ,
        ]


def test_messages_are_read_as_they_were_written():
    assert batch.decode_envelope(batch.encode_envelope(ENVELOPE)) == ENVELOPE
    encoded = batch.encode_acknowledgements([ACKNOWLEDGEMENT, ACKNOWLEDGEMENT])
    assert batch.decode_acknowledgements(encoded) == (ACKNOWLEDGEMENT, ACKNOWLEDGEMENT)


def test_an_acknowledgement_without_the_last_field_is_read():
    assert batch.decode_acknowledgements(msgspec.msgpack.encode([[1, 5, 40]])) == (
        Acknowledgement(lane=1, epoch=5, up_to_sequence=40),
    )


def test_fields_of_later_versions_are_passed_over():
    later = msgspec.msgpack.decode(batch.encode_observation(NO_READ)) | {"colour": "red"}
    assert batch.decode_observation(msgspec.msgpack.encode(later)) == NO_READ
    longer = [*msgspec.msgpack.decode(batch.encode_envelope(ENVELOPE)), "more"]
    assert batch.decode_envelope(msgspec.msgpack.encode(longer)) == ENVELOPE


def test_one_observation_nobody_can_read_does_not_take_the_others_with_it():
    strange = msgspec.msgpack.encode({"kind": "telepathy", "device": "x", "boot_ns": 1})
    encoded = batch.encode_body(
        epoch=1,
        lane=0,
        first_sequence=1,
        boot_id=BOOT,
        observations=[batch.encode_observation(NO_READ), strange],
    )
    first, second = batch.decode_body(encoded).observations
    assert batch.decode_observation(first) == NO_READ
    with pytest.raises(ProtocolError, match="telepathy"):
        batch.decode_observation(second)


@pytest.mark.parametrize(
    "payload",
    [
        [2, 1, BOOT, 0, 0, 0, 1, b""],  # another version
        [1, 9, BOOT, 0, 0, 0, 1, b""],  # another codec
        [1, 1, b"short", 0, 0, 0, 1, b""],
        [1, 1, BOOT, 0, 0, 5, 1, b""],  # no such clock quality
        [1, 1, BOOT, 0, 0, 0, -1, b""],
        [1, 1, BOOT, 0, 0, 0, 1, b"x" * (batch.LARGEST_BODY + 1)],
        [1, 1, BOOT],
    ],
)
def test_an_impossible_envelope_is_refused(payload):
    with pytest.raises(ProtocolError):
        batch.decode_envelope(msgspec.msgpack.encode(payload))


@pytest.mark.parametrize(
    "values",
    [
        [1, 0, 1, 2, BOOT, [{}]],  # counts do not agree
        [1, 0, 1, 0, BOOT, []],  # empty
        [1, 3, 1, 1, BOOT, [{}]],  # no such lane
        [1, 0, 0, 1, BOOT, [{}]],  # sequences start at 1
        [-1, 0, 1, 1, BOOT, [{}]],
    ],
)
def test_an_impossible_body_is_refused(values):
    with pytest.raises(ProtocolError):
        batch.decode_body(msgspec.msgpack.encode(values))


def test_a_body_over_the_wires_limit_is_not_made():
    with pytest.raises(ValueError, match="over the wire's 65536"):
        batch.encode_body(
            epoch=1, lane=0, first_sequence=1, boot_id=BOOT, observations=[b"\xc4\xff" * 40_000]
        )


def bombs():
    plain = b"\0" * 50_000_000
    without_size = zstandard.ZstdCompressor(level=1).compressobj()
    return {
        "zlib": (zlib.compress(plain), batch.ZLIB),
        "zstd": (zstandard.ZstdCompressor(level=1).compress(plain), batch.ZSTD),
        "zstd, size not said": (
            without_size.compress(plain) + without_size.flush(),
            batch.ZSTD,
        ),
        "plain": (b"\0" * (batch.LARGEST_PLAIN_BODY + 1), batch.PLAIN),
    }


@pytest.mark.parametrize("name", ["zlib", "zstd", "zstd, size not said", "plain"])
def test_a_bomb_is_refused_before_it_grows(name):
    packed, codec = bombs()[name]
    with pytest.raises(ProtocolError):
        batch.decode_body(packed, codec)


@pytest.mark.parametrize("codec", [batch.ZLIB, batch.ZSTD])
def test_a_cut_or_trailing_packed_body_is_refused(codec):
    packed = body(codec)
    for wrong in (packed[:-1], packed + b"\0", packed[: len(packed) // 2], b""):
        with pytest.raises(ProtocolError):
            batch.decode_body(wrong, codec)


@settings(max_examples=100, deadline=None)
@given(st.lists(every_observation, min_size=1, max_size=5), st.sampled_from([1, 2, 3]))
def test_any_observations_come_out_as_they_went_in(seen, codec):
    encoded = batch.encode_body(
        epoch=EPOCH,
        lane=2,
        first_sequence=1,
        boot_id=BOOT,
        observations=[batch.encode_observation(each) for each in seen],
        codec=codec,
    )
    decoded = batch.decode_body(encoded, codec)
    assert [batch.decode_observation(each) for each in decoded.observations] == seen


@settings(max_examples=200)
@given(st.binary(max_size=200), st.integers(0, 255))
def test_any_bytes_are_read_or_refused(wild, codec):
    for read in (
        lambda: batch.decode_body(wild, codec),
        lambda: batch.decode_envelope(wild),
        lambda: batch.decode_observation(wild),
        lambda: batch.decode_acknowledgements(wild),
        lambda: batch.decode_status(wild),
    ):
        try:
            read()
        except ProtocolError as error:
            said = str(error)
        else:
            said = "read"
        assert said


@settings(max_examples=200)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_damaged_body_is_read_or_refused(at, damage):
    whole = body()
    at %= len(whole)
    wild = whole[:at] + damage + whole[at + len(damage) :]
    try:
        for each in batch.decode_body(wild).observations:
            batch.decode_observation(each)
    except ProtocolError as error:
        assert str(error)  # noqa: PT017  either outcome is right, an unnamed refusal is not


def test_lanes_tell_what_travels_first():
    assert lane_of(PASSAGE) == CRITICAL
    assert lane_of(TagRead(device="r", boot_ns=1, epc=b"")) == BULK
    assert lane_of(PositionFix(device="g", boot_ns=1, mode=1)) == LIVE
