"""UBX messages about the receiver itself: MON-VER, ACK-ACK, ACK-NAK.

u-blox interface description (UBX-21031777 R02), "UBX-MON" and "UBX-ACK".
"""

from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.ubx.framing import Frame

MON_VER = (0x0A, 0x04)
ACK_NAK, ACK_ACK = (0x05, 0x00), (0x05, 0x01)
ASK_VERSION = Frame(MON_VER, b"")

_SOFTWARE, _HARDWARE, _EXTENSION = 30, 10, 30


class Version(NamedTuple):
    """What runs in a receiver; ``extensions`` are texts such as ``MOD=NEO-M9N``."""

    software: str
    hardware: str
    extensions: tuple[str, ...] = ()

    @property
    def model(self) -> str | None:
        """Give the module's name, where it says it."""
        return self._said("MOD=")

    @property
    def firmware(self) -> str | None:
        """Give the firmware's name and version, where it says it."""
        return self._said("FWVER=")

    @property
    def protocol(self) -> str | None:
        """Give the version of UBX it speaks, where it says it."""
        said = self._said("PROTVER")
        return None if said is None else said.strip("= ")

    def _said(self, key: str) -> str | None:
        return next((each[len(key) :] for each in self.extensions if each.startswith(key)), None)


class Answer(NamedTuple):
    """Whether the receiver took a message of this class and number."""

    message: tuple[int, int]
    taken: bool


def decode_version(payload: bytes) -> Version:
    """Read MON-VER.

    Raises
    ------
    ProtocolError
        Its length is impossible.
    """
    rest = len(payload) - _SOFTWARE - _HARDWARE
    if rest < 0 or rest % _EXTENSION:
        raise ProtocolError(f"MON-VER of {len(payload)} bytes")
    begins = range(_SOFTWARE + _HARDWARE, len(payload), _EXTENSION)
    return Version(
        _text(payload[:_SOFTWARE]),
        _text(payload[_SOFTWARE : _SOFTWARE + _HARDWARE]),
        tuple(_text(payload[at : at + _EXTENSION]) for at in begins),
    )


def encode_version(version: Version) -> Frame:
    """Write MON-VER as a receiver does.

    Raises
    ------
    ValueError
        A text is too long, or is no ASCII.
    """
    parts = [(version.software, _SOFTWARE), (version.hardware, _HARDWARE)]
    parts += [(each, _EXTENSION) for each in version.extensions]
    payload = b""
    for text, length in parts:
        if len(text) >= length:
            raise ValueError(f"{text!r} is longer than {length - 1} characters")
        payload += text.encode("ascii").ljust(length, b"\0")
    return Frame(MON_VER, payload)


def decode_answer(frame: Frame) -> Answer:
    """Read ACK-ACK or ACK-NAK.

    Raises
    ------
    ProtocolError
        It is neither, or its length is impossible.
    """
    if frame.message not in {ACK_ACK, ACK_NAK} or len(frame.payload) != 2:
        raise ProtocolError(f"UBX message {frame.message} of {len(frame.payload)} bytes answers no")
    return Answer((frame.payload[0], frame.payload[1]), frame.message == ACK_ACK)


def encode_answer(answer: Answer) -> Frame:
    """Write ACK-ACK or ACK-NAK."""
    return Frame(ACK_ACK if answer.taken else ACK_NAK, bytes(answer.message))


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("ascii", "replace").strip()
