"""Tell which Comm-B register a reply carries, and read tracks and airspeeds from it.

A reply (df 20, 21) does not say which register it answers with. BDS 5,0 and 6,0 (ICAO Doc 9871
appendix A) are told apart here without memory: a true 6,0 gives a Mach number and an indicated
airspeed that fit each other at the aircraft's pressure altitude, and 5,0 read as 6,0 does not.
pyModeS reads the fields.
"""

import msgspec
from pyModeS.decoder.bds.bds10 import is_bds10
from pyModeS.decoder.bds.bds17 import is_bds17
from pyModeS.decoder.bds.bds20 import is_bds20
from pyModeS.decoder.bds.bds30 import is_bds30
from pyModeS.decoder.bds.bds40 import is_bds40
from pyModeS.decoder.bds.bds50 import decode_bds50, is_bds50
from pyModeS.decoder.bds.bds60 import decode_bds60, is_bds60

from aerocast_protocols.modes.wind import mach_from

# Ours, measured on recorded replies: all true 6,0 lie within it.
MACH_TOLERANCE = 0.03
# Largest difference of ground speed and true airspeed: the strongest jet stream, and some.
LARGEST_WIND_KT = 200.0
GROUND_SPEED_TOLERANCE_KT = 20.0
TRACK_TOLERANCE_DEG = 20.0
_NAMED = (is_bds10, is_bds17, is_bds20, is_bds30)


class TrackAndTurn(msgspec.Struct, frozen=True, kw_only=True):
    """BDS 5,0: roll and true track in degrees, speeds in knots, track rate in degrees a second."""

    true_track: float
    groundspeed: float
    true_airspeed: float
    roll: float | None = None
    track_rate: float | None = None


class HeadingAndSpeed(msgspec.Struct, frozen=True, kw_only=True):
    """BDS 6,0: degrees from magnetic north, knots, Mach, feet a minute."""

    magnetic_heading: float
    indicated_airspeed: float
    mach: float
    baro_vertical_rate: float | None = None
    inertial_vertical_rate: float | None = None


def read_register(
    frame: bytes,
    altitude_ft: float,
    *,
    ground_speed_kt: float | None = None,
    track_deg: float | None = None,
) -> TrackAndTurn | HeadingAndSpeed | None:
    """Read BDS 5,0 or 6,0 from a reply.

    Parameters
    ----------
    frame
        14 bytes, df 20 or 21, from an aircraft that is airborne.
    altitude_ft
        Pressure altitude of the aircraft within a few seconds: the reply's own (df 20) or ADS-B's.
    ground_speed_kt, track_deg
        What ADS-B says of the same aircraft within 5 s, when it does.

    Returns
    -------
    The register; None when it is another, does not carry all it takes for a wind, or cannot be told
    apart.
    """
    content = int.from_bytes(frame[4:11], "big")
    if any(is_register(content) for is_register in _NAMED):
        return None
    if is_bds60(content):
        read = _read_60(content)
        if read is not None and fits(read, altitude_ft):
            return read
    if is_bds50(content) and not is_bds40(content):
        turn = _read_50(content)
        if turn is not None and _agrees(turn, ground_speed_kt, track_deg):
            return turn
    return None


def fits(read: HeadingAndSpeed, altitude_ft: float) -> bool:
    """Say whether Mach and indicated airspeed fit each other at a pressure altitude."""
    return abs(mach_from(read.indicated_airspeed, altitude_ft) - read.mach) <= MACH_TOLERANCE


def _read_60(content: int) -> HeadingAndSpeed | None:
    try:
        return msgspec.convert(decode_bds60(content), HeadingAndSpeed)
    except msgspec.ValidationError:  # a field that a wind takes is not given
        return None


def _read_50(content: int) -> TrackAndTurn | None:
    try:
        return msgspec.convert(decode_bds50(content), TrackAndTurn)
    except msgspec.ValidationError:  # a field that a wind takes is not given
        return None


def _agrees(turn: TrackAndTurn, ground_speed_kt: float | None, track_deg: float | None) -> bool:
    if abs(turn.groundspeed - turn.true_airspeed) > LARGEST_WIND_KT:
        return False
    if turn.roll is not None and turn.track_rate is not None:
        # An aircraft turns to the side it leans to.
        leans = abs(turn.roll) > 3.0 and abs(turn.track_rate) > 0.3
        if leans and turn.roll * turn.track_rate < 0.0:
            return False
    if ground_speed_kt is None or track_deg is None:
        return True
    apart = abs((turn.true_track - track_deg + 180.0) % 360.0 - 180.0)
    return (
        abs(turn.groundspeed - ground_speed_kt) <= GROUND_SPEED_TOLERANCE_KT
        and apart <= TRACK_TOLERANCE_DEG
    )
