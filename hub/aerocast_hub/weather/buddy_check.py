"""Which aircraft's winds do not fit what others met beside it: those are left out. Pure; numpy.

One aircraft against one other says nothing of who is wrong: two others must have flown near by.
"""

from math import cos, radians

import numpy as np
import numpy.typing as npt

from aerocast_hub.weather.aircraft_wind import KM_A_DEGREE
from aerocast_hub.weather.wind_field import SCALE_FT, SCALE_KM, TAU_S, Heard

FEWEST_OTHERS = 2
LIMIT_KT, LIMIT_SPREADS = 10.0, 4.0
LEAST_WEIGHT = 0.05  # what counts for less was not met near by

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


def agrees(met: Heard) -> Flags:
    """Say which winds fit those of other aircraft; without two others near by all do."""
    fits = np.ones(len(met.aircraft), np.bool_)
    for number in range(len(fits)):
        near = _nearness(met, number)
        others = (near >= LEAST_WEIGHT) & (met.aircraft != met.aircraft[number])
        flown, of_aircraft = np.unique(met.aircraft[others], return_inverse=True)
        if len(flown) < FEWEST_OTHERS:
            continue
        # However much one of them says, it has one voice.
        weights = near[others] / np.bincount(of_aircraft, near[others])[of_aircraft]
        vectors = met.vector[:, others]
        middle = np.array([_median(each, weights) for each in vectors])
        away = np.hypot(*(vectors - middle[:, None]))
        limit_kt = max(LIMIT_KT, LIMIT_SPREADS * _median(away, weights))
        fits[number] = np.hypot(*(met.vector[:, number] - middle)) <= limit_kt
    return fits


def _nearness(met: Heard, number: int) -> Numbers:
    latitude, longitude, altitude, second = met.place - met.place[:, number, None]
    east_km = longitude * KM_A_DEGREE * cos(radians(met.place[0, number]))
    away = np.hypot(latitude * KM_A_DEGREE, east_km) / SCALE_KM
    nearness: Numbers = np.exp(
        -0.5 * (away**2 + (altitude / SCALE_FT) ** 2) - np.abs(second) / TAU_S
    )
    return nearness


def _median(values: Numbers, weights: Numbers) -> float:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2.0)])
