"""Comm-B registers of many replies (df 20, 21): which they carry, and their fields as arrays.

The rules of `commb` and `registers`, for many replies at a time. Needs numpy (extra sdr).
"""

from typing import NamedTuple

import numpy as np

from aerocast_protocols.modes.batch_frames import Flags, Integers, Numbers, Rows, Texts, bits, known
from aerocast_protocols.modes.batch_frames import signed as read_signed
from aerocast_protocols.modes.batch_squitters import callsigns
from aerocast_protocols.modes.codes import CHARACTERS
from aerocast_protocols.modes.commb import (
    DRIFT_TOLERANCE_DEG,
    GROUND_SPEED_TOLERANCE_KT,
    LEANING_DEG,
    MACH_TOLERANCE,
    TRACK_TOLERANCE_DEG,
    TURNING_DEG_S,
)
from aerocast_protocols.modes.registers import (
    BDS_40,
    BDS_44,
    BDS_45,
    BDS_50,
    BDS_60,
    FASTEST_INDICATED_KT,
    FASTEST_KT,
    FASTEST_MACH,
    LARGEST_WIND_KT,
    STEEPEST_FPM,
    STEEPEST_ROLL_DEG,
    Field,
    Layout,
)
from aerocast_protocols.modes.wind import SEA_LEVEL_HPA, SEA_LEVEL_SOUND_KT

# Registers as the hexadecimal digits of their names say: 0x50 is BDS 5,0.
NAMED = (0x10, 0x17, 0x20, 0x30)
AMBIGUOUS = 0xFF
# A report of the weather must fit the standard atmosphere at its altitude.
STANDARD_C, LAPSE_C_FT, TROPOPAUSE_FT = 15.0, 0.0019812, 36_089.0
TEMPERATURE_TOLERANCE_C, PRESSURE_TOLERANCE_HPA = 15.0, 30.0
_IS_CHARACTER = np.array([each != "#" for each in CHARACTERS])


class Known(NamedTuple):
    """What else is known of the sender of each reply, NaN where nothing is fresh.

    Attributes
    ----------
    altitude_ft
        Pressure altitude: the reply's own (df 20), or another frame's.
    ground_speed_kt, track_deg
        From ADS-B.
    """

    altitude_ft: Numbers
    ground_speed_kt: Numbers
    track_deg: Numbers


class Intentions(NamedTuple):
    """BDS 4,0: selected altitudes in feet, pressure setting in hPa, modes 0 or 1.

    ``target_altitude_source`` is 0 unknown, 1 aircraft altitude, 2 MCP/FCU, 3 FMS.
    """

    rows: Rows
    selected_altitude_mcp: Numbers
    selected_altitude_fms: Numbers
    baro_pressure_setting: Numbers
    vnav_mode: Numbers
    altitude_hold_mode: Numbers
    approach_mode: Numbers
    target_altitude_source: Numbers


class Turns(NamedTuple):
    """BDS 5,0: degrees, knots, degrees a second."""

    rows: Rows
    roll: Numbers
    true_track: Numbers
    groundspeed: Numbers
    track_rate: Numbers
    true_airspeed: Numbers


class Headings(NamedTuple):
    """BDS 6,0: degrees from magnetic north, knots, Mach, feet a minute."""

    rows: Rows
    magnetic_heading: Numbers
    indicated_airspeed: Numbers
    mach: Numbers
    baro_vertical_rate: Numbers
    inertial_vertical_rate: Numbers


class RoutineReports(NamedTuple):
    """BDS 4,4: knots, degrees true, degrees Celsius, hPa, percent; turbulence 0 (none) to 3."""

    rows: Rows
    figure_of_merit: Integers
    wind_speed: Numbers
    wind_direction: Numbers
    static_air_temperature: Numbers
    static_pressure: Numbers
    turbulence: Numbers
    humidity: Numbers


class HazardReports(NamedTuple):
    """BDS 4,5: hazards 0 (none) to 3, degrees Celsius, hPa, feet."""

    rows: Rows
    turbulence: Numbers
    wind_shear: Numbers
    microburst: Numbers
    icing: Numbers
    wake_vortex: Numbers
    static_air_temperature: Numbers
    static_pressure: Numbers
    radio_height: Numbers


class CommB(NamedTuple):
    """The replies of a batch and what they carry.

    Attributes
    ----------
    rows
        The replies' places in the batch.
    bds
        The register, 0x50 for BDS 5,0; 0 when none is possible, `AMBIGUOUS` when several are.
    callsign
        BDS 2,0's, blank in others.
    """

    rows: Rows
    bds: Integers
    callsign: Texts
    intentions: Intentions
    turns: Turns
    headings: Headings
    routine_reports: RoutineReports
    hazard_reports: HazardReports


def read_commb(rows: Rows, content: Integers, context: Known) -> CommB:
    """Tell which registers replies carry, and read them.

    Parameters
    ----------
    rows, content
        The replies' places in the batch, and their 56 bits.
    context
        What is known of their senders.
    """
    turn, heading = _turns(rows, content), _headings(rows, content)
    named = named_registers(content)
    intention = possible_40(content)
    turning = possible_50(content) & ~intention & agrees(turn, context)
    flying = possible_60(content) & fits(heading, context)
    plain = (named == 0) & ~intention & ~turning & ~flying
    routine, hazard = plain & possible_44(content), plain & possible_45(content)
    found = intention * 1 + turning + flying
    bds = intention * 0x40 + turning * 0x50 + flying * 0x60
    bds = np.where(found > 1, AMBIGUOUS, bds)
    bds = np.where(named > 0, named, bds)
    routines, hazards = _routine_reports(rows, content), _hazard_reports(rows, content)
    routine &= fits_weather(routines, context)
    hazard &= fits_weather(hazards, context)
    bds[routine & ~hazard], bds[hazard & ~routine] = 0x44, 0x45
    bds[routine & hazard] = AMBIGUOUS
    identity = bds == 0x20
    callsign = np.full(len(rows), b"", "S8")
    callsign[identity] = callsigns(content[identity])
    return CommB(
        rows=rows,
        bds=bds,
        callsign=callsign,
        intentions=_intentions(rows[bds == 0x40], content[bds == 0x40]),
        turns=Turns(*(each[bds == 0x50] for each in turn)),
        headings=Headings(*(each[bds == 0x60] for each in heading)),
        routine_reports=RoutineReports(*(each[bds == 0x44] for each in routines)),
        hazard_reports=HazardReports(*(each[bds == 0x45] for each in hazards)),
    )


def named_registers(content: Integers) -> Integers:
    """Give the register that names itself (BDS 1,0, 1,7, 2,0, 3,0); 0 where none does."""
    name = content >> 48
    overlay = bits(content, 14, 1) == 1
    is_10 = (name == 0x10) & (bits(content, 9, 5) == 0)
    is_10 &= (bits(content, 16, 7) >= 5) == overlay
    is_30 = (name == 0x30) & (bits(content, 15, 7) < 48) & (bits(content, 28, 2) != 3)
    is_17 = (bits(content, 6, 1) == 1) & (content & 0xFFFFFFFF == 0)
    is_20 = name == 0x20
    for shift in range(0, 48, 6):
        is_20 = is_20 & _IS_CHARACTER[content >> shift & 63]
    found = np.where(is_17, 0x17, 0)
    for is_it, register in ((is_10, 0x10), (is_20, 0x20), (is_30, 0x30)):
        found[is_it & (found == 0)] = register
    return found


def possible_40(content: Integers) -> Flags:
    """Say where BDS 4,0 is possible."""
    return _is_whole(content, BDS_40)


def possible_50(content: Integers) -> Flags:
    """Say where BDS 5,0 is possible."""
    roll = np.abs(_signed(content, BDS_50, 0) * (45 / 256))
    ground, air = bits(content, 24, 10) * 2, bits(content, 46, 10) * 2
    both = bits(content, 23, 1) & bits(content, 45, 1)
    possible: Flags = (
        _is_whole(content, BDS_50)
        & (roll <= STEEPEST_ROLL_DEG)
        & (ground <= FASTEST_KT)
        & (air <= FASTEST_KT)
        & ((both == 0) | (np.abs(air - ground) <= LARGEST_WIND_KT))
    )
    return possible


def possible_60(content: Integers) -> Flags:
    """Say where BDS 6,0 is possible."""
    possible: Flags = (
        _is_whole(content, BDS_60)
        & (bits(content, 13, 10) <= FASTEST_INDICATED_KT)
        & (bits(content, 24, 10) * 2.048 / 512.0 <= FASTEST_MACH)
        & (np.abs(_signed(content, BDS_60, 3)) <= STEEPEST_FPM // 32)
        & (np.abs(_signed(content, BDS_60, 4)) <= STEEPEST_FPM // 32)
    )
    return possible


def possible_44(content: Integers) -> Flags:
    """Say where BDS 4,4 is possible."""
    temperature = read_signed(bits(content, 23, 11), 11)
    says = (bits(content, 5, 18) != 0) | (bits(content, 24, 10) != 0)
    possible: Flags = (
        _is_whole(content, BDS_44)
        & (bits(content, 0, 4) <= 4)
        & (bits(content, 4, 1) == 1)
        & (bits(content, 5, 9) <= 250)
        & (temperature >= -320)
        & (temperature <= 240)
        & says
    )
    return possible


def possible_45(content: Integers) -> Flags:
    """Say where BDS 4,5 is possible."""
    temperature = read_signed(bits(content, 16, 10), 10)
    is_17 = (bits(content, 6, 1) == 1) & (content & 0xFFFFFFFF == 0)
    fitting: Flags = ~is_17 & (temperature >= -320) & (temperature <= 240)
    return _is_whole(content, BDS_45) & fitting


def agrees(turn: Turns, context: Known) -> Flags:
    """Say where 5,0 holds together and fits what ADS-B says; what is unknown fits."""
    leans = (np.abs(turn.roll) > LEANING_DEG) & (np.abs(turn.track_rate) > TURNING_DEG_S)
    wrong_way = leans & (turn.roll * turn.track_rate < 0.0)
    too_fast = np.abs(turn.groundspeed - context.ground_speed_kt) > GROUND_SPEED_TOLERANCE_KT
    off_track = _apart(turn.true_track, context.track_deg) > TRACK_TOLERANCE_DEG
    agreeing: Flags = ~(wrong_way | too_fast | off_track)
    return agreeing


def fits(heading: Headings, context: Known) -> Flags:
    """Say where Mach, airspeed and altitude of 6,0 fit each other, and its heading the track."""
    pressure = pressures_hpa(context.altitude_ft)
    ratio = heading.indicated_airspeed / SEA_LEVEL_SOUND_KT
    impact = ((1.0 + 0.2 * ratio * ratio) ** 3.5 - 1.0) * (SEA_LEVEL_HPA / pressure)
    mach = np.sqrt(5.0 * ((impact + 1.0) ** (1.0 / 3.5) - 1.0))
    misfit = np.abs(mach - heading.mach) > MACH_TOLERANCE
    off_track = _apart(heading.magnetic_heading, context.track_deg) > DRIFT_TOLERANCE_DEG
    fitting: Flags = ~(misfit | off_track)
    return fitting


def fits_weather(report: RoutineReports | HazardReports, context: Known) -> Flags:
    """Say where a report of the weather has a temperature and fits the standard atmosphere."""
    standard_c = STANDARD_C - LAPSE_C_FT * np.minimum(context.altitude_ft, TROPOPAUSE_FT)
    fitting: Flags = np.abs(report.static_air_temperature - standard_c) <= TEMPERATURE_TOLERANCE_C
    apart_hpa = np.abs(report.static_pressure - pressures_hpa(context.altitude_ft))
    return fitting & ~(apart_hpa > PRESSURE_TOLERANCE_HPA)


def pressures_hpa(altitude_ft: Numbers) -> Numbers:
    """Give the pressure at pressure altitudes (ICAO Doc 7488), as `wind.pressure_hpa` does."""
    altitude_m = altitude_ft * 0.3048
    low = np.minimum(altitude_m, 11_000.0)
    high = np.maximum(altitude_m, 11_000.0)
    below: Numbers = SEA_LEVEL_HPA * (1.0 - 2.25577e-5 * low) ** 5.25588
    above: Numbers = 226.321 * np.exp(-(high - 11_000.0) / 6341.62)
    return np.where(altitude_m <= 11_000.0, below, above)


def _is_whole(content: Integers, layout: Layout) -> Flags:
    whole: Flags = (content != 0) & (content & layout.reserved == 0)
    for field in layout.fields:
        whole &= (content & field.mask == 0) | (content & field.present != 0)
    return whole


def _signed(content: Integers, layout: Layout, number: int) -> Integers:
    field = layout.fields[number]
    return read_signed(bits(content, field.first, field.width), field.width)


def _value(content: Integers, field: Field) -> Numbers:
    value = bits(content, field.first, field.width)
    if field.is_signed:
        value = read_signed(value, field.width)
    return known(value * field.step, content & field.present)


def _turns(rows: Rows, content: Integers) -> Turns:
    roll, track, ground, rate, air = (_value(content, field) for field in BDS_50.fields)
    return Turns(rows, roll, track % 360.0, ground, rate, air)


def _headings(rows: Rows, content: Integers) -> Headings:
    heading, airspeed, mach, baro, inertial = (_value(content, field) for field in BDS_60.fields)
    return Headings(rows, heading % 360.0, airspeed, mach, baro, inertial)


def _intentions(rows: Rows, content: Integers) -> Intentions:
    mcp, fms, pressure, _, source = (_value(content, field) for field in BDS_40.fields)
    has_mode = bits(content, 47, 1)
    vnav, hold, approach = (known(bits(content, bit, 1), has_mode) for bit in (48, 49, 50))
    return Intentions(rows, mcp, fms, pressure + 800.0, vnav, hold, approach, source)


def _routine_reports(rows: Rows, content: Integers) -> RoutineReports:
    wind, pressure, turbulence, humidity = (_value(content, field) for field in BDS_44.fields)
    return RoutineReports(
        rows=rows,
        figure_of_merit=bits(content, 0, 4),
        wind_speed=wind,
        wind_direction=known(bits(content, 14, 9) * (180.0 / 256.0), bits(content, 4, 1)),
        static_air_temperature=read_signed(bits(content, 23, 11), 11) * 0.25,
        static_pressure=pressure,
        turbulence=turbulence,
        humidity=humidity,
    )


def _hazard_reports(rows: Rows, content: Integers) -> HazardReports:
    return HazardReports(rows, *(_value(content, field) for field in BDS_45.fields))


def _apart(one_deg: Numbers, other_deg: Numbers) -> Numbers:
    apart: Numbers = np.abs((one_deg - other_deg + 180.0) % 360.0 - 180.0)
    return apart
