"""How different people get about: what they cannot use, and how long each way takes them.

Pure. Walking speeds: 1.33 m/s is what OpenTripPlanner assumes, and near the mean measured in
airports (Young, Transportation Research Record 1674, 1999); the others are ours.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from aerocast_hub.orientation.places.place_map import Mode, Way

WALK_MPS = 1.33
BELT_MPS = 0.65  # of a moving walkway
STEPS_UNKNOWN = 20
ESCALATOR_S = 60.0
LIFT_S = 60.0
GATE_S = 5.0

ProfileName = Literal["default", "family", "reduced_mobility", "wheelchair", "trolley"]

Obstacle = str
"""Why a way is no way for somebody: its mode, ``slope``, ``narrow`` or ``wheels``."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody gets about.

    Attributes
    ----------
    speed_mps
        On the level.
    step_s
        Seconds for each step of stairs.
    excluded
        Kinds of ways they cannot use.
    max_slope
        Steepest rise over run they manage; None is any.
    min_width_m
        What they need.
    walks_on_belts
        On moving walkways they walk; else they stand.
    on_wheels
        The wheelchair's times and lengths count.
    """

    speed_mps: float = WALK_MPS
    step_s: float = 0.6
    excluded: frozenset[Mode] = frozenset()
    max_slope: float | None = None
    min_width_m: float = 0.0
    walks_on_belts: bool = True
    on_wheels: bool = False


PROFILES: Mapping[str, Profile] = {
    "default": Profile(),
    "family": Profile(speed_mps=1.0, step_s=0.9, walks_on_belts=False),
    "reduced_mobility": Profile(
        speed_mps=0.8, excluded=frozenset({"stairs"}), max_slope=0.083, walks_on_belts=False
    ),
    "wheelchair": Profile(
        speed_mps=0.9,
        excluded=frozenset({"stairs", "escalator"}),
        max_slope=0.083,
        min_width_m=0.8,
        walks_on_belts=False,
        on_wheels=True,
    ),
    "trolley": Profile(
        speed_mps=1.2,
        excluded=frozenset({"stairs", "escalator"}),
        max_slope=0.125,
        min_width_m=0.8,
        walks_on_belts=False,
    ),
}
"""By the name people ask for."""

_SLOPE_TOLERANCE = 0.0004  # 1:12 is written 0.083, 0.0833 and 8.3 %


def obstacle(way: Way, profile: Profile) -> Obstacle | None:
    """Say why somebody cannot use a way; None when they can."""
    if way.mode in profile.excluded:
        return way.mode
    too_steep = profile.max_slope is not None and way.slope is not None
    if too_steep and abs(way.slope or 0.0) > (profile.max_slope or 0.0) + _SLOPE_TOLERANCE:
        return "slope"
    if way.min_width_m is not None and way.min_width_m < profile.min_width_m:
        return "narrow"
    return "wheels" if profile.on_wheels and way.wheelchair is False else None


def seconds_on(way: Way, profile: Profile) -> float:
    """Give how long a way takes somebody who can use it.

    What the map says of time is for people who walk at 1.33 m/s; machines wait for nobody.
    """
    if profile.on_wheels and way.wheelchair_seconds is not None:
        return way.wheelchair_seconds
    if way.mode == "walkway":
        return _walking_s(way, profile)
    if way.mode == "stairs":
        return _climbing_s(way, profile)
    if way.seconds is None and way.mode == "travelator":
        speed_mps = BELT_MPS + (profile.speed_mps if profile.walks_on_belts else 0.0)
        return (way.length_m or 0.0) / speed_mps
    usual_s = {"escalator": ESCALATOR_S, "lift": LIFT_S}.get(way.mode, GATE_S)
    return usual_s if way.seconds is None else way.seconds


def _climbing_s(way: Way, profile: Profile) -> float:
    if way.seconds is not None:
        return way.seconds * profile.step_s / Profile().step_s
    return (STEPS_UNKNOWN if way.stairs is None else abs(way.stairs)) * profile.step_s


def _walking_s(way: Way, profile: Profile) -> float:
    length_m = way.length_m
    if profile.on_wheels:
        length_m = way.length_m if way.wheelchair_length_m is None else way.wheelchair_length_m
        if length_m is not None:
            return length_m / profile.speed_mps
    if way.seconds is not None:
        return way.seconds * WALK_MPS / profile.speed_mps
    return (length_m or 0.0) / profile.speed_mps
