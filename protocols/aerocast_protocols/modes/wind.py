"""Wind and temperature from what an aircraft says of its own motion.

Wind is the ground vector minus the air vector; temperature follows from how fast sound travels:
``T = T0 (TAS / (Mach a0))^2`` in the standard atmosphere of ICAO Doc 7488 (T0 = 288.15 K,
a0 = 340.294 m/s).
"""

import math
from typing import NamedTuple

SEA_LEVEL_K = 288.15
ZERO_C_IN_K = 273.15
SEA_LEVEL_SOUND_KT = 661.4786
SEA_LEVEL_HPA = 1013.25
LAPSE_C_FT, TROPOPAUSE_FT = 0.0019812, 36_089.0
# Below this Mach number its step of 0.004 alone is worth more than 4 K.
SLOWEST_MACH = 0.3


class Wind(NamedTuple):
    """Where it blows from, degrees true in [0, 360), and its speed in knots."""

    direction_deg: float
    speed_kt: float


def wind_from(
    track_deg: float,
    ground_speed_kt: float,
    true_heading_deg: float,
    true_airspeed_kt: float,
) -> Wind:
    """Give the wind an aircraft is flying in: ground vector minus air vector.

    Parameters
    ----------
    track_deg, true_heading_deg
        Degrees from true north, [0, 360). BDS 6,0 gives *magnetic* heading: correct it first.
    ground_speed_kt, true_airspeed_kt
        Knots, from the same aircraft within 5 s.

    Raises
    ------
    ValueError
        A speed is negative.
    """
    if ground_speed_kt < 0.0 or true_airspeed_kt < 0.0:
        raise ValueError(f"speeds {ground_speed_kt} and {true_airspeed_kt} kt: one is negative")
    return wind_of(*wind_vector(track_deg, ground_speed_kt, true_heading_deg, true_airspeed_kt))


def wind_vector(
    track_deg: float,
    ground_speed_kt: float,
    true_heading_deg: float,
    true_airspeed_kt: float,
) -> tuple[float, float]:
    """Give the vector the air moves along, knots east and north, from what `wind_from` takes."""
    track, heading = math.radians(track_deg), math.radians(true_heading_deg)
    return (
        ground_speed_kt * math.sin(track) - true_airspeed_kt * math.sin(heading),
        ground_speed_kt * math.cos(track) - true_airspeed_kt * math.cos(heading),
    )


def wind_of(east_kt: float, north_kt: float) -> Wind:
    """Turn the vector the air moves along into a wind: where it comes from, and how fast."""
    return Wind(
        math.degrees(math.atan2(-east_kt, -north_kt)) % 360.0, math.hypot(east_kt, north_kt)
    )


def vector_of(wind: Wind) -> tuple[float, float]:
    """Give the vector the air moves along, knots east and north."""
    towards = math.radians(wind.direction_deg + 180.0)
    return wind.speed_kt * math.sin(towards), wind.speed_kt * math.cos(towards)


def temperature_c(true_airspeed_kt: float, mach: float) -> float | None:
    """Give the temperature outside an aircraft; None below Mach 0.3, where Mach is too coarse."""
    if mach < SLOWEST_MACH:
        return None
    kelvin = SEA_LEVEL_K * (true_airspeed_kt / (mach * SEA_LEVEL_SOUND_KT)) ** 2
    return kelvin - ZERO_C_IN_K


def true_airspeed_kt(mach: float, temperature: float) -> float:
    """Give the true airspeed, knots, at a Mach number and a temperature in degrees Celsius."""
    return mach * SEA_LEVEL_SOUND_KT * math.sqrt((temperature + ZERO_C_IN_K) / SEA_LEVEL_K)


def standard_c(altitude_ft: float) -> float:
    """Give the standard atmosphere's temperature at a pressure altitude (ICAO Doc 7488)."""
    return SEA_LEVEL_K - ZERO_C_IN_K - LAPSE_C_FT * min(altitude_ft, TROPOPAUSE_FT)


def pressure_hpa(altitude_ft: float) -> float:
    """Give the pressure at a pressure altitude (ICAO Doc 7488), up to 65,600 ft."""
    altitude_m = altitude_ft * 0.3048
    if altitude_m <= 11_000.0:
        return float(SEA_LEVEL_HPA * (1.0 - 2.25577e-5 * altitude_m) ** 5.25588)
    return 226.321 * math.exp(-(altitude_m - 11_000.0) / 6341.62)


def mach_from(indicated_airspeed_kt: float, altitude_ft: float) -> float:
    """Give the Mach number that an indicated airspeed means at a pressure altitude.

    Indicated is taken as calibrated airspeed; below Mach 1.
    """
    impact = (1.0 + 0.2 * (indicated_airspeed_kt / SEA_LEVEL_SOUND_KT) ** 2) ** 3.5 - 1.0
    ratio = impact * SEA_LEVEL_HPA / pressure_hpa(altitude_ft)
    return math.sqrt(5.0 * ((ratio + 1.0) ** (1.0 / 3.5) - 1.0))


def indicated_airspeed_kt(mach: float, altitude_ft: float) -> float:
    """Give the indicated (calibrated) airspeed, knots, at a Mach number and pressure altitude."""
    impact = (1.0 + 0.2 * mach * mach) ** 3.5 - 1.0
    ratio = impact * pressure_hpa(altitude_ft) / SEA_LEVEL_HPA
    return SEA_LEVEL_SOUND_KT * math.sqrt(5.0 * ((ratio + 1.0) ** (1.0 / 3.5) - 1.0))
