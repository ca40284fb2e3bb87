"""The wind over an airport level by level, and what in it deserves a word. Pure.

Not for flight operations.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import hypot
from typing import Literal

import msgspec

from aerocast_hub.weather.aircraft_wind import AircraftWind, each_once, km_between
from aerocast_hub.weather.buddy_check import agrees
from aerocast_hub.weather.heading_bias import HeadingBias
from aerocast_hub.weather.wind_field import WINDOW_S, Heard, WindAt, heard, wind_at

RADIUS_KM = 60.0
LEVEL_FT = 1000.0
TOP_FT = 15_000.0  # flight level 150
# Ours, of neighbouring levels: ICAO's grades are for layers of 100 ft, finer than these.
SHEAR_KT, STRONG_SHEAR_KT = 10.0, 20.0
CERTAIN = 2.0  # a flag's cause is at least so many of its own standard deviations
INVERSION_K, INVERSION_SIGMA_K = 1.0, 1.0
# A low-level jet: below this, so strong, and so much stronger than above it.
JET_BELOW_FT, JET_KT, JET_DROP_KT, JET_DROP = 5000.0, 25.0, 10.0, 0.25


class WindLevel(msgspec.Struct, frozen=True, kw_only=True):
    """The wind in the middle of one layer of 1,000 ft; None where fewer than two aircraft flew.

    Attributes
    ----------
    bottom_ft, top_ft
        Pressure altitudes of the layer.
    sigma_kt
        Standard deviation of a wind component.
    age_s
        Mean age of the observations, weighted as they count.
    shear_kt
        Length of the difference to the wind 1,000 ft below.
    temperature_c, temperature_sigma_k
        A layer's mean, no better than Mach numbers in coarse steps allow.
    """

    bottom_ft: float
    top_ft: float
    aircraft: int
    observations: int
    wind_direction_deg: float | None = None
    wind_speed_kt: float | None = None
    sigma_kt: float | None = None
    age_s: float | None = None
    shear_kt: float | None = None
    temperature_c: float | None = None
    temperature_sigma_k: float | None = None


class WindFlag(msgspec.Struct, frozen=True, kw_only=True):
    """Something between two altitudes that deserves a word.

    Attributes
    ----------
    amount
        Knots for 1,000 ft (shear), kelvin (inversion), knots at its strongest (jet).
    """

    kind: Literal["shear", "strong_shear", "inversion", "low_level_jet"]
    bottom_ft: float
    top_ft: float
    amount: float


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Levels, lowest first, and flags; ``refused`` winds did not fit those beside them."""

    levels: list[WindLevel]
    flags: list[WindFlag] = []
    refused: int = 0


def near(
    winds: Iterable[AircraftWind],
    place: tuple[float, float],
    now_us: int,
    radius_km: float = RADIUS_KM,
) -> list[AircraftWind]:
    """Keep the winds of the last quarter of an hour near by, oldest first, each once."""
    return [
        wind
        for wind in each_once(winds)
        if 0 <= now_us - wind.seen_at_us <= WINDOW_S * 1e6
        and -LEVEL_FT <= wind.altitude_ft < TOP_FT + LEVEL_FT
        and km_between(place, (wind.latitude_deg, wind.longitude_deg)) <= radius_km
    ]


def believed(winds: Iterable[AircraftWind], biases: Mapping[str, HeadingBias]) -> tuple[Heard, int]:
    """Give winds freed of heading errors, without those that do not fit others, and their number.

    Parameters
    ----------
    winds
        In any order, repeated or not.
    biases
        What was learned of headings, by aircraft.
    """
    met = heard(winds, biases)
    fits = agrees(met)
    return met.take(fits), int((~fits).sum())


def profile(
    winds: Iterable[AircraftWind],
    biases: Mapping[str, HeadingBias],
    place: tuple[float, float],
    now_us: int,
) -> Profile:
    """Give the wind of every layer of 1,000 ft up to flight level 150, lowest first.

    Parameters
    ----------
    winds
        In any order, repeated or not; those too old, too far or from the future are passed over.
    biases
        What was learned of headings, by aircraft.
    place
        Latitude and longitude of the airport, degrees.
    now_us
        UTC microseconds.
    """
    met, refused = believed(near(winds, place, now_us), biases)
    bottoms = [LEVEL_FT * number for number in range(int(TOP_FT / LEVEL_FT))]
    found = [wind_at(met, place, bottom + LEVEL_FT / 2, now_us) for bottom in bottoms]
    shears = [None, *(_shear_kt(below, above) for below, above in pairwise(found))]
    levels = [_level(each, shear_kt) for each, shear_kt in zip(found, shears, strict=True)]
    flags = [*_shear_flags(found), *_inversions(found), *_jets(found)]
    return Profile(levels=levels, flags=flags, refused=refused)


def _level(found: WindAt, shear_kt: float | None) -> WindLevel:
    return WindLevel(
        bottom_ft=found.altitude_ft - LEVEL_FT / 2,
        top_ft=found.altitude_ft + LEVEL_FT / 2,
        aircraft=found.aircraft,
        observations=found.observations,
        wind_direction_deg=found.wind_direction_deg,
        wind_speed_kt=found.wind_speed_kt,
        sigma_kt=found.sigma_kt,
        age_s=found.age_s,
        shear_kt=None if shear_kt is None else round(shear_kt, 1),
        temperature_c=found.temperature_c,
        temperature_sigma_k=found.temperature_sigma_k,
    )


def _shear_kt(below: WindAt, above: WindAt) -> float | None:
    if None in (below.wind_east_kt, above.wind_east_kt):
        return None
    return hypot(
        (above.wind_east_kt or 0.0) - (below.wind_east_kt or 0.0),
        (above.wind_north_kt or 0.0) - (below.wind_north_kt or 0.0),
    )


def _shear_flags(found: Sequence[WindAt]) -> list[WindFlag]:
    flags = []
    for below, above in pairwise(found):
        shear_kt = _shear_kt(below, above)
        if shear_kt is None or shear_kt < SHEAR_KT:
            continue
        if shear_kt >= CERTAIN * hypot(below.sigma_kt or 0.0, above.sigma_kt or 0.0):
            flags.append(
                WindFlag(
                    kind="strong_shear" if shear_kt >= STRONG_SHEAR_KT else "shear",
                    bottom_ft=below.altitude_ft,
                    top_ft=above.altitude_ft,
                    amount=round(shear_kt, 1),
                )
            )
    return flags


def _inversions(found: Sequence[WindAt]) -> list[WindFlag]:
    flags = []
    for below, above in pairwise(found):
        if below.temperature_c is None or above.temperature_c is None:
            continue
        sigma_k = hypot(below.temperature_sigma_k or 0.0, above.temperature_sigma_k or 0.0)
        warmer_k = above.temperature_c - below.temperature_c
        if warmer_k > INVERSION_K and sigma_k < INVERSION_SIGMA_K:
            flags.append(
                WindFlag(
                    kind="inversion",
                    bottom_ft=below.altitude_ft,
                    top_ft=above.altitude_ft,
                    amount=round(warmer_k, 1),
                )
            )
    return flags


def _jets(found: Sequence[WindAt]) -> list[WindFlag]:
    """Find a wind below 5,000 ft that falls off markedly above: the lowest such maximum."""
    known = [each for each in found if each.wind_speed_kt is not None]
    low = [each for each in known if each.altitude_ft < JET_BELOW_FT]
    if not low:
        return []
    nose = max(low, key=lambda each: each.wind_speed_kt or 0.0)
    fastest_kt = nose.wind_speed_kt or 0.0
    above = [each for each in known if nose.altitude_ft < each.altitude_ft < 2 * JET_BELOW_FT]
    if not above or fastest_kt < JET_KT:
        return []
    calmest = min(above, key=lambda each: each.wind_speed_kt or 0.0)
    drop_kt = fastest_kt - (calmest.wind_speed_kt or 0.0)
    sigma_kt = hypot(nose.sigma_kt or 0.0, calmest.sigma_kt or 0.0)
    if drop_kt < max(JET_DROP_KT, JET_DROP * fastest_kt, CERTAIN * sigma_kt):
        return []
    return [
        WindFlag(
            kind="low_level_jet",
            bottom_ft=nose.altitude_ft - LEVEL_FT / 2,
            top_ft=nose.altitude_ft + LEVEL_FT / 2,
            amount=round(fastest_kt, 1),
        )
    ]
