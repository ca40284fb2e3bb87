"""From an MQTT message to a batch: who sent it, and what is in it. Pure."""

from typing import NamedTuple

from aerocast_protocols.batch import (
    Body,
    Envelope,
    GatewayStatus,
    decode_body,
    decode_envelope,
    decode_status,
    is_of_another_version,
)
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.topics import parse_up

LARGEST_NUMBER = 2**63 - 1
"""Databases count to here; a real epoch or sequence never gets near."""

LARGEST_TIME_NS = 2**62 - 1
"""The year 2116, in nanoseconds; a difference of two such still fits a column."""


class Message(NamedTuple):
    """What came over MQTT, and when (hub's UTC, microseconds)."""

    topic: str
    payload: bytes
    received_at_us: int


class Batch(NamedTuple):
    """A lane's message, read."""

    site: str
    gateway: str
    envelope: Envelope
    body: Body
    message: Message


class Status(NamedTuple):
    """A gateway's word on itself, or its last will."""

    site: str
    gateway: str
    status: GatewayStatus
    message: Message


class Unreadable(NamedTuple):
    """A message nobody can take in, and why.

    Attributes
    ----------
    sender
        Site, gateway and lane, when it is a batch that will never be readable: sent again as it
        is, it would come for ever. None of a batch that a newer hub may be able to read.
    """

    message: Message
    reason: str
    sender: tuple[str, str, int] | None = None


class Passed(NamedTuple):
    """A message of ours that this hub has no use for yet (``twin``, ``result``)."""

    message: Message


def unpack(message: Message) -> Batch | Status | Unreadable | Passed:
    """Read a message of any gateway."""
    sender = None
    try:
        site, gateway, kind = parse_up(message.topic)
        if kind == "status":
            return Status(site, gateway, _status(message.payload), message)
        if kind in {"0", "1", "2"}:
            if not is_of_another_version(message.payload):
                sender = (site, gateway, int(kind))
            envelope, body = _batch(message.payload, int(kind))
            return Batch(site, gateway, envelope, body, message)
    except ProtocolError as error:
        return Unreadable(message, str(error), sender)
    return Passed(message)


def _status(payload: bytes) -> GatewayStatus:
    status = decode_status(payload)
    if status.epoch > LARGEST_NUMBER:
        raise ProtocolError(f"epoch {status.epoch} is impossible")
    return status


def _batch(payload: bytes, lane: int) -> tuple[Envelope, Body]:
    envelope = decode_envelope(payload)
    body = decode_body(envelope.body, envelope.codec)
    if body.lane != lane:
        raise ProtocolError(f"lane {body.lane} was sent as lane {lane}")
    last = body.first_sequence + body.count - 1
    if max(body.epoch, last, envelope.oldest_sequence) > LARGEST_NUMBER:
        raise ProtocolError(f"epoch {body.epoch}, sequence {last} are impossible")
    if max(abs(envelope.boot_ns_sent), abs(envelope.wall_ns_sent)) > LARGEST_TIME_NS:
        raise ProtocolError("the sender's clocks are impossible")
    return envelope, body
