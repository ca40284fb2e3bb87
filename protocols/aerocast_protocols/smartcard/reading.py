"""Read a card: which commands to send, drawn from its answers. No reader, no waiting.

Each function is a conversation: it yields a command and is sent the card's answer::

    talk = read_card(atr)
    command = next(talk)
    while True:
        try:
            command = talk.send(transmit(command))
        except StopIteration as end:
            return end.value

Type 2: NFC Forum Type 2 Tag 1.1 §6.1 (capability container), §2.3 (TLV). Type 4: Type 4 Tag 2.0 §5.
"""

from collections.abc import Generator

import msgspec

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.smartcard import apdu
from aerocast_protocols.smartcard.atr import Atr, decode_atr
from aerocast_protocols.smartcard.ndef import LONGEST_MESSAGE, decode_ndef, text_of

Talk = Generator[bytes, bytes, "Card"]
Reading = Generator[bytes, bytes, bytes | None]

LONGEST_UID = 32
_NDEF_MAGIC = 0xE1
_TLV_NULL, _TLV_NDEF, _TLV_END = 0x00, 0x03, 0xFE
_CAPABILITIES = 0xE103
_LARGEST_READ = 240  # some readers choke on 255
_ICODE = 0xE0  # first byte of every ISO 15693 identifier


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a card told.

    Attributes
    ----------
    uid
        Its identifier; empty when it would not say. It can be copied: it proves nothing.
    ndef
        Its NDEF message, undecoded; None when it has none.
    """

    uid: bytes = b""
    ndef: bytes | None = None

    @property
    def text(self) -> str | None:
        """The texts and addresses in its message; None when there are none to be read."""
        if self.ndef is None:
            return None
        try:
            return text_of(decode_ndef(self.ndef))
        except ProtocolError:
            return None


def read_card(atr: bytes, *, wants_ndef: bool = True) -> Talk:
    """Read a card's identifier and message.

    Raises
    ------
    ProtocolError
        An answer is none of a card's. What a card refuses is no error: it just has no such thing.
    """
    answer = apdu.decode_answer((yield apdu.GET_UID))
    uid = _in_order(answer.content[:LONGEST_UID]) if answer.is_ok else b""
    ndef = None
    if wants_ndef:
        known = _known(atr)
        if known is not None and known.storage_card is not None:
            ndef = (yield from read_type_2()) if known.is_type_2 else None
        else:
            ndef = yield from read_type_4()
    return Card(uid=uid, ndef=ndef)


def read_type_2() -> Reading:
    """Read the message of a Type 2 tag, four pages at a time; None when it has none."""
    answer = apdu.decode_answer((yield apdu.read_page(3)))
    if not answer.is_ok or len(answer.content) < 4 or answer.content[0] != _NDEF_MAGIC:
        return None
    size = answer.content[2] * 8
    memory = bytearray(answer.content[4:16])
    page = 7
    while True:
        found = find_ndef(bytes(memory[:size]))
        if found is not None or len(memory) >= size:
            return found or None
        answer = apdu.decode_answer((yield apdu.read_page(page)))
        if not answer.is_ok or not answer.content:
            return None
        memory += answer.content[:16]
        page += 4


def find_ndef(memory: bytes) -> bytes | None:
    """Find the message in a Type 2 tag's memory from page 4; None: read on; empty: there is none.

    Bytes past the message do not matter.
    """
    at = 0
    while at < len(memory):
        kind = memory[at]
        if kind == _TLV_END:
            return b""
        if kind == _TLV_NULL:
            at += 1
            continue
        if at + 1 >= len(memory):
            return None
        length, begins = memory[at + 1], at + 2
        if length == 0xFF:
            length, begins = int.from_bytes(memory[at + 2 : at + 4], "big"), at + 4
            if begins > len(memory):
                return None
        if kind == _TLV_NDEF:
            found = memory[begins : begins + length]
            return found if len(found) == length else None
        at = begins + length
    return None


def read_type_4() -> Reading:
    """Read the message of a Type 4 tag; None when it has none, or keeps it to itself."""
    container = yield from _file(_CAPABILITIES, 15, apdu.SELECT_NDEF)
    if container is None or len(container) < 15 or container[7:9] != b"\x04\x06":
        return None
    at_once = int.from_bytes(container[3:5], "big")
    file, most = container[9:11], int.from_bytes(container[11:13], "big")
    if container[13]:  # reading needs a key
        return None
    step = max(1, min(at_once, _LARGEST_READ))
    head = yield from _file(int.from_bytes(file, "big"), 2)
    if head is None or len(head) < 2:
        return None
    length = int.from_bytes(head, "big")
    if not 0 < length <= min(most - 2, LONGEST_MESSAGE - 2):
        return None
    message = bytearray()
    while len(message) < length:
        part = min(step, length - len(message))
        answer = apdu.decode_answer((yield apdu.read_binary(2 + len(message), part)))
        if not answer.is_ok or not answer.content:
            return None
        message += answer.content[:part]
    return bytes(message)


def _file(identifier: int, length: int, *before: bytes) -> Reading:
    """Select a file and read its beginning."""
    for command in (*before, apdu.select_file(identifier)):
        if not apdu.decode_answer((yield command)).is_ok:
            return None
    answer = apdu.decode_answer((yield apdu.read_binary(0, length)))
    return answer.content if answer.is_ok else None


def _known(atr: bytes) -> Atr | None:
    try:
        return decode_atr(atr)
    except ProtocolError:
        return None  # a card may be read though its ATR is odd


def _in_order(uid: bytes) -> bytes:
    """Put an ISO 15693 identifier, which some readers give backwards, the right way round."""
    backwards = len(uid) == 8 and uid[-1] == _ICODE and uid[0] != _ICODE
    return uid[::-1] if backwards else uid
