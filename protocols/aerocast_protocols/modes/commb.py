"""Tell which Comm-B register a reply carries, and read tracks and airspeeds from it.

A reply (df 20, 21) does not say which register it answers with. BDS 5,0 and 6,0 (ICAO Doc 9871
appendix A) are told apart here without memory: a true 6,0 gives a Mach number and an indicated
airspeed that fit each other at the aircraft's pressure altitude, and 5,0 read as 6,0 seldom does.
What ADS-B says of the same aircraft rules out more. What can still be both is neither.
"""

from aerocast_protocols.modes.registers import (
    HeadingAndSpeed,
    RoutineReport,
    TrackAndTurn,
    is_40,
    is_44,
    is_45,
    is_50,
    is_60,
    is_named,
    read_44,
    read_50,
    read_60,
)
from aerocast_protocols.modes.wind import mach_from, pressure_hpa, standard_c

# Ours, measured on recorded replies: all true 6,0 lie within it.
MACH_TOLERANCE = 0.03
GROUND_SPEED_TOLERANCE_KT = 20.0
TRACK_TOLERANCE_DEG = 20.0
# Between magnetic heading and track lie the declination and the drift.
DRIFT_TOLERANCE_DEG = 60.0
# A report of the weather must fit the standard atmosphere at its altitude.
TEMPERATURE_TOLERANCE_C, PRESSURE_TOLERANCE_HPA = 15.0, 30.0
# Leaning more than this, an aircraft turns; turning faster than that, it leans.
LEANING_DEG, TURNING_DEG_S = 3.0, 0.3


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
    if is_named(content) or is_40(content):
        return None
    heading = _heading(content, altitude_ft, track_deg)
    turn = _turn(content, ground_speed_kt, track_deg)
    if heading is None:
        return turn
    return heading if turn is None else None


def read_weather(content: int, altitude_ft: float) -> RoutineReport | None:
    """Read BDS 4,4 from the 56 bits of a reply that is nothing else.

    Few aircraft report the weather, and many contents look as if they did: a temperature or
    pressure that does not belong to ``altitude_ft`` (pressure altitude) is refused, and what comes
    through is to be believed only when it agrees with winds found otherwise.
    """
    if not is_44(content) or is_45(content) or is_named(content) or is_40(content):
        return None
    if is_50(content) or is_60(content):
        return None
    read = read_44(content)
    if abs(read.static_air_temperature - standard_c(altitude_ft)) > TEMPERATURE_TOLERANCE_C:
        return None
    told_hpa = read.static_pressure
    if told_hpa is not None and abs(told_hpa - pressure_hpa(altitude_ft)) > PRESSURE_TOLERANCE_HPA:
        return None
    return read


def fits(read: HeadingAndSpeed, altitude_ft: float) -> bool:
    """Say whether Mach and indicated airspeed fit each other at a pressure altitude."""
    return abs(mach_from(read.indicated_airspeed, altitude_ft) - read.mach) <= MACH_TOLERANCE


def _heading(content: int, altitude_ft: float, track_deg: float | None) -> HeadingAndSpeed | None:
    if not is_60(content):
        return None
    read = read_60(content)
    if read is None or not fits(read, altitude_ft):
        return None
    if track_deg is not None and _apart(read.magnetic_heading, track_deg) > DRIFT_TOLERANCE_DEG:
        return None
    return read


def _turn(
    content: int, ground_speed_kt: float | None, track_deg: float | None
) -> TrackAndTurn | None:
    if not is_50(content):
        return None
    turn = read_50(content)
    return turn if turn is not None and _agrees(turn, ground_speed_kt, track_deg) else None


def _agrees(turn: TrackAndTurn, ground_speed_kt: float | None, track_deg: float | None) -> bool:
    if turn.roll is not None and turn.track_rate is not None:
        # An aircraft turns to the side it leans to.
        leans = abs(turn.roll) > LEANING_DEG and abs(turn.track_rate) > TURNING_DEG_S
        if leans and turn.roll * turn.track_rate < 0.0:
            return False
    if ground_speed_kt is None or track_deg is None:
        return True
    return (
        abs(turn.groundspeed - ground_speed_kt) <= GROUND_SPEED_TOLERANCE_KT
        and _apart(turn.true_track, track_deg) <= TRACK_TOLERANCE_DEG
    )


def _apart(one_deg: float, other_deg: float) -> float:
    return abs((one_deg - other_deg + 180.0) % 360.0 - 180.0)


__all__ = [
    "HeadingAndSpeed",
    "RoutineReport",
    "TrackAndTurn",
    "fits",
    "read_register",
    "read_weather",
]
