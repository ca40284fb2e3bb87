"""The wind at a place, an altitude and a moment, from the aircraft that flew around it.

Local-linear regression: near by, the wind is a plane in east, north and up; what was met farther
away, above, below or before counts less. Three things are estimated together: the plane, what
remains of each aircraft's heading error after what was learned of it, and what each aircraft's
piece of air differs from the plane by. So a chatty aircraft does not outvote a quiet one, winds on
one heading do not pass for certainty, and the answer's own uncertainty comes out of the same sum.
Outliers are held down (Huber). Fewer than two aircraft near by give nothing. Pure; needs numpy.
Not for flight operations.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import atan2, cos, degrees, hypot, radians
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from aerocast_hub.weather.aircraft_wind import (
    KM_A_DEGREE,
    AircraftWind,
    heard_once,
    sound,
)
from aerocast_hub.weather.heading_bias import UNKNOWN, HeadingBias, corrected

WINDOW_S = 900.0
FARTHEST_KM = 120.0
# What was met farther above or below says nothing; and somebody must have flown that near.
LAYER_FT, NEAR_FT = 2000.0, 1000.0
# How quickly a wind counts for less: by distance, altitude and age.
SCALE_KM, SCALE_FT, TAU_S = 25.0, 500.0, 600.0
FEWEST_AIRCRAFT = 2
MOST_WINDS = 400  # the heaviest count: more make it no surer, only later
# Standard deviations: of one wind (knots; half a minute's averages overlap), of an aircraft's piece
# of air, of the plane's slopes over one scale, of one temperature and one aircraft's (kelvin).
READING_KT, AIR_KT, SLOPES_KT = 1.3, 0.8, (2.3, 2.3, 5.0)
READING_K, SENSOR_K, SLOPES_K = 2.0, 1.0, (0.5, 0.5, 3.0)
LEAST_BIAS_DEG = 0.1
# A wind an aircraft reports itself has no heading to be wrong by, but errors of its own.
OWN_WORD_KT = 3.0
HUBER = 1.5
ROUNDS = 3
WIDEST_KT = 1000.0  # of a mean nothing pulls at

Numbers = npt.NDArray[np.float64]


class WindAt(msgspec.Struct, frozen=True, kw_only=True):
    """The wind at a place, an altitude and a moment; None where fewer than two aircraft flew.

    Attributes
    ----------
    wind_direction_deg
        Where it blows from, degrees true.
    sigma_east_kt, sigma_north_kt, sigma_kt
        Standard deviations of its components, and their root mean square.
    aircraft, observations
        How many flew within 1,000 ft of that altitude, and what they told.
    age_s
        Mean age of the observations, weighted as they count.
    temperature_c, temperature_sigma_k
        Only as good as Mach numbers in steps of 0.004 allow.
    """

    altitude_ft: float
    aircraft: int
    observations: int
    wind_direction_deg: float | None = None
    wind_speed_kt: float | None = None
    wind_east_kt: float | None = None
    wind_north_kt: float | None = None
    sigma_kt: float | None = None
    sigma_east_kt: float | None = None
    sigma_north_kt: float | None = None
    age_s: float | None = None
    temperature_c: float | None = None
    temperature_sigma_k: float | None = None


class Heard(NamedTuple):
    """Winds as arrays, freed of what is known of headings; see `heard`.

    Attributes
    ----------
    aircraft
        Which aircraft each is from, by number.
    place
        Degrees north and east, feet, seconds; shape (4, n).
    vector, turning
        Knots east and north, and their change with the heading, knots a radian; shape (2, n).
    bias_rad
        Standard deviation of what is left of the heading's error.
    noise_kt
        Standard deviation of one wind.
    temperature_c
        NaN where it is not known.
    """

    aircraft: npt.NDArray[np.intp]
    place: Numbers
    vector: Numbers
    turning: Numbers
    bias_rad: Numbers
    noise_kt: Numbers
    temperature_c: Numbers

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Heard":
        """Give some of them."""
        return Heard(
            self.aircraft[which],
            self.place[:, which],
            self.vector[:, which],
            self.turning[:, which],
            self.bias_rad[which],
            self.noise_kt[which],
            self.temperature_c[which],
        )


def heard(winds: Iterable[AircraftWind], biases: Mapping[str, HeadingBias]) -> Heard:
    """Take what is sound of winds, and free it of what was learned of headings."""
    taken = heard_once(sound(winds))
    freed = corrected(taken, biases)
    names = {icao: number for number, icao in enumerate(sorted({w.icao for w in taken}))}
    known = [biases.get(wind.icao, UNKNOWN).sigma_deg for wind in taken]
    return Heard(
        aircraft=np.array([names[wind.icao] for wind in taken], np.intp),
        place=np.array(
            [(w.latitude_deg, w.longitude_deg, w.altitude_ft, w.seen_at_us / 1e6) for w in taken],
            np.float64,
        )
        .reshape(-1, 4)
        .T,
        vector=np.array([vector for _, vector in freed], np.float64).reshape(-1, 2).T,
        turning=np.array([wind.turning_kt for wind in taken], np.float64).reshape(-1, 2).T,
        bias_rad=np.radians(np.maximum(np.array(known, np.float64), LEAST_BIAS_DEG)),
        noise_kt=np.array(
            [OWN_WORD_KT if wind.true_heading_deg is None else READING_KT for wind in taken]
        ),
        temperature_c=np.array(
            [np.nan if w.temperature_c is None else w.temperature_c for w in taken], np.float64
        ),
    )


def wind_at(met: Heard, place: tuple[float, float], altitude_ft: float, at_us: int) -> WindAt:
    """Give the wind at a place (degrees north, east), a pressure altitude and a moment."""
    away, weights = _around(met, place, altitude_ft, at_us)
    used = weights.nonzero()[0]
    near_by = used[np.abs(met.place[2, used] - altitude_ft) <= NEAR_FT]
    count = len(np.unique(met.aircraft[near_by]))
    found = WindAt(altitude_ft=altitude_ft, aircraft=count, observations=len(near_by))
    if count < FEWEST_AIRCRAFT:
        return found
    if len(used) > MOST_WINDS:
        used = np.sort(used[np.argsort(-weights[used], kind="stable")[:MOST_WINDS]])
    near, away, weights = met.take(used), away[:, used], weights[used]
    solved, sigmas = _solve_wind(near, away, weights)
    east, north = float(solved[0]), float(solved[1])
    sigma_east, sigma_north = float(sigmas[0]), float(sigmas[1])
    age_s = at_us / 1e6 - near.place[3]
    outside = _solve_temperature(near, away, weights)
    return msgspec.structs.replace(
        found,
        wind_direction_deg=round(degrees(atan2(-east, -north)) % 360.0, 1) % 360.0,
        wind_speed_kt=round(hypot(east, north), 1),
        wind_east_kt=round(east, 2),
        wind_north_kt=round(north, 2),
        sigma_east_kt=round(sigma_east, 2),
        sigma_north_kt=round(sigma_north, 2),
        sigma_kt=round(hypot(sigma_east, sigma_north) / 2**0.5, 2),
        age_s=round(float((weights * age_s).sum() / weights.sum()), 1),
        temperature_c=None if outside is None else round(outside[0], 1),
        temperature_sigma_k=None if outside is None else round(outside[1], 1),
    )


def _around(
    met: Heard, place: tuple[float, float], altitude_ft: float, at_us: int
) -> tuple[Numbers, Numbers]:
    """Give how far off each wind was met, in scales, shape (3, n), and how much it counts."""
    north, east, altitude, second = met.place
    north_km = (north - place[0]) * KM_A_DEGREE
    east_km = ((east - place[1] + 180.0) % 360.0 - 180.0) * KM_A_DEGREE * cos(radians(place[0]))
    up_ft = altitude - altitude_ft
    age_s = at_us / 1e6 - second
    away_km = np.hypot(north_km, east_km)
    is_near = (away_km <= FARTHEST_KM) & (np.abs(up_ft) <= LAYER_FT)
    is_near &= (age_s >= 0.0) & (age_s <= WINDOW_S)
    away = np.array((east_km / SCALE_KM, north_km / SCALE_KM, up_ft / SCALE_FT))
    weights = np.exp(-0.5 * (away**2).sum(axis=0) - np.maximum(age_s, 0.0) / TAU_S)
    return away, np.where(is_near, weights, 0.0)


def _solve_wind(near: Heard, away: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Give east and north, and their standard deviations.

    Unknowns: a plane for each component, then for each aircraft its heading's error and what its
    air differs by, east and north.
    """
    flown, of_aircraft = np.unique(near.aircraft, return_inverse=True)
    count, planes = len(weights), 8
    design = np.zeros((2, count, planes + 3 * len(flown)))
    rows = np.arange(count)
    for component in (0, 1):
        design[component, :, 4 * component] = 1.0
        design[component, :, 4 * component + 1 : 4 * component + 4] = away.T
        design[component, rows, planes + 3 * of_aircraft] = near.turning[component]
        design[component, rows, planes + 3 * of_aircraft + 1 + component] = 1.0
    bias_rad = np.zeros(len(flown))
    bias_rad[of_aircraft] = near.bias_rad
    prior = np.concatenate(
        (
            np.tile((WIDEST_KT, *SLOPES_KT), 2) ** -2.0,
            np.stack(
                (1.0 / bias_rad**2, *np.full((2, len(flown)), 1.0 / AIR_KT**2)), axis=1
            ).ravel(),
        )
    )
    return _regress(
        design.reshape(2 * count, -1),
        near.vector.ravel(),
        np.tile(weights / near.noise_kt**2, 2),
        prior,
        (0, 4),
    )


def _solve_temperature(near: Heard, away: Numbers, weights: Numbers) -> tuple[float, float] | None:
    known = ~np.isnan(near.temperature_c)
    flown, of_aircraft = np.unique(near.aircraft[known], return_inverse=True)
    if len(flown) < FEWEST_AIRCRAFT:
        return None
    count = int(known.sum())
    design = np.zeros((count, 4 + len(flown)))
    design[:, 0] = 1.0
    design[:, 1:4] = away[:, known].T
    design[np.arange(count), 4 + of_aircraft] = 1.0
    prior = np.concatenate(
        (
            np.array((WIDEST_KT, *SLOPES_K)) ** -2.0,
            np.full(len(flown), 1.0 / SENSOR_K**2),
        )
    )
    found, sigma = _regress(
        design, near.temperature_c[known], weights[known] / READING_K**2, prior, (0,)
    )
    return float(found[0]), float(sigma[0])


def _regress(
    design: Numbers, told: Numbers, precision: Numbers, prior: Numbers, wanted: Sequence[int]
) -> tuple[Numbers, Numbers]:
    """Solve by least squares with a prior, outliers held down; give the wanted and their sigmas."""
    held = np.ones(len(told))
    turns = 0
    while True:
        weighted = design * (precision * held)[:, None]
        covariance = np.linalg.inv(design.T @ weighted + np.diag(prior)).astype(np.float64)
        found: Numbers = covariance @ (weighted.T @ told)
        turns += 1
        if turns == ROUNDS:
            break
        off = np.abs(told - design @ found) * np.sqrt(precision)
        held = np.minimum(1.0, HUBER / np.maximum(off, 1e-9))
    places = list(wanted)
    return found[places], np.sqrt(covariance.diagonal()[places])
