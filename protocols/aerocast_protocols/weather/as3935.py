"""The lightning detector AS3935 (ams, now ScioSense): its registers, datasheet revision 1.4."""

from typing import Literal

import msgspec

from aerocast_protocols.errors import ProtocolError

FIRST_REGISTER, REGISTERS = 0x00, 0x09
DEFAULT_ADDRESS = 0x03
DIRECT_COMMAND = 0x96
PRESET_DEFAULT, CALIBRATE_RCO = 0x3C, 0x3D
_OUT_OF_RANGE, _OVERHEAD = 0x3F, 0x01
_POWERED_DOWN = 0x01


class As3935State(msgspec.Struct, frozen=True, kw_only=True):
    """What the detector says.

    Attributes
    ----------
    event
        Why it asked for attention; reading clears it.
    distance_km
        Estimated distance to the head of the storm, 0 overhead; None: out of range (over 40 km).
    energy
        A number without unit, 21 bits.
    is_listening
        Whether it is powered up.
    """

    event: Literal["noise", "disturber", "lightning", "distance_changed"] | None
    distance_km: float | None
    energy: int
    is_listening: bool


_EVENTS: dict[int, Literal["noise", "disturber", "lightning", "distance_changed"]] = {
    0x01: "noise",
    0x04: "disturber",
    0x08: "lightning",
}


def decode_registers(registers: bytes) -> As3935State:
    """Read registers 0x00 to 0x08; bytes past them are passed over.

    Raises
    ------
    ProtocolError
        They are cut, or all ones: nobody answers on the bus.
    """
    if len(registers) < REGISTERS:
        raise ProtocolError(f"AS3935: {len(registers)} registers, not {REGISTERS}")
    if registers[:REGISTERS] == b"\xff" * REGISTERS:
        raise ProtocolError("AS3935: nobody answers")
    distance = registers[7] & 0x3F
    return As3935State(
        event=_EVENTS.get(registers[3] & 0x0F),
        distance_km=None
        if distance in (_OUT_OF_RANGE, 0)
        else 0.0
        if distance == _OVERHEAD
        else float(distance),
        energy=registers[4] | registers[5] << 8 | (registers[6] & 0x1F) << 16,
        is_listening=not registers[0] & _POWERED_DOWN,
    )


def afe_gain(*, indoors: bool) -> bytes:
    """Give what to write to register 0x00: powered up, its gain for where it stands."""
    return bytes([0x00, 0x24 if indoors else 0x1C])
