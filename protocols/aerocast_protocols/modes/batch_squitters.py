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
    Layout,
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
# By subtype of a velocity: over ground (1, 2) or in air (3, 4); 2 and 4 count in steps of 4 kt.
_OVER_GROUND, _IN_AIR = np.isin(np.arange(8), (1, 2)), np.isin(np.arange(8), (3, 4))
_VELOCITY_SCALE = np.where(np.isin(np.arange(8), (2, 4)), 4, 1)
# First bits and widths, in the order they are read below.
_AIRBORNE = Layout((5, 2), (7, 1), (8, 12), (21, 1), (22, 17), (39, 17))
_SURFACE = Layout((5, 7), (12, 1), (13, 7), (21, 1), (22, 17), (39, 17))
_VELOCITY = Layout(
    (5, 3), (10, 3), (13, 1), (14, 10), (24, 1), (25, 10), (35, 1), (36, 1), (37, 9), (48, 1),
    (49, 7),
)  # fmt: skip
_STATUS = Layout((5, 3), (8, 3), (11, 13))
_OPERATIONAL = Layout(
    (5, 3), (8, 16), (24, 16), (40, 3), (43, 1), (44, 4), (50, 2), (52, 1), (53, 1), (54, 1),
)  # fmt: skip


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
    blank = read == ord(" ")
    # What ends in zeros is shorter.
    read[np.logical_and.accumulate(blank[:, ::-1], axis=1)[:, ::-1]] = 0
    texts: Texts = read.view("S8")[:, 0]
    return np.strings.strip(texts) if blank[:, 0].any() else texts


def identifications(heads: Heads) -> Identifications:
    """Read every identification."""
    rows = ((heads.typecode >= 1) & (heads.typecode <= 4)).nonzero()[0]
    content = heads.content[rows]
    return Identifications(rows, heads.typecode[rows], bits(content, 5, 3), callsigns(content))


def airborne_positions(heads: Heads) -> AirbornePositions:
    """Read every airborne position."""
    code = heads.typecode
    rows = ((code >= 9) & (code <= 22) & (code != 19)).nonzero()[0]
    code = code[rows]
    status, nic_b, altitude, is_odd, latitude, longitude = _AIRBORNE.cut(heads.content[rows])
    barometric = ALTITUDE_TABLE[altitude << 1 & 0x1F80 | altitude & 0x3F]
    return AirbornePositions(
        rows=rows,
        typecode=code,
        surveillance_status=status,
        nic_b=nic_b,
        altitude=np.where(code <= 18, barometric, np.floor(altitude * 3.28084)),
        cpr_format=is_odd,
        cpr_lat=latitude,
        cpr_lon=longitude,
        nuc_p=_NUC_P[code],
    )


def surface_positions(heads: Heads) -> SurfacePositions:
    """Read every surface position."""
    rows = ((heads.typecode >= 5) & (heads.typecode <= 8)).nonzero()[0]
    movement, status, track, is_odd, latitude, longitude = _SURFACE.cut(heads.content[rows])
    return SurfacePositions(
        rows=rows,
        typecode=heads.typecode[rows],
        movement=movement,
        groundspeed=_GROUND_SPEEDS[movement],
        track_status=status,
        track=known(track * 2.8125, status),
        cpr_format=is_odd,
        cpr_lat=latitude,
        cpr_lon=longitude,
    )


def velocities(heads: Heads) -> Velocities:
    """Read every airborne velocity."""
    rows = (heads.typecode == 19).nonzero()[0]
    read = _VELOCITY.cut(heads.content[rows])
    subtype, nac_v, to_west, east, to_south, north, source, sinks, rate, is_below, gap = read
    over_ground, in_air = _OVER_GROUND[subtype], _IN_AIR[subtype]
    scale = _VELOCITY_SCALE[subtype]
    east_kt = (east - 1) * scale * (1 - 2 * to_west)
    north_kt = (north - 1) * scale * (1 - 2 * to_south)
    moves = over_ground & (east > 0) & (north > 0)
    track = np.degrees(np.arctan2(east_kt, north_kt))
    return Velocities(
        rows=rows,
        subtype=subtype,
        nac_v=nac_v,
        groundspeed=known(np.floor(np.sqrt(east_kt * east_kt + north_kt * north_kt)), moves),
        track=known(np.where(track < 0.0, track + 360.0, track), moves),
        heading=known(east * (360.0 / 1024.0), in_air & (to_west == 1)),
        airspeed=known((north - 1) * scale, in_air & (north > 0)),
        airspeed_type=np.where(in_air, _AIRSPEED_TYPES[to_south], b""),
        vr_source=_VR_SOURCES[source],
        vertical_rate=known((rate - 1) * (64 - 128 * sinks), rate > 0),
        geo_minus_baro=known((gap - 1) * (25 - 50 * is_below), (gap > 0) & (gap < 127)),
    )


def statuses(heads: Heads) -> Statuses:
    """Read every aircraft status that carries a squawk."""
    rows = (heads.typecode == 28).nonzero()[0]
    rows = rows[bits(heads.content[rows], 5, 3) == 1]
    subtype, state, identity = _STATUS.cut(heads.content[rows])
    return Statuses(rows, subtype, state, SQUAWK_TABLE[identity])


def operational_statuses(heads: Heads) -> OperationalStatuses:
    """Read every operational status."""
    rows = (heads.typecode == 31).nonzero()[0]
    read = _OPERATIONAL.cut(heads.content[rows])
    subtype, capability, mode, version, nic_a, nac_p, sil, nic_baro, hrd, sil_supplement = read
    return OperationalStatuses(
        rows=rows,
        subtype=subtype,
        version=version,
        nic_supplement_a=nic_a,
        nac_p=nac_p,
        sil=sil,
        hrd=hrd,
        capability_class=capability,
        operational_mode=mode,
        nic_baro=known(nic_baro, (subtype == 0) & (version >= 1)),
        sil_supplement=known(sil_supplement, version == 2),
    )
