"""What a card's answer to reset says (ISO/IEC 7816-3:2006 §8; PC/SC part 3 v2.01 §3.1.3.2.3)."""

from typing import NamedTuple

from aerocast_protocols.errors import ProtocolError

LONGEST = 33
_PCSC = bytes.fromhex("A000000306")  # the PC/SC workgroup names storage cards under it
_STORAGE_CARDS = {
    0x0001: "MIFARE Classic 1K",
    0x0002: "MIFARE Classic 4K",
    0x0003: "MIFARE Ultralight or NTAG",
    0x0026: "MIFARE Mini",
    0x003A: "MIFARE Ultralight C",
    0x003D: "MIFARE Ultralight EV1",
    0x0014: "ICODE SLI",
    0x0035: "ICODE ILT",
    0x003B: "FeliCa",
}
_TYPE_2 = frozenset({0x0003, 0x003A, 0x003D})


class Atr(NamedTuple):
    """An answer to reset, taken apart.

    Attributes
    ----------
    historical
        Up to 15 bytes in which the card says what it is.
    storage_card
        PC/SC's number for a contactless memory card; None for others.
    """

    historical: bytes
    storage_card: int | None

    @property
    def name(self) -> str | None:
        """The kind of memory card in words, when the number is known."""
        return None if self.storage_card is None else _STORAGE_CARDS.get(self.storage_card)

    @property
    def is_type_2(self) -> bool:
        """Say whether it is read in pages, as an NFC Forum Type 2 tag."""
        return self.storage_card in _TYPE_2


def decode_atr(atr: bytes) -> Atr:
    """Take an answer to reset apart.

    Raises
    ------
    ProtocolError
        Its bytes do not add up: wrong first byte, too short, too long, or a wrong checksum.
    """
    if not 2 <= len(atr) <= LONGEST or atr[0] not in {0x3B, 0x3F}:
        raise ProtocolError(f"ATR {atr[:LONGEST].hex()} is none")
    at, has_checksum = _interface(atr)
    historical_length = atr[1] & 0x0F
    historical = atr[at : at + historical_length]
    if len(atr) != at + historical_length + has_checksum:
        raise ProtocolError(f"ATR {atr.hex()} has {len(atr)} bytes, not what it says")
    if has_checksum:
        check = 0
        for byte in atr[1:]:
            check ^= byte
        if check:
            raise ProtocolError(f"ATR {atr.hex()} has a wrong checksum")
    return Atr(historical, _storage_card(historical))


def _interface(atr: bytes) -> tuple[int, bool]:
    """Skip the interface bytes: where they end, and whether a checksum follows the historical."""
    at, follow, has_checksum = 2, atr[1] >> 4, False
    while follow:
        at += (follow & 7).bit_count()  # TA, TB, TC
        if not follow & 8:
            break
        if at >= len(atr):
            raise ProtocolError(f"ATR {atr.hex()} is cut")
        has_checksum |= bool(atr[at] & 0x0F)  # any protocol but T=0
        follow = atr[at] >> 4
        at += 1
    return at, has_checksum


def _storage_card(historical: bytes) -> int | None:
    """Find 80 4F len RID(5) standard(1) name(2): PC/SC part 3 table 3.5."""
    if historical[:2] != b"\x80\x4f" or len(historical) < 11 or historical[3:8] != _PCSC:
        return None
    return int.from_bytes(historical[9:11], "big")
