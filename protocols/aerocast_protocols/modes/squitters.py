"""Read one extended squitter (df 17, 18) quickly: what a gateway follows aircraft by.

Layouts as in ICAO Doc 9871: identification, airborne and surface position, airborne velocity,
aircraft status. Field names, units and "unknown" (None) are pyModeS's, as in `fields`; for other
squitters and all their fields there is `frames.decode_frame`.
"""

import math

import msgspec

from aerocast_protocols.modes.codes import (
    ALTITUDES_FT,
    GROUND_SPEEDS_KT,
    NUC_P,
    SQUAWKS,
    callsign_of,
    with_bit_m,
)
from aerocast_protocols.modes.cpr import Cpr

CONTENT_BITS = 56
_CHARACTERS = (1 << 48) - 1


class Identification(msgspec.Struct, frozen=True, gc=False):
    """BDS 0,8: callsign, and category within the set that the type code (1 to 4) names."""

    typecode: int
    category: int
    callsign: str


class AirbornePosition(msgspec.Struct, frozen=True, gc=False):
    """BDS 0,5: altitude in feet, barometric (type codes 9 to 18) or above the ellipsoid."""

    typecode: int
    surveillance_status: int
    nic_b: int
    altitude: int | None
    cpr_format: int
    cpr_lat: int
    cpr_lon: int

    @property
    def nuc_p(self) -> int:
        """Navigation uncertainty category, for transmitters of version 0."""
        return NUC_P[self.typecode]

    @property
    def cpr(self) -> Cpr:
        """The raw position."""
        return Cpr(self.cpr_format == 1, self.cpr_lat, self.cpr_lon)


class SurfacePosition(msgspec.Struct, frozen=True, gc=False):
    """BDS 0,6: ground speed in knots and track in degrees true, where they are given."""

    typecode: int
    movement: int
    groundspeed: float | None
    track_status: int
    track: float | None
    cpr_format: int
    cpr_lat: int
    cpr_lon: int

    @property
    def cpr(self) -> Cpr:
        """The raw position."""
        return Cpr(self.cpr_format == 1, self.cpr_lat, self.cpr_lon)


class Velocity(msgspec.Struct, frozen=True, gc=False):
    """BDS 0,9: motion over ground (subtypes 1, 2) or through the air (3, 4); knots, degrees.

    Vertical rate in feet a minute; ``geo_minus_baro`` is the difference of altitudes, feet.
    """

    subtype: int
    nac_v: int
    groundspeed: int | None
    track: float | None
    heading: float | None
    airspeed: int | None
    airspeed_type: str | None
    vr_source: str
    vertical_rate: int | None
    geo_minus_baro: int | None


class Status(msgspec.Struct, frozen=True, gc=False):
    """BDS 6,1 subtype 1: emergency state (0: none) and squawk."""

    subtype: int
    emergency_state: int
    squawk: str


Squitter = Identification | AirbornePosition | SurfacePosition | Velocity | Status


def read_squitter(content: int) -> Squitter | None:
    """Read the 56 bits between address and parity.

    Returns
    -------
    What the squitter says; None for type codes, and subtypes of the aircraft status, of another
    kind.
    """
    typecode = content >> 51
    if 9 <= typecode <= 18 or 20 <= typecode <= 22:
        return _airborne(content, typecode)
    if typecode == 19:
        return _velocity(content)
    if 5 <= typecode <= 8:
        return _surface(content, typecode)
    if 1 <= typecode <= 4:
        category = content >> 48 & 7
        return Identification(typecode, category, callsign_of(content & _CHARACTERS))
    if typecode == 28 and content >> 48 & 7 == 1:
        return Status(1, content >> 45 & 7, SQUAWKS[content >> 32 & 0x1FFF])
    return None


def _airborne(content: int, typecode: int) -> AirbornePosition:
    code = content >> 36 & 0xFFF
    return AirbornePosition(
        typecode,
        content >> 49 & 3,
        content >> 48 & 1,
        ALTITUDES_FT[with_bit_m(code)] if typecode <= 18 else int(code * 3.28084),  # metres
        content >> 34 & 1,
        content >> 17 & 0x1FFFF,
        content & 0x1FFFF,
    )


def _surface(content: int, typecode: int) -> SurfacePosition:
    movement = content >> 44 & 0x7F
    has_track = content >> 43 & 1
    return SurfacePosition(
        typecode,
        movement,
        GROUND_SPEEDS_KT[movement],
        has_track,
        (content >> 36 & 0x7F) * 2.8125 if has_track else None,
        content >> 34 & 1,
        content >> 17 & 0x1FFFF,
        content & 0x1FFFF,
    )


def _velocity(content: int) -> Velocity:
    subtype = content >> 48 & 7
    groundspeed = track = heading = airspeed = airspeed_type = None
    east, north = content >> 32 & 0x3FF, content >> 21 & 0x3FF
    if subtype in (1, 2):
        if east and north:
            groundspeed, track = _over_ground(content, east - 1, north - 1, subtype)
    elif subtype in (3, 4):
        heading = east * 0.3515625 if content >> 42 & 1 else None
        airspeed = (north - 1) * (4 if subtype == 4 else 1) if north else None
        airspeed_type = "TAS" if content >> 31 & 1 else "IAS"
    rate, difference = content >> 10 & 0x1FF, content & 0x7F
    return Velocity(
        subtype,
        content >> 43 & 7,
        groundspeed,
        track,
        heading,
        airspeed,
        airspeed_type,
        "BARO" if content >> 20 & 1 else "GNSS",
        (rate - 1) * (-64 if content >> 19 & 1 else 64) if rate else None,
        (difference - 1) * (-25 if content >> 7 & 1 else 25) if 0 < difference < 127 else None,
    )


def _over_ground(content: int, east: int, north: int, subtype: int) -> tuple[int, float]:
    if subtype == 2:
        east, north = east * 4, north * 4
    east = -east if content >> 42 & 1 else east
    north = -north if content >> 31 & 1 else north
    track = math.degrees(math.atan2(east, north))
    return int(math.sqrt(east * east + north * north)), track + 360.0 if track < 0.0 else track
