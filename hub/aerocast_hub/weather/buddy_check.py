"""Which aircraft's winds do not fit what others met beside it: those are left out. Pure; numpy.

An aircraft is judged by what it met on average within a layer and a few minutes. One aircraft
against one other says nothing of who is wrong: two others must have flown near by.
"""

from math import cos, radians

import numpy as np
import numpy.typing as npt

from aerocast_hub.weather.aircraft_wind import KM_A_DEGREE
from aerocast_hub.weather.wind_field import SCALE_FT, SCALE_KM, TAU_S, Heard

FEWEST_OTHERS = 2
LIMIT_KT, LIMIT_SPREADS = 10.0, 4.0
LEAST_WEIGHT = 0.05  # what counts for less was not met near by
LAYER_FT, SPELL_S = 500.0, 120.0

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


def agrees(met: Heard) -> Flags:
    """Say which winds fit those of other aircraft; without two others near by all do."""
    if not len(met.aircraft):
        return np.ones(0, np.bool_)
    spells, of_spell = _spells(met)
    fits = np.ones(len(spells.aircraft), np.bool_)
    for number in range(len(fits)):
        near = _nearness(spells.place, number)
        others = (near >= LEAST_WEIGHT) & (spells.aircraft != spells.aircraft[number])
        flown, of_aircraft = np.unique(spells.aircraft[others], return_inverse=True)
        if len(flown) < FEWEST_OTHERS:
            continue
        # However much one of them says, it has one voice.
        weights = near[others] / np.bincount(of_aircraft, near[others])[of_aircraft]
        vectors = spells.vector[:, others]
        middle = np.array([_median(each, weights) for each in vectors])
        away = np.hypot(*(vectors - middle[:, None]))
        limit_kt = max(LIMIT_KT, LIMIT_SPREADS * _median(away, weights))
        fits[number] = np.hypot(*(spells.vector[:, number] - middle)) <= limit_kt
    return fits[of_spell]


def _spells(met: Heard) -> tuple[Heard, Places]:
    """Give the means of what each aircraft met in a layer within two minutes, and which is whose.

    What strays within them is held down where it is used; here it is aircraft that are judged.
    """
    layers = np.floor(met.place[2] / LAYER_FT).astype(np.int64)
    minutes = np.floor(met.place[3] / SPELL_S).astype(np.int64)
    keys = np.stack((met.aircraft.astype(np.int64), layers, minutes))
    _, first, of_spell = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    of_spell = of_spell.reshape(-1)
    counts = np.bincount(of_spell)
    means = [np.bincount(of_spell, each) / counts for each in (*met.place, *met.vector)]
    spells = met.take(first)._replace(place=np.array(means[:4]), vector=np.array(means[4:]))
    return spells, of_spell


def _nearness(places: Numbers, number: int) -> Numbers:
    latitude, longitude, altitude, second = places - places[:, number, None]
    east_km = longitude * KM_A_DEGREE * cos(radians(places[0, number]))
    away = np.hypot(latitude * KM_A_DEGREE, east_km) / SCALE_KM
    nearness: Numbers = np.exp(
        -0.5 * (away**2 + (altitude / SCALE_FT) ** 2) - np.abs(second) / TAU_S
    )
    return nearness


def _median(values: Numbers, weights: Numbers) -> float:
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2.0)])
