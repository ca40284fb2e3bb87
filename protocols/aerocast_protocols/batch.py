"""The wire between gateway and hub, version 1: batches up, acknowledgements down.

What a gateway stores on disk is the *body*, byte for byte; the *envelope* is put around it at each
sending. Golden bytes of both are kept in tests and never change within a version.

Envelope (msgpack array): ``[version, codec, boot_id_sent, boot_ns_sent, wall_ns_sent,
clock_quality, oldest_sequence, body]``. Body (msgpack array, plain or compressed): ``[epoch, lane,
first_sequence, count, boot_id, observations]``. Sequences count from 1 in each (epoch, lane).
"""

import struct
import zlib
from collections.abc import Sequence
from typing import Annotated

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.gateways import LaneNumber
from aerocast_protocols.observations.observed import Count

VERSION = 1
PLAIN, ZSTD, ZLIB = 1, 2, 3
LARGEST_BODY = 64 * 1024
# Ours: what a compressed body may grow to. Real batches shrink 4-6 times; a bomb shrinks 1000.
LARGEST_PLAIN_BODY = 1024 * 1024
LARGEST_ENVELOPE = LARGEST_BODY + 256
MOST_OBSERVATIONS = 4096

BootId = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
EncodedBody = Annotated[bytes, msgspec.Meta(max_length=LARGEST_BODY)]
Range = tuple[Count, Count]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What travels with a body at one sending.

    Attributes
    ----------
    boot_id_sent, boot_ns_sent, wall_ns_sent
        The sender's boot, its CLOCK_BOOTTIME and its UTC, all at the moment of sending.
    clock_quality
        How far ``wall_ns_sent`` can be trusted: 0 unset, 1 saved at shutdown, 2 hardware clock,
        3 network time, 4 GPS.
    oldest_sequence
        The oldest sequence of the body's (epoch, lane) that the gateway still holds. What lies
        between the hub's mark and it will never come.
    """

    version: Annotated[int, msgspec.Meta(ge=1, le=1)] = VERSION
    codec: Annotated[int, msgspec.Meta(ge=1, le=3)]
    boot_id_sent: BootId
    boot_ns_sent: int
    wall_ns_sent: int
    clock_quality: Annotated[int, msgspec.Meta(ge=0, le=4)]
    oldest_sequence: Count
    body: EncodedBody


class Body(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Consecutive observations of one epoch, lane and boot.

    Attributes
    ----------
    epoch
        One life of the agent: previous counter + 1 in the high 32 bits, random in the low 32.
    first_sequence, count
        The observations are numbered ``first_sequence`` to ``first_sequence + count - 1``.
    observations
        Each still encoded, so that one that cannot be read never takes the others with it: see
        `decode_observation`.
    """

    epoch: Count
    lane: LaneNumber
    first_sequence: Annotated[int, msgspec.Meta(ge=1)]
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_OBSERVATIONS)]
    boot_id: BootId
    observations: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_OBSERVATIONS)]

    def __post_init__(self) -> None:
        if self.count != len(self.observations):
            raise ValueError(f"count {self.count} with {len(self.observations)} observations")


STORED, REFUSED, SLOW_DOWN, UNKNOWN_GATEWAY, UNREADABLE = 0, 2, 3, 4, 5


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What the hub has committed of one (lane, epoch): cumulative, safe to repeat.

    Attributes
    ----------
    up_to_sequence
        Everything up to and including it is stored; 0 when nothing is.
    missing_ranges
        Ranges above it, ends included, that the hub lacks although later ones are stored.
    status
        0 stored; 2 refused for good: ``missing_ranges`` names what to set aside as dead; 3 stored,
        but slow down; 4 gateway unknown: keep everything and try again each minute; 5 a message of
        this lane could not be read at all: ``digest`` says which, ``epoch`` and sequences are 0.
    retry_after_ms
        With status 3 and 4: wait this long before sending more.
    highest_sequence
        What lies above ``up_to_sequence``, at most here, and in no missing range is stored too:
        without it the newest, sent before an older backlog, could not be told from what is still
        to come. 0 when the hub does not say. With more holes than ``missing_ranges`` may carry,
        it ends before the first hole left out.
    digest
        With status 5: CRC-32 of the message as it was sent.
    """

    lane: LaneNumber
    epoch: Count
    up_to_sequence: Count
    missing_ranges: Annotated[tuple[Range, ...], msgspec.Meta(max_length=1000)] = ()
    status: Annotated[int, msgspec.Meta(ge=0, le=5)] = STORED
    retry_after_ms: Count = 0
    highest_sequence: Count = 0
    digest: Count = 0


_EVERY_READER_KNOWS = Acknowledgement.__struct_fields__[:6]
_WITH_HIGHEST = Acknowledgement.__struct_fields__[:7]


class GatewayStatus(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="status"):
    """Whether a gateway is there; ``gone`` is its last will, spoken by the broker."""

    state: Annotated[str, msgspec.Meta(pattern="^(online|gone)$")]
    epoch: Count
    agent_version: Annotated[str, msgspec.Meta(max_length=64)] = ""


# Arrays as the msgpack specification writes them: its "array format family".
_SHORT_ARRAY, _ARRAY_OF_SIX, _ARRAY, _ARRAY_16 = 0x90, 0x96, 0xDC, struct.Struct(">BH")

_encoder = msgspec.msgpack.Encoder()
_envelope_decoder = msgspec.msgpack.Decoder(Envelope)
_body_decoder = msgspec.msgpack.Decoder(Body)
_observation_decoder: msgspec.msgpack.Decoder[Observation] = msgspec.msgpack.Decoder(Observation)
_acknowledgement_decoder: msgspec.msgpack.Decoder[tuple[Acknowledgement, ...]] = (
    msgspec.msgpack.Decoder(Annotated[tuple[Acknowledgement, ...], msgspec.Meta(max_length=64)])
)
_status_decoder = msgspec.msgpack.Decoder(GatewayStatus)


def encode_observation(observation: Observation) -> bytes:
    """Encode one observation as it stands in a body."""
    return _encoder.encode(observation)


def decode_observation(encoded: bytes | msgspec.Raw) -> Observation:
    """Decode one observation; fields this version does not know are passed over.

    Raises
    ------
    ProtocolError
        It is no observation this version knows.
    """
    try:
        return _observation_decoder.decode(encoded)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"observation cannot be read: {error}") from error


def encode_body(
    *,
    epoch: int,
    lane: int,
    first_sequence: int,
    boot_id: bytes,
    observations: Sequence[bytes],
    codec: int = PLAIN,
) -> bytes:
    """Encode a body from observations already encoded.

    Raises
    ------
    ValueError
        The result is over ``LARGEST_BODY`` bytes: put fewer observations in.
    """
    count = len(observations)
    if count > MOST_OBSERVATIONS:
        raise ValueError(f"{count} observations are over the wire's {MOST_OBSERVATIONS}")
    head = bytearray(_encoder.encode((epoch, lane, first_sequence, count, boot_id)))
    head[0] = _ARRAY_OF_SIX  # the sixth, the observations, follows as it is
    array = bytes((_SHORT_ARRAY | count,)) if count < 16 else _ARRAY_16.pack(_ARRAY, count)
    plain = b"".join((head, array, *observations))
    body = _compress(plain, codec)
    if len(body) > LARGEST_BODY:
        raise ValueError(f"a body of {len(body)} bytes is over the wire's {LARGEST_BODY}")
    return body


def decode_body(body: bytes, codec: int = PLAIN) -> Body:
    """Decode a body.

    Raises
    ------
    ProtocolError
        It is not one, or grows past ``LARGEST_PLAIN_BODY`` when unpacked.
    """
    plain = _decompress(body, codec)
    try:
        return _body_decoder.decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"batch body cannot be read: {error}") from error


def encode_envelope(envelope: Envelope) -> bytes:
    """Encode one sending."""
    return _encoder.encode(envelope)


def decode_envelope(payload: bytes) -> Envelope:
    """Decode one sending; the body stays as it is.

    Raises
    ------
    ProtocolError
        It is not one, or of another version than 1.
    """
    if len(payload) > LARGEST_ENVELOPE:
        raise ProtocolError(f"batch of {len(payload)} bytes is over {LARGEST_ENVELOPE}")
    try:
        return _envelope_decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"batch envelope cannot be read: {error}") from error


def digest_of(payload: bytes) -> int:
    """Give what tells one sending from another: its CRC-32."""
    return zlib.crc32(payload)


def is_of_another_version(payload: bytes) -> bool:
    """Say whether a sending announces a version or codec that is not ours to judge."""
    if len(payload) < 3 or payload[0] & 0xF0 != _SHORT_ARRAY:
        return False
    return payload[1] != VERSION or payload[2] not in (PLAIN, ZSTD, ZLIB)


def encode_acknowledgements(acknowledgements: Sequence[Acknowledgement]) -> bytes:
    """Encode what goes to ``.../down/ack``.

    ``highest_sequence`` goes out only when it says something: above a hole. An acknowledgement
    without one is the six fields every version 1 reader knows. One of status 5 makes the first
    readers refuse the whole list: send it alone.
    """
    return _encoder.encode([_as_short_as_can_be(each) for each in acknowledgements])


def _as_short_as_can_be(acknowledgement: Acknowledgement) -> tuple[object, ...]:
    names = _EVERY_READER_KNOWS
    if acknowledgement.digest:
        names = Acknowledgement.__struct_fields__
    elif acknowledgement.highest_sequence > acknowledgement.up_to_sequence:
        names = _WITH_HIGHEST
    return tuple(getattr(acknowledgement, name) for name in names)


def decode_acknowledgements(payload: bytes) -> tuple[Acknowledgement, ...]:
    """Decode what came from ``.../down/ack``.

    Raises
    ------
    ProtocolError
        It is no list of acknowledgements.
    """
    try:
        return _acknowledgement_decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"acknowledgement cannot be read: {error}") from error


def encode_status(status: GatewayStatus) -> bytes:
    """Encode what goes to ``.../up/status``."""
    return _encoder.encode(status)


def decode_status(payload: bytes) -> GatewayStatus:
    """Decode what came from ``.../up/status``.

    Raises
    ------
    ProtocolError
        It is no status.
    """
    try:
        return _status_decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"gateway status cannot be read: {error}") from error


def _compress(plain: bytes, codec: int) -> bytes:
    if codec == PLAIN:
        return plain
    if codec == ZLIB:
        return zlib.compress(plain, 1)
    if codec == ZSTD:
        import zstandard  # noqa: PLC0415  an extra: gateways do without

        return zstandard.ZstdCompressor(level=1).compress(plain)
    raise ValueError(f"codec {codec} is unknown")


def _decompress(body: bytes, codec: int) -> bytes:
    if codec == PLAIN:
        plain = body
    elif codec == ZLIB:
        plain = _inflate(body)
    elif codec == ZSTD:
        plain = _unzstd(body)
    else:
        raise ProtocolError(f"codec {codec} is unknown")
    if len(plain) > LARGEST_PLAIN_BODY:
        raise ProtocolError(f"batch body unpacks to over {LARGEST_PLAIN_BODY} bytes")
    return plain


def _inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(body, LARGEST_PLAIN_BODY + 1)
    except zlib.error as error:
        raise ProtocolError(f"batch body is no zlib stream: {error}") from error
    if len(plain) <= LARGEST_PLAIN_BODY and (not inflater.eof or inflater.unused_data):
        raise ProtocolError("batch body is a cut or trailing zlib stream")
    return plain


def _unzstd(body: bytes) -> bytes:
    try:
        import zstandard  # noqa: PLC0415  an extra: gateways do without
    except ImportError as error:
        raise ProtocolError("batch body is zstd and package zstandard is not installed") from error
    try:
        if zstandard.frame_content_size(body) > LARGEST_PLAIN_BODY:
            return b"\0" * (LARGEST_PLAIN_BODY + 1)  # the caller's bound refuses it, not unpacked
        unpacked: bytes = zstandard.ZstdDecompressor().decompress(
            body, max_output_size=LARGEST_PLAIN_BODY + 1, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise ProtocolError(f"batch body is no zstd frame: {error}") from error
    return unpacked
