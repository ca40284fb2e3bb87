"""Flights of the simulated airport: where an aircraft is at any moment, and through which air.

Seconds count from the simulation's start. Nothing here draws lots: the same flight always flies the
same way, so a test knows the truth.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import (
    SEA_LEVEL_K,
    SEA_LEVEL_SOUND_KT,
    ZERO_C_IN_K,
    Wind,
    vector_of,
    wind_of,
)

EARTH_RADIUS_M = 6_371_008.8
KT_IN_MPS = 1852.0 / 3600.0
M_IN_FT = 1.0 / 0.3048
GLIDE = math.tan(math.radians(3.0))
APPROACH_KT = 138.0  # true airspeed at touchdown
FASTER_WITH_HEIGHT = 0.012  # knots of true airspeed a foot: 258 kt at 10,000 ft
STEP_S = 0.25
LONGEST_APPROACH_S = 3600.0
FASTEST_ON_GROUND_MPS = 90.0


class Layer(NamedTuple):
    """The air at one altitude: feet, wind, degrees Celsius."""

    altitude_ft: float
    wind: Wind
    temperature_c: float


class Air:
    """The air above the airport, known at some altitudes and even in between.

    Parameters
    ----------
    layers
        At least one, lowest first. Below the lowest and above the highest the air is theirs.
    declination_deg
        Magnetic declination, east positive: what compasses are off by. One for all places, or a
        function of the place.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        declination_deg: float | Callable[[Position], float] = 0.0,
    ) -> None:
        if not layers:
            raise ValueError("air without a layer")
        self._declination_deg = declination_deg
        self._layers = tuple(layers)
        self._altitudes_ft = [layer.altitude_ft for layer in layers]

    def declination_at(self, position: Position) -> float:
        """Give the magnetic declination at a place, degrees, east positive."""
        declination_deg = self._declination_deg
        return declination_deg(position) if callable(declination_deg) else declination_deg

    def at(self, altitude_ft: float) -> Layer:
        """Give the air at an altitude."""
        above = bisect_right(self._altitudes_ft, altitude_ft)
        if above in (0, len(self._layers)):
            edge = self._layers[min(above, len(self._layers) - 1)]
            return edge._replace(altitude_ft=altitude_ft)
        low, high = self._layers[above - 1], self._layers[above]
        share = (altitude_ft - low.altitude_ft) / (high.altitude_ft - low.altitude_ft)
        (east, north), (high_east, high_north) = vector_of(low.wind), vector_of(high.wind)
        return Layer(
            altitude_ft,
            wind_of(east + share * (high_east - east), north + share * (high_north - north)),
            low.temperature_c + share * (high.temperature_c - low.temperature_c),
        )


class Motion(NamedTuple):
    """An aircraft at a moment: degrees true, knots, feet; headings and airspeeds only in flight."""

    position: Position
    on_ground: bool
    altitude_ft: float
    ground_speed_kt: float
    track_deg: float
    vertical_rate_fpm: float = 0.0
    true_heading_deg: float = 0.0
    true_airspeed_kt: float = 0.0
    roll_deg: float = 0.0


class GroundPath(NamedTuple):
    """The way of an arrival on the ground: touchdown, turns, stand; and where it comes from."""

    runway_heading_deg: float
    places: tuple[Position, ...]

    @classmethod
    def beside(
        cls, stand: Position, runway_heading_deg: float, *, roll_m: float, taxi_m: float
    ) -> "GroundPath":
        """Lay a runway beside a stand: ``roll_m`` along it, then ``taxi_m`` to its right."""
        turn = moved(stand, runway_heading_deg - 90.0, taxi_m)
        touchdown = moved(turn, runway_heading_deg + 180.0, roll_m)
        return cls(runway_heading_deg, (touchdown, turn, stand))


class Arrival:
    """Comes down a 3 degree glide path, lands, rolls and taxies to its stand, and stands there.

    Parameters
    ----------
    path
        Its way on the ground.
    air
        What it flies through.
    lands_s, parked_by_s
        When its wheels touch, and when it has stopped.
    elevation_ft
        Of the runway (as pressure altitude).

    Raises
    ------
    ValueError
        The way on the ground is too short or too long for the time.
    """

    def __init__(
        self,
        path: GroundPath,
        air: Air,
        *,
        lands_s: float,
        parked_by_s: float,
        elevation_ft: float = 500.0,
    ) -> None:
        self.lands_s = lands_s
        self.parked_by_s = parked_by_s
        self._path = path
        self._air = air
        self._elevation_ft = elevation_ft
        # (metres before touchdown, ground speed) each quarter second before it; grows on demand.
        self._approach = [(0.0, self._fly(elevation_ft)[0])]
        self._legs = [_way(a, b) for a, b in zip(path.places, path.places[1:], strict=False)]
        self._length_m = sum(length for length, _ in self._legs)
        self._touchdown_mps = self._approach[0][1] * KT_IN_MPS
        takes_s = parked_by_s - lands_s
        if takes_s <= 0.0 or self._length_m > FASTEST_ON_GROUND_MPS * takes_s:
            raise ValueError(f"{self._length_m:.0f} m on the ground in {takes_s:.0f} s is too fast")
        if self._touchdown_mps * takes_s > 3.0 * self._length_m:
            raise ValueError(f"{self._length_m:.0f} m is too short to brake in {takes_s:.0f} s")

    def at(self, second: float) -> Motion:
        """Give where it is."""
        return self._in_the_air(second) if second < self.lands_s else self._on_the_ground(second)

    def _fly(self, altitude_ft: float) -> tuple[float, float, float]:
        """Give ground speed, true heading and airspeed that keep it on the extended centre line."""
        airspeed_kt = APPROACH_KT + FASTER_WITH_HEIGHT * (altitude_ft - self._elevation_ft)
        track = math.radians(self._path.runway_heading_deg)
        east, north = vector_of(self._air.at(altitude_ft).wind)
        along = east * math.sin(track) + north * math.cos(track)
        across = east * math.cos(track) - north * math.sin(track)  # towards the right
        crab = math.asin(max(-1.0, min(1.0, -across / airspeed_kt)))
        heading_deg = (self._path.runway_heading_deg + math.degrees(crab)) % 360.0
        return airspeed_kt * math.cos(crab) + along, heading_deg, airspeed_kt

    def _in_the_air(self, second: float) -> Motion:
        before_s = min(self.lands_s - second, LONGEST_APPROACH_S)
        index, rest = divmod(before_s, STEP_S)
        while len(self._approach) < int(index) + 1:
            distance_m, speed_kt = self._approach[-1]
            distance_m += speed_kt * KT_IN_MPS * STEP_S
            self._approach.append((distance_m, self._fly(self._altitude_ft(distance_m))[0]))
        distance_m, speed_kt = self._approach[int(index)]
        distance_m += speed_kt * KT_IN_MPS * rest
        altitude_ft = self._altitude_ft(distance_m)
        ground_speed_kt, heading_deg, airspeed_kt = self._fly(altitude_ft)
        back_deg = self._path.runway_heading_deg + 180.0
        return Motion(
            moved(self._path.places[0], back_deg, distance_m),
            on_ground=False,
            altitude_ft=altitude_ft,
            ground_speed_kt=ground_speed_kt,
            track_deg=self._path.runway_heading_deg,
            vertical_rate_fpm=-ground_speed_kt * KT_IN_MPS * GLIDE * M_IN_FT * 60.0,
            true_heading_deg=heading_deg,
            true_airspeed_kt=airspeed_kt,
        )

    def _altitude_ft(self, distance_m: float) -> float:
        return self._elevation_ft + distance_m * GLIDE * M_IN_FT

    def _on_the_ground(self, second: float) -> Motion:
        takes_s = self.parked_by_s - self.lands_s
        share = min((second - self.lands_s) / takes_s, 1.0)
        # The cubic that starts at touchdown speed and ends standing on the stand.
        start_m, length_m = self._touchdown_mps * takes_s, self._length_m
        done_m = length_m * (3.0 - 2.0 * share) * share**2 + start_m * share * (1.0 - share) ** 2
        speed_mps = 6.0 * length_m * share * (1.0 - share) / takes_s
        speed_mps += self._touchdown_mps * (1.0 - share) * (1.0 - 3.0 * share)
        place, track_deg = self._along(done_m)
        return Motion(
            place,
            on_ground=True,
            altitude_ft=self._elevation_ft,
            ground_speed_kt=max(speed_mps, 0.0) / KT_IN_MPS,
            track_deg=track_deg,
        )

    def _along(self, done_m: float) -> tuple[Position, float]:
        for (length_m, bearing_deg), start in zip(self._legs, self._path.places, strict=False):
            if done_m <= length_m:
                return moved(start, bearing_deg, done_m), bearing_deg
            done_m -= length_m
        return self._path.places[-1], self._legs[-1][1]


class Overflight:
    """Flies level and straight on: ``position`` at second 0, heading and true airspeed kept."""

    def __init__(
        self,
        position: Position,
        air: Air,
        *,
        true_heading_deg: float,
        true_airspeed_kt: float,
        altitude_ft: float,
    ) -> None:
        east, north = vector_of(air.at(altitude_ft).wind)
        heading = math.radians(true_heading_deg)
        east += true_airspeed_kt * math.sin(heading)
        north += true_airspeed_kt * math.cos(heading)
        self._start = Motion(
            position,
            on_ground=False,
            altitude_ft=altitude_ft,
            ground_speed_kt=math.hypot(east, north),
            track_deg=math.degrees(math.atan2(east, north)) % 360.0,
            true_heading_deg=true_heading_deg % 360.0,
            true_airspeed_kt=true_airspeed_kt,
        )

    def at(self, second: float) -> Motion:
        """Give where it is."""
        done_m = self._start.ground_speed_kt * KT_IN_MPS * second
        place = moved(self._start.position, self._start.track_deg, done_m)
        return self._start._replace(position=place)


def mach_of(true_airspeed_kt: float, temperature_c: float) -> float:
    """Give the Mach number of an airspeed in air of a temperature."""
    sound_kt = SEA_LEVEL_SOUND_KT * math.sqrt((temperature_c + ZERO_C_IN_K) / SEA_LEVEL_K)
    return true_airspeed_kt / sound_kt


def moved(position: Position, bearing_deg: float, distance_m: float) -> Position:
    """Give the place some metres off, on a flat map around ``position`` (up to some 100 km)."""
    north_m = distance_m * math.cos(math.radians(bearing_deg))
    east_m = distance_m * math.sin(math.radians(bearing_deg))
    latitude = position[0] + math.degrees(north_m / EARTH_RADIUS_M)
    middle = math.radians((position[0] + latitude) / 2.0)
    longitude = position[1] + math.degrees(east_m / (EARTH_RADIUS_M * math.cos(middle)))
    return Position(latitude, (longitude + 180.0) % 360.0 - 180.0)


def _way(start: Position, end: Position) -> tuple[float, float]:
    """Give length in metres and bearing in degrees of a straight way."""
    north_m = math.radians(end[0] - start[0]) * EARTH_RADIUS_M
    middle = math.radians((start[0] + end[0]) / 2.0)
    east_m = math.radians(end[1] - start[1]) * EARTH_RADIUS_M * math.cos(middle)
    return math.hypot(north_m, east_m), math.degrees(math.atan2(east_m, north_m)) % 360.0
