"""Commands to a card and its answers (ISO/IEC 7816-4; PC/SC part 3 v2.01 §3.2.2 for class FF)."""

from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

LONGEST_ANSWER = 65_538
OK = 0x9000

GET_UID = bytes.fromhex("FFCA000000")
"""Answered by the reader, not by the card."""
SELECT_NDEF = bytes.fromhex("00A4040007D276000085010100")
"""NFC Forum Type 4 Tag 2.0 §5.4.2: the NDEF application, by its name."""


class Answer(NamedTuple):
    """What came back: data, and the two status bytes as one number."""

    content: bytes
    status: int

    @property
    def is_ok(self) -> bool:
        """Say whether the command was carried out."""
        return self.status == OK


def decode_answer(answer: bytes) -> Answer:
    """Part an answer into data and status.

    Raises
    ------
    ProtocolError
        It is too short to hold a status, or longer than any answer.
    """
    if not 2 <= len(answer) <= LONGEST_ANSWER:
        raise ProtocolError(f"an answer of {len(answer)} bytes is none of a card's")
    return Answer(answer[:-2], int.from_bytes(answer[-2:], "big"))


def read_page(page: int) -> bytes:
    """Ask for the 16 bytes from a page of a Type 2 tag; pages are of 4 bytes.

    Raises
    ------
    ValueError
        No reader can ask for that page.
    """
    return bytes((0xFF, 0xB0, *page.to_bytes(2, "big"), 16))


def select_file(identifier: int) -> bytes:
    """Select a file by its two-byte identifier (no answer data wanted)."""
    return bytes((0x00, 0xA4, 0x00, 0x0C, 0x02, *identifier.to_bytes(2, "big")))


def read_binary(offset: int, length: int) -> bytes:
    """Read ``length`` (1 to 255) bytes of the selected file from ``offset`` (below 32,768).

    Raises
    ------
    ValueError
        Offset or length do not fit a short command.
    """
    if not 0 <= offset < 0x8000 or not 1 <= length <= 255:
        raise ValueError(f"cannot read {length} bytes from {offset} in one command")
    return bytes((0x00, 0xB0, *offset.to_bytes(2, "big"), length))
