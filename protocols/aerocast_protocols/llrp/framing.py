"""Split a byte stream from an RFID reader into LLRP messages, and put messages on the wire.

LLRP v1.1 §17.1: every message starts with ten bytes, big endian: 3 bits reserved, 3 bits version,
10 bits type, 32 bits length (header included), 32 bits id.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum

import msgspec

from aerocast_protocols.errors import ProtocolError

HEADER = struct.Struct("!HII")
_HEADER_SIZE = HEADER.size
# Ours, not the standard's: bounds what a broken reader can cost us, in bytes.
LONGEST_MESSAGE = 1 << 20
VERSION = 1  # 1.0.1, which every reader speaks
NEWEST_VERSION = 3


class MessageType(IntEnum):
    """The messages a reader and its client exchange (LLRP v1.1 §17.1)."""

    GET_READER_CAPABILITIES = 1
    GET_READER_CONFIG = 2
    SET_READER_CONFIG = 3
    CLOSE_CONNECTION_RESPONSE = 4
    GET_READER_CAPABILITIES_RESPONSE = 11
    GET_READER_CONFIG_RESPONSE = 12
    SET_READER_CONFIG_RESPONSE = 13
    CLOSE_CONNECTION = 14
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    STOP_ROSPEC = 23
    ENABLE_ROSPEC = 24
    DISABLE_ROSPEC = 25
    GET_ROSPECS = 26
    ADD_ROSPEC_RESPONSE = 30
    DELETE_ROSPEC_RESPONSE = 31
    START_ROSPEC_RESPONSE = 32
    STOP_ROSPEC_RESPONSE = 33
    ENABLE_ROSPEC_RESPONSE = 34
    DISABLE_ROSPEC_RESPONSE = 35
    GET_ROSPECS_RESPONSE = 36
    DELETE_ACCESSSPEC = 41
    GET_ACCESSSPECS = 44
    DELETE_ACCESSSPEC_RESPONSE = 51
    GET_ACCESSSPECS_RESPONSE = 54
    GET_REPORT = 60
    RO_ACCESS_REPORT = 61
    KEEPALIVE = 62
    READER_EVENT_NOTIFICATION = 63
    ENABLE_EVENTS_AND_REPORTS = 64
    KEEPALIVE_ACK = 72
    ERROR_MESSAGE = 100
    CUSTOM_MESSAGE = 1023


class Message(msgspec.Struct, frozen=True, gc=False):
    """One LLRP message, header taken off.

    Attributes
    ----------
    type
        Message type, 0 to 1023; see `MessageType`.
    id
        Message id, echoed by the reader in its response.
    body
        Fields and parameters, undecoded.
    """

    type: int
    id: int
    body: bytes


class MessageBuffer:
    """Collects bytes as they arrive and gives out whole messages.

    No socket, no clock: feed it from anywhere, in pieces of any size. Once `messages` has been
    exhausted it holds less than one message, so at most ``LONGEST_MESSAGE`` bytes.
    """

    def __init__(self) -> None:
        self._received = bytearray()

    @property
    def waiting(self) -> int:
        """Give the number of bytes that do not yet make a message."""
        return len(self._received)

    def feed(self, received: bytes) -> None:
        """Add bytes read from the reader."""
        self._received += received

    def messages(self) -> Iterator[Message]:
        """Give out every message received whole, oldest first.

        Raises
        ------
        ProtocolError
            The version or length field is impossible. The stream cannot be resynchronised:
            reconnect.
        """
        received = self._received
        while len(received) >= _HEADER_SIZE:
            version_and_type, length, message_id = HEADER.unpack_from(received)
            version = version_and_type >> 10 & 7
            if not 1 <= version <= NEWEST_VERSION:
                raise ProtocolError(f"LLRP version {version} is unknown")
            if not _HEADER_SIZE <= length <= LONGEST_MESSAGE:
                raise ProtocolError(f"LLRP message length {length} is impossible")
            if len(received) < length:
                return
            body = bytes(received[_HEADER_SIZE:length])
            del received[:length]
            yield Message(version_and_type & 0x3FF, message_id, body)


def encode_message(message_type: int, message_id: int, body: bytes = b"") -> bytes:
    """Put a message on the wire.

    Raises
    ------
    ValueError
        Type or id does not fit its field, or the body is longer than ``LONGEST_MESSAGE`` allows.
    """
    length = HEADER.size + len(body)
    if not 0 <= message_type <= 0x3FF or not 0 <= message_id < 1 << 32:
        raise ValueError(f"LLRP message type {message_type}, id {message_id} do not fit")
    if length > LONGEST_MESSAGE:
        raise ValueError(f"LLRP message of {length} bytes is over {LONGEST_MESSAGE}")
    return HEADER.pack(VERSION << 10 | message_type, length, message_id) + body


def keepalive_ack(message_id: int) -> bytes:
    """Encode the ``KEEPALIVE_ACK`` owed to every ``KEEPALIVE``."""
    return encode_message(MessageType.KEEPALIVE_ACK, message_id)
