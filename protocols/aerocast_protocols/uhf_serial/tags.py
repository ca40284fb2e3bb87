"""What a module says of a tag it read, whatever its family."""

from binascii import crc_hqx

import msgspec

from aerocast_protocols.errors import ProtocolError


class ModuleTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag as a module read it.

    Attributes
    ----------
    epc
        EPC memory behind the PC word, 0 to 62 bytes.
    antenna
        Port, from 1; None when the module does not say.
    frequency_khz
        The carrier it answered on.
    phase_deg
        RF phase, [0, 360).
    seen_count
        Reads the module folded into this one.
    crc_ok
        Whether PC and EPC agree with the tag's own CRC-16; None where the frame does not carry it.
    """

    epc: bytes
    pc: int | None = None
    rssi_dbm: float | None = None
    antenna: int | None = None
    channel: int | None = None
    frequency_khz: int | None = None
    phase_deg: float | None = None
    seen_count: int = 1
    crc_ok: bool | None = None


def tag_crc(bank: bytes) -> int:
    """Give the CRC-16 a Gen2 tag sends behind its PC word and EPC (poly 1021, FFFF in and out)."""
    return crc_hqx(bank, 0xFFFF) ^ 0xFFFF


def epc_bytes(pc: int) -> int:
    """Give the length of the EPC that a PC word announces."""
    return 2 * (pc >> 11)


def split_bank(bank: bytes) -> tuple[int, bytes]:
    """Split PC word and EPC, where the EPC must be as long as the PC word says.

    Raises
    ------
    ProtocolError
        It is longer or shorter.
    """
    if len(bank) < 2:
        raise ProtocolError(f"tag of {len(bank)} bytes has no PC word")
    pc = int.from_bytes(bank[:2], "big")
    if epc_bytes(pc) != len(bank) - 2:
        raise ProtocolError(
            f"tag's PC word {pc:04X} announces {epc_bytes(pc)} bytes of EPC, {len(bank) - 2} follow"
        )
    return pc, bank[2:]


def split_checked_bank(bank: bytes) -> tuple[int, bytes, bool]:
    """Split PC word, EPC and the tag's own CRC behind them, and say whether it is right.

    Raises
    ------
    ProtocolError
        The EPC is longer or shorter than the PC word says.
    """
    if len(bank) < 4:
        raise ProtocolError(f"tag of {len(bank)} bytes has no PC word and CRC")
    pc, epc = split_bank(bank[:-2])
    return pc, epc, tag_crc(bank[:-2]) == int.from_bytes(bank[-2:], "big")
