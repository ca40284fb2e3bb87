"""Days of traffic over an airport in air that differs from place to place and hour to hour.

For learning winds from aircraft, with the truth: the same airframes come again and again, each with
a compass that is off by its own amount. Everything is drawn from a seed.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import Wind, vector_of, wind_of

from aerocast_simulator.busy_hour import AIRPORT, ELEVATION_FT, RUNWAY_DEG
from aerocast_simulator.flight import (
    APPROACH_KT,
    FASTER_WITH_HEIGHT,
    GLIDE,
    KT_IN_MPS,
    M_IN_FT,
    Air,
    Layer,
    Motion,
    moved,
)
from aerocast_simulator.sky import Flight

HEADING_BIAS_DEG = 0.7
DAY_S = 86_400.0
FAR_M, FINAL_M = 75_000.0, 18_000.0
CLIMB_MPS, LOWEST_M, TURN_DEG_S = 11.0, 60.0, 2.0
PASSED_M = 800.0  # nearer than that, the next place is flown to
TOP_FT = 25_000.0
GRAVITY_MPS2 = 9.81
M_A_DEGREE = 111_195.0
LAYERS = (
    Layer(0.0, Wind(300.0, 12.0), 12.0),
    Layer(2000.0, Wind(290.0, 30.0), 9.0),
    Layer(5000.0, Wind(275.0, 26.0), 4.0),
    Layer(10_000.0, Wind(265.0, 42.0), -6.0),
    Layer(25_000.0, Wind(250.0, 70.0), -34.0),
)


class Weather:
    """The air of some days: layers, a slope across the land, a passing wave, a slow turn.

    Parameters
    ----------
    seed
        Of the days.
    """

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311 - the same days every time
        self.air = Air(LAYERS)
        self._slope_kt_a_km = [rng.gauss(0.0, 0.03) for _ in range(4)]
        self._phases = [rng.uniform(0.0, math.tau) for _ in range(4)]

    def wind_at(self, position: Position, altitude_ft: float, second: float) -> Wind:
        """Give the true wind at a place and moment."""
        east_km, north_km = _offset_km(position)
        day, hour = divmod(second / 3600.0, 24.0)
        turned = 25.0 * math.sin(day * 2.4 + self._phases[0]) + 1.5 * (hour - 12.0)
        layer = self.air.at(altitude_ft).wind
        east, north = vector_of(Wind(layer.direction_deg + turned, layer.speed_kt))
        slope = self._slope_kt_a_km
        wave = math.tau * (east_km / 90.0 + north_km / 140.0 - second / 7200.0)
        east += slope[0] * east_km + slope[1] * north_km
        north += slope[2] * east_km + slope[3] * north_km
        east += 2.0 * math.sin(wave + self._phases[1])
        north += 2.0 * math.sin(wave + altitude_ft / 5000.0 + self._phases[2])
        return wind_of(east, north)


class Track:
    """One aircraft's way through the air, a motion a second; between them even.

    Parameters
    ----------
    motions
        One a second from ``starts_s``.
    """

    def __init__(self, starts_s: float, motions: Sequence[Motion]) -> None:
        self.starts_s = starts_s
        self.ends_s = starts_s + len(motions) - 1.0
        self._motions = motions

    def at(self, second: float) -> Motion:
        """Give where it is."""
        after_s = min(max(second - self.starts_s, 0.0), len(self._motions) - 1.001)
        index = int(after_s)
        here, there = self._motions[index], self._motions[index + 1]
        share = after_s - index
        return here._replace(
            position=Position(
                here.position[0] + share * (there.position[0] - here.position[0]),
                here.position[1] + share * (there.position[1] - here.position[1]),
            ),
            altitude_ft=here.altitude_ft + share * (there.altitude_ft - here.altitude_ft),
        )


class Days(NamedTuple):
    """The traffic of some days, and the air it flew in; seconds since the first midnight."""

    weather: Weather
    flights: tuple[Flight, ...]
    biases_deg: dict[str, float]


def wind_days(  # noqa: PLR0913 - days of traffic are that many facts
    seed: int,
    days: int,
    *,
    airframes: int = 40,
    flights_a_day: int = 40,
    bank_s: float = 7200.0,
    begins_s: float = 36_000.0,
    declination_deg: Callable[[Position], float] | float = 0.0,
) -> Days:
    """Draw days: each day a bank of arrivals and departures from all sides within two hours."""
    rng = random.Random(seed)  # noqa: S311 - the same days every time
    weather = Weather(seed)
    air = Air(LAYERS, declination_deg)
    sides = (-HEADING_BIAS_DEG, HEADING_BIAS_DEG)
    biases = {f"39{number:04x}": rng.choice(sides) for number in range(airframes)}
    flights = []
    for day in range(days):
        chosen = [rng.choice(list(biases)) for _ in range(flights_a_day)]
        chosen = rng.sample(list(biases), flights_a_day) if flights_a_day <= airframes else chosen
        for number, icao in enumerate(chosen):
            starts_s = day * DAY_S + begins_s + bank_s * number / flights_a_day
            lands = rng.random() < 0.55
            track = _fly(weather, starts_s, rng.uniform(0.0, 360.0), lands=lands)
            flights.append(
                Flight(
                    icao,
                    f"AFR{number:03d}",
                    track,
                    air,
                    starts_s=starts_s,
                    silent_from_s=track.ends_s,
                    heading_bias_deg=biases[icao],
                )
            )
    return Days(weather, tuple(flights), biases)


def _fly(weather: Weather, starts_s: float, bearing_deg: float, *, lands: bool) -> Track:
    far = moved(AIRPORT, bearing_deg, FAR_M)
    if lands:
        places = (far, moved(AIRPORT, RUNWAY_DEG + 180.0, FINAL_M), AIRPORT)
    else:
        places = (AIRPORT, moved(AIRPORT, RUNWAY_DEG, FINAL_M / 2), far)
    return Track(starts_s, list(_steps(weather, starts_s, places, lands=lands)))


def _steps(
    weather: Weather, second: float, places: Sequence[Position], *, lands: bool
) -> Iterator[Motion]:
    """Fly from place to place: down a glide path to the last, or up from the first."""
    here, ahead = places[0], list(places[1:])
    track_deg = _way(here, ahead[0])[1]
    height_m = LOWEST_M
    while ahead and height_m >= LOWEST_M:
        away_m, bearing_deg = _way(here, ahead[0])
        wanted_deg = (bearing_deg - track_deg + 180.0) % 360.0 - 180.0
        if away_m < PASSED_M or abs(wanted_deg) > 100.0:
            ahead.pop(0)
            continue
        turn_deg = max(-TURN_DEG_S, min(TURN_DEG_S, wanted_deg))
        track_deg = (track_deg + turn_deg) % 360.0
        if lands:
            height_m = _length_m((here, *ahead)) * GLIDE
        altitude_ft = min(ELEVATION_FT + height_m * M_IN_FT, TOP_FT)
        airspeed_kt = APPROACH_KT + FASTER_WITH_HEIGHT * altitude_ft
        wind = vector_of(weather.wind_at(here, altitude_ft, second))
        track = math.radians(track_deg)
        along = wind[0] * math.sin(track) + wind[1] * math.cos(track)
        across = wind[0] * math.cos(track) - wind[1] * math.sin(track)
        drift = math.asin(-across / airspeed_kt)
        speed_kt = airspeed_kt * math.cos(drift) + along
        banked = math.radians(turn_deg) * airspeed_kt * KT_IN_MPS / GRAVITY_MPS2
        yield Motion(
            here,
            on_ground=False,
            altitude_ft=altitude_ft,
            ground_speed_kt=speed_kt,
            track_deg=track_deg,
            vertical_rate_fpm=-700.0 if lands else CLIMB_MPS * M_IN_FT * 60.0,
            true_heading_deg=(track_deg + math.degrees(drift)) % 360.0,
            true_airspeed_kt=airspeed_kt,
            roll_deg=math.degrees(math.atan(banked)),
        )
        here = moved(here, track_deg, speed_kt * KT_IN_MPS)
        second += 1.0
        if not lands:
            height_m += CLIMB_MPS


def _way(start: Position, end: Position) -> tuple[float, float]:
    """Give length in metres and bearing in degrees of a straight way."""
    north_m = (end[0] - start[0]) * M_A_DEGREE
    east_m = (end[1] - start[1]) * M_A_DEGREE * math.cos(math.radians((start[0] + end[0]) / 2))
    return math.hypot(north_m, east_m), math.degrees(math.atan2(east_m, north_m)) % 360.0


def _length_m(places: Sequence[Position]) -> float:
    return sum(_way(start, end)[0] for start, end in pairwise(places))


def _offset_km(position: Position) -> tuple[float, float]:
    length_m, bearing_deg = _way(AIRPORT, position)
    bearing = math.radians(bearing_deg)
    return length_m / 1000.0 * math.sin(bearing), length_m / 1000.0 * math.cos(bearing)
