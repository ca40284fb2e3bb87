"""Name what a tag is: a bag tag, a GS1 identity from a shop or a crate, or something else.

Headers and lengths: GS1 EPC Tag Data Standard 2.0 §14.2 (binary coding schemes).
"""

from typing import NamedTuple

import msgspec

from aerocast_protocols.epc.bag_tag import BagTag, claims_bag_tag, decode_bag_tag
from aerocast_protocols.errors import ProtocolError

# header -> scheme, bits (0: variable)
_SCHEMES = {
    0x2C: ("gdti-96", 96), 0x2D: ("gsrn-96", 96), 0x2E: ("gsrnp-96", 96), 0x2F: ("usdod-96", 96),
    0x30: ("sgtin-96", 96), 0x31: ("sscc-96", 96), 0x32: ("sgln-96", 96), 0x33: ("grai-96", 96),
    0x34: ("giai-96", 96), 0x35: ("gid-96", 96), 0x36: ("sgtin-198", 198), 0x37: ("grai-170", 170),
    0x38: ("giai-202", 202), 0x39: ("sgln-195", 195), 0x3A: ("gdti-113", 113), 0x3B: ("adi-var", 0),
    0x3C: ("cpi-96", 96), 0x3D: ("cpi-var", 0), 0x3E: ("gdti-174", 174), 0x3F: ("sgcn-96", 96),
    0x40: ("itip-110", 110), 0x41: ("itip-212", 212), 0xF0: ("cpi+", 0), 0xF1: ("grai+", 0),
    0xF2: ("sgln+", 0), 0xF3: ("itip+", 0), 0xF4: ("gsrn+", 0), 0xF5: ("gsrnp+", 0),
    0xF6: ("gdti+", 0), 0xF7: ("sgtin+", 0), 0xF8: ("sgcn+", 0), 0xF9: ("sscc+", 0),
    0xFA: ("giai+", 0), 0xFB: ("dsgtin+", 0),
}  # fmt: skip
_TOGGLE = 0x0100
LONGEST_EPC = 62


class OtherTag(msgspec.Struct, frozen=True):
    """A tag that is no bag tag.

    Attributes
    ----------
    scheme
        ``sgtin-96``, ``sscc-96`` ..., ``iso`` for tags under an ISO application family, ``other``.
    afi
        The application family of an ISO tag, where the reader reports it.
    """

    scheme: str
    afi: int | None = None


class EpcBank(NamedTuple):
    """A tag's EPC memory taken apart."""

    pc: int | None
    epc: bytes


def classify(epc: bytes, pc: int | None = None) -> BagTag | OtherTag:
    """Say what a tag is.

    Raises
    ------
    ProtocolError
        It calls itself a bag tag and is a broken one.
    """
    if claims_bag_tag(epc, pc):
        return decode_bag_tag(epc, pc)
    if pc is not None and pc & _TOGGLE:
        return OtherTag("iso", pc & 0xFF)
    scheme, bits = _SCHEMES.get(epc[0], ("other", 0)) if epc else ("other", 0)
    return OtherTag(scheme if 8 * len(epc) >= bits else "other")


def split_bank(bank: bytes) -> EpcBank:
    """Split a dump of EPC memory into PC word and EPC; the PC word may be missing.

    It is there when what follows is as long as it says, and the dump is not itself a bag tag or a
    GS1 identity of exactly its length.

    Raises
    ------
    ProtocolError
        The dump is empty or longer than any tag's.
    """
    if not 0 < len(bank) <= LONGEST_EPC + 2:
        raise ProtocolError(f"EPC memory of {len(bank)} bytes is impossible")
    words = bank[0] >> 3
    follows = len(bank) - 2
    if bank[1:3] == b"\xc1\x0c" and 0 < 2 * words <= follows:
        return EpcBank(int.from_bytes(bank[:2], "big"), bank[2 : 2 + 2 * words])
    bits = _SCHEMES[bank[0]][1] if bank[0] in _SCHEMES else 0
    is_bare = claims_bag_tag(bank) or (bits > 0 and len(bank) == 2 * ((bits + 15) // 16))
    if not is_bare and follows >= 0 and 2 * words == follows:
        return EpcBank(int.from_bytes(bank[:2], "big"), bank[2:])
    if len(bank) > LONGEST_EPC:
        raise ProtocolError(f"EPC memory of {len(bank)} bytes has no PC word that fits")
    return EpcBank(None, bank)
