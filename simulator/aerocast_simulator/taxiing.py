"""Ways on the ground with pauses: taxiing in, waiting for a stand, push-back, taking off.

Seconds count from the simulation's start.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from aerocast_protocols.modes.cpr import Position
from aerocast_protocols.modes.wind import vector_of

from aerocast_simulator.flight import (
    EARTH_RADIUS_M,
    KT_IN_MPS,
    Air,
    Arrival,
    Motion,
    moved,
)

CLIMB_FPM = 2200.0
FASTER_WITH_HEIGHT = 0.014  # knots of true airspeed a foot
LIFT_OFF_MPS = 75.0
STEP_S = 0.5


class Leg(NamedTuple):
    """A way between two moments, gently started and ended; between legs an aircraft stands.

    Attributes
    ----------
    places
        Along it, in order.
    ends_mps
        Speed at its end.
    is_backwards
        Whether it is pushed: its nose points where it comes from.
    """

    places: tuple[Position, ...]
    begins_s: float
    ends_s: float
    ends_mps: float = 0.0
    is_backwards: bool = False

    def at(self, second: float, elevation_ft: float) -> Motion:
        """Give where an aircraft on it is; before its begin and after its end it stands."""
        ways = [_way(a, b) for a, b in zip(self.places, self.places[1:], strict=False)]
        length_m = sum(each for each, _ in ways)
        takes_s = self.ends_s - self.begins_s
        share = min(max((second - self.begins_s) / takes_s, 0.0), 1.0)
        # The cubic that starts standing and ends at the speed wanted.
        turned = 3.0 * share**2 - 2.0 * share**3
        bent = share**3 - share**2
        done_m = length_m * turned + self.ends_mps * takes_s * bent
        speed_mps = 6.0 * length_m / takes_s * (share - share**2)
        speed_mps += self.ends_mps * (3.0 * share**2 - 2.0 * share)
        place, bearing_deg = _along(self.places, ways, done_m)
        return Motion(
            place,
            on_ground=True,
            altitude_ft=elevation_ft,
            ground_speed_kt=max(speed_mps, 0.0) / KT_IN_MPS if 0.0 < share < 1.0 else 0.0,
            track_deg=(bearing_deg + 180.0 * self.is_backwards) % 360.0,
        )


class TaxiIn:
    """Lands, stops, and goes on leg by leg to its stand.

    Parameters
    ----------
    landing
        Down to where it first stops.
    legs
        After that, in order of time.
    """

    def __init__(self, landing: Arrival, legs: Sequence[Leg], elevation_ft: float) -> None:
        self._landing = landing
        self._legs = tuple(legs)
        self._elevation_ft = elevation_ft

    def at(self, second: float) -> Motion:
        """Give where it is."""
        if second < self._landing.parked_by_s:
            return self._landing.at(second)
        return _leg_at(self._legs, second).at(second, self._elevation_ft)


class Departure:
    """Goes leg by leg from its stand to the end of its take-off roll, and climbs straight on.

    Parameters
    ----------
    legs
        In order of time; the last is the roll along the runway.
    air
        What it climbs through.
    """

    def __init__(self, legs: Sequence[Leg], air: Air, elevation_ft: float) -> None:
        *_, roll = legs
        self._legs = tuple(legs)
        self._air = air
        self._elevation_ft = elevation_ft
        self._track_deg = _way(*roll.places[-2:])[1]
        self.lifts_off_s = roll.ends_s
        # Metres flown, each half second after lift-off; grows on demand.
        self._flown_m = [0.0]

    def at(self, second: float) -> Motion:
        """Give where it is."""
        if second < self.lifts_off_s:
            return _leg_at(self._legs, second).at(second, self._elevation_ft)
        index, rest = divmod(second - self.lifts_off_s, STEP_S)
        while len(self._flown_m) < int(index) + 1:
            speed_kt = self._fly((len(self._flown_m) - 0.5) * STEP_S)[0]
            self._flown_m.append(self._flown_m[-1] + speed_kt * KT_IN_MPS * STEP_S)
        ground_speed_kt, heading_deg, airspeed_kt = self._fly(second - self.lifts_off_s)
        flown_m = self._flown_m[int(index)] + ground_speed_kt * KT_IN_MPS * rest
        return Motion(
            moved(self._legs[-1].places[-1], self._track_deg, flown_m),
            on_ground=False,
            altitude_ft=self._altitude_ft(second - self.lifts_off_s),
            ground_speed_kt=ground_speed_kt,
            track_deg=self._track_deg,
            vertical_rate_fpm=CLIMB_FPM,
            true_heading_deg=heading_deg,
            true_airspeed_kt=airspeed_kt,
        )

    def _altitude_ft(self, after_s: float) -> float:
        return self._elevation_ft + CLIMB_FPM * after_s / 60.0

    def _fly(self, after_s: float) -> tuple[float, float, float]:
        """Give ground speed, true heading and airspeed that keep it on its track."""
        altitude_ft = self._altitude_ft(after_s)
        airspeed_kt = LIFT_OFF_MPS / KT_IN_MPS + FASTER_WITH_HEIGHT * (
            altitude_ft - self._elevation_ft
        )
        track = math.radians(self._track_deg)
        east, north = vector_of(self._air.at(altitude_ft).wind)
        along = east * math.sin(track) + north * math.cos(track)
        across = east * math.cos(track) - north * math.sin(track)  # towards the right
        crab = math.asin(max(-1.0, min(1.0, -across / airspeed_kt)))
        heading_deg = (self._track_deg + math.degrees(crab)) % 360.0
        return airspeed_kt * math.cos(crab) + along, heading_deg, airspeed_kt


def _leg_at(legs: Sequence[Leg], second: float) -> Leg:
    begun = [leg for leg in legs if leg.begins_s <= second]
    return begun[-1] if begun else legs[0]


def _along(
    places: Sequence[Position], ways: Sequence[tuple[float, float]], done_m: float
) -> tuple[Position, float]:
    for start, (length_m, bearing_deg) in zip(places, ways, strict=False):
        if done_m <= length_m:
            return moved(start, bearing_deg, done_m), bearing_deg
        done_m -= length_m
    return places[-1], ways[-1][1]


def _way(start: Position, end: Position) -> tuple[float, float]:
    """Give length in metres and bearing in degrees of a straight way."""
    north_m = math.radians(end[0] - start[0]) * EARTH_RADIUS_M
    middle = math.radians((start[0] + end[0]) / 2.0)
    east_m = math.radians(end[1] - start[1]) * EARTH_RADIUS_M * math.cos(middle)
    return math.hypot(north_m, east_m), math.degrees(math.atan2(east_m, north_m)) % 360.0
