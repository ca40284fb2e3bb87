"""From an MQTT message to a batch and its observations: who sent it, what is in it. Pure."""

from typing import NamedTuple

from aerocast_protocols import commands
from aerocast_protocols.batch import (
    Body,
    Envelope,
    GatewayStatus,
    decode_body,
    decode_envelope,
    decode_observation,
    decode_status,
    is_of_another_version,
)
from aerocast_protocols.commands import CommandResult
from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.observations.every import Observation
from aerocast_protocols.observations.gateways import ClockAnchor, Evicted
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


class Result(NamedTuple):
    """What came of an order, by the gateway's word."""

    site: str
    gateway: str
    result: CommandResult
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
    """A message of ours that this hub has no use for yet (``twin``)."""

    message: Message


def unpack(message: Message) -> Batch | Status | Result | Unreadable | Passed:
    """Read a message of any gateway."""
    sender = None
    try:
        site, gateway, kind = parse_up(message.topic)
        if kind == "status":
            return Status(site, gateway, _status(message.payload), message)
        if kind == "result":
            return Result(site, gateway, _result(message.payload), message)
        if kind in {"0", "1", "2"}:
            if not is_of_another_version(message.payload):
                sender = (site, gateway, int(kind))
            envelope, body = _batch(message.payload, int(kind))
            return Batch(site, gateway, envelope, body, message)
    except ProtocolError as error:
        return Unreadable(message, str(error), sender)
    return Passed(message)


def read_observation(raw: bytes) -> Observation:
    """Read an observation, and refuse what no database column can hold.

    Raises
    ------
    ProtocolError
        It is none, a time or number is beyond any real one, or a name holds a NUL.
    """
    observation = decode_observation(raw)
    if abs(observation.boot_ns) > LARGEST_TIME_NS:
        raise ProtocolError(f"boot_ns {observation.boot_ns} is impossible")
    if "\0" in observation.device:
        raise ProtocolError("the device's name holds a NUL")
    if type(observation) is ClockAnchor and abs(observation.wall_ns) > LARGEST_TIME_NS:
        raise ProtocolError(f"wall_ns {observation.wall_ns} is impossible")
    if type(observation) is Evicted:
        first, last = observation.first_sequence, observation.last_sequence
        if not 1 <= first <= last <= LARGEST_NUMBER or observation.epoch > LARGEST_NUMBER:
            raise ProtocolError(f"evicted {first} to {last} of {observation.epoch} is impossible")
        if "\0" in observation.reason:
            raise ProtocolError("the reason of an eviction holds a NUL")
    return observation


def _status(payload: bytes) -> GatewayStatus:
    status = decode_status(payload)
    if status.epoch > LARGEST_NUMBER:
        raise ProtocolError(f"epoch {status.epoch} is impossible")
    return status


def _result(payload: bytes) -> CommandResult:
    result = commands.decode(payload)
    if not isinstance(result, CommandResult):
        raise ProtocolError("an order came where a result belongs")
    return result


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
