"""A wind one aircraft met, where, and what may be believed of it at first sight. Pure."""

from collections.abc import Iterable
from math import asin, cos, degrees, isfinite, radians, sin, sqrt

import msgspec

STEEPEST_ROLL_DEG = 5.0  # in a turn heading and track lag behind each other
STRONGEST_KT = 250.0
HIGHEST_FT = 60_000.0
FEWEST_READINGS = 2  # the median of one reading is no median
KM_A_DEGREE = 111.195
SLOT_US = 10_000_000  # how often a gateway tells the wind an aircraft meets


class AircraftWind(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A wind one aircraft met.

    Attributes
    ----------
    wind_direction_deg
        Where it blows from, degrees true.
    altitude_ft
        Pressure altitude.
    source
        ``derived`` from the aircraft's motion, or ``bds44`` as it reports it.
    true_heading_deg, true_airspeed_kt, roll_deg, readings
        What it was derived from, as its gateway tells.
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
    true_heading_deg: float | None = None
    true_airspeed_kt: float | None = None
    roll_deg: float | None = None
    readings: int | None = None

    @property
    def vector_kt(self) -> tuple[float, float]:
        """Where the air moves to: knots east and north."""
        towards = radians(self.wind_direction_deg + 180.0)
        return self.wind_speed_kt * sin(towards), self.wind_speed_kt * cos(towards)

    @property
    def turning_kt(self) -> tuple[float, float]:
        """How its vector changes with an error of the heading: knots a radian; 0 if unknown."""
        if self.true_heading_deg is None or self.true_airspeed_kt is None:
            return 0.0, 0.0
        heading = radians(self.true_heading_deg)
        return -self.true_airspeed_kt * cos(heading), self.true_airspeed_kt * sin(heading)


def is_sound(wind: AircraftWind) -> bool:
    """Say whether every number is one that an aircraft can have, and it flew straight."""
    numbers = (
        wind.latitude_deg,
        wind.longitude_deg,
        wind.altitude_ft,
        wind.wind_direction_deg,
        wind.wind_speed_kt,
        wind.temperature_c or 0.0,
        wind.true_heading_deg or 0.0,
        wind.true_airspeed_kt or 0.0,
        wind.roll_deg or 0.0,
    )
    return (
        all(map(isfinite, numbers))
        and 0.0 <= wind.wind_speed_kt <= STRONGEST_KT
        and abs(wind.altitude_ft) <= HIGHEST_FT
        and abs(wind.roll_deg or 0.0) <= STEEPEST_ROLL_DEG
        and (wind.readings is None or wind.readings >= FEWEST_READINGS)
    )


def each_once(winds: Iterable[AircraftWind]) -> list[AircraftWind]:
    """Give winds that are the same whatever order and however often they came in, oldest first."""
    return sorted(set(winds), key=_sort_key)


def sound(winds: Iterable[AircraftWind]) -> list[AircraftWind]:
    """Give the winds that are sound, each once, oldest first."""
    return [wind for wind in each_once(winds) if is_sound(wind)]


def heard_once(winds: Iterable[AircraftWind]) -> list[AircraftWind]:
    """Keep one of the winds that several gateways made of the same flight, in the order given.

    That is the one made of most readings of each aircraft within ten seconds.
    """
    best: dict[tuple[str, str, int], AircraftWind] = {}
    for wind in winds:
        key = (wind.icao, wind.source, wind.seen_at_us // SLOT_US)
        known = best.get(key)
        if known is None or (wind.readings or 0) > (known.readings or 0):
            best[key] = wind
    return sorted(best.values(), key=_sort_key)


def latest(winds: Iterable[AircraftWind]) -> list[AircraftWind]:
    """Keep the newest wind of each aircraft, newest first."""
    newest = {wind.icao: wind for wind in each_once(winds)}
    return sorted(newest.values(), key=_sort_key, reverse=True)


def km_between(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Give the great-circle distance of two places (degrees) in kilometres."""
    latitude, longitude, to_latitude, to_longitude = map(radians, (*here, *there))
    half_chord = (
        sin((to_latitude - latitude) / 2) ** 2
        + cos(latitude) * cos(to_latitude) * sin((to_longitude - longitude) / 2) ** 2
    )
    return 2 * degrees(asin(sqrt(min(1.0, half_chord)))) * KM_A_DEGREE


def _sort_key(wind: AircraftWind) -> tuple[object, ...]:
    # None does not compare: told apart from numbers first.
    return tuple(
        (value is None, value) if not isinstance(value, str) else value
        for value in msgspec.structs.astuple(wind)
    )
