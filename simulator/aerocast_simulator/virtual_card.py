"""Cards without cards: a Type 2 or Type 4 tag in the virtual reader of Debian's vsmartcard-vpcd.

The card connects to the reader's driver inside pcscd, which sends a 16-bit length and a command of
one byte (off, on, reset, give the ATR) or an APDU, which is answered. A card that leaves hangs up.
"""

import asyncio
import contextlib
from typing import Protocol

from aerocast_protocols.smartcard import apdu

TYPE_2_ATR = bytes.fromhex("3B8F8001804F0CA0000003060300030000000068")
TYPE_4_ATR = bytes.fromhex("3B8180018080")  # what PC/SC gives an ISO 14443-4 card that says nothing
NOT_FOUND, WRONG_OFFSET, NOT_SUPPORTED, NOT_ALLOWED = 0x6A82, 0x6B00, 0x6D00, 0x6986
_GIVE_ATR = 4


class Card(Protocol):
    """Something that answers APDUs."""

    atr: bytes

    def answer(self, command: bytes) -> bytes:
        """Carry out a command."""


class Type2Card:
    """An NTAG or MIFARE Ultralight: 4-byte pages, capability container in page 3."""

    def __init__(self, uid: bytes, message: bytes | None = None, pages: int = 45) -> None:
        self.atr = TYPE_2_ATR
        self._uid = uid
        room = (pages - 4) * 4
        self._memory = bytearray(pages * 4)
        if message is None:
            return
        long = len(message) >= 0xFF
        head = b"\x03\xff" + len(message).to_bytes(2, "big") if long else bytes((3, len(message)))
        self._memory[12:16] = bytes((0xE1, 0x10, room // 8, 0))
        self._memory[16 : 16 + len(head) + len(message) + 1] = head + message + b"\xfe"

    def answer(self, command: bytes) -> bytes:
        """Carry out a command."""
        if command == apdu.GET_UID:
            return self._uid + b"\x90\x00"
        if command[:2] == b"\xff\xb0" and len(command) == 5:
            at = int.from_bytes(command[2:4], "big") * 4
            if at >= len(self._memory):
                return _status(WRONG_OFFSET)
            return bytes(self._memory[at : at + command[4]]) + b"\x90\x00"
        return _status(NOT_SUPPORTED)


class Type4Card:
    """A DESFire or a phone that plays a tag: an application with files, chosen before read."""

    def __init__(self, uid: bytes, message: bytes | None = None, at_once: int = 0x3B) -> None:
        self.atr = TYPE_4_ATR
        self._uid = uid
        self._files: dict[int, bytes] = {}
        if message is not None:
            container = bytes.fromhex("000F20") + at_once.to_bytes(2, "big") + bytes.fromhex("0034")
            container += bytes.fromhex("0406E104") + (len(message) + 2).to_bytes(2, "big")
            self._files[0xE103] = container + b"\x00\xff"
            self._files[0xE104] = len(message).to_bytes(2, "big") + message
        self._is_in_application = False
        self._selected: bytes | None = None

    def answer(self, command: bytes) -> bytes:
        """Carry out a command."""
        if command == apdu.GET_UID:
            return self._uid + b"\x90\x00"
        if command == apdu.SELECT_NDEF:
            self._is_in_application = bool(self._files)
            return _status(apdu.OK if self._files else NOT_FOUND)
        if command[:2] == b"\x00\xa4":
            file = self._files.get(int.from_bytes(command[5:7], "big"))
            self._selected = file if self._is_in_application else None
            return _status(NOT_FOUND if self._selected is None else apdu.OK)
        if command[:2] == b"\x00\xb0":
            if self._selected is None:
                return _status(NOT_ALLOWED)
            at = int.from_bytes(command[2:4], "big")
            return self._selected[at : at + command[4]] + b"\x90\x00"
        return _status(NOT_SUPPORTED)


class CardSlot:
    """One slot of the virtual reader: put a card in, take it out.

    Parameters
    ----------
    path
        A Unix socket that leads to the slot's port.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._talk: asyncio.Task[None] | None = None

    async def insert(self, card: Card) -> None:
        """Hold a card to the reader, in place of the one that is there."""
        await self.remove()
        reader, writer = await asyncio.open_unix_connection(self._path)
        self._talk = asyncio.create_task(_talk(card, reader, writer))

    async def remove(self) -> None:
        """Take the card away."""
        if self._talk is not None:
            self._talk.cancel()
            await asyncio.gather(self._talk, return_exceptions=True)
            self._talk = None


async def _talk(card: Card, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer), contextlib.suppress(OSError, EOFError):
        while True:
            length = int.from_bytes(await reader.readexactly(2), "big")
            command = await reader.readexactly(length)
            if length > 1:
                answer = card.answer(command)
            elif command[0] == _GIVE_ATR:
                answer = card.atr
            else:
                continue  # power and reset: no answer
            writer.write(len(answer).to_bytes(2, "big") + answer)
            await writer.drain()


def _status(status: int) -> bytes:
    return status.to_bytes(2, "big")
