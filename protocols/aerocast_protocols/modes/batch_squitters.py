"""Extended squitters (df 17, 18) as arrays, kind by kind. Needs numpy (extra sdr).

Layouts as in ICAO Doc 9871. Every set has ``rows``, the frames' places in the batch, and one array
a field, under pyModeS's names and in its units (see `fields`); NaN stands for "unknown".
"""

from typing import NamedTuple

import numpy as np

from aerocast_protocols.modes.batch_frames import (
    ALTITUDE_TABLE,
    SQUAWK_TABLE,
    Heads,
    Integers,
    Numbers,
    Rows,
    Texts,
    bits,
    known,
)
from aerocast_protocols.modes.codes import CHARACTERS, GROUND_SPEEDS_KT, NUC_P

_CHARACTERS = np.frombuffer(CHARACTERS.encode(), np.uint8)
_SHIFTS = np.arange(42, -1, -6)
_GROUND_SPEEDS: Numbers = np.array(GROUND_SPEEDS_KT, np.float64)
_NUC_P = np.array(NUC_P)
_VR_SOURCES = np.array([b"GNSS", b"BARO"])
_AIRSPEED_TYPES = np.array([b"IAS", b"TAS"])


class Identifications(NamedTuple):
    """BDS 0,8: callsign, and category within the set the type code (1 to 4) names."""

    rows: Rows
    typecode: Integers
    category: Integers
    callsign: Texts


class AirbornePositions(NamedTuple):
    """BDS 0,5: altitude in feet; raw positions."""

    rows: Rows
    typecode: Integers
    surveillance_status: Integers
    nic_b: Integers
    altitude: Numbers
    cpr_format: Integers
    cpr_lat: Integers
    cpr_lon: Integers
    nuc_p: Integers


class SurfacePositions(NamedTuple):
    """BDS 0,6: knots, degrees true; raw positions."""

    rows: Rows
    typecode: Integers
    movement: Integers
    groundspeed: Numbers
    track_status: Integers
    track: Numbers
    cpr_format: Integers
    cpr_lat: Integers
    cpr_lon: Integers


class Velocities(NamedTuple):
    """BDS 0,9: knots, degrees, feet a minute; ``airspeed_type`` is blank over ground."""

    rows: Rows
    subtype: Integers
    nac_v: Integers
    groundspeed: Numbers
    track: Numbers
    heading: Numbers
    airspeed: Numbers
    airspeed_type: Texts
    vr_source: Texts
    vertical_rate: Numbers
    geo_minus_baro: Numbers


class Statuses(NamedTuple):
    """BDS 6,1 subtype 1: emergency state and squawk."""

    rows: Rows
    subtype: Integers
    emergency_state: Integers
    squawk: Texts


class OperationalStatuses(NamedTuple):
    """BDS 6,5: version of the transmitter, accuracy and integrity of its positions.

    ``nic_baro`` is known from version 1 in the air, ``sil_supplement`` in version 2.
    """

    rows: Rows
    subtype: Integers
    version: Integers
    nic_supplement_a: Integers
    nac_p: Integers
    sil: Integers
    hrd: Integers
    capability_class: Integers
    operational_mode: Integers
    nic_baro: Numbers
    sil_supplement: Numbers


def callsigns(content: Integers) -> Texts:
    """Read eight characters from the last 48 bits, blanks around them stripped."""
    read = _CHARACTERS[content[:, None] >> _SHIFTS & 63]
    return np.strings.strip(np.ascontiguousarray(read).view("S8")[:, 0])


def identifications(heads: Heads) -> Identifications:
    """Read every identification."""
    rows = np.flatnonzero((heads.typecode >= 1) & (heads.typecode <= 4))
    content = heads.content[rows]
    return Identifications(rows, heads.typecode[rows], bits(content, 5, 3), callsigns(content))


def airborne_positions(heads: Heads) -> AirbornePositions:
    """Read every airborne position."""
    code = heads.typecode
    rows = np.flatnonzero((code >= 9) & (code <= 22) & (code != 19))
    content, code = heads.content[rows], code[rows]
    altitude = bits(content, 8, 12)
    barometric = ALTITUDE_TABLE[altitude << 1 & 0x1F80 | altitude & 0x3F]
    return AirbornePositions(
        rows=rows,
        typecode=code,
        surveillance_status=bits(content, 5, 2),
        nic_b=bits(content, 7, 1),
        altitude=np.where(code <= 18, barometric, np.floor(altitude * 3.28084)),
        cpr_format=bits(content, 21, 1),
        cpr_lat=bits(content, 22, 17),
        cpr_lon=bits(content, 39, 17),
        nuc_p=_NUC_P[code],
    )


def surface_positions(heads: Heads) -> SurfacePositions:
    """Read every surface position."""
    rows = np.flatnonzero((heads.typecode >= 5) & (heads.typecode <= 8))
    content = heads.content[rows]
    movement, status = bits(content, 5, 7), bits(content, 12, 1)
    return SurfacePositions(
        rows=rows,
        typecode=heads.typecode[rows],
        movement=movement,
        groundspeed=_GROUND_SPEEDS[movement],
        track_status=status,
        track=known(bits(content, 13, 7) * 2.8125, status),
        cpr_format=bits(content, 21, 1),
        cpr_lat=bits(content, 22, 17),
        cpr_lon=bits(content, 39, 17),
    )


def velocities(heads: Heads) -> Velocities:
    """Read every airborne velocity."""
    rows = np.flatnonzero(heads.typecode == 19)
    content = heads.content[rows]
    subtype = bits(content, 5, 3)
    over_ground, in_air = (subtype == 1) | (subtype == 2), (subtype == 3) | (subtype == 4)
    scale = np.where((subtype == 2) | (subtype == 4), 4, 1)
    east, north = bits(content, 14, 10), bits(content, 25, 10)
    to_west, to_south = bits(content, 13, 1), bits(content, 24, 1)
    east_kt = (east - 1) * scale * (1 - 2 * to_west)
    north_kt = (north - 1) * scale * (1 - 2 * to_south)
    moves = over_ground & (east > 0) & (north > 0)
    track = np.degrees(np.arctan2(east_kt, north_kt))
    rate, difference = bits(content, 37, 9), bits(content, 49, 7)
    has_difference = (difference > 0) & (difference < 127)
    return Velocities(
        rows=rows,
        subtype=subtype,
        nac_v=bits(content, 10, 3),
        groundspeed=known(np.floor(np.sqrt(east_kt * east_kt + north_kt * north_kt)), moves),
        track=known(np.where(track < 0.0, track + 360.0, track), moves),
        heading=known(east * (360.0 / 1024.0), in_air & (to_west == 1)),
        airspeed=known((north - 1) * scale, in_air & (north > 0)),
        airspeed_type=np.where(in_air, _AIRSPEED_TYPES[to_south], b""),
        vr_source=_VR_SOURCES[bits(content, 35, 1)],
        vertical_rate=known((rate - 1) * 64 * (1 - 2 * bits(content, 36, 1)), rate > 0),
        geo_minus_baro=known(
            (difference - 1) * 25 * (1 - 2 * bits(content, 48, 1)), has_difference
        ),
    )


def statuses(heads: Heads) -> Statuses:
    """Read every aircraft status that carries a squawk."""
    rows = np.flatnonzero((heads.typecode == 28) & (bits(heads.content, 5, 3) == 1))
    content = heads.content[rows]
    return Statuses(
        rows, bits(content, 5, 3), bits(content, 8, 3), SQUAWK_TABLE[bits(content, 11, 13)]
    )


def operational_statuses(heads: Heads) -> OperationalStatuses:
    """Read every operational status."""
    rows = np.flatnonzero(heads.typecode == 31)
    content = heads.content[rows]
    subtype, version = bits(content, 5, 3), bits(content, 40, 3)
    return OperationalStatuses(
        rows=rows,
        subtype=subtype,
        version=version,
        nic_supplement_a=bits(content, 43, 1),
        nac_p=bits(content, 44, 4),
        sil=bits(content, 50, 2),
        hrd=bits(content, 53, 1),
        capability_class=bits(content, 8, 16),
        operational_mode=bits(content, 24, 16),
        nic_baro=known(bits(content, 52, 1), (subtype == 0) & (version >= 1)),
        sil_supplement=known(bits(content, 54, 1), version == 2),
    )
