"""Speak to rtl_tcp, which serves a dongle's samples over TCP (port 1234).

As rtl-sdr 2.0's rtl_tcp does: the server greets with ``RTL0``, tuner and number of gain steps (4
bytes each, big endian), then sends samples without end, unsigned bytes I and Q in turn. A command
is one byte and a 4-byte big-endian argument; none is answered. There is no framing: a stream that
lost bytes may have I and Q exchanged, so connect anew.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

GREETING_BYTES = 12
COMMAND_BYTES = 5
MODE_S_HZ = 1_090_000_000
HIGHEST_GAIN_DB = 49.6  # of the R820T; servers take the nearest step they have
_GREETING = struct.Struct(">4sII")
_COMMAND = struct.Struct(">BI")
_MAGIC = b"RTL0"
TUNERS = {1: "E4000", 2: "FC0012", 3: "FC0013", 4: "FC2580", 5: "R820T", 6: "R828D"}


class Command(IntEnum):
    """What a client may ask for; arguments are Hz, tenths of dB, parts per million, or 0 and 1."""

    FREQUENCY = 0x01
    SAMPLE_RATE = 0x02
    MANUAL_GAIN = 0x03
    TUNER_GAIN = 0x04
    CORRECTION = 0x05
    INTERMEDIATE_GAIN = 0x06
    TEST_MODE = 0x07
    AUTOMATIC_GAIN = 0x08
    DIRECT_SAMPLING = 0x09
    OFFSET_TUNING = 0x0A
    RTL_CRYSTAL = 0x0B
    TUNER_CRYSTAL = 0x0C
    GAIN_BY_INDEX = 0x0D
    BIAS_TEE = 0x0E


class Greeting(NamedTuple):
    """What the server says first; ``tuner`` is its name where that is known."""

    tuner_type: int
    gain_steps: int

    @property
    def tuner(self) -> str:
        """Name the tuner."""
        return TUNERS.get(self.tuner_type, f"tuner {self.tuner_type}")


class Order(NamedTuple):
    """A command and its argument, 0 to 2^32 - 1."""

    command: Command
    argument: int


class OrderBuffer:
    """Collects what a client sends and gives out whole commands."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, received: bytes) -> None:
        """Add bytes read from the client."""
        self._received += received

    def orders(self) -> list[Order]:
        """Give out every command received whole; unknown ones are passed over."""
        end = len(self._received) // COMMAND_BYTES * COMMAND_BYTES
        whole = bytes(self._received[:end])
        del self._received[:end]
        return [
            Order(Command(number), argument)
            for number, argument in _COMMAND.iter_unpack(whole)
            if number in Command.__members__.values()
        ]


def decode_greeting(content: bytes) -> Greeting:
    """Read the first 12 bytes a server sends.

    Raises
    ------
    ProtocolError
        Whoever is there is no rtl_tcp.
    """
    if len(content) != GREETING_BYTES or not content.startswith(_MAGIC):
        raise ProtocolError(f"{content[:GREETING_BYTES]!r} is no greeting of rtl_tcp")
    _, tuner, steps = _GREETING.unpack(content)
    return Greeting(tuner, steps)


def encode_greeting(greeting: Greeting) -> bytes:
    """Write the greeting."""
    return _GREETING.pack(_MAGIC, *greeting)


def encode_orders(*orders: Order) -> bytes:
    """Write commands.

    Raises
    ------
    ProtocolError
        An argument is out of range.
    """
    try:
        return b"".join(_COMMAND.pack(order.command, order.argument) for order in orders)
    except struct.error as error:
        raise ProtocolError(f"rtl_tcp command out of range: {error}") from None


def listen_orders(sample_rate_hz: int, gain_db: float | None) -> bytes:
    """Write what makes a dongle listen for aircraft.

    Parameters
    ----------
    gain_db
        Of the tuner; None leaves it to the tuner's own automatic gain.
    """
    gain = (
        [Order(Command.MANUAL_GAIN, 0)]
        if gain_db is None
        else [Order(Command.MANUAL_GAIN, 1), Order(Command.TUNER_GAIN, round(gain_db * 10.0))]
    )
    return encode_orders(
        Order(Command.SAMPLE_RATE, sample_rate_hz),
        Order(Command.FREQUENCY, MODE_S_HZ),
        *gain,
        Order(Command.AUTOMATIC_GAIN, 0),
    )
