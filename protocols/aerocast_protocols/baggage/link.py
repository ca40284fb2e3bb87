"""The SITA BagMessage link: packets of a header of 20 bytes and text, over TCP.

The header, little-endian: application id (8 ASCII characters), version (2), type, message id,
length of what follows, 4 reserved bytes. Two programs that speak it agree on this; SITA's own
document was not at hand.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum

import msgspec

from aerocast_protocols.errors import ProtocolError

HEADER = struct.Struct("<8sHHHH4s")
VERSION = 2
LONGEST_DATA = 65_535
"""Bytes: what the length field can say."""


class PacketType(IntEnum):
    """What a packet is.

    ``ACK_DATA`` is data that is to be acknowledged, ``ACK_MSG`` says it was taken in, ``NAK_MSG``
    that it was not; ``STATUS`` only shows that somebody is there.
    """

    LOGIN_RQST = 1
    LOGIN_ACCEPT = 2
    LOGIN_REJECT = 3
    DATA = 4
    ACK_DATA = 5
    ACK_MSG = 6
    NAK_MSG = 7
    STATUS = 8
    DATA_ON = 9
    DATA_OFF = 10
    LOG_OFF = 11


class Packet(msgspec.Struct, frozen=True):
    """One packet.

    Attributes
    ----------
    type
        What it is.
    application
        Who speaks, as agreed with the network: at most 8 ASCII characters.
    message_id
        0 to 65535: of the data, or of the data an acknowledgement is about.
    data
        A message, or the password of a login.
    """

    type: PacketType
    application: str
    message_id: int = 0
    data: bytes = b""

    def __repr__(self) -> str:
        """Tell no content: it may be a password or name passengers."""
        return f"Packet({self.type.name}, {self.message_id}, {len(self.data)} bytes)"


def encode_packet(packet: Packet) -> bytes:
    """Write a packet.

    Raises
    ------
    ProtocolError
        The application id or the data is too long, or a number out of range.
    """
    application = packet.application.encode("ascii", "replace")
    if len(application) > 8 or not packet.application.isascii():
        raise ProtocolError(f"application id {packet.application[:16]!r} is not 8 ASCII characters")
    if len(packet.data) > LONGEST_DATA:
        raise ProtocolError(f"{len(packet.data)} bytes do not fit into a packet")
    if not 0 <= packet.message_id <= 0xFFFF:
        raise ProtocolError(f"message id {packet.message_id} is not one of 16 bits")
    header = HEADER.pack(
        application.ljust(8), VERSION, packet.type, packet.message_id, len(packet.data), bytes(4)
    )
    return header + packet.data


class PacketBuffer:
    """Collects bytes as they arrive and gives out whole packets.

    No socket, no clock: feed it from anywhere, in pieces of any size.
    """

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, received: bytes) -> None:
        """Add bytes read from the peer."""
        self._received += received

    def packets(self) -> Iterator[Packet]:
        """Give out every packet received whole, oldest first.

        Raises
        ------
        ProtocolError
            The version or type is none. The stream cannot be resynchronised: reconnect.
        """
        while len(self._received) >= HEADER.size:
            application, version, number, message_id, length, _ = HEADER.unpack_from(self._received)
            if version != VERSION:
                raise ProtocolError(f"link version {version} is not {VERSION}")
            try:
                kind = PacketType(number)
            except ValueError:
                raise ProtocolError(f"packet type {number} is none") from None
            end = HEADER.size + length
            if len(self._received) < end:
                return
            data = bytes(self._received[HEADER.size : end])
            del self._received[:end]
            name = application.decode("latin-1").rstrip(" \0")
            yield Packet(kind, name, message_id, data)
