"""What the hub may ask of a gateway: a fixed list of verbs, never a shell.

None of them gives out observations: who may order need not be one who may see bags.
"""

from typing import Annotated, Literal

import msgspec

from aerocast_protocols.errors import ProtocolError

Verb = Literal["ping", "probe", "flush", "restart_device", "diagnose"]
OF_A_DEVICE = frozenset({"probe", "restart_device"})
"""Verbs that need a device."""
LONGEST_OUTPUT = 16_384
Text = Annotated[str, msgspec.Meta(max_length=256)]


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="command"):
    """One order to one gateway.

    Attributes
    ----------
    id
        Unique; a gateway runs an id at most once.
    expires_at_us
        UTC microseconds; after that the gateway refuses it.
    device
        Which device, for the verbs that need one.
    count
        Of no meaning to the verbs there are; the bytes of a version stay.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    verb: Verb
    expires_at_us: int
    device: Text | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None


class CommandResult(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="result"):
    """What came of a command; ``error`` is None when it worked."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    error: Text | None = None
    output: Annotated[str, msgspec.Meta(max_length=LONGEST_OUTPUT)] = ""


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Command | CommandResult] = msgspec.msgpack.Decoder(
    Command | CommandResult
)


def encode(message: Command | CommandResult) -> bytes:
    """Encode what goes to ``.../down/command`` or ``.../up/result``."""
    return _encoder.encode(message)


def decode(payload: bytes) -> Command | CommandResult:
    """Decode either.

    Raises
    ------
    ProtocolError
        It is neither, or names a verb this version does not know.
    """
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"command cannot be read: {error}") from error
