"""One Mode S frame: its parity, its address, and everything it says by itself.

Parity and addresses are ours (ICAO Annex 10 volume IV §3.1.2.6: 24-bit cyclic code, generator
FFF409); fields are decoded by pyModeS, one frame at a time and without memory: what belongs to
several frames (positions, which Comm-B register) is decided by whoever keeps the aircraft.
"""

import msgspec
from pyModeS import Message
from pyModeS.errors import DecodeError

from aerocast_protocols.errors import ProtocolError
from aerocast_protocols.modes.cpr import Cpr
from aerocast_protocols.modes.fields import ModeSFields
from aerocast_protocols.modes.parity import downlink_format, has_right_length

AIRBORNE_CODES = frozenset(range(9, 19)) | frozenset(range(20, 23))
SURFACE_CODES = frozenset(range(5, 9))
VELOCITY_CODE = 19


def decode_frame(
    frame: bytes,
    *,
    reference: tuple[float, float] | None = None,
) -> ModeSFields:
    """Decode what one frame says by itself.

    Parameters
    ----------
    frame
        7 or 14 bytes, parity included, as the downlink format demands.
    reference
        Where the receiver stands, degrees north and east; gives ``latitude`` and ``longitude`` to
        position frames from within 180 NM of it (45 NM on the surface) and *wrong* ones to frames
        from farther away.

    Raises
    ------
    ProtocolError
        The length does not fit the downlink format, or the fields cannot be read.
    """
    if not has_right_length(frame):
        raise ProtocolError(f"a Mode S frame of {len(frame)} bytes: {frame[:14].hex()}")
    try:
        decoded = Message(frame).decode(reference=reference, surface_ref=reference)
        return msgspec.convert(decoded, ModeSFields)
    except (DecodeError, ValueError, KeyError, IndexError, msgspec.ValidationError) as error:
        raise ProtocolError(f"Mode S frame {frame.hex()}: {error}") from error


def explain_frame(frame: bytes, *, reference: tuple[float, float] | None = None) -> str:
    """Give pyModeS's own decode of a frame, as JSON.

    Raises
    ------
    ProtocolError
        pyModeS refuses the frame.
    """
    try:
        return Message(frame).decode(reference=reference, surface_ref=reference).to_json()
    except (DecodeError, ValueError, KeyError, IndexError) as error:
        raise ProtocolError(f"Mode S frame {frame.hex()}: {error}") from error


def cpr_of(fields: ModeSFields) -> Cpr | None:
    """Give the raw position of a position frame; None for every other."""
    if fields.cpr_format is None or fields.cpr_lat is None or fields.cpr_lon is None:
        return None
    return Cpr(bool(fields.cpr_format), fields.cpr_lat, fields.cpr_lon)


def is_on_surface(fields: ModeSFields) -> bool | None:
    """Say whether a position frame was sent on the ground; None for every other frame."""
    if fields.typecode in SURFACE_CODES:
        return True
    if fields.typecode in AIRBORNE_CODES:
        return False
    return None


__all__ = [
    "AIRBORNE_CODES",
    "SURFACE_CODES",
    "VELOCITY_CODE",
    "cpr_of",
    "decode_frame",
    "downlink_format",
    "explain_frame",
    "is_on_surface",
]
