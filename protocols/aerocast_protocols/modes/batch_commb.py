"""Comm-B replies of many aircraft (df 20, 21): which registers they carry, and what they say.

The rules of `commb`, for many replies at a time. Needs numpy (extra sdr).
"""

from typing import NamedTuple, TypeVar

import numpy as np

from aerocast_protocols.modes.batch_frames import (
    Flags,
    Integers,
    Layout,
    Numbers,
    Rows,
    Texts,
    bits,
    known,
)
from aerocast_protocols.modes.batch_frames import signed as read_signed
from aerocast_protocols.modes.batch_registers import (
    R40,
    R44,
    R45,
    R50,
    R60,
    ROUTINE,
    has_heading,
    has_turn,
    named_registers,
    possible_40,
    possible_44,
    possible_45,
)
from aerocast_protocols.modes.batch_squitters import callsigns
from aerocast_protocols.modes.commb import (
    DRIFT_TOLERANCE_DEG,
    GROUND_SPEED_TOLERANCE_KT,
    LEANING_DEG,
    MACH_TOLERANCE,
    PRESSURE_TOLERANCE_HPA,
    TEMPERATURE_TOLERANCE_C,
    TRACK_TOLERANCE_DEG,
    TURNING_DEG_S,
)
from aerocast_protocols.modes.wind import (
    LAPSE_C_FT,
    SEA_LEVEL_HPA,
    SEA_LEVEL_K,
    SEA_LEVEL_SOUND_KT,
    TROPOPAUSE_FT,
    ZERO_C_IN_K,
)

AMBIGUOUS = 0xFF
_MODES = Layout((48, 1), (49, 1), (50, 1))

_Set = TypeVar("_Set", bound=tuple[Integers | Numbers, ...])


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

    def take(self, places: Rows) -> "Known":
        """Give what is known of some of the replies."""
        return Known(self.altitude_ft[places], self.ground_speed_kt[places], self.track_deg[places])


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
    named, intention = named_registers(content), possible_40(content)
    # Fields are cut out only where no absent one is set: of few replies.
    at_50 = (R50.is_whole(content) & ~intention).nonzero()[0]
    at_60 = R60.is_whole(content).nonzero()[0]
    turn_steps, heading_steps = R50.steps(content[at_50]), R60.steps(content[at_60])
    turns = _turns(rows[at_50], content[at_50], turn_steps)
    headings = _headings(rows[at_60], content[at_60], heading_steps)
    bds = intention * R40.number
    turning = at_50[has_turn(content[at_50], turn_steps) & agrees(turns, context.take(at_50))]
    flying = at_60[has_heading(heading_steps) & fits(headings, context.take(at_60))]
    found = intention.astype(np.int64)
    bds[turning] += R50.number
    bds[flying] += R60.number
    found[turning] += 1
    found[flying] += 1
    rest = ((found == 0) & (named == 0) & (content != 0)).nonzero()[0]
    if len(rest):
        rest = rest[possible_44(content[rest]) | possible_45(content[rest])]
    routines, hazards = _NO_ROUTINES, _NO_HAZARDS
    if len(rest):  # seldom: few aircraft report the weather
        weather, routines, hazards = _weather(rows[rest], content[rest], context.take(rest))
        bds[rest] = weather
    bds[found > 1] = AMBIGUOUS
    bds = np.where(named > 0, named, bds)
    callsign = np.zeros(len(rows), "S8")
    identity = (bds == 0x20).nonzero()[0]
    callsign[identity] = callsigns(content[identity])
    intended = (bds == 0x40).nonzero()[0]
    return CommB(
        rows=rows,
        bds=bds,
        callsign=callsign,
        intentions=_intentions(rows[intended], content[intended]),
        turns=_take(turns, (bds[at_50] == 0x50).nonzero()[0]),
        headings=_take(headings, (bds[at_60] == 0x60).nonzero()[0]),
        routine_reports=routines,
        hazard_reports=hazards,
    )


def _weather(
    rows: Rows, content: Integers, context: Known
) -> tuple[Integers, RoutineReports, HazardReports]:
    """Read reports of the weather from replies that are nothing else."""
    routines, hazards = _routine_reports(rows, content), _hazard_reports(rows, content)
    routine = possible_44(content) & fits_weather(routines, context)
    hazard = possible_45(content) & fits_weather(hazards, context)
    bds = np.where(routine & hazard, AMBIGUOUS, routine * R44.number + hazard * R45.number)
    return (
        bds,
        _take(routines, (bds == 0x44).nonzero()[0]),
        _take(hazards, (bds == 0x45).nonzero()[0]),
    )


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
    # The impact pressure that the airspeed means lies between those of Mach numbers at the limits:
    # what `wind.mach_from` says, turned round to need no root.
    told = impact_ratio(heading.indicated_airspeed / SEA_LEVEL_SOUND_KT) * SEA_LEVEL_HPA
    pressure = pressures_hpa(context.altitude_ft)
    slowest = np.maximum(heading.mach - MACH_TOLERANCE, 0.0)
    misfit = told < impact_ratio(slowest) * pressure
    misfit |= told > impact_ratio(heading.mach + MACH_TOLERANCE) * pressure
    off_track = _apart(heading.magnetic_heading, context.track_deg) > DRIFT_TOLERANCE_DEG
    fitting: Flags = ~(misfit | off_track)
    return fitting


def fits_weather(report: RoutineReports | HazardReports, context: Known) -> Flags:
    """Say where a report of the weather has a temperature and fits the standard atmosphere."""
    standard_c = (
        SEA_LEVEL_K - ZERO_C_IN_K - LAPSE_C_FT * np.minimum(context.altitude_ft, TROPOPAUSE_FT)
    )
    fitting: Flags = np.abs(report.static_air_temperature - standard_c) <= TEMPERATURE_TOLERANCE_C
    apart_hpa = np.abs(report.static_pressure - pressures_hpa(context.altitude_ft))
    return fitting & ~(apart_hpa > PRESSURE_TOLERANCE_HPA)


def impact_ratio(mach: Numbers) -> Numbers:
    """Give impact pressure over static pressure at Mach numbers below 1."""
    total = 1.0 + 0.2 * mach * mach
    ratio: Numbers = total * total * total * np.sqrt(total) - 1.0
    return ratio


def pressures_hpa(altitude_ft: Numbers) -> Numbers:
    """Give the pressure at pressure altitudes (ICAO Doc 7488), as `wind.pressure_hpa` does."""
    altitude_m = altitude_ft * 0.3048
    low = np.minimum(altitude_m, 11_000.0)
    high = np.maximum(altitude_m, 11_000.0)
    below: Numbers = SEA_LEVEL_HPA * (1.0 - 2.25577e-5 * low) ** 5.25588
    above: Numbers = 226.321 * np.exp(-(high - 11_000.0) / 6341.62)
    return np.where(altitude_m <= 11_000.0, below, above)


def _turns(rows: Rows, content: Integers, steps: Integers) -> Turns:
    roll, track, ground, rate, air = R50.scaled(content, steps)
    return Turns(rows, roll, _full_turn(track), ground, rate, air)


def _headings(rows: Rows, content: Integers, steps: Integers) -> Headings:
    heading, airspeed, mach, baro, inertial = R60.scaled(content, steps)
    return Headings(rows, _full_turn(heading), airspeed, mach, baro, inertial)


def _intentions(rows: Rows, content: Integers) -> Intentions:
    mcp, fms, pressure, mode, source = R40.values(content)
    vnav, hold, approach = np.where(np.isnan(mode), np.nan, _MODES.cut(content))
    return Intentions(rows, mcp, fms, pressure + 800.0, vnav, hold, approach, source)


def _routine_reports(rows: Rows, content: Integers) -> RoutineReports:
    wind, pressure, turbulence, humidity = R44.values(content)
    merit, _, _, temperature, _, _ = ROUTINE.cut(content)
    return RoutineReports(
        rows=rows,
        figure_of_merit=merit,
        wind_speed=wind,
        wind_direction=known(bits(content, 14, 9) * (180.0 / 256.0), ~np.isnan(wind)),
        static_air_temperature=read_signed(temperature, 11) * 0.25,
        static_pressure=pressure,
        turbulence=turbulence,
        humidity=humidity,
    )


def _hazard_reports(rows: Rows, content: Integers) -> HazardReports:
    return HazardReports(rows, *R45.values(content))


def _take(read: _Set, places: Rows) -> _Set:
    taken = (each[places] for each in read)
    return tuple.__new__(type(read), taken)


_NO_ROWS, _NO_CONTENT = np.empty(0, np.intp), np.empty(0, np.int64)
_NO_ROUTINES = _routine_reports(_NO_ROWS, _NO_CONTENT)
_NO_HAZARDS = _hazard_reports(_NO_ROWS, _NO_CONTENT)


def _full_turn(angle_deg: Numbers) -> Numbers:
    return np.where(angle_deg < 0.0, angle_deg + 360.0, angle_deg)


def _apart(one_deg: Numbers, other_deg: Numbers) -> Numbers:
    """Give the angle between directions in [0, 360)."""
    apart = np.abs(one_deg - other_deg)
    return np.minimum(apart, 360.0 - apart)
