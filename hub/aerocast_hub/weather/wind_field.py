"""The wind over an airport, level by level, from the aircraft that fly through it.

Pure: no database, no clock. Winds derived from Mode S carry a heading bias of each aircraft, so
every aircraft counts once a level, outliers are held down (Huber), and a level fewer than two
aircraft flew through has no mean. Not for flight operations.
"""

from collections.abc import Iterable
from math import asin, atan2, cos, degrees, exp, hypot, radians, sin, sqrt
from typing import NamedTuple

import msgspec

LEVEL_M = 300.0
TOP_M = 15_000 * 0.3048  # flight level 150
AGE_TAU_S = 600.0
WINDOW_S = 900.0
RADIUS_KM = 60.0
FEWEST_AIRCRAFT = 2
HUBER_KT = 5.0  # beyond this an aircraft pulls with constant force; about twice its usual error
ROUNDS = 20
KM_A_DEGREE = 111.195


class AircraftWind(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A wind one aircraft met.

    Attributes
    ----------
    wind_direction_deg
        Where it blows from, degrees true.
    altitude_ft
        Pressure altitude.
    """

    seen_at_us: int
    icao: str
    latitude_deg: float
    longitude_deg: float
    altitude_ft: float
    wind_direction_deg: float
    wind_speed_kt: float
    source: str = "derived"
    temperature_c: float | None = None


class WindLevel(msgspec.Struct, frozen=True, kw_only=True):
    """The wind in one layer of 300 m; None where fewer than two aircraft flew.

    Attributes
    ----------
    bottom_ft, top_ft
        Pressure altitudes of the layer.
    sigma_kt
        Standard error of a wind component, from leaving out one aircraft at a time.
    age_s
        Mean age of the observations, weighted as the mean is.
    """

    bottom_ft: float
    top_ft: float
    aircraft: int
    observations: int
    wind_direction_deg: float | None = None
    wind_speed_kt: float | None = None
    sigma_kt: float | None = None
    age_s: float | None = None


class _AircraftMean(NamedTuple):
    """One aircraft's wind in a layer: towards east and north, with its weight and age."""

    east_kt: float
    north_kt: float
    weight: float
    age_s: float
    observations: int


def wind_levels(
    winds: Iterable[AircraftWind], place: tuple[float, float], now_us: int
) -> list[WindLevel]:
    """Give the wind of every layer up to flight level 150, lowest first.

    Parameters
    ----------
    winds
        In any order, repeated or not; those too old, too far or from the future are passed over.
    place
        Latitude and longitude of the airport, degrees.
    now_us
        UTC microseconds.
    """
    layers: dict[int, dict[str, list[AircraftWind]]] = {}
    for wind in near(winds, place, now_us):
        layer = int(wind.altitude_ft * 0.3048 // LEVEL_M)
        layers.setdefault(layer, {}).setdefault(wind.icao, []).append(wind)
    return [_level(layer, layers.get(layer, {}), now_us) for layer in range(int(TOP_M // LEVEL_M))]


def near(
    winds: Iterable[AircraftWind], place: tuple[float, float], now_us: int
) -> list[AircraftWind]:
    """Keep the winds of the last quarter of an hour within 60 km, oldest first, each once."""
    return [
        wind
        for wind in sorted(set(winds), key=_sort_key)
        if 0 <= now_us - wind.seen_at_us <= WINDOW_S * 1e6
        and 0.0 <= wind.altitude_ft * 0.3048 < TOP_M
        and km_between(place, (wind.latitude_deg, wind.longitude_deg)) <= RADIUS_KM
    ]


def latest(winds: Iterable[AircraftWind]) -> list[AircraftWind]:
    """Keep the newest wind of each aircraft, newest first."""
    newest: dict[str, AircraftWind] = {}
    for wind in sorted(set(winds), key=_sort_key):
        newest[wind.icao] = wind
    return sorted(newest.values(), key=_sort_key, reverse=True)


def km_between(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Give the great-circle distance of two places (degrees) in kilometres."""
    latitude, longitude, to_latitude, to_longitude = map(radians, (*here, *there))
    half_chord = (
        sin((to_latitude - latitude) / 2) ** 2
        + cos(latitude) * cos(to_latitude) * sin((to_longitude - longitude) / 2) ** 2
    )
    return 2 * degrees(asin(sqrt(min(1.0, half_chord)))) * KM_A_DEGREE


def _level(layer: int, by_aircraft: dict[str, list[AircraftWind]], now_us: int) -> WindLevel:
    means = [_aircraft_mean(by_aircraft[icao], now_us) for icao in sorted(by_aircraft)]
    level = WindLevel(
        bottom_ft=round(layer * LEVEL_M / 0.3048),
        top_ft=round((layer + 1) * LEVEL_M / 0.3048),
        aircraft=len(means),
        observations=sum(mean.observations for mean in means),
    )
    if len(means) < FEWEST_AIRCRAFT:
        return level
    east_kt, north_kt = _robust_mean(means)
    total = sum(mean.weight for mean in means)
    return msgspec.structs.replace(
        level,
        wind_direction_deg=round(degrees(atan2(-east_kt, -north_kt)) % 360.0, 1) % 360.0,
        wind_speed_kt=round(hypot(east_kt, north_kt), 1),
        sigma_kt=round(_leave_one_out_sigma(means), 2),
        age_s=round(sum(mean.weight * mean.age_s for mean in means) / total, 1),
    )


def _aircraft_mean(winds: list[AircraftWind], now_us: int) -> _AircraftMean:
    """Average one aircraft's winds, the newer the heavier; it weighs as its newest does."""
    east = north = total = age = 0.0
    heaviest = 0.0
    for wind in winds:
        age_s = (now_us - wind.seen_at_us) / 1e6
        weight = exp(-age_s / AGE_TAU_S)
        towards = radians(wind.wind_direction_deg + 180.0)
        east += weight * wind.wind_speed_kt * sin(towards)
        north += weight * wind.wind_speed_kt * cos(towards)
        age += weight * age_s
        total += weight
        heaviest = max(heaviest, weight)
    return _AircraftMean(east / total, north / total, heaviest, age / total, len(winds))


def _robust_mean(means: list[_AircraftMean]) -> tuple[float, float]:
    """Give Huber's mean by reweighting; it starts from the median, so outliers cannot lead it."""
    east = _weighted_median([(mean.east_kt, mean.weight) for mean in means])
    north = _weighted_median([(mean.north_kt, mean.weight) for mean in means])
    for _ in range(ROUNDS):
        pulls = [
            mean.weight * min(1.0, HUBER_KT / max(far, 1e-9))
            for mean in means
            for far in (hypot(mean.east_kt - east, mean.north_kt - north),)
        ]
        total = sum(pulls)
        new_east = sum(pull * mean.east_kt for pull, mean in zip(pulls, means, strict=True)) / total
        new_north = (
            sum(pull * mean.north_kt for pull, mean in zip(pulls, means, strict=True)) / total
        )
        moved = hypot(new_east - east, new_north - north)
        east, north = new_east, new_north
        if moved < 1e-3:
            break
    return east, north


def _weighted_median(values: list[tuple[float, float]]) -> float:
    half = sum(weight for _, weight in values) / 2
    passed = 0.0
    ordered = sorted(values)
    for value, weight in ordered:
        passed += weight
        if passed >= half:
            return value
    return ordered[-1][0]


def _leave_one_out_sigma(means: list[_AircraftMean]) -> float:
    """Give the jackknife's standard error of one component."""
    count = len(means)
    without = [_robust_mean(means[:left] + means[left + 1 :]) for left in range(count)]
    east = sum(each[0] for each in without) / count
    north = sum(each[1] for each in without) / count
    spread = sum((each[0] - east) ** 2 + (each[1] - north) ** 2 for each in without)
    return sqrt((count - 1) / count * spread / 2)


def _sort_key(wind: AircraftWind) -> tuple[int, str, float, float, float, float, str]:
    return (
        wind.seen_at_us,
        wind.icao,
        wind.altitude_ft,
        wind.latitude_deg,
        wind.wind_direction_deg,
        wind.wind_speed_kt,
        f"{wind.source} {wind.temperature_c} {wind.longitude_deg}",
    )
